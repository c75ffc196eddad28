"""What a response is a part of, and whether more of the same can be asked for."""

from email.utils import formatdate

import pytest

from pipeline.net.answers import Answer
from pipeline.net.entity import Entity, entity_of
from tests.net.answering import Given

URL = "http://host/file"
LONG_AGO = "Wed, 21 Oct 2015 07:28:00 GMT"
NOW = 1_700_000_000.0


def answer(status: int = 200, **headers: str) -> Answer:
    """The head of an answer; a header that is empty is not there."""
    usual = {"content_length": "100", "etag": '"1"'}
    if status == 206:
        usual["content_range"] = "bytes 10-109/1000"
    found = usual | headers
    return Given(status, {name.replace("_", "-"): found[name] for name in found if found[name]})


def test_a_whole() -> None:
    """A plain answer is all of its entity."""
    assert entity_of(answer(), False, NOW) == Entity(URL, '"1"', 100)


def test_a_part() -> None:
    """Of a part, Content-Range says how large the whole is."""
    assert entity_of(answer(206), True, NOW) == Entity(URL, '"1"', 1000)


@pytest.mark.parametrize(
    ("response", "ranged"),
    [
        (answer(), True),
        (answer(accept_ranges="None"), False),
        (answer(content_length=""), False),
        (answer(content_length="²"), False),
        (answer(transfer_encoding="chunked"), False),
        (answer(206, content_range="bytes 10-109/*"), True),
        (answer(206, content_range=""), True),
    ],
    ids=[
        "a whole in place of a part",
        "no ranges",
        "no length",
        "no number",
        "chunked",
        "a part of an unknown whole",
        "a part of nothing",
    ],
)
def test_no_more_can_be_asked_for(response: Answer, ranged: bool) -> None:
    """Without a size, or from a server that knows no ranges, there is no asking for the rest."""
    assert entity_of(response, ranged, NOW) is None


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"etag": '"a b"'}, None),
        ({"etag": '"é"', "last_modified": LONG_AGO}, '"é"'),
        ({"etag": 'W/"1"'}, None),
        ({"etag": 'W/"1"', "last_modified": LONG_AGO}, LONG_AGO),
        ({"etag": "1", "last_modified": LONG_AGO}, LONG_AGO),
        ({"etag": "", "last_modified": LONG_AGO}, LONG_AGO),
        ({"etag": "", "last_modified": "yesterday"}, None),
        ({"etag": ""}, None),
    ],
    ids=[
        "no ETag at all",
        "strong",
        "weak",
        "weak, with a date",
        "without quotes",
        "a date",
        "no date",
        "nothing",
    ],
)
def test_the_validator(headers: dict[str, str], validator: str | None) -> None:
    """A strong ETag, else a date; a weak ETag says nothing about bytes."""
    entity = entity_of(answer(**headers), False, NOW)

    assert (entity.validator if entity else None) == validator


@pytest.mark.parametrize(("age", "believed"), [(59, False), (60, True)], ids=["fresh", "settled"])
@pytest.mark.parametrize("dated", [True, False], ids=["by its clock", "by ours"])
def test_a_date_that_is_too_fresh(dated: bool, age: int, believed: bool) -> None:
    """What has only just changed may have changed twice in the same second.

    It is the moment of the answer that counts, not that at which its body broke off.
    """
    sent = formatdate(NOW, usegmt=True) if dated else ""
    response = answer(etag="", last_modified=formatdate(NOW - age, usegmt=True), date=sent)
    received = NOW + 1000 if dated else NOW

    assert (entity_of(response, False, received) is not None) == believed

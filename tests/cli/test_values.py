import click
import pytest

from pipeline.cli.values import (
    COUNT,
    COUNT_OR_ZERO,
    DURATION,
    FORMAT,
    HEADER,
    POSITIVE_DURATION,
    RATE,
    REGEX,
    RENDITIONS,
    SECTION,
    THRESHOLD,
    Text,
)

MIB = 1 << 20


def convert(kind: Text, text: object) -> object:
    """What `kind` makes of `text`."""
    return kind.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "size"),
    [("50MB", 50 * MIB), ("1.5g", 3 << 29), ("0", 0), (1048576, MIB), ("none", None)],
)
def test_a_threshold_is_a_size_or_none(text: object, size: int | None) -> None:
    """Sizes have units or are bytes, and may be numbers in a configuration file."""
    assert convert(THRESHOLD, text) == size


def test_a_rate_is_a_size() -> None:
    """Of what may be read in a second."""
    assert convert(RATE, "2MB") == 2 * MIB
    assert convert(RATE, "500K") == 500 << 10


def test_a_count_is_a_whole_number() -> None:
    """There is at least one of some things, and none of others."""
    assert convert(COUNT, "1") == convert(COUNT, 1) == 1
    assert convert(COUNT_OR_ZERO, "0") == 0


def test_an_automatic_threshold_asks_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """'auto' is the store's to decide."""
    monkeypatch.setattr("pipeline.store.threshold.automatic_threshold", lambda: 25 * MIB)

    assert convert(THRESHOLD, "auto") == 25 * MIB


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (THRESHOLD, "lots"),
        (THRESHOLD, "-1"),
        (THRESHOLD, True),
        (COUNT, "0"),
        (COUNT, "many"),
        (COUNT, "²"),
        (COUNT_OR_ZERO, "-1"),
        (DURATION, "soon"),
        (DURATION, "-1s"),
        (POSITIVE_DURATION, "0"),
        (RATE, "0"),
        (RATE, "fast"),
        (HEADER, "no colon"),
        (HEADER, ": nameless"),
        (HEADER, "Two Words: value"),
        (HEADER, "X: line\r\nEvil: yes"),
        (HEADER, "X: 日本"),
        (FORMAT, "8k<p"),
        (SECTION, "20:00-05:00"),
        (SECTION, "later"),
        (REGEX, "(a"),
        (REGEX, "a{99999999999999999999}"),
        (RENDITIONS, ""),
        (RENDITIONS, "en,,de"),
    ],
)
def test_what_cannot_be_read_is_refused(kind: Text, text: object) -> None:
    """Nonsense is a usage error."""
    with pytest.raises(click.BadParameter):
        convert(kind, text)


def test_a_header_is_a_name_and_a_value() -> None:
    """Only the first colon separates, and spaces around the value go."""
    assert convert(HEADER, "Referer:  https://a.test:8080/ ") == (
        "Referer",
        "https://a.test:8080/",
    )
    assert convert(HEADER, "X-Empty:") == ("X-Empty", "")


def test_a_header_that_is_refused_is_not_quoted() -> None:
    """A mistyped header may hold a secret."""
    with pytest.raises(click.BadParameter) as refused:
        convert(HEADER, "Bearer hush")

    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(("text", "seconds"), [("30", 30.0), ("1.5s", 1.5), ("500ms", 0.5)])
def test_a_duration_is_in_seconds(text: str, seconds: float) -> None:
    """Durations have units or are seconds."""
    assert convert(DURATION, text) == convert(POSITIVE_DURATION, text) == seconds


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FORMAT, "best"),
        (FORMAT, "height<=1080,codecs=hvc1,bandwidth<4M/worst"),
        (SECTION, "05:00-20:00"),
        (SECTION, "-90.5"),
        (REGEX, r"/ad-\d+/"),
    ],
)
def test_what_the_engine_reads_again_stays_text(kind: Text, text: str) -> None:
    """It is checked here, and passed on as it was written."""
    assert convert(kind, text) == text


@pytest.mark.parametrize(
    ("text", "meant"),
    [("ALL", "all"), (" none ", "none"), ("en, pt-BR", "en,pt-BR"), ("English", "English")],
)
def test_renditions_are_a_word_or_languages(text: str, meant: str) -> None:
    """Words may be in capitals, and blanks do not count."""
    assert convert(RENDITIONS, text) == meant

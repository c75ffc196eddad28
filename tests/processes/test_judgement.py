import gzip

import pytest

from pipeline.errors import DecryptionError
from pipeline.net.failure import FetchFailure, Patience
from pipeline.processes.judgement import HEAD, Judgement, disguised
from tests.support.payloads import initialization_section, payload

TS = payload(0, 20 * 188)
FMP4 = payload(0, 4000, container="fmp4")
AUDIO = b"ID3\x04\0\0\0\0\0\x3fPRIV" + bytes(500)

MEDIA = {
    "nothing": b"",
    "a byte": b"G",
    "less than a packet": TS[:100],
    "packets": TS,
    "packets and a bit": TS[:-50],
    "boxes": FMP4,
    "a few bytes": bytes(7),
    "initialization section": initialization_section(),
    "audio": AUDIO,
}
OTHERS = {
    "page": (b"<!DOCTYPE html><html></html>", "a web page"),
    "long page": (b"\n <html><body>Please log in</body></html>" + b" " * 500, "a web page"),
    "JSON": (b'{"error": "expired"}', "text"),
    "long JSON": (b"[" + b'"expired", ' * 50 + b"]", "text"),
    "words": (b"Gone", "text"),
    "words in UTF-8": ("abgelaufen für immer".encode(), "text"),
    "pixel": (b"GIF89a" + bytes(37), "a GIF image"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(400), "a PNG image"),
    "zeros": (bytes(400), "neither"),
    "a few zeros": (bytes(100), "neither"),
    "page in Latin-1": (b"<html>d\xe9j\xe0 vu</html>", "a web page"),
    "page in UTF-16": ("<html>gone</html>".encode("utf-16"), "neither"),
    "packed page": (gzip.compress(b"<html>gone</html>"), "neither"),
}


def judge(body, encrypted=False, until_close=False, stripped=False):
    """Let all of `body` pass in one block."""
    judgement = Judgement(encrypted, until_close, stripped)
    if body:
        judgement.first(body[:HEAD], len(body))
        judgement.watch(memoryview(body))
    judgement.last(memoryview(body), len(body))


@pytest.mark.parametrize("body", MEDIA.values(), ids=MEDIA)
@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "encrypted"])
def test_media_passes(body, encrypted):
    """What HLS carries is believed; of less than a packet little can be told."""
    judge(body, encrypted)


@pytest.mark.parametrize(("body", "reason"), OTHERS.values(), ids=OTHERS)
def test_other_things_are_named(body, reason):
    """A page, a message or a picture in a segment's place is no segment, however short."""
    with pytest.raises(FetchFailure, match=reason):
        judge(body)
    with pytest.raises(DecryptionError, match="neither"):
        judge(body, encrypted=True)


@pytest.mark.parametrize("body", [OTHERS["pixel"][0], OTHERS["picture"][0]])
def test_what_can_be_done_about_a_picture(body):
    """The option is named, unless it has been given and was of no use; a retry seldom is."""
    with pytest.raises(FetchFailure, match="--strip-images") as refused:
        judge(body)
    with pytest.raises(FetchFailure, match="no segment shows"):
        judge(body, stripped=True)
    error = DecryptionError("the padding is wrong")

    assert refused.value.patience is Patience.FEW
    assert "--strip-images" in str(disguised(error, "PNG image", stripped=False))
    assert "no segment shows" in str(disguised(error, "PNG image", stripped=True))


def test_a_hole_shows_at_the_end():
    """A transport stream whose packets have slipped is damaged."""
    slipped = TS[: 5 * 188] + TS[6 * 188 - 3 :]

    with pytest.raises(FetchFailure, match="does not end"):
        judge(slipped)
    with pytest.raises(DecryptionError, match="does not end"):
        judge(slipped, encrypted=True)


@pytest.mark.parametrize(
    "body", [TS, FMP4, initialization_section()], ids=["TS", "fMP4", "section"]
)
def test_a_whole_container_needs_no_length(body):
    """Packets and boxes show where a segment ends."""
    judge(body, until_close=True)


@pytest.mark.parametrize("body", [TS[:-1], TS[:200], FMP4[:-1]], ids=["a byte", "most", "fMP4"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "encrypted"])
def test_a_container_that_is_cut(body, encrypted):
    """One that ends in the middle is refused where the server has announced no length."""
    with pytest.raises(FetchFailure, match="mid-air"):
        judge(body, encrypted, until_close=True)


@pytest.mark.parametrize("body", [b"", AUDIO, bytes(7)], ids=["nothing", "audio", "a few bytes"])
def test_what_shows_no_end_needs_a_length(body):
    """Or encryption, whose padding has been seen by then."""
    judge(body, encrypted=True, until_close=True)
    with pytest.raises(FetchFailure, match="nothing shows"):
        judge(body, until_close=True)

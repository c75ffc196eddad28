"""F15: segments behind pictures, refused or undisguised."""

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Chunked, CloseDelimited, Right
from tests.support.exchange import Behaviour
from tests.support.pictures import bmp, gif, ico, jpeg, png, webp
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "3", "--retry-sleep", "0.01")

PICTURES = {
    "PNG": png((b"IDAT", bytes(100)), (b"tEXt", b"G" * 400)),
    "JPEG": jpeg([(0xE1, b"G" * 1000)], b"\xff\x01abc"),
    "GIF": gif(8, [b"G" * 200, b"abc"]),
    "BMP": bmp(b"G" * 300),
    "WebP": webp(b"VP8 abc"),
    "ICO": ico(b"abc", b"G" * 500),
}

STREAMS = {
    "packets": {},
    "boxes": {"container": "fmp4", "maps_every": 2},
    "encrypted boxes": {"container": "fmp4", "aes": Aes()},
    "encrypted packets": {"aes": Aes()},
}


def disguise(bench: Bench, picture: bytes) -> None:
    """Put `picture` before every segment of the stream that is served."""
    for path in bench.stream.segments:
        path.write_bytes(picture + path.read_bytes())


@pytest.mark.parametrize(
    ("picture", "stream"),
    [
        *((kind, "encrypted packets") for kind in PICTURES),
        *(("PNG", kind) for kind in list(STREAMS)[:3]),
    ],
)
def test_taken_off(picture: str, stream: str, bench: Bench) -> None:
    """With `--strip-images` the output is what it would be without the picture."""
    bench.serve([188 * 1000, 188 * 2500, 188 * 3], **STREAMS[stream])
    disguise(bench, PICTURES[picture])

    run = bench.fetch(*BRIEF, "--strip-images")

    bench.check_right(run)
    assert run.receipt["retries"] == 0


@pytest.mark.parametrize("behaviour", [Chunked(), CloseDelimited()], ids=["chunks", "no length"])
@pytest.mark.parametrize("aes", [None, Aes()], ids=["clear", "encrypted"])
@pytest.mark.parametrize("size", [188, 188 * 5000], ids=["a packet", "many"])
def test_taken_off_however_it_comes(
    size: int, aes: Aes | None, behaviour: Behaviour, bench: Bench
) -> None:
    """A length that nobody announced makes no difference, and a large picture none either."""
    bench.serve([size] * 3, aes=aes)
    disguise(bench, png((b"IDAT", b"G" * 200 * KB)))
    bench.origin.behave("/segment*", behaviour)

    bench.check_right(bench.fetch(*BRIEF, "--strip-images"))


def test_not_without_being_asked(bench: Bench) -> None:
    """The error says what is there and what can be done about it; trying again is no remedy."""
    bench.serve([188 * 100] * 2)
    disguise(bench, PICTURES["PNG"])

    run = bench.fetch(*BRIEF)

    bench.check_failed(run, 3)
    assert "begins like a PNG image" in message(run)
    assert "--strip-images" in message(run)
    assert bench.origin.count("/segment*") <= 4


@pytest.mark.parametrize("length", [0, 8], ids=["whole blocks", "half a block more"])
def test_not_what_is_encrypted_either(length: int, bench: Bench) -> None:
    """Whatever decryption trips over: what the segment looks like is said, too."""
    bench.serve([188 * 100] * 2, aes=Aes())
    picture = PICTURES["JPEG"]
    picture += bytes(-len(picture) % 16 + length)
    disguise(bench, picture)

    run = bench.fetch(*BRIEF)

    bench.check_failed(run, 5)
    assert "begins like a JPEG image" in message(run)
    assert "--strip-images" in message(run)


@pytest.mark.parametrize("aes", [None, Aes()], ids=["clear", "encrypted"])
def test_nothing_but_a_picture(aes: Aes | None, bench: Bench) -> None:
    """A picture alone is no segment, and nothing of it gets into the output."""
    bench.serve([188 * 100] * 2, aes=aes)
    bench.origin.behave("/segment00001.ts", Right(body=png((b"IDAT", bytes(1000)))))

    run = bench.fetch(*BRIEF, "--strip-images")

    bench.check_failed(run, 3 if aes is None else 5)
    assert "Segment 1" in message(run)


def test_a_stream_without_pictures(bench: Bench) -> None:
    """There is nothing to take off, and nothing is."""
    bench.serve([188 * 100, 300 * KB, 1], aes=Aes())

    bench.check_right(bench.fetch(*BRIEF, "--strip-images"))

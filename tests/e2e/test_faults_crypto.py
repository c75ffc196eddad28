"""Faults of keys and of encrypted segments, by their numbers in docs/faults.md (F37 to F43).

Statuses, wrong sizes and wrong keys are in `test_failures`, what can be decrypted in
`test_encryption`.
"""

import hashlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Page, Right, Stall, Status, first
from tests.support.exchange import Behaviour
from tests.support.payloads import initialization_section, payload
from tests.support.playlists import (
    NO_KEY,
    Entry,
    KeyTag,
    MapTag,
    Variant,
    media_playlist,
    multivariant_playlist,
)
from tests.support.streams import Aes, encrypt

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "2", "--retry-sleep", "0.01")
KEYS = [bytes([number]) * 16 for number in range(3)]
IV = bytes(range(16))

#: Whole transport packets.
SIZE = 100 * 188


def sealed(plain: bytes, key: bytes = KEYS[0], iv: bytes = IV) -> bytes:
    """The bytes encrypted with AES-128."""
    return b"".join(map(bytes, encrypt([plain], key, iv)))


def some_keys() -> Iterator[bytes]:
    """Keys that are not the right one."""
    return (number.to_bytes(16) for number in range(1, 1 << 16))


def pads_well(body: bytes, key: bytes) -> bool:
    """Whether the last block ends in right padding under this key."""
    cipher = Cipher(algorithms.AES(key), modes.CBC(body[-32:-16])).decryptor()
    last = cipher.update(body[-16:])
    return 1 <= last[-1] <= 16 and last.endswith(last[-1:] * last[-1])


def sha256(*parts: bytes) -> str:
    """The hash of the parts joined."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.fixture
def served(bench: Bench) -> Bench:
    """600 KB in 12 encrypted segments."""
    bench.serve([50 * KB] * 12, aes=Aes())
    return bench


class TestKeys:
    """F37 and F38: what a key server may answer."""

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (KEYS[0] + b"\n", "its last byte is a newline"),
            (b"<!DOCTYPE html><html><body>Please log in</body></html>", "it is a web page"),
            (bytes(9), "9 bytes long"),
            (b"", "0 bytes long"),
        ],
        ids=["a newline", "a web page", "9 bytes", "nothing"],
    )
    def test_no_key(self, body: bytes, reason: str, served: Bench) -> None:
        """It is exit 5 and says what came instead; nothing is decrypted, no segment asked for."""
        served.origin.behave("/key0.key", Right(body=body))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5)
        assert reason in message(run)
        assert served.origin.count("/segment*") == 0
        assert served.origin.count("/key0.key") == 1

    def test_a_page_of_sixteen_bytes(self, served: Bench) -> None:
        """A page that has the size of a key is a wrong key."""
        served.origin.behave("/key0.key", Page("<html>sorry</p>\n"))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5)
        assert "Segment" in message(run)

    @pytest.mark.parametrize(
        ("behaviour", "tries"),
        [(Status(403), 2), (Status(404), 2), (Status(500), 3), (Stall(), 3)],
        ids=["403", "404", "500", "idle"],
    )
    def test_a_server_that_has_none(self, behaviour: Behaviour, tries: int, served: Bench) -> None:
        """A key is tried like a segment; its URL is named without the query."""
        text = served.stream.playlist_path.read_text()
        served.serve_playlist(text.replace("key0.key", "key0.key?token=hush-hush"))
        served.origin.behave("/key0.key", behaviour)

        run = served.fetch(*BRIEF, "--timeout", "0.3")

        served.check_failed(run, 5)
        assert served.origin.url("/key0.key?…") in message(run)
        assert "hush" not in run.stdout + run.stderr
        assert served.origin.count("/key0.key") == tries
        assert served.origin.count("/segment*") == 0

    def test_a_server_that_recovers(self, served: Bench) -> None:
        """The key that comes in the end is asked for no more."""
        served.origin.behave("/key0.key", first(2, Status(503)))

        run = served.fetch(*BRIEF, "-N", "16")

        served.check_right(run)
        assert served.origin.count("/key0.key") == 3

    def test_once_for_all_outputs(self, bench: Bench) -> None:
        """Video, audio and subtitles under one key: it is asked for once in the whole run."""
        media = [payload(index, SIZE) for index in range(2)]
        words = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"
        key = KeyTag("AES-128", "key", IV)
        for name, body in zip(("v", "a", "s"), (*media, words), strict=True):
            text = media_playlist([Entry(f"{name}.ts", tags=[key])])
            bench.origin.serve({f"/{name}.m3u8": text, f"/{name}.ts": sealed(body)})
        bench.origin.serve({"/key": KEYS[0]})
        tag = '#EXT-X-MEDIA:TYPE={},GROUP-ID="{}",NAME="x",LANGUAGE="en",DEFAULT=YES,URI="{}.m3u8"'
        tags = [tag.format("AUDIO", "a", "a"), tag.format("SUBTITLES", "s", "s")]
        variant = Variant("v.m3u8", 1, more='AUDIO="a",SUBTITLES="s"')
        bench.serve_playlist(multivariant_playlist([variant], tags))

        run = bench.fetch("--subtitles", "en")

        bench.check_right(run, sha256(media[0]))
        assert len(run.receipt["renditions"]) == 2
        assert bench.origin.count("/key") == 1


class TestSegments:
    """F39 and F40: what does not decrypt to media."""

    @pytest.mark.parametrize("cut", [1, 16, 25 * KB], ids="by {}".format)
    def test_once(self, cut: int, served: Bench) -> None:
        """Ciphertext that is too short is asked for again, and right the second time."""
        whole = (served.stream.directory / "segment00007.ts").read_bytes()
        served.origin.behave("/segment00007.ts", first(1, Right(body=whole[:-cut])))

        run = served.fetch(*BRIEF)

        served.check_right(run)
        assert served.origin.count("/segment00007.ts") == 2

    def test_padding_that_is_right_by_chance(self, bench: Bench) -> None:
        """A wrong key leaves right padding once in 256 times: the bytes before it tell."""
        plain = payload(0, SIZE)
        wrong = next(filter(lambda key: pads_well(sealed(plain), key), some_keys()))
        bench.origin.serve({"/a.ts": sealed(plain), "/key": wrong})
        bench.serve_playlist(media_playlist([Entry("a.ts", tags=[KeyTag("AES-128", "key", IV)])]))

        run = bench.fetch(*BRIEF)

        bench.check_failed(run, 5)
        assert "neither MPEG-TS" in message(run)


class TestPlaylists:
    """F41, F42 and F43: which key, which IV, which bytes."""

    def test_an_iv_of_too_many_digits(self, bench: Bench) -> None:
        """33 digits are no IV: cutting them would decrypt to noise."""
        key = f'#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x{"1" * 33}'
        bench.serve_playlist(media_playlist([Entry("a.ts", tags=[key])]))

        run = bench.fetch(*BRIEF)

        bench.check_failed(run, 4)
        assert "32 hexadecimal digits" in message(run)
        assert bench.origin.count() == 1

    def test_keys_that_change(self, bench: Bench) -> None:
        """Sections and segments each have the key in force at their place, or none."""
        sections = [initialization_section(number) for number in range(2)]
        media = [payload(index, SIZE, container="fmp4") for index in range(4)]
        keys = [KeyTag("AES-128", f"{number}.key", IV) for number in range(3)]
        bench.origin.serve({f"/{number}.key": key for number, key in enumerate(KEYS)})
        bench.origin.serve(
            {
                "/0.mp4": sealed(sections[0], KEYS[0]),
                "/0.m4s": sealed(media[0], KEYS[1]),
                "/1.m4s": media[1],
                "/1.mp4": sections[1],
                "/2.m4s": sealed(media[2], KEYS[2]),
                "/3.m4s": sealed(media[3], KEYS[0]),
            }
        )
        entries = [
            Entry("0.m4s", tags=[keys[0], MapTag("0.mp4"), keys[1]]),
            Entry("1.m4s", tags=[NO_KEY]),
            Entry("2.m4s", tags=[MapTag("1.mp4"), keys[2]]),
            Entry("3.m4s", tags=[keys[0]]),
        ]
        bench.serve_playlist(media_playlist(entries))

        run = bench.fetch(*BRIEF)

        parts = [sections[0], media[0], media[1], sections[1], media[2], media[3]]
        bench.check_right(run, sha256(*parts))
        assert [bench.origin.count(f"/{number}.key") for number in range(3)] == [1, 1, 1]

    @pytest.mark.parametrize("iv", ["implicit", "explicit"])
    def test_a_section_whose_range_states_its_clear_size(self, iv: str, bench: Bench) -> None:
        """The rest of its last cipher block is asked for as well."""
        aes = Aes(iv=iv, clear_map_range=True)
        bench.serve([SIZE] * 6, container="fmp4", maps_every=2, byte_ranges="explicit", aes=aes)

        run = bench.fetch(*BRIEF)

        bench.check_right(run)
        assert bench.origin.count() == bench.stream.requests

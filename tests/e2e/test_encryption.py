"""Encrypted streams: whichever way they are encrypted, the output is clear, or there is none.

The encryptors are the tests' own (`tests.support`), and ffmpeg is the judge of decrypted samples.
What `test_outputs` tries already is left out: byte ranges, sections and keys that change.
"""

import base64
import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.crypto.conftest import TONE, VIDEO, X264, ffmpeg, frame_hashes
from tests.e2e.bench import KB, Bench, message
from tests.support import cenc
from tests.support.payloads import initialization_section, payload
from tests.support.playlists import Entry, KeyTag, MapTag, media_playlist
from tests.support.sample_aes import encrypt_ts

pytestmark = pytest.mark.processes

KEY, IV = bytes(range(16)), bytes(range(16, 32))
LONG_KEY = bytes(range(32))

FAIRPLAY = (
    '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://asset",KEYFORMAT="com.apple.streamingkeydelivery"'
)
WIDEVINE = (
    '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",'
    'KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"'
)
PLAYREADY = (
    '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",'
    'KEYFORMAT="com.microsoft.playready"'
)


def sealed(plain: bytes, key: bytes = KEY, iv: bytes = IV) -> bytes:
    """AES-CBC with PKCS#7 padding, with a key of either size."""
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    rest = 16 - len(plain) % 16
    return cipher.update(plain + bytes([rest]) * rest) + cipher.finalize()


def sha256(*parts: bytes) -> str:
    """The hash of the parts joined."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


def serve(bench: Bench, bodies: Sequence[bytes], tags: Sequence[Sequence[object]]) -> None:
    """Serve segments, each behind tags of its own, and the two keys."""
    names = [f"segment{number}.ts" for number in range(len(bodies))]
    bench.origin.serve({f"/{name}": body for name, body in zip(names, bodies, strict=True)})
    bench.origin.serve({"/key": KEY, "/long-key": LONG_KEY})
    entries = [
        Entry(name, tags=[str(tag) for tag in behind])
        for name, behind in zip(names, tags, strict=True)
    ]
    bench.serve_playlist(media_playlist(entries))


class TestWholeSegments:
    """METHOD=AES-128 and AES-256."""

    PLAIN = tuple(payload(index, 30 * KB + index) for index in range(3))

    def serve_sealed(self, bench: Bench, *tags: object, key: bytes = KEY) -> None:
        """Three segments under the same tags."""
        serve(bench, [sealed(plain, key) for plain in self.PLAIN], [tags, [], []])

    def test_aes_256(self, bench: Bench) -> None:
        """AES-256 has a key of 32 bytes; sections and segments are under it alike."""
        section = initialization_section()
        media = payload(0, 50 * KB, container="fmp4")
        key = KeyTag("AES-256", "long-key", IV)
        bench.origin.serve({"/init.mp4": sealed(section, LONG_KEY)})
        serve(bench, [sealed(media, LONG_KEY)], [[key, MapTag("init.mp4")]])

        run = bench.fetch()

        bench.check_right(run, sha256(section, media))

    def test_spellings_of_the_initialization_vector(self, bench: Bench) -> None:
        """An IV counts from the right, in either case, and with or without 0x."""
        spellings = {
            f"0x{IV.hex()}": IV,
            f"0X{IV.hex().upper()}": IV,
            IV.hex(): IV,
            "0x7": (7).to_bytes(16),
            f"0x{IV.hex()[:31]}": int(IV.hex()[:31], 16).to_bytes(16),
        }
        plain = [payload(index, 20 * KB) for index in range(len(spellings))]
        serve(
            bench,
            [sealed(one, KEY, iv) for one, iv in zip(plain, spellings.values(), strict=True)],
            [[f'#EXT-X-KEY:METHOD=AES-128,URI="key",IV={text}'] for text in spellings],
        )

        run = bench.fetch()

        bench.check_right(run, sha256(*plain))
        assert bench.origin.count("/key") == 1

    def test_several_keys_for_one_segment(self, bench: Bench) -> None:
        """Of several ways to a key the one without a DRM system is taken."""
        self.serve_sealed(bench, FAIRPLAY, KeyTag("AES-128", "key", IV), WIDEVINE)

        run = bench.fetch()

        bench.check_right(run, sha256(*self.PLAIN))

    def test_a_clear_section_under_no_key(self, bench: Bench) -> None:
        """A section before the first key is clear, and the segments behind it are not."""
        section = initialization_section()
        media = payload(0, 50 * KB, container="fmp4")
        bench.origin.serve({"/init.mp4": section})
        serve(bench, [sealed(media)], [[MapTag("init.mp4"), KeyTag("AES-128", "key", IV)]])

        run = bench.fetch()

        bench.check_right(run, sha256(section, media))

    def test_two_sections_under_two_keys(self, bench: Bench) -> None:
        """Each section is under the key that is in force where it is named."""
        other = bytes(reversed(KEY))
        sections = [initialization_section(number) for number in range(2)]
        media = [payload(index, 40 * KB, container="fmp4") for index in range(2)]
        bench.origin.serve({"/other": other})
        bench.origin.serve({"/0.mp4": sealed(sections[0]), "/1.mp4": sealed(sections[1], other)})
        serve(
            bench,
            [sealed(media[0]), sealed(media[1], other)],
            [
                [KeyTag("AES-128", "key", IV), MapTag("0.mp4")],
                ["#EXT-X-DISCONTINUITY", KeyTag("AES-128", "other", IV), MapTag("1.mp4")],
            ],
        )

        run = bench.fetch()

        bench.check_right(run, sha256(sections[0], media[0], sections[1], media[1]))

    @pytest.mark.parametrize(
        "spelling", [base64.b64encode(KEY).decode(), "file"], ids=["base64", "file"]
    )
    def test_a_key_of_the_users_own(self, spelling: str, bench: Bench) -> None:
        """With `--key` and `--iv` nothing that the playlist says of keys is asked for."""
        self.serve_sealed(bench, KeyTag("AES-128", "nowhere", bytes(16)))
        (bench.workspace.cwd / "file").write_bytes(KEY)

        run = bench.fetch("--key", spelling, "--iv", f"0x{IV.hex()}")

        bench.check_right(run, sha256(*self.PLAIN))
        assert bench.origin.count("/nowhere") == 0

    def test_a_key_from_elsewhere(self, bench: Bench) -> None:
        """`--key-url` replaces the playlist's own key URLs, a DRM system's too."""
        self.serve_sealed(bench, f"{FAIRPLAY.replace('SAMPLE-AES', 'AES-128')},IV=0x{IV.hex()}")

        run = bench.fetch("--key-url", bench.origin.url("/key"))

        bench.check_right(run, sha256(*self.PLAIN))


class TestRefusals:
    """What cannot be decrypted leaves nothing behind."""

    @pytest.mark.parametrize(
        ("tags", "name"),
        [
            ([FAIRPLAY], "FairPlay"),
            ([WIDEVINE, PLAYREADY], "Widevine"),
            (
                ['#EXT-X-KEY:METHOD=AES-128,URI="key",KEYFORMAT="com.example.drm"'],
                "com.example.drm",
            ),
        ],
        ids=["FairPlay", "Widevine and PlayReady", "an unknown format"],
    )
    def test_a_drm_system(self, tags: list[str], name: str, bench: Bench) -> None:
        """Where only a DRM system has the key, it is named before a segment is asked for."""
        serve(bench, [payload(0, KB)] * 2, [[], tags])

        run = bench.fetch()

        bench.check_failed(run, 4)
        assert name in message(run)
        assert bench.origin.count("/segment*") == 0

    @pytest.mark.parametrize(
        ("method", "key"),
        [("AES-128", LONG_KEY), ("AES-256", KEY), ("AES-128", b"")],
        ids=["too long", "too short", "empty"],
    )
    def test_a_key_of_the_wrong_size(self, method: str, key: bytes, bench: Bench) -> None:
        """A key that has not the size for its method is an error that says so."""
        serve(bench, [sealed(payload(0, KB))], [[KeyTag(method, "wrong", IV)]])
        bench.origin.serve({"/wrong": key})

        run = bench.fetch()

        bench.check_failed(run, 5)
        assert "key" in message(run)

    def test_a_given_key_of_the_wrong_size(self, bench: Bench) -> None:
        """A key from the command line has to fit the method, and is not shown."""
        serve(bench, [sealed(payload(0, KB))], [[KeyTag("AES-128", "key", IV)]])

        run = bench.fetch("--key", LONG_KEY.hex())

        bench.check_failed(run, 5)
        assert LONG_KEY.hex() not in run.stdout + run.stderr
        assert bench.origin.count("/segment*") == 0

    def test_a_wrong_key(self, bench: Bench) -> None:
        """Under a wrong key nothing is written."""
        serve(bench, [sealed(payload(0, 50 * KB))], [[KeyTag("AES-128", "key", IV)]])

        run = bench.fetch("--key", bytes(reversed(KEY)).hex())

        bench.check_failed(run, 5)

    @pytest.mark.parametrize("size", [40 * KB, 600 * KB], ids=["one block", "several blocks"])
    def test_plaintext_that_is_no_media(self, size: int, bench: Bench) -> None:
        """What decrypts without complaint and is no media is refused all the same."""
        noise = random.Random(0).randbytes(size)
        clear = payload(0, 50 * KB)
        serve(bench, [sealed(clear), sealed(noise)], [[KeyTag("AES-128", "key", IV)], []])

        run = bench.fetch()

        bench.check_failed(run, 5)
        assert "neither" in message(run)

    def test_a_body_that_is_cut(self, bench: Bench) -> None:
        """Encrypted bytes that are no whole number of cipher blocks are refused."""
        cut = sealed(payload(0, 50 * KB))[:-3]
        serve(bench, [cut], [[KeyTag("AES-128", "key", IV)]])

        run = bench.fetch()

        bench.check_failed(run, 5)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two seconds of video and audio, as two TS segments and as fragmented MP4."""
    folder = tmp_path_factory.mktemp("clips")
    inputs = ["-f", "lavfi", "-i", VIDEO.replace("=1", "=2"), "-f", "lavfi", "-i", TONE]
    codecs = [*X264, "-g", "25", "-c:a", "aac", "-b:a", "192k"]
    hls = ["-f", "hls", "-hls_time", "1", "-hls_segment_filename", folder / "%d.ts"]
    ffmpeg(*inputs, *codecs, *hls, folder / "list.m3u8", level="error")
    flags = "frag_keyframe+empty_moov+default_base_moof"
    ffmpeg(*inputs, *codecs, "-movflags", flags, folder / "clear.mp4", level="error")
    return folder


class TestSamples:
    """METHOD=SAMPLE-AES and SAMPLE-AES-CTR: only samples are encrypted."""

    def test_a_transport_stream(self, clips: Path, bench: Bench) -> None:
        """ffmpeg decodes the frames of the clear stream."""
        clear = [(clips / f"{number}.ts").read_bytes() for number in range(2)]
        whole = bench.workspace.cwd / "clear.ts"
        whole.write_bytes(b"".join(clear))
        encrypted = [encrypt_ts(segment, KEY, IV) for segment in clear]
        serve(bench, encrypted, [[FAIRPLAY, KeyTag("SAMPLE-AES", "key", IV)], []])

        run = bench.fetch()

        assert run.exit_code == 0, run.stderr
        assert encrypted != clear
        assert frame_hashes("-i", bench.output) == frame_hashes("-i", whole)
        bench.check_nothing_left()

    @pytest.mark.parametrize(
        ("method", "scheme"),
        [
            ("SAMPLE-AES", cenc.Scheme(b"cbcs", KEY, IV, (1, 9))),
            ("SAMPLE-AES-CTR", cenc.Scheme(b"cenc", KEY, IV[:8])),
        ],
        ids=["cbcs", "cenc"],
    )
    @pytest.mark.parametrize("given", [False, True], ids=["identity key", "given key"])
    def test_fragmented_mp4(
        self, given: bool, method: str, scheme: cenc.Scheme, clips: Path, bench: Bench
    ) -> None:
        """ffmpeg decodes the frames of the clear movie; a given key does for a DRM system's."""
        section, fragments = cenc.encrypt((clips / "clear.mp4").read_bytes(), scheme)
        key = WIDEVINE if given else KeyTag(method, "key")
        key = str(key).replace("SAMPLE-AES-CTR", method)
        bench.origin.serve({"/init.mp4": section})
        serve(bench, [fragments], [[key, MapTag("init.mp4")]])

        run = bench.fetch(*(["--key", KEY.hex()] if given else []))

        assert run.exit_code == 0, run.stderr
        assert frame_hashes("-i", bench.output) == frame_hashes("-i", clips / "clear.mp4")
        bench.check_nothing_left()

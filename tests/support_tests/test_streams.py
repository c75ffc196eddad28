"""The builder's promises, held against the openssl binary and the playlist's text."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.payloads import PACKET, initialization_section, payload
from tests.support.streams import MB, Aes, Stream, build, sha256_of

SIZES = (1_000_000, 0, 16, 15, 17, 188, 1_048_477)


def decrypt(data: bytes, key: bytes, iv: bytes) -> bytes:
    """AES-128-CBC by the openssl program, padding checked and removed."""
    command = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", key.hex(), "-iv", iv.hex()]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


class Reader:
    """The simplest reading of the builder's own playlists that can be right."""

    def __init__(self, stream: Stream) -> None:
        self.directory = stream.directory
        self.lines = stream.playlist_path.read_text().splitlines()
        self.key: tuple[bytes, bytes | None] | None = None
        self.number = 0
        self.output = b""
        self.wanted: tuple[int, int] | None = None
        self.range_end = 0

    def read(self) -> bytes:
        for line in self.lines:
            tag, _, value = line.partition(":")
            match tag:
                case "#EXT-X-MEDIA-SEQUENCE":
                    self.number = int(value)
                case "#EXT-X-KEY":
                    self._take_key(value)
                case "#EXT-X-MAP":
                    uri, length, start = self._map(value)
                    self.output += self._open(uri, length, start)
                case "#EXT-X-BYTERANGE":
                    length, _, start = value.partition("@")
                    begin = int(start) if start else self.range_end
                    self.wanted = (int(length), begin)
                    self.range_end = begin + int(length)
                case _ if not line.startswith("#"):
                    self.output += self._open(line, *(self.wanted or (None, 0)))
                    self.number += 1
                    self.wanted = None
        return self.output

    def _take_key(self, value: str) -> None:
        uri, iv = re.search('URI="(.*?)"', value), re.search("IV=0x([0-9a-f]{32})", value)
        if "METHOD=NONE" in value:
            self.key = None
            return
        assert uri
        secret = (self.directory / uri[1]).read_bytes()
        self.key = (secret, bytes.fromhex(iv[1]) if iv else None)

    def _map(self, value: str) -> tuple[str, int | None, int]:
        found = re.fullmatch(r'URI="(.*?)"(?:,BYTERANGE="(\d+)@(\d+)")?', value)
        assert found
        return found[1], int(found[2]) if found[2] else None, int(found[3] or 0)

    def _open(self, name: str, length: int | None, start: int) -> bytes:
        data = (self.directory / name).read_bytes()[start:]
        data = data if length is None else data[:length]
        if self.key is None:
            return data
        key, iv = self.key
        return decrypt(data, key, iv or self.number.to_bytes(16))


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param({}, id="clear"),
        pytest.param({"aes": Aes()}, id="implicit IV"),
        pytest.param({"aes": Aes(), "media_sequence_number": 2**33}, id="large sequence number"),
        pytest.param({"aes": Aes(iv="explicit")}, id="explicit IV"),
        pytest.param({"aes": Aes(rotate_every=2)}, id="key rotation"),
        pytest.param({"aes": Aes(clear={1, 2, 5})}, id="METHOD=NONE in between"),
        pytest.param({"byte_ranges": "explicit"}, id="byte ranges"),
        pytest.param({"byte_ranges": "implicit", "aes": Aes()}, id="implicit byte ranges, AES"),
        pytest.param({"container": "fmp4"}, id="fMP4"),
        pytest.param({"container": "fmp4", "maps_every": 3}, id="several maps"),
        pytest.param({"container": "fmp4", "aes": Aes()}, id="fMP4, encrypted map"),
        pytest.param(
            {"container": "fmp4", "aes": Aes(encrypt_map=False), "maps_every": 3},
            id="fMP4, clear maps",
        ),
        pytest.param(
            {
                "container": "fmp4",
                "aes": Aes(iv="explicit", rotate_every=3),
                "maps_every": 2,
                "byte_ranges": "implicit",
            },
            id="everything at once",
        ),
    ],
)
def test_the_playlist_leads_to_the_promised_bytes(
    stream_dir: Path, recipe: dict[str, object]
) -> None:
    """Reading the playlist and decrypting with openssl gives the hash, for every recipe."""
    stream = build(stream_dir, SIZES, **recipe)

    output = Reader(stream).read()

    assert len(output) == stream.bytes
    assert hashlib.sha256(output).hexdigest() == stream.sha256


def test_an_encrypted_map_may_state_its_clear_size(stream_dir: Path) -> None:
    """Some packagers state the clear size in the map's byte range."""
    aes = Aes(iv="explicit", clear_map_range=True)

    stream = build(stream_dir, [100], container="fmp4", byte_ranges="explicit", aes=aes)

    length = len(initialization_section())
    assert f'BYTERANGE="{length}@0"' in stream.playlist_path.read_text()
    assert f"#EXT-X-BYTERANGE:112@{length + 16 - length % 16}" in stream.playlist_path.read_text()


def test_requests_of_a_clean_run_are_counted(stream_dir: Path) -> None:
    """Playlist, keys, maps and segments, each once."""
    aes = Aes(rotate_every=2)

    stream = build(stream_dir, [100] * 5, container="fmp4", maps_every=2, aes=aes)

    assert stream.requests == 1 + 3 + 3 + 5


def test_gaps_have_a_hash_too(stream_dir: Path) -> None:
    """What the output is without some segments can be stated."""
    stream = build(stream_dir, [1000, 2000, 3000])

    without = hashlib.sha256(stream.payload(0) + stream.payload(2)).hexdigest()

    assert stream.sha256_without({1}) == without


def test_payloads_can_be_made_again(stream_dir: Path) -> None:
    """What a segment decrypts to is known without the file, in pieces and as a whole."""
    stream = build(stream_dir, [3 * MB, 2 * MB], seed=7)

    assert [stream.payload(index) for index in (0, 1)] == [
        path.read_bytes() for path in stream.segments
    ]
    assert stream.sha256_without(()) == stream.sha256


def test_transport_packets_begin_with_a_sync_byte() -> None:
    """Each packet is a null packet; a size may end within one."""
    data = payload(3, 2 * MB)

    assert len(data) == 2 * MB
    assert set(data[::PACKET]) == {0x47}


def test_segments_differ() -> None:
    """Two segments, two seeds, and two places within a segment never have the same bytes."""
    size = 3 * MB
    first, second, other = payload(0, size), payload(1, size), payload(0, size, seed=1)

    packets = {data[i : i + PACKET] for data in (first, second) for i in (0, 5577 * PACKET)}
    assert len(packets) == 4
    assert other[4:PACKET] != first[4:PACKET]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 31, 32, 33, 1000])
def test_fmp4_segments_are_boxes_of_their_size(size: int) -> None:
    """Box sizes add up to the segment's size, as long as a box fits into it."""
    data = payload(0, size, container="fmp4")
    place = 0
    while place + 8 <= size:
        place += int.from_bytes(data[place : place + 4])

    assert len(data) == size
    assert place == size or size < 8


def test_the_program_makes_the_same_stream(stream_dir: Path, tmp_path: Path) -> None:
    """`python -m tests.support.streams` prints playlist, size and hash."""
    stream = build(stream_dir, [1024] * 3, aes=Aes())
    root = Path(__file__).parents[2]
    command = ["-m", "tests.support.streams", str(tmp_path / "other")]

    done = subprocess.run(
        [sys.executable, *command, "--segments", "3", "--size", "1KB", "--aes"],
        cwd=root,
        stdout=subprocess.PIPE,
        check=True,
    )

    path, size, sha256 = done.stdout.decode().split()
    assert (size, sha256) == (str(stream.bytes), stream.sha256)
    assert sha256_of(Path(path)) == sha256_of(stream.playlist_path)

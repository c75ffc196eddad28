"""First timestamps: ffmpeg's files, and bytes of our own."""

import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.timestamps import HEAD_BYTES, WRAP, first_timestamp
from tests.support.cenc import parse

FRAGMENTED = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]
VIDEO = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1"]
AUDIO = ["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=1"]


def clip(path: Path, *options: str) -> bytes:
    """A second of video and audio, muxed with these options."""
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-c:a", "aac"]
    command = ["ffmpeg", "-v", "error", "-y", *VIDEO, *AUDIO, *codecs, *options, str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path.read_bytes()


def pes(seconds: float, stream_id: int = 0xE0) -> bytes:
    """The beginning of a PES packet with this PTS."""
    ticks = round(seconds * 90_000) % WRAP
    high, middle, low = ticks >> 30, ticks >> 15 & 0x7FFF, ticks & 0x7FFF
    stamp = bytes([0x21 | high << 1]) + struct.pack(">HH", middle << 1 | 1, low << 1 | 1)
    return b"\0\0\1" + bytes([stream_id]) + b"\0\0\x80\x80\x05" + stamp


def packet(pid: int, payload: bytes, *, starts: bool = True, stuffing: int = 0) -> bytes:
    """A transport packet; `stuffing` bytes of it are an adaptation field."""
    flags = (0x40 if starts else 0) | pid >> 8
    field = bytes([stuffing - 1]) + bytes(stuffing - 1) if stuffing else b""
    head = bytes([0x47, flags, pid & 0xFF, 0x30 if stuffing else 0x10])
    return (head + field + payload).ljust(188, b"\xff")


@pytest.mark.parametrize("start", [0.0, 140.0, 95_442.0], ids=["0", "140", "nearly the wrap"])
def test_a_transport_stream(start: float, tmp_path: Path) -> None:
    """The time is that of the first frame or sample, wherever the clock begins."""
    options = ["-output_ts_offset", str(start), "-muxdelay", "0", "-muxpreload", "0"]
    found = first_timestamp(clip(tmp_path / "clip.ts", *options))

    assert found == pytest.approx(start, abs=0.1)


@pytest.mark.parametrize("start", [0, 140, 100_000])
@pytest.mark.parametrize("later", [0, 1], ids=["video first", "audio first"])
def test_a_fragmented_mp4(later: int, start: int, tmp_path: Path) -> None:
    """The time is the earliest decode time, in seconds of its own track."""
    boxes = parse(clip(tmp_path / "clip.mp4", *FRAGMENTED))
    (moov,) = (box for box in boxes if box.kind == b"moov")
    timescales = [int.from_bytes(box.body[12:16], "big") for box in moov.all(b"mdhd")]
    for moof in (box for box in boxes if box.kind == b"moof"):
        for track, tfdt in enumerate(moof.all(b"tfdt")):
            time = (start + (track != later)) * timescales[track]
            tfdt.body = b"\1\0\0\0" + time.to_bytes(8, "big")
    found = first_timestamp(b"".join(map(bytes, boxes)))

    assert len(set(timescales)) == 2
    assert found == start


def test_the_head_is_enough(tmp_path: Path) -> None:
    """Of a fragmented MP4 that is cut off within its first samples the time is known."""
    whole = clip(tmp_path / "clip.mp4", *FRAGMENTED)
    head = whole[: whole.index(b"mdat") + 100]

    assert first_timestamp(head) == first_timestamp(whole) is not None


def test_the_earliest_track_counts() -> None:
    """The first timestamp of each track is looked at, and no later one."""
    head = (
        packet(256, pes(12.5))
        + packet(257, pes(11.0, 0xC0), stuffing=20)
        + packet(256, b"more", starts=False)
        + packet(257, pes(3.0, 0xC0))
    )

    assert first_timestamp(head) == 11.0


def test_tracks_around_the_wrap() -> None:
    """A track that begins just before the clock begins anew is earlier than one just behind."""
    before = (WRAP - 9_000) / 90_000
    head = packet(256, pes(0.1)) + packet(257, pes(before, 0xC0))

    assert first_timestamp(head) == pytest.approx(before)


def test_packets_without_a_timestamp() -> None:
    """Tables, packets without payload and PES packets without PTS say nothing."""
    silent = pes(5.0)[:7] + b"\0" + pes(5.0)[8:]
    padding = b"\0\0\1\xbe" + pes(5.0)[4:]
    empty = b"\x47\x41\0\x20" + bytes(184)
    head = packet(0, b"\0\0\xb0\r") + packet(256, silent) + packet(257, padding) + empty

    assert first_timestamp(head) is None
    assert first_timestamp(head + packet(256, pes(7.0))) == 7.0


def test_packed_audio() -> None:
    """Packed audio says its time in an ID3 tag."""
    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    frame = b"PRIV" + struct.pack(">IH", len(owner) + 8, 0) + owner + struct.pack(">Q", 891_380)
    head = b"ID3\4\0\0\0\0\0\x3f" + frame + b"\xff\xf1"

    assert first_timestamp(head) == pytest.approx(9.9042, abs=0.001)
    assert first_timestamp(head[:20]) is None


@pytest.mark.parametrize(
    "head", [b"", b"\x47", b"\x47" + bytes(187), b"WEBVTT\n", bytes(1000), b"\0\0\0\x08moov"]
)
def test_what_has_no_timestamp(head: bytes) -> None:
    """Of other bytes nothing is known."""
    assert first_timestamp(head) is None


@given(st.binary(max_size=400), st.sampled_from([b"", b"\x47", b"ID3", b"\0\0\0\x20moof"]))
def test_any_bytes_have_an_answer(data: bytes, begins: bytes) -> None:
    """Any bytes have a time or none, and never an error."""
    found = first_timestamp(begins + data)

    assert found is None or found >= 0


def test_any_cut_has_an_answer(tmp_path: Path) -> None:
    """Files cut off anywhere have the time of the whole or none, and never an error."""
    whole = clip(tmp_path / "clip.mp4", *FRAGMENTED)[: HEAD_BYTES // 64]

    found = {first_timestamp(whole[:end]) for end in range(0, len(whole), 37)}

    assert found == {None, first_timestamp(whole)}

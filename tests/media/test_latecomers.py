"""Streams that were not there when a file was opened."""

from contextlib import suppress

import av

from pipeline.media.latecomers import has_latecomers


class Reader:
    """A file that cannot be looked into beforehand."""

    def __init__(self, file):
        self.read = file.read


def read_through(path):
    """Whether FFmpeg has found streams by the end that were unknown at the beginning."""
    with path.open("rb") as file, av.open(Reader(file), format="mpegts") as container:
        with suppress(IndexError):
            for _ in container.demux(list(container.streams)):
                pass
        return has_latecomers(container)


def test_a_picture_behind_sound(clip, tmp_path):
    """Its program map comes when nobody looks for one any more."""
    path = tmp_path / "all.ts"
    path.write_bytes(clip("sound.ts").read_bytes() + clip("sound first.ts").read_bytes())

    assert read_through(path)


def test_streams_that_were_there(clip):
    """Whatever comes first, and however late its first packet."""
    assert not read_through(clip("plain.ts"))
    assert not read_through(clip("sound first.ts"))
    assert av.logging.get_level() is None

import pytest

from pipeline.errors import StorageError
from pipeline.options import MergeMode
from pipeline.store import room
from pipeline.store.room import check_room, place_for
from pipeline.units import MIB


@pytest.mark.parametrize("needed", [None, 0, 10 * MIB], ids=["not known", "nothing", "just enough"])
def test_room_enough(tmp_path, monkeypatch, needed):
    """What fits, or cannot be told, is let through."""
    monkeypatch.setattr(room, "free_bytes", lambda _: 10 * MIB)
    check_room(tmp_path, needed)


def test_too_little_room(tmp_path, monkeypatch):
    """An output that cannot fit is refused before the first request, with both figures."""
    monkeypatch.setattr(room, "free_bytes", lambda _: 10 * MIB)
    with pytest.raises(StorageError, match=r"has 10\.0 MB free and the video needs 20\.0 MB"):
        check_room(tmp_path, 20 * MIB)


def test_no_such_directory(tmp_path):
    """A directory that is not there is an error in words."""
    with pytest.raises(StorageError, match="Cannot examine"):
        check_room(tmp_path / "absent", None)


@pytest.mark.parametrize(
    ("expected", "merge", "needed"),
    [
        (None, MergeMode.STREAM, 64 * MIB),
        (None, MergeMode.END, 64 * MIB),
        (500 * MIB, MergeMode.STREAM, 64 * MIB),
        (5 * MIB, MergeMode.STREAM, 5 * MIB),
        (500 * MIB, MergeMode.END, 500 * MIB),
    ],
    ids=[
        "size not known",
        "size not known, merged at the end",
        "long video",
        "short video",
        "long video, merged at the end",
    ],
)
def test_room_for_segment_files(tmp_path, monkeypatch, expected, merge, needed):
    """All of the video is to fit if it is merged at the end, else what waits out of turn."""
    asked = []
    monkeypatch.setattr(room, "choose_place", lambda *facts: asked.append(facts))
    place_for(None, tmp_path, expected, merge)

    assert asked == [(None, tmp_path, needed)]

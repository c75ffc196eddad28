"""Files with jobs that somebody moves into a directory."""

from pathlib import Path

import pytest

from pipeline.errors import HlspipeError, StorageError
from pipeline.service.refusals import UnacceptableError
from pipeline.service.spool import Spool, read_entries


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty one."""
    return Spool(tmp_path / "spool")


def put(tmp_path: Path, name: str, text: str | bytes) -> Path:
    """A file that has been moved in."""
    path = tmp_path / "spool" / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_files_are_taken_in_order(tmp_path: Path, spool: Spool) -> None:
    """Those with the two endings, by their names; what else is there stays."""
    for name in ("b.url", "a.jsonl", "c.txt", ".hidden"):
        put(tmp_path, name, "http://h/\n")
    (tmp_path / "spool" / "d.url").symlink_to("/etc/passwd")

    assert [path.name for path in spool.waiting()] == ["a.jsonl", "b.url"]


def test_urls_and_objects(tmp_path: Path, spool: Spool) -> None:
    """A line each; comments and empty lines are passed over."""
    urls = put(tmp_path, "a.url", "# list\n\nhttp://h/1\n  http://h/2  \n")
    objects = put(tmp_path, "a.jsonl", '{"url": "http://h/1"}\n{"url": "http://h/2", "id": "x"}\n')

    assert read_entries(urls) == [{"url": "http://h/1"}, {"url": "http://h/2"}]
    assert read_entries(objects) == [{"url": "http://h/1"}, {"url": "http://h/2", "id": "x"}]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.url", "# nothing\n", "no job"),
        ("a.url", b"\xff\xfe", "UTF-8"),
        ("a.jsonl", '{"url": "http://h/"}\n{', "Job 2"),
        ("a.jsonl", '{"url": "http://h/\\ud800"}', "Job 1"),
        ("a.url", "x" * (17 << 20), "larger"),
    ],
    ids=["empty", "no text", "no JSON", "half a character", "too large"],
)
def test_what_cannot_be_read(
    name: str, text: str | bytes, reason: str, tmp_path: Path, spool: Spool
) -> None:
    """All of a file is refused, with a sentence."""
    with pytest.raises(UnacceptableError, match=reason):
        read_entries(put(tmp_path, name, text))


def test_where_files_go(tmp_path: Path, spool: Spool) -> None:
    """To `done`, or to `failed` with the reason beside them."""
    good, bad = put(tmp_path, "good.url", "http://h/\n"), put(tmp_path, "bad.url", "x\n")
    spool.taken(good)
    spool.refused(bad, HlspipeError("It is no URL"))

    found = sorted(
        path.relative_to(tmp_path / "spool").as_posix() for path in tmp_path.rglob("*.*")
    )
    assert found == ["done/good.url", "failed/bad.url", "failed/bad.url.reason"]
    assert (tmp_path / "spool/failed/bad.url.reason").read_text() == "It is no URL\n"
    assert list(spool.waiting()) == []


def test_spool_that_cannot_be(tmp_path: Path) -> None:
    """A file in its place is an error that names it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="file"):
        Spool(tmp_path / "file" / "spool")

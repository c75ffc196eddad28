"""What has been downloaded once and for all."""

import threading
from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.jobs.archive import Archive

URL = "http://host/show.m3u8?token=secret"


def test_what_is_done_stays_done(tmp_path: Path) -> None:
    """Also for the next run; the token is not written down."""
    path = tmp_path / "done"
    Archive(path).add(URL)
    found = Archive(path)

    assert URL in found
    assert "http://host/other.m3u8" not in found
    assert "secret" not in path.read_text()


def test_runs_that_share_an_archive(tmp_path: Path) -> None:
    """Lines of several writers do not mix."""
    path = tmp_path / "done"
    urls = [f"http://host/{number}.m3u8" for number in range(40)]
    archives = [Archive(path) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda a=archive, n=number: [a.add(url) for url in urls[n::4]])
        for number, archive in enumerate(archives)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(url in Archive(path) for url in urls)
    assert len(path.read_text().splitlines()) == 40


def test_archive_that_cannot_be_written(tmp_path: Path) -> None:
    """An error that names it."""
    archive = Archive(tmp_path / "nowhere" / "done")

    with pytest.raises(StorageError, match="nowhere"):
        archive.add(URL)
    assert URL not in archive
    with pytest.raises(StorageError, match="Cannot read the archive"):
        Archive(tmp_path)

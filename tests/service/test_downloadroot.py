"""Outputs stay below the download root, whatever they are called."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import StorageError
from pipeline.service.downloadroot import DownloadRoot
from pipeline.service.refusals import UnacceptableError


@pytest.fixture
def root(tmp_path: Path) -> DownloadRoot:
    """A download root with something beside it."""
    (tmp_path / "outside").mkdir()
    return DownloadRoot.at(tmp_path / "root")


@pytest.mark.parametrize("wanted", ["show.ts", "a/b/show.ts", "Tür ü.ts", "show.{ext}"])
def test_a_plain_name_is_taken(root: DownloadRoot, wanted: str) -> None:
    """Relative to the root, with directories that need not be there yet."""
    assert root.output(wanted) == f"{root.path}/{wanted}"
    assert root.shown(root.output(wanted)) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "", "/", "/etc/passwd", "../x.ts", "a/../../x.ts", "a/..", ".", "a//b.ts", "a/", ".bashrc",
        "a/.ssh/authorized_keys", "a\0b.ts", "a\nb.ts", "a\x1b[2J.ts", "\u202ets.exe", "x" * 241,
        "/".join("a" * 17), "\ud800.ts", "show.ts.part", "show.ts.part.journal",
    ],
    ids=ascii,
)  # fmt: skip
def test_anything_else_is_refused(root: DownloadRoot, wanted: str) -> None:
    """With a sentence that is fit to print."""
    with pytest.raises(UnacceptableError) as caught:
        root.output(wanted)

    assert str(caught.value).isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet="a./\\\0~ -é\ud800", max_size=30))
def test_no_name_leads_out(root: DownloadRoot, wanted: str) -> None:
    """What is taken is below the root."""
    try:
        output = root.output(wanted)
    except UnacceptableError:
        return

    assert Path(output).resolve().is_relative_to(root.path)
    assert Path(output) != root.path


@pytest.mark.parametrize(
    ("link", "target", "wanted"),
    [
        ("way", "../outside", "way/x.ts"),
        ("way", "../outside", "way/deeper/x.ts"),
        ("x.ts", "../outside/x.ts", "x.ts"),
        ("x.ts", "nowhere", "x.ts"),
    ],
    ids=["directory", "deeper", "file", "dangling"],
)
def test_symbolic_links_do_not_lead_out(
    root: DownloadRoot, link: str, target: str, wanted: str
) -> None:
    """Neither when a job is submitted, nor when it begins."""
    output = root.output(wanted)
    (root.path / link).symlink_to(target)

    with pytest.raises(UnacceptableError, match="symbolic link"):
        root.output(wanted)
    with pytest.raises(UnacceptableError, match="symbolic link"):
        root.make_directory(output)
    assert not list((root.path.parent / "outside").glob("*/*"))


def test_links_in_a_circle(root: DownloadRoot) -> None:
    """They lead nowhere."""
    (root.path / "way").symlink_to("way")

    with pytest.raises(UnacceptableError, match="symbolic link"):
        root.output("way/x.ts")


def test_links_inside_the_root_are_fine(root: DownloadRoot) -> None:
    """So is a root that is reached by one."""
    (root.path / "real").mkdir()
    (root.path / "way").symlink_to("real")
    root.path.parent.joinpath("alias").symlink_to("root")

    assert root.output("way/x.ts") == f"{root.path}/way/x.ts"
    assert DownloadRoot.at(root.path.parent / "alias") == root


def test_directories_are_made_when_they_are_needed(root: DownloadRoot) -> None:
    """All on the way."""
    root.make_directory(root.output("a/b/x.ts"))

    assert (root.path / "a/b").is_dir()


def test_a_file_in_the_way_is_an_error_in_a_sentence(root: DownloadRoot) -> None:
    """With what could not be made."""
    (root.path / "a").touch()

    with pytest.raises(StorageError, match=r"The directory of .*/a/b/x\.ts cannot be made"):
        root.make_directory(root.output("a/b/x.ts"))


def test_a_job_that_was_queued_under_another_root(tmp_path: Path) -> None:
    """It is refused for what it is: no link has to do with it."""
    output = DownloadRoot.at(tmp_path / "before").output("a/video.ts")
    root = DownloadRoot.at(tmp_path / "now")

    with pytest.raises(UnacceptableError, match="queued under another"):
        root.make_directory(output)
    assert not (tmp_path / "before" / "a").exists()

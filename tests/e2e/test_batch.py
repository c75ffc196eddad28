"""`hlspipe batch`: many downloads over one set of processes."""

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bench import KB, MB, Bench
from tests.support.behaviours import Held, Late, Status, Throttled
from tests.support.origin import Origin
from tests.support.playlists import Entry, media_playlist
from tests.support.runs import Run
from tests.support.streams import Aes, sha256_of

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "1", "--retry-sleep", "0.01")


def batch(bench: Bench, lines: list[str], *options: str | Path) -> Run:
    """Run a batch over these lines."""
    path = bench.workspace.cwd / "list.txt"
    path.write_text("\n".join(lines) + "\n")
    return bench.workspace.run("batch", path.name, "--json", *options)


def receipts(run: Run) -> dict[int, dict[str, Any]]:
    """The receipts on standard output, by their lines in the list."""
    found = [json.loads(line) for line in run.stdout.splitlines()]
    return {receipt["line"]: receipt for receipt in found}


@pytest.fixture
def served(bench: Bench) -> Bench:
    """1 MB in 10 encrypted segments."""
    bench.serve([100 * KB] * 10, aes=Aes())
    return bench


def file(bench: Bench, name: str) -> Path:
    """An output of the batch."""
    return bench.workspace.cwd / name


def test_all_are_complete(served: Bench) -> None:
    """Each in a file of its own, with the right bytes, and nothing left."""
    run = batch(served, [f"{served.url}?{number}" for number in range(12)], "-j", "5")

    assert run.exit_code == 0, run.stderr
    names = ["video.ts", *(f"video-{number}.ts" for number in range(2, 13))]
    assert all(sha256_of(file(served, name)) == served.stream.sha256 for name in names)
    assert "12 of 12 downloads complete" in run.stderr
    served.check_nothing_left()


def test_each_fails_alone(served: Bench) -> None:
    """A bad line, a playlist and a segment that are gone, a bad key: the others are complete."""
    origin = served.origin
    text = served.stream.playlist_path.read_text()
    gone = text.replace("segment00009.ts", "gone.ts")
    origin.serve({"/gone.m3u8": gone, "/page.m3u8": "<html>"})
    bad = origin.url("/bad.m3u8")
    origin.serve({"/bad.m3u8": text.replace("key0.key", "bad.key"), "/bad.key": b"short"})
    lines = [served.url, origin.url("/none.m3u8"), origin.url("/gone.m3u8"), "{", bad]
    lines += [origin.url("/page.m3u8"), served.url + "?again"]

    run = batch(served, lines, *BRIEF)

    assert run.exit_code == 6, run.stderr
    codes = {line: receipt["exit_code"] for line, receipt in receipts(run).items()}
    assert codes == {1: 0, 2: 3, 3: 6, 4: 2, 5: 5, 6: 4, 7: 0}
    assert "2 of 7 downloads complete, 5 failed:" in run.stderr
    assert all(f"line {line}:" in run.stderr for line in (2, 3, 4, 5, 6))
    assert sha256_of(file(served, "video-2.ts")) == served.stream.sha256
    assert sorted(path.name for path in served.workspace.cwd.glob("*.ts")) == [
        "video-2.ts",
        "video.ts",
    ]
    served.check_nothing_left()


def test_small_ones_pass_a_large_one(served: Bench) -> None:
    """They share the connections with it, one segment each in turn."""
    large = media_playlist([Entry(f"large{number}.ts") for number in range(200)])
    segment = served.stream.payload(0)
    served.origin.serve({"/large.m3u8": large})
    served.origin.serve({f"/large{number}.ts": segment for number in range(200)})
    served.origin.behave("/*.ts", Throttled(2 * MB))
    lines = [served.origin.url("/large.m3u8"), *(f"{served.url}?{place}" for place in range(4))]

    run = batch(served, lines, "-j", "2", "-N", "4")

    assert run.exit_code == 0, run.stderr
    assert list(receipts(run))[-1] == 1


def test_outputs_and_priorities(served: Bench) -> None:
    """Names, directories, a template, and what goes first."""
    lines = [
        f"{served.url}?1",
        "  out=one.ts",
        "  dir=films/new",
        json.dumps({"url": f"{served.url}?2", "priority": 9, "id": "b"}),
    ]

    run = batch(served, lines, "-j", "1", "-o", "{index}-{id}")

    assert run.exit_code == 0, run.stderr
    assert list(receipts(run)) == [4, 1]
    assert sha256_of(file(served, "2-b.ts")) == served.stream.sha256
    assert sha256_of(file(served, "films/new/one.ts")) == served.stream.sha256


def test_archive(served: Bench) -> None:
    """What is noted there is not asked for again."""
    first = batch(served, [f"{served.url}?1"], "--download-archive", "done")
    served.origin.forget()
    second = batch(served, [f"{served.url}?1", f"{served.url}?2"], "--download-archive", "done")

    assert (first.exit_code, second.exit_code) == (0, 0), second.stderr
    assert {request.query for request in served.origin.requests_for("/video.m3u8")} == {"2"}


def test_folder_that_cannot_be_made(served: Bench) -> None:
    """That entry fails, and is told which folder it is about; the others are complete."""
    file(served, "films").touch()
    lines = [served.url + "?1", "  dir=films/new", served.url + "?2"]

    run = batch(served, lines)

    found = receipts(run)
    assert [found[line]["exit_code"] for line in (1, 3)] == [7, 0]
    assert "films/new" in found[1]["error"]


def test_archive_that_cannot_be_written(served: Bench) -> None:
    """The downloads are there, and it is said that the next run will not know of them."""
    run = batch(
        served, [f"{served.url}?{number}" for number in range(2)], "--download-archive", "no/done"
    )

    assert run.exit_code != 0
    assert [receipt["exit_code"] for receipt in receipts(run).values()] == [7, 7]
    assert all("no/done" in receipt["error"] for receipt in receipts(run).values())
    assert sha256_of(file(served, "video.ts")) == served.stream.sha256
    assert "Traceback" not in run.stderr
    served.check_nothing_left()


def test_failed_ones_are_tried_once_more(served: Bench) -> None:
    """Another pass over them, when all others are done."""
    served.origin.behave("/segment00003.ts", [*[Status(500)] * 2, *[Late(0.0)] * 9])

    run = batch(served, [served.url], *BRIEF, "--retry-failed", "1")

    assert run.exit_code == 0, run.stderr
    assert sha256_of(file(served, "video.ts")) == served.stream.sha256


def test_exit_on_error(served: Bench) -> None:
    """Nothing new is begun."""
    lines = [served.origin.url("/none.m3u8"), *[f"{served.url}?{number}" for number in range(5)]]

    run = batch(served, lines, *BRIEF, "-j", "1", "--exit-on-error")

    assert run.exit_code == 6
    assert served.origin.count("/segment*") == 0


def test_no_more_than_so_many_to_a_host(served: Bench) -> None:
    """Whatever the number of connections is."""
    served.origin.behave("/*.ts", Late(0.02))

    run = batch(served, [f"{served.url}?{number}" for number in range(4)], "--max-per-host", "2")

    assert run.exit_code == 0, run.stderr
    # A request counts there until its end has been noticed: the next one may come sooner.
    assert served.origin.peak_in_flight <= 3


def test_a_slow_server_holds_nobody_up(bench: Bench, other_origin: Origin) -> None:
    """One download whose segments do not come; the others are complete long before it."""
    served = bench
    served.serve([5 * KB] * 60)
    served.origin.behave("/*.m3u8", Late(0.3))
    other_origin.serve_directory(served.stream.directory)
    gate = threading.Event()
    other_origin.behave("/segment*", Held(gate))
    slow = other_origin.url(f"/{served.stream.playlist_path.name}?slow")
    lines = [slow, *(f"{served.url}?{number}" for number in range(6))]
    (served.workspace.cwd / "list.txt").write_text("\n".join(lines))
    with served.workspace.start("batch", "list.txt", "--json") as running:
        running.wait_until(lambda: len(ended(served)) == 6, "the others")
        gate.set()
        run = running.wait(30)

    assert run.exit_code == 0, run.stderr
    assert sha256_of(file(served, "video.ts")) == served.stream.sha256


def ended(bench: Bench) -> list[Path]:
    """Outputs that have their names."""
    return list(bench.workspace.cwd.glob("*.ts"))


def test_interrupted_and_taken_up(served: Bench) -> None:
    """Ctrl-C ends all of them; with -c the same command goes on where they were."""
    served.origin.behave("/segment*", Late(0.1))
    lines = [f"{served.url}?{number}" for number in range(6)]
    (served.workspace.cwd / "list.txt").write_text("\n".join(lines))
    arguments = ("batch", "list.txt", "--json", "-c", "-N", "4")
    with served.workspace.start(*arguments) as running:
        running.wait_until(lambda: served.origin.count("/segment*") >= 24, "some segments")
        running.interrupt(signal.SIGINT)
        run = running.wait()
    assert run.exit_code == 130, run.stderr
    told = receipts(run).values()
    assert {receipt["exit_code"] for receipt in told} <= {0, 130}
    assert {receipt["segments"]["expected"] for receipt in told} == {10}
    assert any(receipt["kept_bytes"] for receipt in told)
    served.origin.forget()

    again = served.workspace.run(*arguments)

    assert again.exit_code == 0, again.stderr
    assert served.origin.count("/segment*") <= 6 * 10 - 24 + 12
    names = ["video.ts", *(f"video-{number}.ts" for number in range(2, 7))]
    assert all(sha256_of(file(served, name)) == served.stream.sha256 for name in names)
    served.check_nothing_left()


SLOW_DISK = """
import sys, time
import pipeline.store.file_output as output

def sync(descriptor, real=output.sync):
    open("syncing", "w").close()
    time.sleep(0.7)
    real(descriptor)

output.sync = sync
from pipeline.cli import main
main()
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=int)
def test_interrupted_while_an_output_is_completed(signum: int, served: Bench) -> None:
    """That one is whole, and nothing more is begun."""
    lines = [f"{served.url}?{number}" for number in range(4)]
    (served.workspace.cwd / "list.txt").write_text("\n".join(lines))
    served.workspace.program = (sys.executable, "-c", SLOW_DISK)
    arguments = ("batch", "list.txt", "--json", "--fsync", "-j", "1")
    with served.workspace.start(*arguments) as running:
        running.wait_until(file(served, "syncing").exists, "the moment")
        running.interrupt(signum)
        run = running.wait()

    assert run.exit_code == 128 + signum, run.stderr
    assert sha256_of(file(served, "video.ts")) == served.stream.sha256
    assert sorted(path.name for path in served.workspace.cwd.glob("*.ts")) == ["video.ts"]
    assert served.origin.count("/*.m3u8") == 1
    served.check_nothing_left()


def test_list_from_standard_input(served: Bench, tmp_path: Path) -> None:
    """`-` reads it there."""
    path = tmp_path / "list"
    path.write_text(f"{served.url}\n")
    with path.open("rb") as stdin:
        run = served.workspace.run("batch", "-", stdin=stdin)

    assert run.exit_code == 0, run.stderr
    assert sha256_of(file(served, "video.ts")) == served.stream.sha256


@pytest.mark.parametrize(
    "arguments",
    [(), ("list.txt", "-a", "list.txt"), ("list.txt", "-o", "{nonsense}"), ("list.txt", "-j", "0")],
    ids=["no list", "two lists", "no template", "no jobs"],
)
def test_wrong_command_lines(arguments: tuple[str, ...], bench: Bench) -> None:
    """One sentence, and exit 2."""
    (bench.workspace.cwd / "list.txt").write_text("")
    run = bench.workspace.run("batch", *arguments)

    assert run.exit_code == 2
    assert run.stderr.startswith("hlspipe: ")


def test_list_that_is_not_there(bench: Bench) -> None:
    """It is named, with exit 7."""
    run = bench.workspace.run("batch", "nowhere.txt")

    assert run.exit_code == 7
    assert "nowhere.txt" in run.stderr


def test_killed_downloader(served: Bench) -> None:
    """What it had in hand is done by its successor, in every download."""
    served.origin.behave("/segment*", Late(0.05))
    lines = [f"{served.url}?{number}" for number in range(6)]
    (served.workspace.cwd / "list.txt").write_text("\n".join(lines))
    with served.workspace.start("batch", "list.txt", "--json") as running:
        running.wait_until(lambda: served.origin.count("/segment*") >= 10, "some segments")
        running.kill("downloader", signal.SIGKILL)
        run = running.wait()

    assert run.exit_code == 0, run.stderr
    assert len(list(served.workspace.cwd.glob("*.ts"))) == 6
    served.check_nothing_left()

import pytest

from pipeline.cli.failures import masked, report
from pipeline.errors import NetworkError
from pipeline.jobs.receipt import Receipt, SegmentCounts
from tests.cli.conftest import Cli, Engine


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://h/a?token=hush: refused", "at https://h/a?… refused"),
        ("(url: /a/b?token=hush)", "(url: /a/b?…)"),
        ("'http://me:hush@h/a'", "'http://…@h/a'"),
        ("proxy http://me:hush@p:3128/ failed", "proxy http://…@p:3128/ failed"),
        ("Did you mean --force? Or --format?", "Did you mean --force? Or --format?"),
        ("nothing secret", "nothing secret"),
    ],
)
def test_secrets_of_urls_are_masked(text: str, shown: str) -> None:
    """No query string and no password gets out with a message."""
    assert masked(text) == shown


def test_a_bug_asks_for_verbose(fetch: Cli, engine: Engine) -> None:
    """What nobody foresaw is one sentence that says how to learn more."""
    engine.outcome = ValueError("http://me:pass@h/?token=hush\n2nd line")

    assert fetch().stderr == (
        "hlspipe: Internal error: ValueError: http://…@h/?… 2nd line"
        " (run again with -v for the traceback)\n"
    )


def test_no_memory_is_no_bug(fetch: Cli, engine: Engine) -> None:
    """Where the program itself finds no memory, that is what it says."""
    engine.outcome = MemoryError()
    result = fetch("-q")

    assert result.exit_code == 7
    assert result.stderr == "hlspipe: The system has no memory left\n"


def test_verbose_shows_the_traceback_of_a_bug(fetch: Cli, engine: Engine) -> None:
    """With -v there is a traceback, and still no secret."""
    engine.outcome = ValueError("http://h/?token=hush")
    stderr = fetch("-v").stderr

    assert "Traceback (most recent call last):" in stderr
    assert "run again" not in stderr
    assert "hush" not in stderr


def test_verbose_shows_the_causes_of_an_error(fetch: Cli, engine: Engine) -> None:
    """What was foreseen needs no traceback, but its causes may help."""
    error = NetworkError("The server cannot be reached")
    error.__cause__ = ConnectionRefusedError("no listener at http://h/?token=hush")
    engine.outcome = error
    stderr = fetch("-v", "-q").stderr

    assert stderr.splitlines() == [
        "hlspipe: The server cannot be reached",
        "  because of ConnectionRefusedError: no listener at http://h/?…",
    ]


def test_server_text_in_an_error_cannot_move_the_cursor(fetch: Cli, engine: Engine) -> None:
    """Escapes in a message are shown, not obeyed."""
    engine.outcome = NetworkError("HTTP 500 \x1b]0;owned\x07")

    assert fetch().stderr == "hlspipe: HTTP 500 \\u001b]0;owned\\u0007\n"


@pytest.mark.parametrize(
    ("message", "shown"),
    [("Not a playlist", "a.m3u8: Not a playlist"), ("/x/a.m3u8 is gone", "/x/a.m3u8 is gone")],
)
def test_of_several_things_the_one_is_named(
    capfd: pytest.CaptureFixture[str], message: str, shown: str
) -> None:
    """What an error is about is said once."""
    assert report(NetworkError(message), {}, about="a.m3u8") == 3
    assert capfd.readouterr().err == f"hlspipe: {shown}\n"


@pytest.mark.parametrize(
    ("option", "stored", "kept", "hint"),
    [
        ((), 3, 0, " (nothing is kept: with -c it would be)"),
        (("-c",), 3, 5 << 20, " (5.0 MB are kept: the same command goes on from there)"),
        (("-c",), 0, 0, " (nothing is kept: nothing that could be taken up was on the disk yet)"),
        ((), 0, 0, ""),
    ],
    ids=["would have been kept", "kept", "nothing in turn", "nothing to lose"],
)
def test_what_becomes_of_the_bytes(
    option: tuple[str, ...], stored: int, kept: int, hint: str, fetch: Cli, engine: Engine
) -> None:
    """A failure says whether the next run can go on from there, and how it could have."""
    error = NetworkError("The server cannot be reached")
    error.receipt = Receipt("http://h/", segments=SegmentCounts(9, stored), kept_bytes=kept)
    engine.outcome = error

    assert fetch("-q", *option).stderr == f"hlspipe: The server cannot be reached{hint}\n"

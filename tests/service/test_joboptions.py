"""What a job may ask for, and what it may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.submit import submit
from pipeline.options import FetchOptions, HttpOptions, KeyOptions, SelectionOptions
from pipeline.service.joboptions import job_options
from pipeline.service.refusals import UnacceptableError

DEFAULTS = FetchOptions(http=HttpOptions(retries=5, block_private=True), concurrent=3)
KEY = "00112233445566778899aabbccddeeff"


def test_what_is_not_said_is_the_daemons() -> None:
    """But for one thing: a job always goes on where it was."""
    options = job_options(DEFAULTS, {})

    assert options.http == DEFAULTS.http
    assert options.concurrent == 3
    assert options.resume
    assert not options.measure_memory


def test_what_is_said_reaches_its_place() -> None:
    """Texts as a command line has them, or JSON's own numbers."""
    options = job_options(
        DEFAULTS,
        {
            "format": "height<=720",
            "headers": {"Referer": "http://h/"},
            "key": KEY,
            "max_size": "2MB",
            "max_time": 60,
            "retries": 1,
            "checksum": "sha256",
        },
    )

    assert options.selection == SelectionOptions(format="height<=720")
    assert options.http == HttpOptions(
        headers=(("Referer", "http://h/"),), retries=1, block_private=True
    )
    assert options.keys == KeyOptions(key=bytes.fromhex(KEY))
    assert (options.max_size, options.max_time, options.checksum) == (2 << 20, 60.0, True)


@pytest.mark.parametrize(
    "name",
    [
        "cookies", "proxy", "verify", "block_private", "temp_dir", "memory_threshold", "processes",
        "concurrent", "exclude", "resume", "outptu", "http", "",
    ],
)  # fmt: skip
def test_what_is_not_a_jobs_to_say_is_refused(name: str) -> None:
    """The administrator's options, and slips."""
    with pytest.raises(UnacceptableError, match="is no option of a job"):
        job_options(DEFAULTS, {name: "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("force", "yes"),
        ("format", "tallest"),
        ("format", "9" * 5000),
        ("section", "b-a"),
        ("retries", True),
        ("retries", -1),
        ("timeout", 0),
        ("max_size", "many"),
        ("max_time", float("inf")),
        ("checksum", "md5"),
        ("subtitles_format", "ass"),
        ("headers", ["Referer: x"]),
        ("headers", {"A": "b\r\nX: y"}),
        ("headers", {"A: b": "c"}),
        ("headers", {f"X-{n}": "1" for n in range(51)}),
        ("key_url", "file:///etc/passwd"),
        ("base_url", "/etc"),
        ("iv", "0g"),
    ],
)
def test_a_value_that_cannot_be_is_refused(name: str, value: object) -> None:
    """With the name of the option."""
    with pytest.raises(UnacceptableError, match=f"^{name}: "):
        job_options(DEFAULTS, {name: value})


@pytest.mark.parametrize(
    "given", [{"key": KEY, "key_url": "https://k/"}, {"force": True, "skip_existing": True}]
)
def test_what_excludes_each_other_is_refused(given: dict[str, object]) -> None:
    """Each alone is taken, and both where one of them says no."""
    with pytest.raises(UnacceptableError, match="exclude each other"):
        job_options(DEFAULTS, given)

    for name, value in given.items():
        job_options(DEFAULTS, {name: value})
    job_options(DEFAULTS, {"force": True, "skip_existing": False})


@pytest.mark.parametrize("value", [KEY[:-2], "/root/.ssh/id_rsa", "s3cret", 5])
def test_a_key_that_is_none_is_not_quoted(value: object) -> None:
    """And no file is looked into for it."""
    with pytest.raises(UnacceptableError, match="16 or 32 bytes") as caught:
        job_options(DEFAULTS, {"key": value})

    assert str(value) not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["force", "max_time", "max_size", "retries", "headers", "format", "key"]),
        json_values,
    )
)
def test_any_json_is_taken_or_refused(given_options: dict[str, object]) -> None:
    """Nothing else is ever raised."""
    try:
        options = job_options(DEFAULTS, given_options)
    except UnacceptableError:
        return

    assert options.resume


def test_what_can_be_submitted_is_known() -> None:
    """Every option of `hlspipe submit` has its place here, or is one of the job itself."""
    ours = {"urls", "socket", "json", "verbose", "config", "output", "dir", "id", "priority"}
    names = {str(param.name) for param in submit.params} - ours
    unknown = set()
    for name in names:
        try:
            job_options(DEFAULTS, {"headers" if name == "header" else name: object()})
        except UnacceptableError as error:
            unknown |= {name} if "no option of a job" in str(error) else set()

    assert "strip_images" in names
    assert unknown == set()

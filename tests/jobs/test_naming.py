"""Output names from URLs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.jobs.naming import output_name, rendition_name, with_ending


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/show/ep1.m3u8?token=x", "ep1.ts"),
        ("http://h/show/index.m3u8", "show.ts"),
        ("http://h/index.m3u8", "video.ts"),
        ("http://h/a%2f..%2f..%2fetc%2fpasswd", "passwd.ts"),
        ("http://h/%2e%2e%2f%2e%2e%2fetc%2fpasswd.m3u8", "passwd.ts"),
        ("http://h/%252e%252e%252fetc.m3u8", "2e_2e_2fetc.ts"),
        ("http://h/..%5c..%5cwin.m3u8", "win.ts"),
        ("http://h/..", "video.ts"),
        ("http://h/.hidden.m3u8", "hidden.ts"),
        ("http://h/dots...m3u8", "dots.ts"),
        ("http://h/-rf.m3u8", "rf.ts"),
        ("http://h/con.m3u8", "_con.ts"),
        ("http://h/LPT1.mp4.m3u8", "_LPT1.mp4.ts"),
        ("http://h/$(id);a|b&c.m3u8", "id_a_b_c.ts"),
        ("http://h/%E2%80%AEgpj.m3u8", "gpj.ts"),
        ("http://h/a%00b%0Ac.m3u8", "a_b_c.ts"),
        (f"http://h/{'x' * 300}.m3u8", f"{'x' * 197}.ts"),
        ("http://h/caf%C3%A9 %1b.m3u8", "caf.ts"),
        ("http://[", "video.ts"),
    ],
)
def test_a_name_is_made_of_the_url(url: str, name: str) -> None:
    """Of its last part that says something, in plain letters."""
    assert output_name(url, ".ts") == name


@given(st.text())
def test_any_url_gives_a_safe_name(path: str) -> None:
    """No separators, no leading dot, no control, and room for more endings."""
    name = output_name(f"http://h/{path}", ".ts")

    assert name.isascii()
    assert name.isprintable()
    assert not name.startswith(".")
    assert not set(name) & set('/\\:*?"<>| ')
    assert len(name) <= 200


def test_a_rendition_goes_beside_the_output() -> None:
    """The language says which it is, and a number tells two of them apart."""
    first = rendition_name("dir/video.mp4", "en", "English", ".m4a", [])
    second = rendition_name("dir/video.mp4", "en", "Comments", ".m4a", [first])

    assert (first, second) == ("dir/video.en.m4a", "dir/video.en-2.m4a")


def test_a_rendition_of_a_long_name_still_fits() -> None:
    """255 bytes are all that a file name may have."""
    name = rendition_name("d/" + "v" * 251 + ".mp4", "en", None, ".m4a", ())

    assert name.endswith(".en.m4a")
    assert len(name.removeprefix("d/").encode()) <= 255


@given(st.text(), st.text())
def test_server_text_forms_no_path(language: str, name: str) -> None:
    """Whatever a playlist calls its renditions, they end up beside the output."""
    found = rendition_name("dir/video.mp4", language, name, ".vtt", [])

    assert found.startswith("dir/video.")
    assert found.count("/") == 1


@pytest.mark.parametrize(
    ("output", "name"),
    [("a/show.{ext}", "a/show.mp4"), ("show.ts", "show.ts"), ("{ext}", "{ext}")],
    ids=["open", "settled", "no ending"],
)
def test_an_open_ending_becomes_the_one_that_fits(output: str, name: str) -> None:
    """Only `.{ext}` at the end of a name is replaced."""
    assert with_ending(output, ".mp4") == name

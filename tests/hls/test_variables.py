"""EXT-X-DEFINE and references to it (rfc8216bis sections 4.3 and 4.4.2.3)."""

import pytest

from pipeline.errors import PlaylistError
from tests.hls.reading import media, multivariant


def test_variables_are_replaced_in_uris_and_attributes() -> None:
    """Section 4.3: URI lines, quoted strings and hexadecimal sequences."""
    playlist = media(
        '#EXT-X-DEFINE:NAME="host",VALUE="http://cdn"',
        '#EXT-X-DEFINE:NAME="iv",VALUE="0xAB"',
        '#EXT-X-KEY:METHOD=AES-128,URI="{$host}/k",IV={$iv}',
        '#EXT-X-MAP:URI="{$host}/init.mp4"',
        "#EXTINF:1,{$host}",
        "{$host}/s.mp4",
    )

    (segment,) = playlist.segments
    assert segment.url == "http://cdn/s.mp4"
    assert segment.title == "{$host}"
    assert segment.initialization_section is not None
    assert segment.initialization_section.url == "http://cdn/init.mp4"
    assert segment.keys[0].url == "http://cdn/k"
    assert segment.keys[0].iv == bytes(15) + b"\xab"


def test_a_query_parameter_of_the_playlist() -> None:
    """Section 4.4.2.3: QUERYPARAM takes the decoded value from the playlist's own URL."""
    playlist = media(
        '#EXT-X-DEFINE:QUERYPARAM="token"',
        "#EXTINF:1,",
        "s.ts?t={$token}",
        url="http://host/i.m3u8?x=1&token=a%2Fb+c&empty=",
    )

    assert playlist.segments[0].url == "http://host/s.ts?t=a/b+c"  # no form: a plus is a plus


def test_variables_of_the_multivariant_playlist_are_imported() -> None:
    """Section 4.4.2.3: IMPORT takes what the parent defined."""
    parent = multivariant(
        '#EXT-X-DEFINE:NAME="auth",VALUE="t=1"', "#EXT-X-STREAM-INF:BANDWIDTH=1", "v.m3u8?{$auth}"
    )

    child = media(
        '#EXT-X-DEFINE:IMPORT="auth"',
        "#EXTINF:1,",
        "s.ts?{$auth}",
        variables=dict(parent.variables),
    )

    assert parent.variants[0].url == "http://host/a/v.m3u8?t=1"
    assert child.segments[0].url == "http://host/a/s.ts?t=1"


@pytest.mark.parametrize(
    ("define", "reason"),
    [
        pytest.param("#comment", "no EXT-X-DEFINE", id="not defined at all"),
        pytest.param('#EXT-X-DEFINE:QUERYPARAM="x"', "no query parameter", id="not in the query"),
        pytest.param('#EXT-X-DEFINE:IMPORT="x"', "not in a multivariant", id="not in the parent"),
    ],
)
def test_a_reference_without_a_value_is_an_error(define: str, reason: str) -> None:
    """Its text would go to the server otherwise."""
    with pytest.raises(PlaylistError, match=rf'Line 4 .*"x" is not defined: {reason}'):
        media(define, "#EXTINF:1,", "s{$x}.ts")


def test_a_missing_variable_that_nobody_uses_does_no_harm() -> None:
    """The error comes with the use, not with the definition."""
    assert media('#EXT-X-DEFINE:IMPORT="x"', "#EXTINF:1,", "s.ts").segments


def test_a_variable_is_defined_from_its_line_on() -> None:
    """Section 4.3: a reference above the definition is an error."""
    with pytest.raises(PlaylistError, match="not defined"):
        media("#EXTINF:1,", "{$x}.ts", '#EXT-X-DEFINE:NAME="x",VALUE="1"')


def test_a_definition_without_a_name_is_an_error() -> None:
    """There is nothing that it could define."""
    with pytest.raises(PlaylistError, match=r"Line 2 .*no NAME, QUERYPARAM or IMPORT"):
        media('#EXT-X-DEFINE:VALUE="1"')


def test_a_name_has_one_value() -> None:
    """Section 4.4.2.3: a second definition is an error; here, if it says something else."""
    one, other = '#EXT-X-DEFINE:NAME="x",VALUE="1"', '#EXT-X-DEFINE:NAME="x",VALUE="2"'

    assert media(one, one, "#EXTINF:1,", "{$x}").segments[0].uri == "1"
    with pytest.raises(PlaylistError, match=r'Line 3 .*"x" is defined twice'):
        media(one, other)


def test_values_are_not_searched_again() -> None:
    """Section 4.3: no recursion, and nothing that looks like a reference leaves unnoticed."""
    with pytest.raises(PlaylistError, match=r'Line 2 .*"y" is not defined'):
        media('#EXT-X-DEFINE:NAME="x",VALUE="{$y}"', '#EXT-X-DEFINE:NAME="y",VALUE="1"')


@pytest.mark.parametrize("uri", ["{x}", "{$}", "{$a b}", "$x", "{ $x}"])
def test_what_only_looks_like_a_reference_stays(uri: str) -> None:
    """Section 4.3: a reference is "{$", a name of letters, digits, "-" and "_", and "}"."""
    assert media("#EXTINF:1,", f"s{uri}").segments[0].uri == f"s{uri}"


def test_replacing_cannot_multiply_a_playlist() -> None:
    """A long value referred to often is refused before it fills the memory."""
    lines = ['#EXT-X-DEFINE:NAME="x",VALUE="' + "a" * 60_000 + '"']

    with pytest.raises(PlaylistError, match="variables add more than"):
        media(*lines, *["#EXTINF:1,", "{$x}"] * 1000)


def test_definitions_are_capped() -> None:
    """A thousand."""
    lines = [f'#EXT-X-DEFINE:NAME="x{number}",VALUE=""' for number in range(1001)]

    assert media(*lines[:1000]).segments == ()
    with pytest.raises(PlaylistError, match="more than 1000 variables"):
        media(*lines)

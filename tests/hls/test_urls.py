"""URLs: resolving them, and which may be fetched (RFC 3986 section 5, RFC 2397)."""

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PlaylistError
from pipeline.hls.urls import Base, data_bytes, require_fetchable, require_key_fetchable, scheme

BASES = [
    "http://h/a/b/i.m3u8",
    "https://h:8443/a/../b/i.m3u8?x=/y/z#f",
    "http://h",
    "http://h/",
    "file:///a/b.m3u8",
    "/a/b.m3u8",
    "b.m3u8",
    "",
]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s.ts", "http://h/a/s.ts"),
        ("p/s.ts?t=1", "http://h/a/p/s.ts?t=1"),
        ("/s.ts", "http://h/s.ts"),
        ("../../s.ts", "http://h/s.ts"),
        ("//g/s.ts", "http://g/s.ts"),
        ("?t=1", "http://h/a/i.m3u8?t=1"),
        ("https://g/s.ts", "https://g/s.ts"),
        ("skd://key", "skd://key"),
        ("a b.ts", "http://h/a/a b.ts"),
        ("data:;base64,AA==", "data:;base64,AA=="),
    ],
)
def test_relative_uris_are_seen_from_the_playlist(uri: str, expected: str) -> None:
    """RFC 3986 section 5; the query of the base plays no part."""
    assert Base("http://h/a/i.m3u8?q=/x/").resolve(uri) == expected


@given(st.sampled_from(BASES), st.text("abX09._-~%?/&=+@:;#", max_size=12))
def test_the_short_cut_is_the_long_way(base: str, uri: str) -> None:
    """For every URI the result is what `urljoin` gives."""
    try:
        expected = urljoin(base, uri)
    except ValueError:
        return

    assert Base(base).resolve(uri) == expected


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://h/s.ts", False),
        ("HTTPS://h/s.ts", False),
        ("file:///s.ts", True),
        ("/s.ts", True),
        ("s.ts", True),
    ],
)
def test_http_always_and_files_where_allowed(url: str, local: bool) -> None:
    """A playlist that came over the network never gets at files."""
    require_fetchable(url, allow_local=True)

    if local:
        with pytest.raises(PlaylistError, match="only http and https"):
            require_fetchable(url, allow_local=False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/s",
        "concat:a|b",
        "pipe:0",
        "crypto+http://h/s",
        "gopher://h/",
        "http:s",
        "http:///s",
    ],
)
def test_other_schemes_are_refused(url: str) -> None:
    """Also for local playlists, and also http without a host."""
    with pytest.raises(PlaylistError, match="only http and https"):
        require_fetchable(url, allow_local=True)


def test_the_error_keeps_secrets() -> None:
    """Neither a query nor the bytes of a data: URL enter the message."""
    for url in ("ftp://user:secret@h/s?token=secret", "data:;base64,secret"):
        with pytest.raises(PlaylistError) as caught:
            require_fetchable(url, allow_local=False)

        assert "secret" not in str(caught.value)


def test_keys_may_be_data_urls_where_allowed() -> None:
    """Up to 64 bytes, base64 or percent-encoded, and only on request."""
    url = "data:application/octet-stream;base64,AAECAw=="

    require_key_fetchable(url, allow_local=False, allow_data=True)

    assert data_bytes(url) == bytes(range(4))
    assert data_bytes("data:,%00%01a") == b"\x00\x01a"
    with pytest.raises(PlaylistError, match="only http and https"):
        require_key_fetchable(url, allow_local=False, allow_data=False)
    with pytest.raises(PlaylistError, match="more than 64 bytes"):
        require_key_fetchable("data:," + "a" * 65, allow_local=False, allow_data=True)
    with pytest.raises(PlaylistError, match="cannot be read"):
        require_key_fetchable("data:;base64,?", allow_local=False, allow_data=True)


def test_schemes_are_compared_in_lower_case() -> None:
    """A bare path has none, and a Windows drive is a scheme like any other."""
    assert [scheme(url) for url in ("HTTP://h", "a/b:c", "C:\\x")] == ["http", "", "c"]

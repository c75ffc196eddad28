"""scripts/conformance, on a small source of our own."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.hls.reading import text

SCRIPT = Path(__file__).parents[2] / "scripts" / "conformance"
URLS = b"http://host/a.ts\nhttp://host/b.ts"

MEDIA_FACTS = {
    "kind": "media",
    "segments.length": 2,
    "segments.urls_sha256": hashlib.sha256(URLS).hexdigest(),
    "segments[0].has_map": False,
    "segments[0].encrypted": False,
    "segments[1].sn": 1,
    "segments[1].cc": 0,
    "segments[1].cc_relative": 0,
    "segments[1].duration": 3.5004,
    "segments[1].url": "http://host/b.ts",
}
VARIANT_FACTS = {
    "variants[0].bandwidth": 5,
    "renditions.length": 2,
    "renditions[AUDIO|a|x].language": "en",
    "renditions[AUDIO|a|x#2].language": "de",
    "media_sequence": None,
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source of three playlists: one of segments, one of variants, and one that is none."""
    folder = tmp_path / "ours"
    folder.mkdir()
    media = text("#EXT-X-TARGETDURATION:4", "#EXTINF:4,", "a.ts", "#EXTINF:3.5,", "b.ts")
    renditions = [
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",LANGUAGE="{language}",URI="a"'
        for language in ("en", "de")
    ]
    variants = text(*renditions, "#EXT-X-STREAM-INF:BANDWIDTH=5", "v")
    for name, content in (("media", media), ("variants", variants), ("page", "<html>")):
        (folder / f"{name}.m3u8").write_text(content)
    return folder


def entry(name: str, expect: Mapping[str, object], **more: object) -> dict[str, object]:
    """One playlist of an expected.json."""
    base = {"file": f"{name}.m3u8", "base_url": "http://host/i.m3u8", "basis": "none"}
    return {**base, "expect": expect, "agreed": {}, **more}


def run(folder: Path, playlists: Mapping[str, object], *arguments: str) -> tuple[int, list[str]]:
    """The script's exit code and lines when these are the facts."""
    expected = {"schema": "hlspipe-corpus/1", "playlists": playlists}
    (folder / "expected.json").write_text(json.dumps(expected))
    command = [sys.executable, str(SCRIPT), *(arguments or [str(folder)])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_facts_that_hold(source: Path) -> None:
    """Every kind of path; durations within a thousandth; a line per source, and the total."""
    playlists = {"m": entry("media", MEDIA_FACTS), "v": entry("variants", VARIANT_FACTS)}

    code, lines = run(source, playlists)

    assert code == 0
    assert [line.split() for line in lines] == [
        [name, "15", "right", "0", "wrong", "0", "of", "2", "not", "parsed"]
        for name in ("ours", "total")
    ]


def test_a_folder_of_sources(source: Path) -> None:
    """The folder above the sources will do, too."""
    playlists = {"m": entry("media", MEDIA_FACTS)}

    code, lines = run(source, playlists, str(source.parent))

    assert code == 0
    assert lines[0].split()[:3] == ["ours", "10", "right"]


def test_facts_that_do_not_hold(source: Path) -> None:
    """They make the exit code 1, and -v names each; a missing element is wrong as well."""
    facts = {"segments[0].duration": 5, "segments[7].sn": 7, "endlist": False}

    code, lines = run(source, {"m": entry("media", facts)}, "-v", str(source))

    assert code == 1
    assert "  wrong: ours/m: segments[0].duration: 5 expected, 4.0 found" in lines
    assert lines[-1].split()[1:5] == ["1", "right", "2", "wrong"]


def test_facts_in_dispute_do_not_count(source: Path) -> None:
    """Contested ones, a minority's, and a peer's on segments that nobody else sees."""
    disputed = entry(
        "media",
        {"kind": "multivariant", "version": 9, "segments[2].url": "http://host/part.ts"},
        agreed={"segments.length": 2},
        contested={"kind": []},
        expect_minority=["version"],
        expect_conflicts_with_agreed={"segments.length": {"peer": 3, "agreed": 2}},
    )

    code, lines = run(source, {"m": disputed})

    assert code == 0
    assert lines[-1].split()[1:5] == ["1", "right", "0", "wrong"]


def test_playlists_that_are_not_parsed(source: Path) -> None:
    """Counted, but no wrong facts; where a strict peer refuses them too, not even counted."""
    strict = entry("page", {"kind": "media"}, basis="peer-reject(strict)")

    code, lines = run(
        source, {"p": entry("page", {"kind": "media"}), "q": strict}, "-v", str(source)
    )

    assert code == 0
    assert lines[-1].split()[5:] == ["1", "of", "1", "not", "parsed"]
    assert sum("Not a playlist" in line for line in lines) == 2

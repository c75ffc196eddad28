"""One download as a story: its wishes, in order, driven by hand without a pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline import events
from pipeline.errors import (
    HlspipeError,
    KeyUnavailableError,
    PlaylistError,
    SegmentsMissingError,
    UnsupportedError,
    UsageError,
)
from pipeline.jobs.job import STDOUT, Job
from pipeline.options import FetchOptions, KeyOptions, SelectionOptions
from pipeline.processes.wishes import Document, Fetched, Transfer, Transferred
from tests.support.playlists import Entry, KeyTag, Variant, media_playlist, multivariant_playlist

ROOT = "https://example.com/"
DONE = Transferred(size=100, missing=(), sha256=None)
MEDIA = media_playlist([Entry(f"{number}.ts", 10.0) for number in range(3)])
KEYED = media_playlist([Entry("0.ts", tags=[KeyTag("AES-128", "key")])])
RICH = multivariant_playlist(
    [Variant("video.m3u8", 1000, "64x48", more='AUDIO="a",SUBTITLES="s"')],
    [
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",LANGUAGE="en",URI="audio.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="y",LANGUAGE="de",URI="text.m3u8"',
    ],
)
TEXTS = {
    "video.m3u8": MEDIA,
    "audio.m3u8": MEDIA,
    "text.m3u8": media_playlist([Entry("0.vtt", 30.0)]),
    "0.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\na\n",
}


class Told:
    """A job that is driven to its end, and what came of it."""

    def __init__(
        self,
        texts: Mapping[str, str],
        *,
        url: str = f"{ROOT}main.m3u8",
        output: str | None = "video.ts",
        text: bytes | None = None,
        options: FetchOptions = FetchOptions(),  # noqa: B008  (frozen)
    ) -> None:
        self.texts = texts
        self.asked: list[str] = []
        self.transfers: list[Transfer] = []
        self.events: list[events.Event] = []
        local = url.startswith("file:")
        self.job = Job(url, output, options, self.events.append, text, local)

    def run(self) -> "Told":
        """Grant every wish."""
        steps = self.job.steps()
        try:
            wish = next(steps)
            while True:
                many = isinstance(wish, tuple)
                wish = steps.send(tuple(map(self._grant, wish)) if many else self._grant(wish))
        except StopIteration:
            return self

    def _grant(self, wish: Document | Transfer) -> Any:
        if isinstance(wish, Document):
            self.asked.append(wish.url.removeprefix(ROOT))
            return Fetched(wish.url, self.texts[self.asked[-1]].encode())
        self.transfers.append(wish)
        return DONE


def selecting(**selection: Any) -> FetchOptions:
    """Options that select."""
    return FetchOptions(selection=SelectionOptions(**selection))


def test_a_media_playlist():
    """One playlist, one transfer of its segments to the output's absolute path."""
    told = Told({"main.m3u8": MEDIA}).run()
    (transfer,) = told.transfers

    assert told.asked == ["main.m3u8"]
    assert transfer.output == str(Path("video.ts").absolute())
    assert [item.url for item in transfer.items] == [f"{ROOT}{number}.ts" for number in range(3)]
    assert told.job.transferred == (DONE,)


def test_standard_output():
    """To standard output there is no path, and nothing beside it."""
    told = Told({**TEXTS, "main.m3u8": RICH}, output=STDOUT).run()
    (transfer,) = told.transfers

    assert transfer.output is None
    assert told.asked == ["main.m3u8", "video.m3u8"]
    assert any(isinstance(one, events.Warned) for one in told.events)


def test_an_output_without_a_name():
    """The name comes from the URL, and its ending from what is inside."""
    told = Told({"show/index.m3u8": MEDIA}, url=f"{ROOT}show/index.m3u8", output=None).run()

    assert told.job.output == "show.ts"


def test_a_multivariant_playlist(tmp_path):
    """Renditions of media go along with the variant, and subtitles are documents."""
    output = str(tmp_path / "video.ts")
    options = selecting(subtitles="all")
    told = Told({**TEXTS, "main.m3u8": RICH}, output=output, options=options).run()

    assert told.asked == ["main.m3u8", "video.m3u8", "audio.m3u8", "text.m3u8", "0.vtt"]
    assert [Path(str(one.output)).name for one in told.transfers] == ["video.ts", "video.en.ts"]
    assert told.job.subtitles == {str(tmp_path / "video.de.vtt"): 40}
    assert isinstance(told.events[0], events.VariantChosen)
    assert events.OutputPublished(str(tmp_path / "video.de.vtt"), 40) in told.events


def test_a_playlist_that_is_here_already():
    """A playlist that came with the job is not asked for."""
    told = Told({}, text=MEDIA.encode(), url="file:///there/stdin.m3u8").run()

    assert told.asked == []
    assert told.transfers[0].items[0].url == "file:///there/0.ts"


def test_a_part_of_it():
    """A section picks segments of every rendition, and is told of once."""
    told = Told({**TEXTS, "main.m3u8": RICH}, options=selecting(section="12-")).run()

    assert [[item.segment_index for item in one.items] for one in told.transfers] == [[1, 2]] * 2
    assert [one for one in told.events if isinstance(one, events.SegmentsPicked)] == [
        events.SegmentsPicked(2, 3, 1, 0)
    ]


@pytest.mark.parametrize(
    ("keys", "url", "needed"),
    [
        (KeyOptions(), f"{ROOT}key", {}),
        (KeyOptions(key=bytes(16)), "given:key", {"given:key": bytes(16)}),
        (KeyOptions(key_url="https://example.org/k"), "https://example.org/k", {}),
    ],
    ids=["the playlist's", "the user's", "from elsewhere"],
)
def test_where_keys_come_from(keys, url, needed):
    """A given key goes along with the transfer; a given URL takes the place of the playlist's."""
    (transfer,) = Told({"main.m3u8": KEYED}, options=FetchOptions(keys=keys)).run().transfers

    assert transfer.items[0].decryption.key_url == url
    assert transfer.keys == needed


def test_a_given_initialization_vector():
    """A given IV takes the place of the playlist's."""
    keys = KeyOptions(iv=bytes(range(16)))
    (transfer,) = Told({"main.m3u8": KEYED}, options=FetchOptions(keys=keys)).run().transfers

    assert transfer.items[0].decryption.iv == bytes(range(16))


@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        ("<html>", FetchOptions(), PlaylistError),
        (MEDIA.replace("0.ts", "file:///etc/hostname"), FetchOptions(), PlaylistError),
        (KEYED.replace("key", "skd://x"), FetchOptions(), UnsupportedError),
        (KEYED, FetchOptions(keys=KeyOptions(key=bytes(32))), KeyUnavailableError),
        (MEDIA.replace("#EXTINF", "#EXT-X-GAP\n#EXTINF"), FetchOptions(), HlspipeError),
        (MEDIA, selecting(section="100-"), UsageError),
        (RICH, selecting(format="4320p"), UsageError),
        (RICH, selecting(audio="fi"), UsageError),
    ],
    ids=[
        "no playlist",
        "a file",
        "DRM",
        "a key of another size",
        "nothing but gaps",
        "nothing in the section",
        "no such variant",
        "no such language",
    ],
)
def test_what_ends_a_job_before_a_transfer(text, options, error):
    """What can be known from playlists is known before a segment is fetched."""
    told = Told({**TEXTS, "main.m3u8": text}, options=options)
    with pytest.raises(error):
        told.run()

    assert told.transfers == []


def test_nothing_but_gaps():
    """A playlist of gaps alone is a matter of missing segments."""
    told = Told({"main.m3u8": MEDIA.replace("#EXTINF", "#EXT-X-GAP\n#EXTINF")})
    with pytest.raises(SegmentsMissingError):
        told.run()


def test_a_playlist_without_an_end():
    """What a live playlist lists now is fetched, with a word of warning."""
    told = Told({"main.m3u8": MEDIA.replace("#EXT-X-ENDLIST\n", "")}).run()

    assert len(told.transfers[0].items) == 3
    assert any(isinstance(one, events.Warned) and "no end" in one.message for one in told.events)


@pytest.mark.parametrize(("output", "warned"), [("text.srt", True), ("text.vtt", False)])
def test_a_playlist_of_subtitles(output, warned):
    """Its segments are joined as they are, which is said where the name promises another form."""
    told = Told({"main.m3u8": TEXTS["text.m3u8"]}, output=output).run()

    assert len(told.transfers) == 1
    found = [one.message for one in told.events if isinstance(one, events.Warned)]
    assert any("no SubRip" in message for message in found) == warned


def test_a_failing_transfer_is_the_jobs_own_error():
    """An error that the pipeline raises in the job passes through it."""
    steps = Told({}).job.steps()
    next(steps)
    with pytest.raises(SegmentsMissingError):
        steps.throw(SegmentsMissingError("gone"))


def test_subtitles_are_fetched_before_anything_is_published(tmp_path):
    """Subtitles that are no WebVTT end the job before there is an output."""
    options = selecting(subtitles="all")
    texts = {**TEXTS, "main.m3u8": RICH, "0.vtt": "<html>"}
    told = Told(texts, output=str(tmp_path / "video.ts"), options=options)
    with pytest.raises(PlaylistError):
        told.run()

    assert told.transfers == []

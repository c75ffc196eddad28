"""What has been fetched for a file that is yet to be put together: a value, and its note."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pipeline.hls.chapters import Chapter, chapters
from pipeline.jobs.job import Job, Track
from pipeline.jobs.receipt import Receipt, SegmentCounts, Status
from pipeline.media.tracks import Source
from pipeline.units import public_url


@dataclass(frozen=True, slots=True)
class Fetched:
    """The streams of one download, each a file, and what the playlist tells of them."""

    sources: tuple[Source, ...]
    chapters: tuple[Chapter, ...]
    segments: SegmentCounts

    @classmethod
    def of(cls, job: Job, segments: SegmentCounts) -> Self:
        """What `job` has fetched, now that it is done."""
        offsets = [done.offsets for done in job.transferred]
        breaks = dict(zip([track.output for track in job.media], offsets, strict=True))
        main = job.tracks[0]
        return cls(
            tuple(_source(track, breaks.get(track.output, ())) for track in job.tracks),
            chapters(main.playlist, main.plan.items),
            segments,
        )

    def to_note(self) -> dict[str, Any]:
        """The same as JSON."""
        sources = [asdict(one) | {"path": str(one.path)} for one in self.sources]
        told = [asdict(one) for one in self.chapters]
        return {"sources": sources, "chapters": told, "segments": asdict(self.segments)}

    @classmethod
    def from_note(cls, note: Mapping[str, Any]) -> "Fetched | None":
        """What an earlier run has noted; None if that is no such note, or a file is gone."""
        try:
            sources = tuple(
                Source(**one | {"path": Path(one["path"]), "breaks": tuple(one["breaks"])})
                for one in note["sources"]
            )
            told = tuple(Chapter(**one) for one in note["chapters"])
            counts = note["segments"]
            segments = SegmentCounts(**counts | {"missing": tuple(counts["missing"])})
        except (KeyError, TypeError):
            return None
        return cls(sources, told, segments) if all(one.path.is_file() for one in sources) else None

    def receipt(self, url: str) -> Receipt:
        """The receipt of a run that has found all this, and fetched nothing."""
        status = Status.INCOMPLETE if self.segments.missing else Status.COMPLETE
        size = sum(one.path.stat().st_size for one in self.sources)
        return Receipt(
            public_url(url), status=status, exit_code=0, segments=self.segments, resumed_bytes=size
        )


def _source(track: Track, breaks: tuple[int, ...]) -> Source:
    one = track.rendition
    return Source(
        path=Path(track.output).absolute(),
        kind="main" if one is None else "subtitles" if track.is_subtitles else "audio",
        language=one.language if one else None,
        name=one.name if one else None,
        default=bool(one and one.default),
        breaks=breaks,
    )

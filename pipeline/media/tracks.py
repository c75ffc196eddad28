"""What is put into one MP4 or Matroska file, as values. Reads nothing."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.hls.chapters import Chapter
from pipeline.units import printable

__all__ = ["Chapter", "RemuxPlan", "Source", "language_code"]

# ISO 639-1 to ISO 639-2/T, for the languages that streams are made in.
_PAIRS = """
af:afr am:amh ar:ara as:asm az:aze be:bel bg:bul bn:ben bo:bod br:bre bs:bos ca:cat cs:ces
cy:cym da:dan de:deu el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas fi:fin fo:fao fr:fra
fy:fry ga:gle gd:gla gl:glg gu:guj ha:hau he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye id:ind
ig:ibo is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kk:kaz km:khm kn:kan ko:kor ku:kur ky:kir
la:lat lb:ltz ln:lin lo:lao lt:lit lv:lav mg:mlg mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa
mt:mlt my:mya nb:nob ne:nep nl:nld nn:nno no:nor oc:oci om:orm or:ori pa:pan pl:pol ps:pus
pt:por qu:que rm:roh ro:ron ru:rus rw:kin sa:san sd:snd se:sme si:sin sk:slk sl:slv sm:smo
sn:sna so:som sq:sqi sr:srp st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir
tk:tuk tl:tgl tn:tsn to:ton tr:tur tt:tat ug:uig uk:ukr ur:urd uz:uzb vi:vie wo:wol xh:xho
yi:yid yo:yor zh:zho zu:zul
"""
_CODES = dict(pair.split(":") for pair in _PAIRS.split())


@dataclass(frozen=True)
class Source:
    """One merged file, its bytes in order."""

    path: Path
    kind: str  # "main" (video, audio or both), "audio", "subtitles" (WebVTT)
    language: str | None = None  # BCP 47, as in the rendition
    name: str | None = None  # the title
    default: bool = False
    breaks: tuple[int, ...] = ()  # offsets in bytes at which a discontinuity begins (not 0)

    @property
    def what(self) -> str:
        """In words, for a user who does not know the file: the start of a sentence."""
        if self.kind == "main":
            return "The stream"
        named = self.name or self.language
        return f"The {self.kind} rendition" + (f" {printable(named)}" if named else "")


@dataclass(frozen=True)
class RemuxPlan:
    """Everything that goes into one file."""

    sources: tuple[Source, ...]
    output: Path  # its name need not end as the container's files do
    container: str  # "mp4", "mkv", "m4a"
    chapters: tuple[Chapter, ...] = ()
    may_consume: bool = False  # the sources' bytes may be released while they are read


def language_code(language: str | None) -> str:
    """The ISO 639-2 code of a BCP 47 tag; "und" for one that has none."""
    primary = (language or "").lower().replace("_", "-").split("-")[0]
    if len(primary) == 3 and primary.isascii() and primary.isalpha():
        return primary
    return _CODES.get(primary, "und")

"""What a multivariant playlist offers, as rows for `-F/--list-formats`."""

from dataclasses import dataclass

from pipeline.hls.model import MultivariantPlaylist, Rendition, VariantStream
from pipeline.units import printable


@dataclass(frozen=True, slots=True)
class Format:
    """One row: a variant stream, an I-frame variant or a rendition. Text is the server's own."""

    kind: str  # "variant", "iframes", or a rendition's TYPE in lower case
    id: int | None  # what `-f` takes, for a variant
    url: str | None
    resolution: str | None = None
    frame_rate: float | None = None
    bandwidth: int | None = None
    average_bandwidth: int | None = None
    codecs: str | None = None
    group: str | None = None  # the rendition's own, or the variant's audio group
    language: str | None = None
    name: str | None = None
    default: bool | None = None


def list_formats(playlist: MultivariantPlaylist) -> tuple[Format, ...]:
    """Variant streams in their order, then I-frame variants, then renditions."""
    return (
        *(_variant("variant", index, one) for index, one in enumerate(playlist.variants)),
        *(_variant("iframes", None, one) for one in playlist.i_frame_variants),
        *(_rendition(one) for one in playlist.renditions),
    )


def _variant(kind: str, index: int | None, variant: VariantStream) -> Format:
    return Format(
        kind=kind,
        id=index,
        url=variant.url,
        resolution=format_resolution(variant.resolution),
        frame_rate=variant.frame_rate,
        bandwidth=variant.bandwidth,
        average_bandwidth=variant.average_bandwidth,
        codecs=variant.codecs,
        group=variant.audio,
        name=variant.name,
    )


def _rendition(rendition: Rendition) -> Format:
    return Format(
        kind=rendition.type.lower(),
        id=None,
        url=rendition.url,
        group=rendition.group_id,
        language=rendition.language,
        name=rendition.name,
        default=rendition.default,
    )


def format_resolution(resolution: tuple[int, int] | None) -> str | None:
    """ "1280x720"; None stays None."""
    return None if resolution is None else f"{resolution[0]}x{resolution[1]}"


def describe_variant(variant: VariantStream) -> str:
    """`variant` in a few words, fit to print: "1280x720, 2.1 Mbit/s, avc1.4d401f,mp4a.40.2"."""
    rate = variant.bandwidth
    parts = (
        format_resolution(variant.resolution),
        None if rate is None else f"{rate / 1e6:.1f} Mbit/s",
        variant.codecs,
    )
    return printable(", ".join(filter(None, parts)) or variant.uri, 150)


def describe_rendition(rendition: Rendition) -> str:
    """`rendition` in a few words, fit to print: "en (English)"."""
    language = rendition.language or "unknown language"
    return printable(f"{language} ({rendition.name})" if rendition.name else language, 150)

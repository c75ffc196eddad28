"""Which variant stream to take, and which renditions to go with it."""

from pipeline.errors import PlaylistError, UsageError
from pipeline.hls.formats import describe_rendition, describe_variant
from pipeline.hls.model import MultivariantPlaylist, Rendition, VariantStream
from pipeline.hls.rules import Condition, Rule, parse_rules
from pipeline.units import printable

#: How many variants or renditions an error lists: what a reader takes in.
_LISTED = 12


def choose_variant(playlist: MultivariantPlaylist, rules: str = "best") -> VariantStream:
    """The variant stream that `rules` (see `rules`) pick; by default that of most bandwidth.

    UsageError, listing what there is, if nothing matches. PlaylistError if there is nothing.
    """
    if not playlist.variants:
        raise PlaylistError("The multivariant playlist lists no variant streams")
    rule = _first_fitting(playlist, rules)
    if rule is None:
        raise UsageError(
            f'No variant stream matches "{printable(rules, 100)}"; there are: '
            + _listed([describe_variant(one) for one in playlist.variants])
        )
    take = min if rule.worst else max
    return take(_matching(playlist, rule), key=_quality)


def audio_language(playlist: MultivariantPlaylist, rules: str) -> str | None:
    """What the rule that picks the variant asks for with `audio=`; None if it does not."""
    rule = _first_fitting(playlist, rules)
    for condition in rule.conditions if rule else ():
        if condition.field == "audio" and condition.comparison == "=":
            return str(condition.value)
    return None


def _first_fitting(playlist: MultivariantPlaylist, rules: str) -> Rule | None:
    return next((rule for rule in parse_rules(rules) if _matching(playlist, rule)), None)


def _quality(variant: VariantStream) -> tuple[float, float, float]:
    """What "best" means: bandwidth, then height, then frame rate; the first listed wins a tie."""
    height = variant.resolution[1] if variant.resolution else 0
    return variant.bandwidth or 0, height, variant.frame_rate or 0.0


def _matching(playlist: MultivariantPlaylist, rule: Rule) -> list[VariantStream]:
    return [
        variant
        for index, variant in enumerate(playlist.variants)
        if all(_holds(playlist, index, condition) for condition in rule.conditions)
    ]


def _holds(playlist: MultivariantPlaylist, index: int, condition: Condition) -> bool:
    variant = playlist.variants[index]
    if isinstance(condition.value, str):
        return _text_holds(playlist, variant, condition.field, condition.value) == (
            condition.comparison == "="
        )
    width, height = variant.resolution or (None, None)
    numbers = {
        "id": index,
        "width": width,
        "height": height,
        "bandwidth": variant.bandwidth,
        "average_bandwidth": variant.average_bandwidth,
        "frame_rate": variant.frame_rate,
    }
    return condition.accepts_number(numbers[condition.field])


def _text_holds(
    playlist: MultivariantPlaylist, variant: VariantStream, field: str, value: str
) -> bool:
    if field == "codecs":
        codecs = (variant.codecs or "").lower().split(",")
        return any(codec.strip().startswith(value.lower()) for codec in codecs)
    if field == "name":
        return (variant.name or "").lower() == value.lower()
    return any(_wanted(one, value) for one in group(playlist, "AUDIO", variant.audio))


def group(playlist: MultivariantPlaylist, kind: str, group_id: str | None) -> list[Rendition]:
    """The renditions of TYPE `kind` in one group (section 4.3.4.1.1)."""
    return [one for one in playlist.renditions if one.type == kind and one.group_id == group_id]


def choose_renditions(
    playlist: MultivariantPlaylist, variant: VariantStream, kind: str, wanted: str = "default"
) -> tuple[Rendition, ...]:
    """The renditions of TYPE `kind` ("AUDIO", "SUBTITLES") to download along with `variant`.

    `wanted` is "default", "all", "none" or languages or names joined by ",". Renditions without
    a URI are part of the variant stream and not returned. UsageError, listing what there is, if
    a language is asked for that is not there.
    """
    there = group(playlist, kind, variant.audio if kind == "AUDIO" else variant.subtitles)
    if wanted == "none":
        return ()
    if wanted == "default":
        found = _default(there)
    elif wanted == "all":
        found = there
    else:
        found = _named(there, kind, wanted)
    return tuple(one for one in found if one.url is not None)


def _default(there: list[Rendition]) -> list[Rendition]:
    """DEFAULT=YES, or else AUTOSELECT=YES, or else the first (section 4.3.4.1)."""
    ranked = sorted(there, key=lambda one: (not one.default, not one.autoselect))
    return ranked[:1]


def _named(there: list[Rendition], kind: str, wanted: str) -> list[Rendition]:
    found: list[Rendition] = []
    for name in filter(None, (part.strip() for part in wanted.split(","))):
        matching = [one for one in there if _wanted(one, name)]
        if not matching:
            raise UsageError(
                f'No {kind.lower()} rendition is "{printable(name, 60)}"; there are: '
                + _listed([describe_rendition(one) for one in there])
            )
        found += [one for one in matching if one not in found]
    return found


def _wanted(rendition: Rendition, name: str) -> bool:
    """Whether `name` is the rendition's language, its first part ("en" of "en-US") or its NAME."""
    language = (rendition.language or "").lower()
    wanted = name.lower()
    return (
        language == wanted
        or language.startswith(f"{wanted}-")
        or ((rendition.name or "").lower() == wanted)
    )


def _listed(described: list[str]) -> str:
    more = [f"and {len(described) - _LISTED} more"] if len(described) > _LISTED else []
    return " | ".join([*described[:_LISTED], *more]) or "none"

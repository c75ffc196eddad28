"""Small plans to hand to what works on them."""

from pipeline.hls.plan import Decryption, PlannedItem
from pipeline.processes.download import Download
from pipeline.processes.errands import DocumentErrand
from pipeline.processes.wishes import Document, Transfer

HOST = "http://host"


def item(index, key=None, method="AES-128", segment=True, section=None):
    """One item; with `key` it is encrypted with the key of that name."""
    return PlannedItem(
        index=index,
        segment_index=index if segment else None,
        url=f"{HOST}/{index}.ts",
        byte_range=None,
        decryption=Decryption(method, f"{HOST}/{key}", bytes(16)) if key else None,
        media_sequence_number=index,
        duration=4.0 if segment else 0.0,
        section_index=section,
    )


def download(items, opened=True, asked=None, context=0, **options):
    """A download of `items` whose output is open."""
    found = Download(
        0, context, 0, Transfer(tuple(items), "out.ts", "out.ts", 0.0, **options), asked
    )
    if opened:
        found.take_up(0, 0, 0.0)
    return found


def downloads_of_one_job(*plans):
    """A download for each of several plans."""
    first, *rest = plans
    found = download(first)
    return [found, *(download(items, asked=found.asked) for items in rest)]


def playlist(context=0):
    """An errand for a playlist of that job."""
    document = Document(f"{HOST}/p.m3u8", 100, "the playlist")
    return DocumentErrand(context, document.url, document=document, wish=0, flow=None)

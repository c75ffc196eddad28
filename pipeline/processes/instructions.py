"""Errands, as what a downloader is told to do."""

from pipeline.errors import InternalError
from pipeline.processes import messages
from pipeline.processes.errands import DocumentErrand, Errand, ItemErrand, NeedErrand

#: A key is 16 or 32 bytes, an initialization section a few hundred to a few thousand. More than
#: this goes into no message.
_NEED_CAP = 1 << 20


def instruction(errand: Errand, lease: int) -> messages.ToDownloader:
    """The order to fetch `errand`, under this lease."""
    match errand:
        case ItemErrand():
            return _fetch_segment(errand, lease)
        case DocumentErrand():
            return _fetch_document(errand, lease, errand.document.byte_range, errand.document.cap)
        case NeedErrand():
            return _fetch_document(errand, lease, errand.need.byte_range, _NEED_CAP)
        case _:
            raise InternalError(f"Nobody knows how to fetch {errand!r}")


def _fetch_document(
    errand: Errand, lease: int, byte_range: tuple[int, int] | None, cap: int
) -> messages.FetchDocument:
    offset, length = byte_range or (None, None)
    return messages.FetchDocument(errand.context, lease, errand.url, cap, offset, length)


def _fetch_segment(errand: ItemErrand, lease: int) -> messages.FetchSegment:
    download = errand.download
    item = download.items[errand.index]
    offset, length = item.byte_range or (None, None)
    order = messages.FetchSegment(
        errand.context,
        download.job,
        errand.index,
        lease,
        item.url,
        offset,
        length,
        errand.tries,
        strip_images=download.transfer.strip_images,
    )
    if download.needs.is_sealed_section(item):
        return order._replace(method="SAMPLE-AES")
    if item.decryption is None:
        return order
    return order._replace(
        method=item.decryption.method,
        key=download.have(download.needs.key(item)) or b"",
        iv=item.decryption.iv,
        section=download.have(download.needs.section(item)),
    )

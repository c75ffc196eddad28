"""One segment's way through a downloader: body -> block -> decrypted in place -> record.

The last block is known as such only when the body has ended, so one filled block is held back;
with that, a segment of any size passes through two blocks. Sample encryption is the exception: the
container has to be understood first, so such a segment is held as a whole.
"""

from pipeline.crypto.cbc import cbc_decryptor, unpad
from pipeline.crypto.ciphers import CbcDecryptor
from pipeline.crypto.sniff import looks_like_image
from pipeline.errors import DecryptionError
from pipeline.hls.methods import SAMPLE_METHODS, WHOLE_ITEM_METHODS
from pipeline.net.body import Bytes, Readable, read_body
from pipeline.processes.arena import BLOCK_BYTES, Arena
from pipeline.processes.disguise import Undisguised
from pipeline.processes.judgement import HEAD, Judgement, disguised
from pipeline.processes.messages import FetchSegment
from pipeline.processes.records import NO_BLOCK, BlockSource, Mark, Record, RecordWriter
from pipeline.units import MIB

_CIPHER_BLOCK = 16

#: The largest sample-encrypted segment, in bytes: decrypting one takes six times its size.
_LARGEST_WHOLE = 64 * MIB


class Pump:
    """Moves bodies into blocks; belongs to one fetch thread."""

    def __init__(self, arena: Arena, blocks: BlockSource, records: RecordWriter) -> None:
        """Blocks come from `blocks` and leave through `records`."""
        self._arena = arena
        self._blocks = blocks
        self._records = records
        self._spare: list[int] = []  # lent to us and not used yet

    def run(self, item: FetchSegment, body: Readable) -> None:
        """Hand the whole of `body` to storage as `item`, or retract it and raise.

        Raises FetchFailure or DecryptionError.
        """
        until_close = body.until_close
        if item.strip_images:
            body = Undisguised(body, item.method in WHOLE_ITEM_METHODS)
        if item.method in SAMPLE_METHODS:
            body = Bytes(_decrypt_samples(item, read_body(body, _LARGEST_WHOLE)))
        cipher = None
        if item.method in WHOLE_ITEM_METHODS:
            cipher = cbc_decryptor(item.key, item.iv)
        _Passage(self, item, cipher, until_close).run(body)

    def take_block(self) -> int:
        """A free block: one of ours, or one that storage lends."""
        return self._spare.pop() if self._spare else self._blocks.take()

    def keep_block(self, block: int) -> None:
        """The block was not handed over: use it for the next item."""
        self._spare.append(block)

    def view(self, block: int) -> memoryview:
        """The memory of a block."""
        return self._arena.block(block)

    def put(self, record: Record) -> None:
        """Hand a record to storage."""
        self._records.put(record)


class _Passage:
    """One item under way."""

    def __init__(
        self, pump: Pump, item: FetchSegment, cipher: CbcDecryptor | None, until_close: bool
    ) -> None:
        self._pump = pump
        self._item = item
        self._cipher = cipher
        self._pending: tuple[int, int] | None = None  # (block, length), filled and held back
        self._sent = False
        self._size = 0  # bytes handed over
        self._disguise: str | None = None  # what the encrypted bytes begin like
        self._judgement = Judgement(cipher is not None, until_close, item.strip_images)
        self._last = Mark.LAST_UNVERIFIED if until_close else Mark.LAST

    def run(self, body: Readable) -> None:
        try:
            while self._fill(body):
                pass
            self._finish()
        except BaseException as error:
            self._retract()
            if isinstance(error, DecryptionError) and self._disguise is not None:
                raise disguised(error, self._disguise, self._item.strip_images) from error
            raise

    def _fill(self, body: Readable) -> bool:
        """Fill and decrypt one block; False when the body has ended."""
        if body.ended:
            return False
        block = self._pump.take_block()
        try:
            with self._pump.view(block) as view:
                length = body.readinto(view)
                self._decrypt(view[:length])
            if length:
                self._send_pending(Mark.MORE)  # which may find that it is no media
        except BaseException:
            self._pump.keep_block(block)
            raise
        if length == 0:
            self._pump.keep_block(block)
            return False
        self._pending = (block, length)
        return length == BLOCK_BYTES

    def _decrypt(self, view: memoryview) -> None:
        if self._cipher is None:
            return
        if self._pending is None:
            self._disguise = looks_like_image(bytes(view[:HEAD]))
        if len(view) % _CIPHER_BLOCK:
            raise DecryptionError(
                f"the encrypted bytes end {len(view) % _CIPHER_BLOCK} bytes into a cipher block"
            )
        self._cipher.decrypt(view)

    def _finish(self) -> None:
        if self._pending is None:
            if self._cipher is not None:
                raise DecryptionError("the segment is encrypted and empty")
            self._judgement.last(memoryview(b""), 0)
            self._put(NO_BLOCK, 0, self._last)
            return
        if self._cipher is not None:
            block, length = self._pending
            with self._pump.view(block) as view:
                self._pending = (block, length - unpad(view[length - _CIPHER_BLOCK : length]))
        self._send_pending(self._last)

    def _send_pending(self, mark: Mark) -> None:
        if self._pending is not None:
            block, length = self._pending
            self._judge(block, length, mark)
            self._pending = None
            self._size += length
            self._put(block, length, mark)

    def _judge(self, block: int, length: int, mark: Mark) -> None:
        with self._pump.view(block) as view:
            if not self._size:
                self._judgement.first(bytes(view[: min(length, HEAD)]), length)
            self._judgement.watch(view[:length])
            if mark is self._last:
                self._judgement.last(view[:length], self._size + length)

    def _put(self, block: int, length: int, mark: Mark) -> None:
        item = self._item
        self._sent = True
        self._pump.put(Record(item.job, item.item_index, item.lease, block, length, mark))

    def _retract(self) -> None:
        """Keep the block that was not handed over, and call back those that were."""
        if self._pending is not None:
            self._pump.keep_block(self._pending[0])
        if self._sent:
            self._put(NO_BLOCK, 0, Mark.RETRACT)


def _decrypt_samples(item: FetchSegment, body: bytes) -> bytes:
    # Imported here: 36 ms that no other download needs.
    from pipeline.crypto.cenc_tracks import clear_initialization_section  # noqa: PLC0415
    from pipeline.crypto.samples import decrypt_samples  # noqa: PLC0415

    if not item.key:  # the initialization section itself
        return clear_initialization_section(body)[0]
    tracks = None
    if item.section is not None:
        _, tracks = clear_initialization_section(item.section)
    return decrypt_samples(body, item.key, item.iv, tracks)

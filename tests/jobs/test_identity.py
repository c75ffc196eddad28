"""When two plans are of the same video."""

from dataclasses import replace

from pipeline.hls.plan import Decryption, Plan, PlannedItem
from pipeline.jobs.identity import plan_identity
from pipeline.options import KeyOptions

ITEM = PlannedItem(0, 0, "http://h/a.ts?token=1", None, None, 0, 4.0)


def identity(*items: PlannedItem, keys: KeyOptions | None = None) -> str:
    """Of a plan of these items."""
    return plan_identity(Plan(items, (), 0, 0, 4.0, None, ".ts"), keys or KeyOptions())


def test_another_token_is_the_same_video() -> None:
    """Signed URLs change from day to day."""
    assert identity(ITEM) == identity(replace(ITEM, url="http://h/a.ts?token=2"))


def test_signed_urls() -> None:
    """As networks and storage services make them; only their signature and its time may differ."""
    signed = "http://h/a.ts?id=1&X-Amz-Date={0}&X-Amz-Signature={0}&Expires={0}&Key-Pair-Id={0}"

    def of(url: str) -> str:
        return identity(replace(ITEM, url=url))

    assert of(signed.format(1)) == of(signed.format(2))
    assert of(signed.format(1)) != of(signed.format(1).replace("id=1", "id=2"))


def test_a_query_that_is_no_token() -> None:
    """It may be what tells one video from another, though each of its segments has its own path."""
    first = [replace(ITEM, index=n, url=f"http://h/{n}.ts?id=1") for n in (0, 1)]
    second = [replace(ITEM, index=n, url=f"http://h/{n}.ts?id=2") for n in (0, 1)]

    assert identity(*first) != identity(*second)


def test_anything_else_is_another_video() -> None:
    """Path, host, range, length, order, key and initialization vector all count."""
    sealed = Decryption("AES-128", "http://h/k", bytes(16))
    others = [
        replace(ITEM, url="http://h/b.ts"),
        replace(ITEM, url="http://other/a.ts"),
        replace(ITEM, byte_range=(0, 5)),
        replace(ITEM, duration=4.5),
        replace(ITEM, media_sequence_number=1),
        replace(ITEM, decryption=sealed),
        replace(ITEM, decryption=replace(sealed, iv=bytes(15) + b"\x01")),
    ]

    assert len({identity(ITEM), *map(identity, others)}) == len(others) + 1
    assert identity(ITEM) != identity(ITEM, keys=KeyOptions(key=bytes(16)))

"""How many bytes have come in, over all bodies of a process: a figure to judge connections by.

Blocks reach storage one megabyte at a time. On slow connections that is a lump every few seconds,
and no rate; here each read counts.
"""


class Meter:
    """Counts bytes of bodies, as they came over the network.

    Threads add without a lock: what may get lost between two of them is one read in thousands, and
    nothing but a choice of speed hangs on it.
    """

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.bytes = 0

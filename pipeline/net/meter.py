"""How many bytes have come in, over all bodies of a process: a figure to judge connections by.

Blocks reach storage one megabyte at a time. On slow connections that is a lump every few seconds,
and no rate; here each read counts.
"""

#: The share of the newest body in the usual rate: the last ten or so make it.
_WEIGHT = 0.2


class Meter:
    """Counts bytes of bodies, as they came over the network.

    Threads add without a lock: what may get lost between two of them is one read in thousands, and
    nothing but a choice of speed hangs on it.
    """

    __slots__ = ("bytes", "usual_rate", "way")

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.bytes = 0
        self.way = ("", 0.0)  # the site that was connected to last, seconds there and back
        self.usual_rate: float | None = None  # of one body, in bytes per second

    def note_rate(self, rate: float) -> None:
        """A body came at this rate: what is usual moves a bit towards it."""
        usual = self.usual_rate
        self.usual_rate = rate if usual is None else usual + _WEIGHT * (rate - usual)

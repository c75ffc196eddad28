import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.processes.rate import Drip, RateShare, RateSource, token_bytes

KB, MB = 1 << 10, 1 << 20

RATES = st.integers(1, 1 << 40)


class TestDrip:
    @given(RATES, st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.0, 1.0)), max_size=60))
    def test_never_more_than_the_rate(self, rate, ticks):
        """However late ticks are and however few tokens are taken: the rate, and a burst."""
        drip = Drip(rate, 0.0)
        now, waiting, handed_out = 0.0, 0, 0
        for pause, share_taken in ticks:
            now += pause
            tokens = drip.due(now, waiting)
            handed_out += tokens
            waiting += tokens

            assert tokens >= 0
            assert handed_out * token_bytes(rate) <= rate * (now + 0.1) * 1.001 + token_bytes(rate)
            assert waiting <= 0.1 * rate / token_bytes(rate) * 1.001 + 1
            waiting -= int(waiting * share_taken)

    @given(RATES, st.lists(st.floats(0.0, 0.05), min_size=1, max_size=200))
    def test_exactly_the_rate_if_it_is_taken(self, rate, pauses):
        """What was not due at one tick is due at a later one: nothing is rounded away."""
        drip = Drip(rate, 0.0)
        now, handed_out = 0.0, 0
        for pause in pauses:
            now += pause
            handed_out += drip.due(now, 0)

        due = now * rate / token_bytes(rate)
        assert due * 0.999 - 1 <= handed_out <= due * 1.001 + 1

    def test_unused_tokens_are_not_saved_up(self):
        """After a minute in which nobody read there is a tenth of a second's worth."""
        drip = Drip(MB, 0.0)

        assert drip.due(60.0, 0) == 21
        assert drip.due(120.0, 21) == 0

    @pytest.mark.parametrize("rate", [1, 199, 100 * KB, 200 * MB, 1 << 62], ids=str)
    def test_a_pipe_has_room_for_all_of_them(self, rate):
        """The supervisor never waits for a reader."""
        assert Drip(rate, 0.0).due(1e9, 0) <= 4096


@pytest.fixture
def pipe():
    """Both ends of a pipe of tokens."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


class TestShare:
    def test_a_token_is_worth_so_much(self, pipe):
        """What is not wanted at once is there for the next read, without another token."""
        share = RateShare(pipe[0], 200 * KB)
        os.write(pipe[1], b"..")

        assert [share.take(600), share.take(600), share.take(5000)] == [600, 424, KB]

    def test_what_did_not_come_may_be_read_later(self, pipe):
        """A read that brings less than was allowed costs what it brought."""
        share = RateShare(pipe[0], 200 * KB)
        os.write(pipe[1], b".")
        share.give_back(share.take(1000))

        assert share.take(5000) == KB

    def test_each_token_is_for_one_process(self, pipe):
        """Whoever comes first."""
        shares = [RateShare(pipe[0], 200 * KB) for _ in range(2)]
        os.write(pipe[1], b"...")

        assert [share.take(5000) for share in (*shares, shares[0])] == [KB, KB, KB]

    def test_the_supervisor_is_gone(self):
        """The end of the pipe is no leave to read."""
        reading, writing = os.pipe()
        os.close(writing)

        with pytest.raises(EOFError):
            RateShare(reading, MB).take(1)
        os.close(reading)


def test_a_source_drips():
    """Tokens come, and not faster than they should; at the end there are none."""
    source = RateSource(MB)
    started = time.monotonic()
    source.start()
    share = RateShare(source.reading_end, MB)

    read = sum(share.take(MB) for _ in range(100))
    source.close()

    assert read == 100 * token_bytes(MB)
    assert read <= MB * (time.monotonic() - started) + MB * 0.1 + token_bytes(MB)


def test_a_source_ends():
    """Neither its thread nor its pipe outlives it."""
    source = RateSource(MB)
    source.start()
    source.close()

    assert "rate" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(source.reading_end)

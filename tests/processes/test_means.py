import pytest

from pipeline.events import Warned
from pipeline.options import StorageOptions
from pipeline.processes.means import within_means
from pipeline.units import MIB


@pytest.mark.parametrize(
    ("asked", "limit"),
    [(50 * MIB, None), (50 * MIB, 1 << 40), (50 * MIB, 200 * MIB), (0, MIB), (None, 64 * MIB)],
    ids=["no container", "large container", "just enough", "no memory asked for", "no threshold"],
)
def test_what_can_be_had_is_as_asked(asked, limit):
    """Nothing is changed, and nothing said."""
    heard = []
    options = StorageOptions(memory_threshold=asked)

    assert within_means(options, limit, heard.append) == options
    assert heard == []


def test_small_container_leaves_memory_early():
    """A quarter of what is granted, and the user hears of it."""
    heard = []
    found = within_means(StorageOptions(), 64 * MIB, heard.append)

    assert found == StorageOptions(memory_threshold=16 * MIB)
    (warning,) = heard
    assert isinstance(warning, Warned)
    assert "64.0 MB of memory are granted here" in warning.message
    assert "16.0 MB" in warning.message


def test_nobody_listens():
    """What is said to nobody is done all the same."""
    assert within_means(StorageOptions(), 64 * MIB, None).memory_threshold == 16 * MIB

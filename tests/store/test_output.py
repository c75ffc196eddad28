import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import (
    OutputBusyError,
    OutputExistsError,
    StorageError,
)
from pipeline.store.care import Care
from pipeline.store.file_output import FileOutput
from pipeline.store.part import former_path, journal_path, part_path, refuse_busy, remove_part
from tests.store.outputs import publish, put


@pytest.fixture
def path(tmp_path):
    """Where the output goes."""
    return tmp_path / "video.ts"


def names(path):
    """What there is beside the output, and it."""
    return sorted(entry.name for entry in path.parent.iterdir())


def test_output_has_its_name_only_when_it_is_published(path):
    """The bytes are in the `.part` until then, and nothing else is left after."""
    output = FileOutput(path, Care())
    put(output, 0, b"all of it")
    assert names(path) == ["video.ts.part"]
    publish(output)

    assert names(path) == ["video.ts"]
    assert path.read_bytes() == b"all of it"


def test_discarded_output_leaves_nothing(path):
    """What is given up is gone, journal and all."""
    output = FileOutput(path, Care())
    put(output, 0, b"some of it")
    output.discard()

    assert names(path) == []


def test_second_run_is_refused(path):
    """While one run has the output, another is told so and harms nothing."""
    output = FileOutput(path, Care())
    put(output, 0, b"mine")
    with pytest.raises(OutputBusyError):
        FileOutput(path, Care(force=True))
    with pytest.raises(OutputBusyError):
        refuse_busy(path)
    remove_part(path)
    publish(output)

    assert path.read_bytes() == b"mine"
    refuse_busy(path)


def test_existing_output_is_refused(path):
    """Without force, what is there stays, and no `.part` is left."""
    path.write_text("precious")
    with pytest.raises(OutputExistsError):
        FileOutput(path, Care())

    assert names(path) == ["video.ts"]
    assert path.read_text() == "precious"


def test_output_that_appears_meanwhile_is_not_replaced(path):
    """Publishing looks once more."""
    output = FileOutput(path, Care())
    put(output, 0, b"new")
    path.write_text("precious")
    with pytest.raises(OutputExistsError):
        publish(output)
    output.discard()

    assert path.read_text() == "precious"


def test_force_replaces(path):
    """With force, the old output is there until the new one is whole."""
    path.write_text("old")
    output = FileOutput(path, Care(force=True, fsync=True))
    put(output, 0, b"new")
    assert path.read_text() == "old"
    publish(output)

    assert path.read_text() == "new"


@pytest.mark.parametrize("before", [None, b"old"], ids=["nothing", "a file"])
def test_taken_back(path, before):
    """Where a later output cannot have its name, what an earlier one has replaced is back."""
    if before is not None:
        path.write_bytes(before)
    output = FileOutput(path, Care(force=True))
    put(output, 0, b"new")
    output.settle()
    output.publish()
    assert path.read_bytes() == b"new"
    output.unpublish()
    output.discard()

    assert names(path) == ([] if before is None else [path.name])
    assert before is None or path.read_bytes() == before


def test_the_file_that_was_replaced_is_gone(path):
    """Nothing of it is left, nor of a run that was killed at that moment."""
    path.write_bytes(b"old")
    former_path(part_path(path)).write_bytes(b"older")
    output = FileOutput(path, Care(force=True))
    put(output, 0, b"new")
    publish(output)

    assert path.read_bytes() == b"new"
    assert names(path) == [path.name]


def test_directory_is_never_replaced(path):
    """Not even with force."""
    path.mkdir()
    with pytest.raises(StorageError, match="directory"):
        FileOutput(path, Care(force=True))


def test_link_in_the_place_of_the_part_is_not_followed(tmp_path, path):
    """A planted link does not make us write elsewhere."""
    (tmp_path / "victim").write_text("mine")
    part_path(path).symlink_to(tmp_path / "victim")
    with pytest.raises(StorageError):
        FileOutput(path, Care())

    assert (tmp_path / "victim").read_text() == "mine"


def test_no_such_directory(tmp_path):
    """An output in a directory that is not there is an error in words."""
    with pytest.raises(StorageError, match="No such file"):
        FileOutput(tmp_path / "absent" / "video.ts", Care())


def test_rolled_back_bytes_are_not_in_the_output(path):
    """A longer try that failed leaves nothing behind a shorter one that did not."""
    output = FileOutput(path, Care(checksum=True))
    put(output, 0, b"one")
    output.write(memoryview(b"a long wrong try"))
    output.rollback()
    output.rollback()
    put(output, 1, b"two")
    output.write(memoryview(b"never committed"))
    publish(output)

    assert path.read_bytes() == b"onetwo"
    assert output.committed == 6
    assert output.digest.hexdigest() == hashlib.sha256(b"onetwo").hexdigest()


def test_reserving_more_than_there_is(path):
    """A disk without room is an error before anything is written."""
    output = FileOutput(path, Care())
    with pytest.raises(StorageError, match="allocate"):
        output.reserve(1 << 62)
    output.discard()


def test_reserved_room_is_not_in_the_output(path):
    """Room that was allocated and not needed is cut off."""
    output = FileOutput(path, Care())
    output.reserve(1000)
    put(output, 0, b"short")
    publish(output)

    assert path.read_bytes() == b"short"


class TestTakingUp:
    """Resume."""

    CARE = Care(kept_as="plan", checksum=True)

    def leave(self, path, items):
        output = FileOutput(path, self.CARE)
        for index, item in enumerate(items):
            put(output, index, item)
        output.write(memoryview(b"half an item"))
        output.discard()

    def test_whole_items_are_taken_up(self, path):
        """A second run begins behind the last whole item of the first, with the same digest."""
        self.leave(path, [b"first", b"second"])
        output = FileOutput(path, self.CARE)
        assert (output.resumed, output.committed) == (2, 11)
        put(output, 2, b"third")
        publish(output)

        assert path.read_bytes() == b"firstsecondthird"
        assert output.digest.hexdigest() == hashlib.sha256(b"firstsecondthird").hexdigest()
        assert names(path) == ["video.ts"]

    def test_unproven_items_are_cut_off(self, path):
        """Items from the first damaged one on are not taken up."""
        self.leave(path, [b"first", b"second", b"third"])
        with part_path(path).open("r+b") as file:
            file.seek(6)
            file.write(b"?")
        output = FileOutput(path, self.CARE)
        assert (output.resumed, output.committed) == (1, 5)
        put(output, 1, b"SECOND")
        publish(output)

        assert path.read_bytes() == b"firstSECOND"
        assert output.digest.hexdigest() == hashlib.sha256(b"firstSECOND").hexdigest()

    def test_third_run_takes_up_what_two_have_left(self, path):
        """The journal is carried on from run to run."""
        self.leave(path, [b"first"])
        output = FileOutput(path, self.CARE)
        put(output, 1, b"second")
        output.discard()
        output = FileOutput(path, self.CARE)

        assert output.resumed == 2
        output.discard()

    def test_nothing_is_kept_of_nothing(self, path):
        """Without one whole item, neither `.part` nor journal stay."""
        self.leave(path, [])

        assert names(path) == []

    @pytest.mark.parametrize(
        "care", [Care(kept_as="other"), Care()], ids=["other plan", "no resume"]
    )
    def test_other_wishes_begin_anew(self, path, care):
        """What another plan has left, or what nobody asks for, is not taken up."""
        self.leave(path, [b"first"])
        output = FileOutput(path, care)

        assert (output.resumed, output.committed, part_path(path).stat().st_size) == (0, 0, 0)
        output.discard()
        assert names(path) == []

    def test_remove_part_takes_the_journal_along(self, path):
        """What a killed process has left goes as a whole."""
        self.leave(path, [b"first"])
        remove_part(path)

        assert names(path) == []

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(["item", "rollback", "rerun"]), st.binary(max_size=20)),
            max_size=12,
        )
    )
    def test_digest_is_that_of_the_file(self, path, steps):
        """Whatever was rolled back and taken up, the digest is that of the bytes."""
        path.unlink(missing_ok=True)
        output, expected, index = FileOutput(path, self.CARE), b"", 0
        for verb, data in steps:
            if verb == "rerun":
                output.discard()
                output = FileOutput(path, self.CARE)
                index = output.resumed
                assert output.committed == len(expected)
            elif verb == "rollback":
                output.write(memoryview(data))
                output.rollback()
            else:
                put(output, index, data)
                expected, index = expected + data, index + 1
        publish(output)

        assert path.read_bytes() == expected
        assert output.digest.hexdigest() == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize("name", ["v" * 255, "ü" * 127, "v" * 252 + ".ts"])
def test_long_names_have_parts_and_journals(tmp_path, name):
    """A name that fills a file system's limit leaves room for the endings."""
    path = tmp_path / name
    output = FileOutput(path, Care(kept_as="plan"))
    put(output, 0, b"x")
    names_then = names(path)
    publish(output)

    assert names_then == sorted([part_path(path).name, journal_path(part_path(path)).name])
    assert len(set(names_then)) == 2
    assert path.read_bytes() == b"x"


def test_name_that_is_too_long(tmp_path):
    """A name that no file may have is an error in words, and leaves nothing."""
    with pytest.raises(StorageError, match="too long"):
        FileOutput(tmp_path / ("v" * 256), Care())

    assert list(tmp_path.iterdir()) == []


def test_remove_part_of_nothing(path):
    """Nothing to remove is no error."""
    remove_part(path)

    assert names(path) == []

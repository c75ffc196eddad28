"""Builds streams on disk: segments, keys and a playlist, and the hash of what they must become.

    stream = build(tmp_path, [10 * MB] * 3, aes=Aes(iv="explicit", rotate_every=2))
    origin.serve_directory(stream.directory)
    ... fetch(origin.url(f"/{stream.playlist_path.name}")) ...
    assert sha256_of(output) == stream.sha256

Encryption here is the `cryptography` package, whatever the program under test uses; the builder's
own tests hold it against the openssl binary. As a program (`python -m tests.support.streams DIR
--segments 125 --size 4MB --aes`) it makes streams for benchmarks and demonstrations.
"""

import argparse
import hashlib
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.support.payloads import (
    BLOCK,
    Container,
    initialization_section,
    payload,
    payload_blocks,
)
from tests.support.playlists import NO_KEY, Entry, KeyTag, MapTag, media_playlist

KB = 1 << 10
MB = 1 << 20


@dataclass(frozen=True)
class Aes:
    """How a stream is encrypted: AES-128-CBC, each segment (or byte range) on its own."""

    iv: Literal["implicit", "explicit"] = "implicit"
    #: Take a new key after that many segments; 0 keeps one.
    rotate_every: int = 0
    #: Indexes of segments under METHOD=NONE.
    clear: Collection[int] = ()
    encrypt_map: bool = True
    #: The byte range of an encrypted map states the clear size, as some packagers do.
    clear_map_range: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that a stream is made from."""

    sizes: tuple[int, ...]
    aes: Aes | None = None
    container: Container = "ts"
    #: All segments in one file: each range with its offset, or only the first of them.
    byte_ranges: Literal["explicit", "implicit"] | None = None
    #: A new initialization section (and a discontinuity) after that many segments; 0: one in all.
    maps_every: int = 0
    media_sequence_number: int = 0
    seed: int = 0
    name: str = "video"

    def payload(self, index: int) -> bytes:
        """What segment `index` decrypts to."""
        return payload(index, self.sizes[index], container=self.container, seed=self.seed)

    def blocks(self, index: int) -> Iterator[memoryview]:
        """The same in blocks, each valid until the next."""
        size = self.sizes[index]
        return payload_blocks(index, size, container=self.container, seed=self.seed)

    def map_number(self, index: int) -> int | None:
        """Which initialization section begins at segment `index`, if one does."""
        if self.container != "fmp4" or (index and not self.maps_every):
            return None
        number, rest = divmod(index, self.maps_every or len(self.sizes))
        return number if rest == 0 else None

    def key(self, index: int) -> tuple[int, bytes] | None:
        """Number and bytes of the key that segment `index` is encrypted with."""
        if self.aes is None or index in self.aes.clear:
            return None
        number = index // self.aes.rotate_every if self.aes.rotate_every else 0
        return number, self._secret(f"key {number}")

    def iv(self, index: int) -> bytes:
        """The IV of segment `index`: from the playlist, or from its media sequence number."""
        if self.aes is not None and self.aes.iv == "explicit":
            return self._secret(f"iv {index}")
        return (self.media_sequence_number + index).to_bytes(16)

    def map_iv(self, index: int) -> bytes:
        """The IV of the initialization section at segment `index`: always explicit (RFC 8216)."""
        explicit = self.aes is not None and self.aes.iv == "explicit"
        return self.iv(index) if explicit else self._secret(f"map iv {index}")

    def output(self, without: Collection[int] = ()) -> Iterator[bytes | memoryview]:
        """The whole output in blocks (`without` some segments)."""
        for index in range(len(self.sizes)):
            number = self.map_number(index)
            if number is not None:
                yield initialization_section(number)
            if index not in without:
                yield from self.blocks(index)

    def _secret(self, name: str) -> bytes:
        return hashlib.sha256(f"{self.seed} {name}".encode()).digest()[:16]


@dataclass(frozen=True)
class Stream:
    """A stream on disk, and what the file made from it must be."""

    recipe: Recipe
    directory: Path
    playlist_path: Path
    #: Files of segments in order of first use; one when they are byte ranges of it.
    segments: tuple[Path, ...]
    keys: tuple[Path, ...]
    bytes: int
    sha256: str
    #: Requests of a run without a fault: playlist, keys, initialization sections, segments.
    requests: int
    entries: tuple[Entry, ...] = field(repr=False)

    def payload(self, index: int) -> "bytes":
        """What segment `index` decrypts to."""
        return self.recipe.payload(index)

    def sha256_without(self, missing: Collection[int]) -> str:
        """The hash of the output when these segments are gaps."""
        return _sha256(self.recipe.output(missing))


def build(directory: Path, sizes: Iterable[int], **recipe: object) -> Stream:
    """Make a stream of segments with these plaintext sizes (see `Recipe` for the rest)."""
    return _Builder(Recipe(tuple(sizes), **recipe), directory).build()  # type: ignore[arg-type]


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(blocks: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def encrypt(blocks: Iterable[bytes | memoryview], key: bytes, iv: bytes) -> Iterator[memoryview]:
    """AES-128-CBC with PKCS#7 padding; a block is valid until the next."""
    cipher = Cipher(algorithms.AES128(key), modes.CBC(iv)).encryptor()
    buffer = memoryview(bytearray(BLOCK + 32))
    length = 0
    for block in blocks:
        length += len(block)
        yield buffer[: cipher.update_into(block, buffer)]
    padding = 16 - length % 16
    yield memoryview(cipher.update(bytes([padding]) * padding) + cipher.finalize())


class _Builder:
    """Writes one stream, segment after segment."""

    def __init__(self, recipe: Recipe, directory: Path) -> None:
        self.recipe = recipe
        self.directory = directory
        self.digest = hashlib.sha256()
        self.bytes = 0
        self.entries: list[Entry] = []
        self.paths: dict[Path, None] = {}
        self.key_paths: dict[int, Path] = {}
        self.maps = 0
        self._range_end: int | None = None  # where the last segment's byte range ended
        self._tag: KeyTag | None = None  # what the playlist says now

    def build(self) -> Stream:
        self.directory.mkdir(parents=True, exist_ok=True)
        for index in range(len(self.recipe.sizes)):
            self.entries.append(self._segment(index))
        path = self.directory / f"{self.recipe.name}.m3u8"
        number = self.recipe.media_sequence_number
        path.write_text(media_playlist(self.entries, media_sequence_number=number))
        keys = tuple(self.key_paths.values())
        return Stream(
            recipe=self.recipe,
            directory=self.directory,
            playlist_path=path,
            segments=tuple(self.paths),
            keys=keys,
            bytes=self.bytes,
            sha256=self.digest.hexdigest(),
            requests=1 + len(keys) + self.maps + len(self.entries),
            entries=tuple(self.entries),
        )

    def _segment(self, index: int) -> Entry:
        tags = self._map(index)
        key = self.recipe.key(index)
        explicit = self.recipe.aes is not None and self.recipe.aes.iv == "explicit"
        iv = self.recipe.iv(index)
        tags += self._key_tags(key, iv if explicit else None)
        ending = "ts" if self.recipe.container == "ts" else "m4s"
        name = self.recipe.name if self.recipe.byte_ranges else f"segment{index:05d}"
        path = self.directory / f"{name}.{ending}"
        blocks = self._counted(self.recipe.blocks(index))
        start, size = self._write(path, blocks if key is None else encrypt(blocks, key[1], iv))
        self.paths.setdefault(path)
        return Entry(path.name, 4.0, tags, self._range(start, size))

    def _map(self, index: int) -> list[KeyTag | MapTag | str]:
        """Write the initialization section that begins here, and say so."""
        number = self.recipe.map_number(index)
        if number is None:
            return []
        tags: list[KeyTag | MapTag | str] = ["#EXT-X-DISCONTINUITY"] if index else []
        aes = self.recipe.aes
        key = self.recipe.key(index) if aes is not None and aes.encrypt_map else None
        iv = self.recipe.map_iv(index)
        tags += self._key_tags(key, iv)
        clear = initialization_section(number)
        blocks: Iterable[bytes | memoryview] = self._counted([clear])
        name = f"{self.recipe.name}.m4s" if self.recipe.byte_ranges else f"init{number}.mp4"
        path = self.directory / name
        start, size = self._write(path, blocks if key is None else encrypt(blocks, key[1], iv))
        self.maps += 1
        stated = len(clear) if aes is not None and aes.clear_map_range else size
        where = f"{stated}@{start}" if self.recipe.byte_ranges else None
        return [*tags, MapTag(path.name, where)]

    def _key_tags(self, key: tuple[int, bytes] | None, iv: bytes | None) -> list[KeyTag]:
        """The EXT-X-KEY that is needed here, if the one in force is another."""
        if key is None:
            wanted = None if self._tag is None else NO_KEY
        else:
            path = self.directory / f"key{key[0]}.key"
            path.write_bytes(key[1])
            self.key_paths[key[0]] = path
            wanted = KeyTag("AES-128", path.name, iv)
        if wanted == self._tag or wanted is None:
            return []
        self._tag = wanted
        return [wanted]

    def _counted(self, blocks: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        for block in blocks:
            self.digest.update(block)
            self.bytes += len(block)
            yield block

    def _write(self, path: Path, blocks: Iterable[bytes | memoryview]) -> tuple[int, int]:
        """Write to the file (behind what it holds, with byte ranges): start and size."""
        grows = self.recipe.byte_ranges is not None and (self.entries or self.maps)
        with path.open("ab" if grows else "wb") as file:
            start = file.seek(0, 2)
            for block in blocks:
                file.write(block)
            return start, file.tell() - start

    def _range(self, start: int, size: int) -> str | None:
        if self.recipe.byte_ranges is None:
            return None
        follows = self.recipe.byte_ranges == "implicit" and start == self._range_end
        self._range_end = start + size
        return f"{size}" if follows else f"{size}@{start}"


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.streams", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--segments", type=int, default=30)
    parser.add_argument("--size", default="4MB", help="plaintext bytes of a segment")
    parser.add_argument("--aes", action="store_true", help="AES-128, implicit IVs")
    parser.add_argument("--fmp4", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Make a stream and print its playlist, size and hash, tab-separated."""
    from pipeline.units import parse_size  # noqa: PLC0415 - streams work without the program

    arguments = _arguments(argv)
    stream = build(
        arguments.directory,
        [parse_size(arguments.size)] * arguments.segments,
        aes=Aes() if arguments.aes else None,
        container="fmp4" if arguments.fmp4 else "ts",
        seed=arguments.seed,
    )
    sys.stdout.write(f"{stream.playlist_path}\t{stream.bytes}\t{stream.sha256}\n")


if __name__ == "__main__":
    main()

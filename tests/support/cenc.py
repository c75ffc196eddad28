"""An encryptor for Common Encryption in fragmented MP4, for tests of the decryptor.

Written from ISO/IEC 23001-7, sharing no code with `pipeline`: it takes the file apart into a tree
of boxes and puts a longer one together. It takes what ffmpeg writes with
`-movflags frag_keyframe+empty_moov+default_base_moof`: H.264 and AAC, addresses relative to moof.
"""

import struct
from dataclasses import dataclass, field
from itertools import count, pairwise

from Crypto.Cipher import AES

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"}
KEY_ID = bytes(range(100, 116))


@dataclass
class Box:
    """A box: its contents are bytes, or boxes."""

    kind: bytes
    body: bytes = b""
    inside: list["Box"] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        body = self.body + b"".join(map(bytes, self.inside))
        return struct.pack(">I4s", 8 + len(body), self.kind) + body

    def all(self, kind: bytes) -> list["Box"]:
        """The boxes of this kind anywhere inside."""
        here = [box for box in self.inside if box.kind == kind]
        return here + [found for box in self.inside for found in box.all(kind)]


def parse(data: bytes) -> list[Box]:
    """The boxes one behind the other in `data`."""
    found = []
    while data:
        size, kind = struct.unpack(">I4s", data[:8])
        body, data = data[8:size], data[size:]
        found.append(Box(kind, b"", parse(body)) if kind in CONTAINERS else Box(kind, body))
    return found


def split(movie: bytes) -> tuple[bytes, bytes]:
    """A fragmented movie as initialization section and everything behind it."""
    at = 0
    while movie[at + 4 : at + 8] != b"moof":
        at += int.from_bytes(movie[at : at + 4], "big")
    return movie[:at], movie[at:]


def fragment(movie: bytes) -> tuple[bytes, bytes]:
    """A movie of one track, as initialization section and one fragment with all samples.

    Where the movie says how its samples are encrypted, the fragment says it.
    """
    top = {box.kind: box for box in parse(movie)}
    table = top[b"moov"].all(b"stbl")[0]
    track_id = top[b"moov"].all(b"tkhd")[0].body[12:16]
    sizes = table.all(b"stsz")[0].body[8:]
    traf = Box(b"traf", b"", [Box(b"tfhd", b"\0\2\0\0" + track_id)])
    traf.inside.append(Box(b"trun", b"\0\0\2\1" + sizes[:4] + bytes(4) + sizes[4:]))
    traf.inside += table.all(b"senc")
    moof = Box(b"moof", b"", [Box(b"mfhd", bytes(7) + b"\1"), traf])
    start = struct.pack(">i", len(bytes(moof)) + 8)
    traf.inside[1].body = traf.inside[1].body[:8] + start + traf.inside[1].body[12:]
    return bytes(top[b"moov"]), bytes(moof) + bytes(top[b"mdat"])


@dataclass
class Scheme:
    """How to encrypt: `cenc` has an initialization vector per sample, `cbcs` a constant one."""

    name: bytes
    key: bytes
    iv: bytes  # 8 or 16 bytes; of the first sample with cenc
    pattern: tuple[int, int] = (0, 0)  # of video, in cbcs
    clear_samples: int = 0  # that begin each fragment, in a sample group of their own
    where: bytes = b"senc"  # the box with the samples' information; another than senc needs saio

    @property
    def constant(self) -> bool:
        """Is there one initialization vector for all?"""
        return self.name == b"cbcs"

    def counter(self) -> "count[int]":
        """The numbers that tell samples' initialization vectors apart."""
        return count(int.from_bytes(self.iv, "big"))


def encrypt(movie: bytes, scheme: Scheme) -> tuple[bytes, bytes]:
    """The encrypted movie's initialization section, and its fragments."""
    section, fragments = split(movie)
    top = parse(section)
    moov = next(box for box in top if box.kind == b"moov")
    for stsd in moov.all(b"stsd"):
        stsd.body = stsd.body[:8] + _encrypted_entry(stsd.body[8:], scheme)
    moov.inside.append(Box(b"pssh", bytes(4) + bytes(range(16)) + bytes(4)))
    tracks = {
        int.from_bytes(trak.all(b"tkhd")[0].body[12:16], "big"): (
            trak.all(b"hdlr")[0].body[8:12] == b"vide"
        )
        for trak in moov.all(b"trak")
    }
    sizes = {
        int.from_bytes(trex.body[4:8], "big"): int.from_bytes(trex.body[16:20], "big")
        for trex in moov.all(b"trex")
    }
    return b"".join(map(bytes, top)), _encrypt_fragments(fragments, scheme, tracks, sizes)


def _encrypted_entry(entry: bytes, scheme: Scheme) -> bytes:
    kind = entry[4:8]
    video = kind == b"avc1"
    pattern = scheme.pattern if video else (0, 0)
    tenc = bytes([1, 0, 0, 0, 0, pattern[0] << 4 | pattern[1], 1])
    if scheme.constant:
        tenc += b"\0" + KEY_ID + bytes([len(scheme.iv)]) + scheme.iv
    else:
        tenc += bytes([len(scheme.iv)]) + KEY_ID
    sinf = Box(b"sinf")
    sinf.inside = [
        Box(b"frma", kind),
        Box(b"schm", bytes(4) + scheme.name + b"\0\1\0\0"),
        Box(b"schi", b"", [Box(b"tenc", tenc)]),
    ]
    return bytes(Box(b"encv" if video else b"enca", entry[8:] + bytes(sinf)))


def _encrypt_fragments(
    data: bytes, scheme: Scheme, tracks: dict[int, bool], sizes: dict[int, int]
) -> bytes:
    written, numbers = b"", scheme.counter()
    top = parse(data)
    for moof, mdat in pairwise(top):
        if moof.kind != b"moof":
            continue
        before = len(bytes(moof))
        payload = bytearray(mdat.body)
        for traf in moof.all(b"traf"):
            video = tracks[int.from_bytes(traf.all(b"tfhd")[0].body[4:8], "big")]
            _encrypt_track(traf, payload, before + 8, scheme, video, sizes, numbers)
        _move(moof, len(bytes(moof)) - before, scheme)
        written += bytes(moof) + bytes(Box(b"mdat", bytes(payload)))
    return written


def _encrypt_track(traf, payload, offset, scheme, video, sizes, numbers) -> None:
    """Encrypt a track's samples in `payload`, which lies `offset` behind the moof's beginning."""
    information = []
    for number, (start, size) in enumerate(_samples(traf, sizes)):
        at = start - offset
        sample = bytes(payload[at : at + size])
        if number < scheme.clear_samples:
            information.append(b"\0\0" if video else b"")
            continue
        subsamples = _subsamples(sample) if video else []
        iv = b"" if scheme.constant else next(numbers).to_bytes(len(scheme.iv), "big")
        payload[at : at + size] = _encrypt_sample(sample, subsamples, iv, scheme, video)
        table = b"".join(struct.pack(">HI", *pair) for pair in subsamples)
        information.append(iv + (struct.pack(">H", len(subsamples)) + table if video else b""))
    _describe(traf, information, scheme, video)


def _samples(traf: Box, sizes: dict[int, int]) -> list[tuple[int, int]]:
    """Place (from the moof's beginning) and size of each sample."""
    tfhd = traf.all(b"tfhd")[0].body
    flags = int.from_bytes(tfhd[1:4], "big")
    assert flags & 0x020000
    default = sizes[int.from_bytes(tfhd[4:8], "big")]
    if flags & 0x10:
        at = 8 + sum(length for bit, length in ((1, 8), (2, 4), (8, 4)) if flags & bit)
        default = int.from_bytes(tfhd[at : at + 4], "big")
    found = []
    for trun in traf.all(b"trun"):
        flags = int.from_bytes(trun.body[1:4], "big")
        number, place = struct.unpack(">Ii", trun.body[4:12])
        at = 16 if flags & 0x4 else 12
        for _ in range(number):
            fields = {}
            for bit in (0x100, 0x200, 0x400, 0x800):
                if flags & bit:
                    fields[bit] = int.from_bytes(trun.body[at : at + 4], "big")
                    at += 4
            size = fields.get(0x200, default)
            found.append((place, size))
            place += size
    return found


def _subsamples(sample: bytes) -> list[tuple[int, int]]:
    """Clear and protected bytes of each NAL unit: only slices are protected, behind 36 bytes."""
    found, at = [], 0
    while at < len(sample):
        size = 4 + int.from_bytes(sample[at : at + 4], "big")
        clear = min(size, 36) if sample[at + 4] % 32 in (1, 5) else size
        found.append((clear, size - clear))
        at += size
    return found


def _encrypt_sample(sample, subsamples, iv, scheme, video) -> bytes:
    cipher = AES.new(scheme.key, AES.MODE_CTR, nonce=iv) if len(iv) == 8 else None
    if len(iv) == 16:
        cipher = AES.new(scheme.key, AES.MODE_CTR, nonce=b"", initial_value=iv)
    written, at = b"", 0
    for clear, protected in subsamples or [(0, len(sample))]:
        written += sample[at : at + clear]
        at += clear
        body = sample[at : at + protected]
        at += protected
        if scheme.constant:
            cipher = AES.new(scheme.key, AES.MODE_CBC, iv=scheme.iv)
            written += _encrypt_blocks(body, cipher, scheme.pattern if video else (0, 0))
        else:
            written += cipher.encrypt(body)
    return written


def _encrypt_blocks(body: bytes, cipher, pattern: tuple[int, int]) -> bytes:
    blocks = [body[at : at + 16] for at in range(0, len(body), 16)]
    for number, block in enumerate(blocks):
        if len(block) == 16 and (pattern == (0, 0) or number % sum(pattern) < pattern[0]):
            blocks[number] = cipher.encrypt(block)
    return b"".join(blocks)


def _describe(traf: Box, information: list[bytes], scheme: Scheme, video: bool) -> None:
    """Add the boxes that say how the samples of `traf` are encrypted."""
    flags = b"\0\0\0\2" if video else bytes(4)
    number = struct.pack(">I", len(information))
    traf.inside += [
        Box(scheme.where, flags + number + b"".join(information)),
        Box(b"saiz", bytes(5) + number + bytes(map(len, information))),
        Box(b"saio", bytes(4) + struct.pack(">II", 1, 0)),
    ]
    if scheme.clear_samples:
        clear = bytes(4) + KEY_ID
        groups = struct.pack(">II", min(scheme.clear_samples, len(information)), 0x10001)
        traf.inside += [
            Box(b"sgpd", b"\1\0\0\0seig" + struct.pack(">II", 20, 1) + clear),
            Box(b"sbgp", b"\0\0\0\0seig" + struct.pack(">I", 1) + groups),
        ]


def _move(moof: Box, growth: int, scheme: Scheme) -> None:
    """Correct the addresses of samples, and of what describes them."""
    for traf in moof.all(b"traf"):
        for trun in traf.all(b"trun"):
            place = struct.unpack(">i", trun.body[8:12])[0]
            trun.body = trun.body[:8] + struct.pack(">i", place + growth) + trun.body[12:]
    whole = bytes(moof)
    for traf in moof.all(b"traf"):
        box = next(box for box in traf.inside if box.kind == scheme.where)
        place = whole.index(bytes(box)) + 16
        saio = traf.all(b"saio")[0]
        saio.body = saio.body[:8] + struct.pack(">I", place)

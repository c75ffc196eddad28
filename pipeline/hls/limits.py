"""Caps on what a playlist may ask of memory and time, each far above what honest ones need.

A playlist is server text: without caps a 500 MB line, a million variants or a number of a
thousand million digits would cost whatever its author likes.
"""

from pipeline.units import KIB, MIB

#: Bytes of one playlist. 200,000 segments with a URI of 40 characters take 10 MB.
MAX_BYTES = 16 * MIB

#: Lines of one playlist: ten for each of the most segments. Counting 16 MiB of line feeds takes
#: 10 ms, walking as many lines seconds.
MAX_LINES = 2_000_000

#: Characters of one line. Signed URIs reach 2 KB, `data:` keys and SCTE-35 messages a few more.
MAX_LINE = 64 * KIB

#: Segments of one playlist: ten days in steps of four seconds.
MAX_SEGMENTS = 200_000

#: Segments of all playlists that are downloaded together: a variant and a rendition, both as long
#: as can be. With a thousand renditions (`--audio all`) their product would be the cost.
MAX_SEGMENTS_TAKEN = 2 * MAX_SEGMENTS

#: EXT-X-STREAM-INF tags of one playlist; likewise EXT-X-I-FRAME-STREAM-INF and EXT-X-MEDIA.
MAX_VARIANTS = 1_000

#: Keys with URLs that differ from each other: one for each second of three hours.
MAX_KEYS = 10_000

#: KEYFORMATs in force at one segment. Every segment refers to all of them: without this cap
#: their product would be the cost.
MAX_KEY_FORMATS = 32

#: EXT-X-DATERANGE tags with IDs that differ from each other: one for each ten seconds of a day.
MAX_DATE_RANGES = 10_000

#: EXT-X-DEFINE tags of one playlist.
MAX_VARIABLES = 1_000

#: Digits of a decimal-integer (RFC 8216 section 4.2 knows none above 2^64 - 1).
MAX_DIGITS = 20

#: The last byte offset that file systems and HTTP servers agree on.
MAX_OFFSET = (1 << 63) - 1

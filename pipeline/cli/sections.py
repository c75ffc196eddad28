"""The options of commands that read playlists or download, by section of the help.

Not covered: how they become the frozen options of `pipeline.options` (`settings`), and options
that belong to one command alone and stand with it.
"""

from pathlib import Path

import click

from pipeline.cli.command import option, section
from pipeline.cli.keys import IV, KEY
from pipeline.cli.progress import Style
from pipeline.cli.values import (
    COUNT,
    COUNT_OR_ZERO,
    DURATION,
    FORMAT,
    HEADER,
    POSITIVE_DURATION,
    RATE,
    REGEX,
    RENDITIONS,
    SECTION,
    SIZE,
    THRESHOLD,
)
from pipeline.cli.words import short_size
from pipeline.options import (
    DEFAULT_MEMORY_THRESHOLD,
    HttpOptions,
    MergeMode,
    RemuxTool,
    SelectionOptions,
    StorageOptions,
    SubtitlesFormat,
)

_HTTP = HttpOptions()
_SELECTION = SelectionOptions()
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)

#: Of downloads one by one and of batches.
remux_option = option(
    "--remux TOOL",
    "What makes an output named .mp4, .m4a or .mkv one: pyav, ffmpeg, auto (the first that is"
    " there), or none, which joins the bytes as they are.",
    type=click.Choice([tool.value for tool in RemuxTool]),
    default=RemuxTool.AUTO.value,
)

output_options = section(
    "Output",
    option("-o, --output FILE", "File to write; - is standard output.  [default: from the URL]"),
    option("--force", "Replace the output if it exists."),
    option(
        "-c, --continue",
        "Keep what is written when the download is interrupted or fails, and go on from there"
        " when it is run again with -c. An output that is there already is left alone.",
    ),
    option("--skip-existing", "Leave an output that exists alone, and succeed."),
    option(
        "--allow-gaps",
        "Go on without segments that cannot be had.",
        aliases=["--skip-unavailable-fragments"],
    ),
    remux_option,
    option("--strip-images", "Take off pictures that the server has put before segments."),
    option(
        "--checksum KIND",
        "Compute a checksum of the output, for the receipt: sha256.",
        type=click.Choice(["sha256"]),
    ),
    option("--max-size SIZE", "Give up a download that gets larger than this.", type=SIZE),
    option(
        "--max-time TIME", "Give up a download that takes longer than this.", type=POSITIVE_DURATION
    ),
    option("--fsync", "Have the output on the disk, power failure or not, before reporting it."),
)

selection_options = section(
    "Selection",
    option(
        "-f, --format RULE",
        "Which variant to take: best, worst, 720p, an id that -F lists, or conditions such as"
        " 'height<=1080,bandwidth<4M'.",
        type=FORMAT,
        default=_SELECTION.format,
    ),
    option("-F, --list-formats", "Print the variants and renditions, and download nothing."),
    option(
        "--audio LANG",
        "Audio renditions to take: languages ('en,de'), 'all', 'none', or 'default' for the one"
        " that the playlist prefers.",
        type=RENDITIONS,
        default=_SELECTION.audio,
    ),
    option(
        "--subtitles LANG",
        "Subtitles to take: languages, 'all' or 'none'.",
        type=RENDITIONS,
        default=_SELECTION.subtitles,
    ),
    option(
        "--subtitles-format FMT",
        "How subtitles are written: vtt or srt.",
        type=click.Choice([each.value for each in SubtitlesFormat]),
        default=_SELECTION.subtitles_format.value,
    ),
    option(
        "--section START-END",
        "Take the segments that cover this time only, such as 05:00-20:00, or 300- for the rest"
        " from second 300 on.",
        type=SECTION,
    ),
    option(
        "--exclude REGEX",
        "Leave out segments in whose URI this regular expression is found.",
        type=REGEX,
    ),
)

key_options = section(
    "Keys",
    option(
        "--key KEY",
        "Decrypt with this key: 16 or 32 bytes in hex or base64, or the path of a file with"
        " them. A file is safer: other users of this machine can read a command line.",
        type=KEY,
    ),
    option(
        "--iv IV",
        "Decrypt with this initialization vector: up to 32 hex digits, base64 or a file.",
        type=IV,
    ),
    option("--key-url URL", "Fetch the key from here, whatever the playlist says."),
)

playlist_options = section(
    "Playlist",
    option("--base-url URL", "Resolve relative URIs against this, not the playlist's URL."),
)

request_options = section(
    "Requests",
    option(
        "-H, --header 'NAME: VALUE'",
        "Send this header to the playlist's origin. May be repeated.",
        type=HEADER,
        multiple=True,
    ),
    option("--header-all-hosts", "Send headers and cookies to every host the playlist names."),
    option("--cookies FILE", "Cookies, in the Netscape format.", type=_FILE),
    option("--proxy URL", "Proxy for every request.  [default: $http_proxy, $https_proxy]"),
    option("--no-verify", "Accept any TLS certificate, and so any forgery."),
    option("--strict-tls", "Refuse to go from https to http, by playlist or by redirect."),
    option(
        "--block-private",
        "Refuse private addresses that a playlist leads to, unless its own URL does;"
        " --allow-private does not.",
        opposite="--allow-private",
        default=_HTTP.block_private,
        show_default=False,
    ),
    option(
        "--timeout TIME",
        "Give a try up after so long without a byte.",
        type=POSITIVE_DURATION,
        default=f"{_HTTP.timeout:g}s",
    ),
    option(
        "--retries N",
        "Further tries for each segment, key and playlist.",
        type=COUNT_OR_ZERO,
        default=_HTTP.retries,
    ),
    option(
        "--retry-sleep TIME",
        "Wait before the first retry; longer before each further one.",
        type=DURATION,
        default=f"{_HTTP.retry_sleep:g}s",
    ),
)

speed_options = section(
    "Speed",
    option(
        "-N, --concurrent N",
        "Connections in all.  [default: as many as pay, up to 16]",
        aliases=["--threads"],
        type=COUNT,
    ),
    option("--processes N", "Downloader processes.  [default: one for each CPU]", type=COUNT),
    option(
        "-r, --limit-rate RATE",
        "Take no more than this many bytes of segments a second, over all connections: 2MB, 500K.",
        type=RATE,
    ),
)

storage_options = section(
    "Storage",
    option(
        "--memory-threshold SIZE",
        "Keep segments in memory below this size, and go to disk from there. 'auto' suits this"
        " machine; 'none' never goes to disk.",
        type=THRESHOLD,
        default=short_size(DEFAULT_MEMORY_THRESHOLD),
        envvar="HLSPIPE_MEMORY_THRESHOLD",
    ),
    option(
        "--merge WHEN",
        "Once on disk: 'stream' writes the output while downloading, 'end' when all segments"
        " are in.",
        type=click.Choice([mode.value for mode in MergeMode]),
        default=StorageOptions().merge.value,
    ),
    option("--keep-segments", "Leave the segment files in place. Implies --merge end."),
    option(
        "--temp-dir DIR", "Make the temp directory in here.  [default: $TMPDIR]", type=_DIRECTORY
    ),
)

display_options = section(
    "Display",
    option(
        "--progress STYLE",
        "auto, bar, plain (lines), json (JSON Lines) or none; on standard error.",
        type=click.Choice([style.value for style in Style]),
        default=Style.AUTO.value,
    ),
    option("--json", "Print the receipt, or the list of -F, as JSON on standard output."),
    option("-q, --quiet", "Say nothing but errors."),
)

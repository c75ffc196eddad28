"""The options that commands share, by section of the help, and the frozen options they lead to.

An option that is named like a field in `pipeline.options` reaches that field by itself; what else
is needed stands in `options_from`. What is used by one command alone stands with that command.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from pipeline.cli.command import option, section
from pipeline.cli.progress import Style
from pipeline.cli.values import (
    COUNT,
    COUNT_OR_ZERO,
    DURATION,
    HEADER,
    POSITIVE_DURATION,
    THRESHOLD,
)
from pipeline.cli.words import short_size
from pipeline.options import (
    DEFAULT_MEMORY_THRESHOLD,
    FetchOptions,
    HttpOptions,
    MergeMode,
    StorageOptions,
)

_HTTP = HttpOptions()
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)

output_options = section(
    "Output",
    option("-o, --output FILE", "File to write; - is standard output.  [default: from the URL]"),
    option("--force", "Replace the output if it exists."),
    option("--skip-existing", "Leave an output that exists alone, and succeed."),
    option(
        "--allow-gaps",
        "Go on without segments that the server does not have.",
        aliases=["--skip-unavailable-fragments"],
    ),
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
        "Connections in all.",
        aliases=["--threads"],
        type=COUNT,
        default=FetchOptions().concurrent,
    ),
    option("--processes N", "Downloader processes.  [default: one for each CPU]", type=COUNT),
)

storage_options = section(
    "Storage",
    option(
        "--memory-threshold SIZE",
        "Keep segments in memory below this size, and go to disk from there. 'auto' suits this"
        " machine; 'none' never goes to disk.",
        type=THRESHOLD,
        default=short_size(DEFAULT_MEMORY_THRESHOLD),
        envvar=["HLSPIPE_FETCH_MEMORY_THRESHOLD", "HLSPIPE_MEMORY_THRESHOLD"],
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
    option("--json", "Print the receipt on standard output.", name="as_json"),
    option("-q, --quiet", "Say nothing but errors."),
)


def options_from(values: Mapping[str, Any]) -> FetchOptions:
    """The options of a download that `values`, a command's parameters by name, ask for."""
    http = HttpOptions(
        **_named(HttpOptions, values), headers=values["header"], verify=not values["no_verify"]
    )
    storage = _named(StorageOptions, values) | {"merge": MergeMode(values["merge"])}
    return FetchOptions(
        **_named(FetchOptions, values),
        http=http,
        storage=StorageOptions(**storage),
        # The figure is in the receipt: nobody else asks for it.
        measure_memory=values["as_json"] or values["verbose"],
    )


def _named(options: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(options)}
    return {name: value for name, value in values.items() if name in names}

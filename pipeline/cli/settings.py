"""What a command was given, as the frozen options of `pipeline.options`.

A parameter that is named like a field there reaches that field by itself; what else is needed
stands in these functions. Not covered: the options as they are spelt (`sections`).
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import click

from pipeline.options import (
    EXCLUSIVE,
    FetchOptions,
    HttpOptions,
    KeyOptions,
    MergeMode,
    RemuxTool,
    SelectionOptions,
    ServiceOptions,
    StorageOptions,
    SubtitlesFormat,
)


def refuse_contradictions(ctx: click.Context, values: Mapping[str, Any]) -> None:
    """Raise what click raises if two of `values` cannot both be meant."""
    for one, other in EXCLUSIVE:
        if values[one] and values[other]:
            spelt = f"--{one} and --{other}".replace("_", "-")
            ctx.fail(f"{spelt} exclude each other")


def fetch_options(values: Mapping[str, Any]) -> FetchOptions:
    """The options of a download that `values`, a command's parameters by name, ask for."""
    storage = _named(StorageOptions, values) | {"merge": MergeMode(values["merge"])}
    selection = _named(SelectionOptions, values) | {
        "subtitles_format": SubtitlesFormat(values["subtitles_format"])
    }
    return FetchOptions(
        **_named(FetchOptions, values)
        | {"checksum": values["checksum"] is not None, "resume": values["continue"]}
        | {"remux": RemuxTool(values["remux"])},
        http=_http(values),
        storage=StorageOptions(**storage),
        selection=SelectionOptions(**selection),
        keys=KeyOptions(**_named(KeyOptions, values)),
        # The figure is in the receipt: nobody else asks for it.
        measure_memory=values["json"] or values["verbose"],
    )


def reading_options(values: Mapping[str, Any]) -> FetchOptions:
    """The same for a command that reads playlists and nothing else."""
    return FetchOptions(http=_http(values), base_url=values["base_url"])


def service_options(values: Mapping[str, Any]) -> ServiceOptions:
    """The options of a daemon."""
    jobs = FetchOptions(
        **_named(FetchOptions, values),
        http=_http(values),
        storage=StorageOptions(**_named(StorageOptions, values)),
        measure_memory=False,
    )
    return ServiceOptions(**_named(ServiceOptions, values), fetch=jobs)


def job_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON says of a job that `values`, as far as they were given, ask for."""
    fields = {name: value for name, value in values.items() if value is not False}
    if "header" in fields:
        fields["headers"] = dict(fields.pop("header"))
    for name in ("key", "iv"):
        if name in fields:
            fields[name] = fields[name].hex()
    return fields


def _http(values: Mapping[str, Any]) -> HttpOptions:
    return HttpOptions(
        **_named(HttpOptions, values), headers=values["header"], verify=not values["no_verify"]
    )


def _named(options: type, values: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(options)}
    return {name: value for name, value in values.items() if name in names}

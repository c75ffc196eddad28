"""Where a daemon keeps what it has: systemd's directories, or else those of the user (XDG)."""

import os
from collections.abc import Mapping
from pathlib import Path

_NAME = "hlspipe"
_SOCKET = "hlspipe.sock"


def state_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The queue, the token and the lock."""
    if systemd := _first(environment.get("STATE_DIRECTORY")):
        return systemd
    base = environment.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / _NAME


def download_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Where jobs write: below the state directory of a unit, or here."""
    systemd = _first(environment.get("STATE_DIRECTORY"))
    return systemd / "downloads" if systemd else Path.cwd()


def temp_dir(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where segments go that have to wait on the disk; None is the usual place."""
    return _first(environment.get("CACHE_DIRECTORY"))


def socket_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The socket that a daemon listens on."""
    if systemd := _first(environment.get("RUNTIME_DIRECTORY")):
        return systemd / _SOCKET
    runtime = environment.get("XDG_RUNTIME_DIR")
    return Path(runtime or "/run") / _NAME / _SOCKET


def _first(paths: str | None) -> Path | None:
    """systemd joins the paths of several directories by colons."""
    return Path(paths.split(":")[0]) if paths else None

"""Whether requests go through a proxy: by option, by variable, or by the settings of macOS.

Which one, and how to talk to it, is left to the library requests (`requester`).
"""

import os
import sys
from functools import lru_cache

_ENDING = "_proxy"


def has_proxy(proxy: str | None) -> bool:
    """Whether there is one; `proxy` is what the user has asked for."""
    return proxy is not None or _has_setting()


@lru_cache
def _has_setting() -> bool:
    names = (name.lower() for name, value in os.environ.items() if value)
    if any(name.endswith(_ENDING) and name != f"no{_ENDING}" for name in names):
        return True
    if sys.platform == "darwin":
        from urllib.request import getproxies  # noqa: PLC0415  (20 ms; asks the system)

        return bool(getproxies())
    return False

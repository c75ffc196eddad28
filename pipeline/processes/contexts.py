"""How the requests of a job are made: what downloaders are told about it."""

from pipeline.options import HttpOptions
from pipeline.processes.messages import OpenContext


def open_context(context: int, origin: str, local: bool, http: HttpOptions) -> OpenContext:
    """The order that begins a job, on behalf of `origin`; `local` files are readable for it."""
    return OpenContext(
        context,
        origin,
        [list(pair) for pair in http.headers],
        http.header_all_hosts,
        str(http.cookies.absolute()) if http.cookies else None,
        http.proxy,
        http.verify,
        http.timeout,
        local=local,
    )

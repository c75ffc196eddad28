"""The orders that a job begins with: to downloaders and to storage."""

from pipeline.options import HttpOptions
from pipeline.processes.messages import OpenContext, OpenOutput
from pipeline.processes.wishes import Transfer


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
        http.strict_tls,
        http.timeout,
        http.retries,
        http.retry_sleep,
        http.block_private,
        origin_private=None,
        local=local,
    )


def open_output(job: int, transfer: Transfer) -> OpenOutput:
    """The order that makes room for the output of `transfer`."""
    return OpenOutput(
        job,
        transfer.output,
        len(transfer.items),
        transfer.known_bytes,
        transfer.force,
        transfer.checksum,
        transfer.fsync,
        transfer.kept_as,
        list(transfer.marks),
    )

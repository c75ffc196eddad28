"""Reading a playlist without downloading anything: what `inspect` and `-F` look at.

No pipeline is started for one small document: it is fetched in this process.
"""

import random
import time
from contextlib import closing

from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist
from pipeline.hls.playlist import parse
from pipeline.jobs.sources import PLAYLIST_CAP, STDIN, is_web, local_url, read_here
from pipeline.net.connections import Connections
from pipeline.net.failure import FetchFailure
from pipeline.net.retry import RetryPolicy
from pipeline.net.transport import Transport
from pipeline.options import FetchOptions
from pipeline.units import public_url


def read_playlist(source: str, options: FetchOptions) -> MediaPlaylist | MultivariantPlaylist:
    """The playlist at `source`: an http(s) URL, a file: URL, a path, or "-" for standard input.

    Raises HlspipeError: NetworkError if it cannot be read, PlaylistError if it is none.
    """
    body, url = read_document(source, options)
    return parse(body, url, base_url=options.base_url)


def read_document(source: str, options: FetchOptions) -> tuple[bytes, str]:
    """The bytes at `source`, and the URL that they come from in the end. Raises HlspipeError."""
    if source != STDIN and is_web(source):
        return _with_retries(source, options)
    url = local_url("stdin.m3u8" if source == STDIN else source)
    return read_here(source, PLAYLIST_CAP), url


def _with_retries(url: str, options: FetchOptions) -> tuple[bytes, str]:
    with closing(Connections(1)) as connections:
        return _read_with_retries(Transport(options.http, url, connections), url, options)


def _read_with_retries(transport: Transport, url: str, options: FetchOptions) -> tuple[bytes, str]:
    policy = RetryPolicy(options.http.retries, options.http.retry_sleep)
    tries = 0
    while True:
        try:
            return transport.read(url, PLAYLIST_CAP)
        except FetchFailure as failure:
            tries += 1
            if not policy.allows(failure.patience, tries):
                what = f"The playlist ({public_url(url)}) could not be fetched: {failure.reason}"
                raise failure.document_error(what) from failure
            time.sleep(policy.delay(tries, failure.retry_after, random.random))

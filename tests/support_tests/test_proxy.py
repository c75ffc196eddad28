from collections.abc import Iterator

import pytest
import requests

from tests.support.origin import Origin
from tests.support.proxy import Break, Proxy

BODY = bytes(200_000)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def through(session: requests.Session, proxy: Proxy, url: str, userinfo: str = "") -> bytes:
    """The body of `url`, fetched through the proxy."""
    proxies = dict.fromkeys(("http", "https"), proxy.url(userinfo))
    answer = session.get(url, proxies=proxies, verify=False, timeout=10)
    answer.raise_for_status()
    return answer.content


def test_a_request_is_relayed(origin: Origin, session: requests.Session) -> None:
    """The origin is asked in absolute form, and its bytes come back."""
    origin.serve({"/a": BODY})
    with Proxy() as proxy:
        assert through(session, proxy, origin.url("/a")) == BODY

    assert [request.target for request in proxy.requests] == [origin.url("/a")]
    assert [request.target for request in origin.requests] == [origin.url("/a")]


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
def test_a_tunnel(tls_context: object, session: requests.Session) -> None:
    """Of what is spoken with an https origin the proxy sees no more than its name."""
    with Origin(tls=tls_context) as origin, Proxy() as proxy:
        origin.serve({"/a": BODY})

        assert through(session, proxy, origin.url("/a")) == BODY

    assert [request.method for request in proxy.requests] == ["CONNECT"]
    assert [request.target for request in origin.requests] == ["/a"]


def test_credentials_are_demanded(origin: Origin, session: requests.Session) -> None:
    """Without them, or with others, the answer is 407 and the origin is not asked."""
    origin.serve({"/a": BODY})
    with Proxy(credentials="user:secret") as proxy:
        for userinfo in ("", "user:guess"):
            with pytest.raises(requests.HTTPError, match="407"):
                through(session, proxy, origin.url("/a"), userinfo)
        assert origin.count() == 0

        assert through(session, proxy, origin.url("/a"), "user:secret") == BODY


def test_a_refusal(origin: Origin, session: requests.Session) -> None:
    """Every request is answered with the status that was asked for."""
    with Proxy(refusal=502) as proxy, pytest.raises(requests.HTTPError, match="502"):
        through(session, proxy, origin.url("/a"))


@pytest.mark.parametrize("for_good", [False, True], ids=["for a moment", "for good"])
def test_it_ends_in_the_middle(for_good: bool, origin: Origin, session: requests.Session) -> None:
    """The body is cut; after that the proxy works again, or takes no connection any more."""
    origin.serve({"/a": BODY})
    with Proxy(end=Break(100_000, for_good)) as proxy:
        with pytest.raises(requests.RequestException):
            through(session, proxy, origin.url("/a"))
        if for_good:
            with pytest.raises(requests.exceptions.ProxyError):
                through(session, proxy, origin.url("/a"))
        else:
            assert through(session, proxy, origin.url("/a")) == BODY

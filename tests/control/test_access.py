"""By which addresses a server is asked, and from which pages."""

import pytest

from routesim.control.access import Gate, hosts_of, is_everywhere
from routesim.control.http_messages import HttpError, HttpRequest


def admitted(bound: str, host: str, origin: str | None = None) -> bool:
    gate = Gate(hosts_of(bound, 15672), "token", {}, is_everywhere(bound))
    headers = {"host": host, **({} if origin is None else {"origin": origin})}
    request = HttpRequest("GET", ("",), {}, headers)
    try:
        gate.check_host(request)
        gate.check_origin(request)
    except HttpError:
        return False
    return True


@pytest.mark.parametrize("bound", ["127.0.0.1", "::1", "10.0.0.7", "0.0.0.0", "::"])
@pytest.mark.parametrize(
    ("host", "where"),
    [
        ("127.0.0.1:15672", "any"), ("LOCALHOST:15672", "any"), ("[::1]:15672", "any"), ("10.0.0.7:15672", "10.0.0.7"),
        ("192.168.1.9:15672", "everywhere"), ("[fe80::1]:15672", "everywhere"), ("evil.example:15672", "none"), ("", "none"),
        ("10.0.0.7.evil.example:15672", "none"), ("[evil]:15672", "none"),
    ],
)  # fmt: skip
def test_a_server_is_asked_by_its_addresses_and_never_by_a_name(bound: str, host: str, where: str) -> None:
    may = where == "any" or (where != "none" and is_everywhere(bound)) or where == bound
    assert admitted(bound, host) == may


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0"])
def test_only_its_own_pages_may_ask(bound: str) -> None:
    assert admitted(bound, "127.0.0.1:15672", "http://127.0.0.1:15672")
    assert not admitted(bound, "127.0.0.1:15672", "http://evil.example")
    assert not admitted(bound, "127.0.0.1:15672", "null")
    assert admitted(bound, "192.168.1.9:15672", "http://192.168.1.9:15672") == is_everywhere(bound)
    assert not admitted(bound, "192.168.1.9:15672", "http://192.168.1.10:15672")

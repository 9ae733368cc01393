"""Addresses are parsed as RabbitMQ's URIs, and never show a password."""

import socket

import pytest

from routesim.rabbitmq.http import finding
from routesim.rabbitmq.http.finding import management_beside
from routesim.rabbitmq.url import BadAddress, amqp_address, management_of, web_address


def test_defaults_are_rabbitmqs() -> None:
    found = amqp_address("amqp://")
    assert (found.host, found.port, found.user, found.password, found.tls) == ("localhost", 5672, "guest", "guest", False)
    assert amqp_address("amqps://h").port == 5671


def test_names_and_passwords_are_unquoted_and_hidden() -> None:
    found = amqp_address("amqp://us%40er:s%2Fcret@[::1]:7000/vhost?heartbeat=3")
    assert (found.host, found.port, found.user, found.password, found.timeout) == ("::1", 7000, "us@er", "s/cret", 3)
    for text in (str(found), repr(found), f"{management_of(found)}", repr(management_of(found))):
        assert "cret" not in text
    assert management_of(found).base == "http://[::1]:15672"
    assert web_address("https://other:1/x/", found)[:3] == ("https://other:1/x", "us@er", "s/cret")


@pytest.mark.parametrize(
    "text", ["localhost", "http://h", "amqp:/h", "amqp://h:port", "amqp://u:s3cret@h:99999", "amqp://u:s3cret@h?heartbeat=0"]
)
def test_what_is_no_address_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(BadAddress) as refused:
        amqp_address(text)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("rest", ["12/s3cret@h", "12?s3cret@h", "12#s3cret@h", "a/s3cret@h", "a@b/s3cret@h"])
def test_a_password_that_is_not_escaped_is_not_taken_for_a_path(rest: str) -> None:
    for read, scheme in ((amqp_address, "amqp"), (web_address, "http")):
        with pytest.raises(BadAddress, match="%2F") as refused:
            read(f"{scheme}://guest:{rest}")
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_what_is_no_host_name_is_refused(host: str) -> None:
    with pytest.raises(BadAddress):
        amqp_address(f"amqp://{host}")
    with pytest.raises(BadAddress):
        web_address(f"http://{host}")


def test_a_second_brokers_management_is_looked_for_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setattr(finding, "APART", port - 5640)
        amqp = amqp_address("amqp://127.0.0.1:5640")
        assert management_beside(amqp).base == f"http://127.0.0.1:{port}"
        assert management_beside(amqp_address("amqp://127.0.0.1")).base == "http://127.0.0.1:15672"
    assert management_beside(amqp).base == "http://127.0.0.1:15672"
    assert management_beside(amqp_address("amqp://127.0.0.1:65000")).base == "http://127.0.0.1:15672"

"""A management API that is sick or means ill: every answer ends, in bounded memory, with one line that says what is wrong."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from routesim.diagnostics import Invalid
from routesim.rabbitmq.http import answers
from routesim.rabbitmq.http.management import Management, ManagementError, without_secrets
from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.url import WebAddress
from routesim.scenario.definitions.importing import imported
from routesim.scenario.yaml.source import Source

HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n\r\n"
PAUSE_S = 0.05


def endless(code: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def answer(line: socket.socket, over: threading.Event) -> None:
        line.sendall(HEAD % code)
        while not over.is_set():
            line.sendall(b"[" * 65_536)

    return answer


def dripping(text: bytes) -> Callable[[socket.socket, threading.Event], None]:
    """A byte now and then, each well within the time for which the other side may be silent."""

    def answer(line: socket.socket, over: threading.Event) -> None:
        line.sendall(text)
        while not over.wait(PAUSE_S):
            line.sendall(b" ")

    return answer


@contextmanager
def server(answer: Callable[[socket.socket, threading.Event], None], timeout: float = 0.2) -> Iterator[Management]:
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        while not over.is_set():
            with suppress(OSError):
                line, _ = listening.accept()
                with line:
                    line.recv(65_536)
                    answer(line, over)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        yield Management(WebAddress(address, "guest", "s3cret", timeout))  # type: ignore[arg-type]
        over.set()
        thread.join(10)


@pytest.mark.parametrize("code", [b"200 OK", b"400 Bad", b"500 Sick"])
def test_a_body_without_an_end_is_given_up(code: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_BYTES", 1_000_000)
    wanted = BrokerProblem if code.startswith(b"200") else ManagementError
    with server(endless(code), timeout=5) as management, pytest.raises(wanted) as found:
        management.call("GET", "overview")
    assert "s3cret" not in str(found.value)
    assert len(str(found.value)) < 500


@pytest.mark.parametrize(
    "text",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", HEAD % b"200 OK", HEAD % b"200 OK" + b"[", HEAD % b"500 Sick",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5"],
)  # fmt: skip
def test_a_byte_now_and_then_is_no_answer(text: bytes) -> None:
    with server(dripping(text)) as management, pytest.raises((BrokerProblem, ManagementError)) as found:
        management.call("GET", "overview")
    if b"500" not in text:
        assert "did not answer" in str(found.value)


# Shapes ----------------------------------------------------------------------------------------------------------------

WRONG = [None, True, 3, 1.5, "x", [], ["x"], [None], [[]], [[{}]], {}, {"a": 1}, [{"name": []}], [{"component": {}, "value": 3}]]  # fmt: skip
SECTIONS = (
    "vhosts", "users", "permissions", "topic_permissions", "parameters", "global_parameters", "policies", "queues", "exchanges",
    "bindings", "rabbit_version", "rabbitmq_version", "product_name", "original_vhost_name",
)  # fmt: skip


def saying(found: object) -> Callable[[socket.socket, threading.Event], None]:
    return lambda line, over: line.sendall(HEAD % b"200 OK" + json.dumps(found).encode())


@pytest.mark.parametrize("section", SECTIONS)
def test_definitions_of_any_shape_are_read_or_refused(section: str) -> None:
    for value in WRONG:
        document = {"rabbit_version": "3.10.8", "vhosts": [{"name": "/"}], section: value}
        with server(saying(document), timeout=5) as management:
            try:
                found = management.definitions()
            except BrokerProblem:
                continue
        with suppress(Invalid):
            imported(Source("broker", json.dumps(found)))


@pytest.mark.parametrize("ask", [Management.vhosts, Management.exchange_types, Management.definitions])
def test_answers_of_any_shape_are_understood_or_refused(ask: Callable[[Management], object]) -> None:
    for value in [*WRONG, {"exchange_types": 3}, {"exchange_types": [3]}, {"exchange_types": {"name": 1}}, [{"name": {"a": 1}}]]:
        with server(saying(value), timeout=5) as management, suppress(BrokerProblem):
            ask(management)


def test_what_is_nested_deeply_is_refused() -> None:
    deep = '{"value": ' * 400 + "1" + "}" * 400
    text = b'{"parameters": [' + deep.encode() + b"]}"
    with server(lambda line, over: line.sendall(HEAD % b"200 OK" + text), timeout=5) as management, suppress(BrokerProblem):
        management.definitions()


def test_what_is_of_no_known_shape_may_hold_secrets_and_is_left_out() -> None:
    for value in ("amqp://u:HIDE@h", ["amqp://u:HIDE@h"], {"password": "HIDE"}, [["HIDE"]]):
        assert "HIDE" not in json.dumps(without_secrets({"parameters": value, "global_parameters": value, "queues": []}))

"""What answers at the address is something else: one line that says so, without any password."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from routesim.rabbitmq.http.management import Management
from routesim.rabbitmq.problems import BrokerProblem
from routesim.rabbitmq.url import amqp_address, web_address

ANSWERS = {
    "a page": (200, b"<html>hello</html>"),
    "not found": (404, b"<html>not found</html>"),
    "forbidden": (403, b"{}"),
    "not implemented": (501, b""),
    "nothing": (200, b""),
    "numbers": (200, b"[1, 2]"),
    "an object": (200, b'{"a": [1]}'),
    "a text": (200, b'"hello"'),
    "too deep": (200, b"[" * 100_000),
}


@pytest.fixture(params=ANSWERS)
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Management]:
    status, body = ANSWERS[request.param]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *what: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Management(web_address(f"http://guest:s3cret@127.0.0.1:{server.server_port}"))
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("ask", [Management.vhosts, Management.exchange_types])
def test_a_web_server_that_is_not_rabbitmqs(elsewhere: Management, ask: object) -> None:
    with pytest.raises(BrokerProblem, match="is that its address") as found:
        ask(elsewhere)  # type: ignore[operator]
    assert "s3cret" not in str(found.value)


def test_what_is_silent_is_no_broker() -> None:
    connections = pytest.importorskip("routesim.rabbitmq.connections")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = amqp_address(f"amqp://guest:s3cret@127.0.0.1:{server.getsockname()[1]}?heartbeat=1")
        with pytest.raises(BrokerProblem, match="cannot be reached: no answer within 1 s"):
            connections.connect(address, "/")

"""routesim's own API over HTTP: each of its answers, who may ask, and what is asked wrongly."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pika
import pika.exceptions
import pytest

import routesim
from routesim.control.access import TOKEN
from routesim.control.client import address_of
from routesim.control.own.interface import OWN
from routesim.failure_kinds import FAILURES
from routesim.testing.served_broker import ServedBroker

TOPOLOGY = """
rabbitmq: "4.0"
exchanges: {orders: {type: topic}}
queues: {work: {arguments: {x-message-ttl: 60000}}}
bindings: [{source: orders, destination: work, routing_key: "order.#"}]
"""
VHOST = quote("/", safe="")


class Answered(NamedTuple):
    status: int
    content: Any
    headers: dict[str, str]


class Asking:
    def __init__(self, broker: ServedBroker) -> None:
        self.address = address_of(broker.management_url)
        self.host = f"127.0.0.1:{self.address.port}"

    def __call__(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=20)
        sent = {
            "host": self.host,
            TOKEN: self.address.token,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request(method, f"/api/routesim{path}", raw if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        content = json.loads(text) if text and headers["content-type"] == "application/json" else text.decode()
        return Answered(response.status, content, headers)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ServedBroker]:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY)
    with routesim.serving(file, clock="manual") as served:
        yield served


@pytest.fixture
def ask(broker: ServedBroker) -> Asking:
    return Asking(broker)


def sent(broker: ServedBroker, *keys: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for key in keys:
            channel.basic_publish("orders", key, b"x", pika.BasicProperties(message_id=key))


def test_the_server_says_what_it_is_and_what_is_there(broker: ServedBroker, ask: Asking) -> None:
    sent(broker, "order.1", "bill.1")
    found = ask("GET", "").content
    assert found["rabbitmq"] == "4.0.0"
    assert found["lost"] == 1
    assert found["vhosts"]["/"]["queues"] == {"work": {"ready": 1, "unacked": 0, "consumers": 0, "type": "classic"}}
    assert ask("GET", f"/ledger/{VHOST}").content["unroutable"] == 1
    lost = ask("GET", f"/lost/{VHOST}").content
    assert [(item["message"], item["at_ms"]) for item in lost] == [("bill.1", 0)]
    assert "no binding" in lost[0]["why"] or "no queue" in lost[0]["why"]


def test_time_is_read_and_passes(broker: ServedBroker, ask: Asking) -> None:
    sent(broker, "order.1")
    assert ask("GET", "/clock").content == {"clock": "manual", "speed": None, "paused": False, "now_ms": 0, "due_ms": 60_000}
    assert ask("POST", "/clock/advance", {"by": "1d"}).content["now_ms"] == 86_400_000
    assert broker.queues["work"].ready == 0


def test_what_became_of_a_message_is_told(broker: ServedBroker, ask: Asking) -> None:
    sent(broker, "order.1")
    ask("POST", "/clock/advance", {"by": "1m"})
    (known,) = ask("GET", f"/messages/{VHOST}/order.1").content
    assert known["states"] == {"work": "dropped: expired"}
    assert any("expired" in line for line in known["story"])
    missing = ask("GET", f"/messages/{VHOST}/order.9")
    assert (missing.status, missing.content["reason"]) == (404, "no message 'order.9' is known")


def test_where_a_message_would_go_is_explained(ask: Asking) -> None:
    assert ask("GET", f"/route/{VHOST}?exchange=orders&key=order.1").content["queues"] == ["work"]
    assert ask("GET", f"/route/{VHOST}?exchange=orders&key=bill.1").content["queues"] == []
    assert ask("GET", f"/route/{VHOST}?exchange=orders").content["reason"] == "route needs ?exchange=NAME&key=KEY"
    assert ask("GET", f"/route/{VHOST}?exchange=nope&key=a").status == 404
    assert ask("GET", f"/route/{VHOST}?exchange=orders&key=a&headers=[]").status == 400


def test_events_are_told_since_a_mark(broker: ServedBroker, ask: Asking) -> None:
    assert ask("GET", "/events").content == {"mark": 0, "forgotten": 0, "events": []}
    sent(broker, "order.1")
    first = ask("GET", "/events").content
    assert {"published", "enqueued"} <= {event["event"] for event in first["events"]}
    assert [event["seq"] for event in first["events"]] == list(range(1, first["mark"] + 1))
    assert ask("GET", f"/events?since={first['mark']}").content["events"] == []
    assert len(ask("GET", "/events?limit=2").content["events"]) == 2
    assert ask("GET", "/events?since=yesterday").status == 400
    assert ask("GET", "/events?vhost=other").status == 404


def test_events_come_as_they_happen(broker: ServedBroker, ask: Asking) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", ask.address.port, timeout=20)
    connection.request("GET", "/api/routesim/events", headers={"host": ask.host, "accept": "text/event-stream"})
    response = connection.getresponse()
    assert response.getheader("content-type") == "text/event-stream"
    threading.Timer(0.1, lambda: sent(broker, "order.1")).start()
    heard: list[Any] = []
    while not any(event["event"] == "enqueued" for event in heard):
        line = response.readline()
        if line.startswith(b"data: "):
            heard.append(json.loads(line[6:]))
    assert {event["vhost"] for event in heard} == {"/"}
    mark = heard[-1]["seq"]
    response.close()
    connection.close()
    again = http.client.HTTPConnection("127.0.0.1", ask.address.port, timeout=20)
    headers = {"host": ask.host, "accept": "text/event-stream", "last-event-id": str(mark - 1)}
    again.request("GET", "/api/routesim/events", headers=headers)
    stream = again.getresponse()
    lines = [stream.readline() for _ in range(4)]
    assert f"id: {mark}\n".encode() in lines  # what was missed meanwhile
    stream.close()
    again.close()


def test_failures_are_listed_and_ordered(broker: ServedBroker, ask: Asking) -> None:
    assert [item["failure"] for item in ask("GET", "/failures").content] == list(FAILURES)
    connection = pika.BlockingConnection(pika.URLParameters(f"{broker.url}?client_properties={{'connection_name':'app'}}"))
    assert ask("POST", "/failures", {"failure": "crash", "target": "app"}).content == {"befallen": ["app"]}
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        connection.process_data_events(1)
    assert ask("POST", "/failures", {"failure": "crash", "target": "app"}).status == 404
    assert (
        ask("POST", "/failures", {"failure": "slow", "target": "*", "by": "2"}).content["reason"]
        == "by: 2 has no unit: 2s or 2ms?"
    )


def test_snapshots_are_taken_put_back_and_forgotten(broker: ServedBroker, ask: Asking) -> None:
    assert ask("PUT", f"/snapshots/{VHOST}/empty").status == 200
    sent(broker, "order.1")
    assert ask("GET", f"/snapshots/{VHOST}").content == ["empty"]
    assert ask("POST", f"/snapshots/{VHOST}/empty/restore").status == 200
    assert broker.queues["work"].ready == 0
    assert ask("DELETE", f"/snapshots/{VHOST}/empty").status == 200
    assert ask("POST", f"/snapshots/{VHOST}/empty/restore").status == 404


def test_what_clients_do_is_recorded(broker: ServedBroker, ask: Asking) -> None:
    assert ask("GET", f"/recordings/{VHOST}").status == 404
    assert ask("POST", f"/recordings/{VHOST}", {"redact": "x"}).status == 400
    assert ask("POST", f"/recordings/{VHOST}", {}).content == {"recording": "/"}
    assert ask("POST", f"/recordings/{VHOST}", {}).status == 409
    sent(broker, "order.1", "bill.1")
    ask("POST", "/clock/advance", {"by": "2m"})
    for method in ("GET", "DELETE"):
        found = routesim.simulate(routesim.loads(ask(method, f"/recordings/{VHOST}").content))
        assert (found.ok, found.lost) == (True, 2)
    assert ask("GET", f"/recordings/{VHOST}").status == 404
    late = ask("POST", f"/recordings/{VHOST}", {})
    assert (late.status, "before the first client" in late.content["reason"]) == (400, True)


def test_nothing_is_changed_without_the_token(broker: ServedBroker, ask: Asking) -> None:
    before = ask("GET", "").content
    for token in ("", "wrong", ask.address.token[:-1]):
        for route in OWN:
            if route.method != "GET":
                path = "/" + route.path.replace("{vhost}", VHOST).replace("{name}", "n")
                answered = ask(route.method, path, {"by": "1d", "failure": "kill"}, **{TOKEN: token})
                assert (answered.status, answered.content["error"]) == (401, "not_authorized")
    assert ask("GET", "").content == before


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"host": "127.0.0.1"}, {"host": ""}, {"origin": "http://evil.example"}, {"origin": "null"}],
)
def test_another_name_or_page_is_not_answered(ask: Asking, headers: dict[str, str]) -> None:
    answered = ask("GET", "/clock", **headers)
    assert (answered.status, answered.content["error"]) == (403, "forbidden")
    assert "access-control-allow-origin" not in answered.headers


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "the body is no JSON"),
        (b"[1]", "the body is no object"),
        (b"\xff", "the body is no JSON"),
        (b'{"by": "5s", "to": 1}', "'to' is not known here; there are by"),
        (b'{"by": "soon"}', "by is a duration such as"),
        (b'{"by": true}', "by is a duration such as"),
        (b"{}", "by is a duration such as"),
        (b"[" * 100_000, "the body is no JSON"),
    ],
)
def test_a_wrong_body_is_told(ask: Asking, body: bytes, told: str) -> None:
    answered = ask("POST", "/clock/advance", raw=body)
    assert answered.status == 400
    assert told in answered.content["reason"]
    assert ask("GET", "/clock").content["now_ms"] == 0


@pytest.mark.parametrize("path", ["/nothing", "/clock/", "/snapshots", "/messages/%2F", "/%ff", "//clock//"])
def test_a_path_that_there_is_not_is_told(ask: Asking, path: str) -> None:
    assert ask("GET", path).status in ((200,) if path.strip("/") == "clock" else (400, 404))


def test_the_description_has_all_that_is_answered_and_no_more(ask: Asking) -> None:
    found = ask("GET", "/openapi.json").content
    described = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    assert described == {(route.method, f"/{route.path}") for route in OWN}
    for path, methods in found["paths"].items():
        for method in ("get", "post", "put", "delete"):
            answered = ask(method.upper(), path.replace("{vhost}", VHOST).replace("{name}", "unknown"))
            assert (answered.status == 405) == (method not in methods), (method, path)
            if answered.status == 405:
                assert {each.lower() for each in answered.headers["allow"].split(", ")} == methods.keys()
    for operation in (operation for methods in found["paths"].values() for operation in methods.values()):
        assert operation["summary"].endswith(".")


HOSTILE = [
    b"GET / HTTP/1.1\r\n\r\n",  # no host
    b"\x00\x01\x02\x03\r\n\r\n",
    b"AMQP\x00\x00\x09\x01",
    b"GET " + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /api/routesim/clock/advance HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n",
    b"POST /api/routesim/clock/advance HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"GET /%zz%00 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n",
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_requests_end_in_an_error_and_harm_nobody(
    broker: ServedBroker, ask: Asking, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", ask.address.port), timeout=20) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert not answer or answer.split()[1][:1] == b"4"
    assert ask("GET", "/clock").status == 200
    sent(broker, "order.1")
    assert "Traceback" not in capfd.readouterr().err


def test_one_connection_serves_many_requests(ask: Asking) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", ask.address.port, timeout=20)
    for _ in range(3):
        connection.request("GET", "/api/routesim/clock", headers={"host": ask.host})
        assert connection.getresponse().read()
    connection.request("HEAD", "/api/routesim/clock", headers={"host": ask.host})
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"")
    connection.close()


def test_the_address_is_that_of_the_server_alone(broker: ServedBroker) -> None:
    assert urlsplit(broker.management_url).hostname == "127.0.0.1"
    assert broker.management_url == broker.management_url  # it does not move
    with routesim.serving() as other:
        assert other.management_url != broker.management_url

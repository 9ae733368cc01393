"""Requests that make no sense, to every path of the management API: each is answered, none is a fault, none takes long.

ROUTESIM_HOSTILE=100000 tries so many of each version.
"""

import base64
import json
import os
import random
import time
from typing import Any

import pytest

from routesim.control.control import Control
from routesim.control.http_messages import HttpError, HttpRequest, request_of, response_of
from routesim.control.management.all_routes import ALL
from routesim.serve.clocks import ManualClock
from routesim.serve.declared import broker_of, empty_scenario
from routesim.serve.server import Server
from routesim.serve.users import GUEST_USER
from routesim.versions import rules

REQUESTS = int(os.environ.get("ROUTESIM_HOSTILE", "4000"))
SLOW_S = 2.0
HEADERS = {"host": "127.0.0.1:1", "authorization": "Basic " + base64.b64encode(b"guest:guest").decode()}
NAMES = (
    "a", "q", "x", "a", "q", "x", "%2F", "..", "%00", "%0A", "%C3%A4", "a%2Fb", "%F0%9F%92%A9", "amq.default", "amq.direct", "n" * 300,
    "~", "k~abc", "%25", "e", "1", "-1", "9" * 400, "", "{vhost}", "routesim%40localhost", "%FF", "%ED%A0%80", "amq.rabbitmq.reply-to",
)  # fmt: skip
QUERIES = (
    "", "", "", "?columns=name", "?columns=a.b.c,,.", "?page=1", "?page=1&page_size=2&sort=arguments", "?sort=name.x&sort_reverse=true",
    "?page=1&use_regex=true&name=(a%2B)%2B%24", "?if-unused=true", "?disable_stats=true&enable_queue_totals=true", "?page=" + "9" * 5000,
    "?page=%00", "?page=1&use_regex=true&name=(((", "?columns=" + "x." * 3000, "?sort=type", "?page=%E2%91%A0",
)  # fmt: skip
BODIES = (
    b"", b"{", b"[", b"nul", b"\xff", b'{"a":NaN}', b"[" * 100_000, b'{"a":' * 50_000, b"1e400", b"9" * 5000, b'{"a":"\\ud800"}',
    b"3", b'"x"', b'{"arguments":' * 70 + b"1" + b"}" * 70, b'{"properties":{"headers":{"a":1e999}}}',
)  # fmt: skip
SENSIBLE: dict[str, tuple[Any, ...]] = {
    "payload": ("hi", "aGk="), "payload_encoding": ("string", "base64"), "properties": ({}, {"headers": {"a": 1}}),
    "routing_key": ("a", "q"), "count": (1, 5, -1), "ackmode": ("ack_requeue_true", "ack_requeue_false", "reject_requeue_false"),
    "encoding": ("auto", "base64"), "pattern": ("^a", "(a+)+$", "(?<x>a)", "(", "a{99999}"),
    "definition": ({"max-length": 1}, {"message-ttl": 0}, {"dead-letter-exchange": ""}),
    "type": ("direct", "topic", "x-consistent-hash", "headers", "x-delayed-message", "x-recent-history", "x-jms-topic"),
    "arguments": (
        {}, {"x-queue-type": "quorum"}, {"x-queue-type": "stream"}, {"x-max-priority": 5}, {"x-match": "all", "a": 1},
        {"x-queue-type": "quorum", "x-delivery-limit": "x"}, {"x-delayed-type": "topic"}, {"x-expires": 1}, {"hash-header": 1},
    ),
    "durable": (True, False), "configure": (".*",), "write": (".*",), "read": (".*",), "tags": ("", "administrator"),
    "default_queue_type": ("quorum", "stream"), "hashing_algorithm": ("x", "rabbit_password_hashing_sha512"),
    "password_hash": ("", "aGk="), "name": ("a", "q", "x"), "vhost": ("/", "a"), "source": ("x", "a"), "destination": ("q", "a"),
    "destination_type": ("queue", "exchange"),
    "queues": ([{"name": "z", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}],),
}  # fmt: skip
KEYS = (
    *SENSIBLE, "auto_delete", "internal", "headers", "truncate", "priority", "apply-to", "exchanges", "bindings", "policies",
    "parameters", "vhosts", "users", "permissions", "password", "description", "metadata", "value", "component", "x-max-length",
    "x-message-ttl", "x-queue-type", "alternate-exchange", "delivery_mode", "timestamp", "message_id", "user", "expiration", "node",
    "tracing", "limits", "x-dead-letter-exchange", "x-overflow", "max-length", "CC", "x-delay",
)  # fmt: skip
TOGETHER = (
    (), ("payload", "payload_encoding", "properties", "routing_key"), ("count", "ackmode", "encoding"), ("pattern", "definition"),
    ("configure", "write", "read"), ("type", "durable", "arguments"), ("durable", "arguments"),
)  # fmt: skip
PLAIN = (None, True, False, 0, -1, 2**31, 2**63, 2**64, 1.5, "x", "\u0000", "\U0001f4a9" * 99)


def value(draw: random.Random, depth: int = 0) -> Any:
    kind = draw.randrange(10 if depth < 4 else 8)
    if kind < 8:
        return draw.choice(PLAIN)
    if kind == 8:
        return [value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return {draw.choice(KEYS): value(draw, depth + 1) for _ in range(draw.randrange(4))}


def body(draw: random.Random) -> bytes:
    if draw.random() < 0.05:
        return draw.choice(BODIES)
    if draw.random() < 0.05:
        return json.dumps(value(draw)).encode()
    found = {
        key: draw.choice(SENSIBLE[key]) if key in SENSIBLE and draw.random() < 0.7 else value(draw)
        for key in draw.sample(KEYS, draw.randrange(8))
    }
    for key in draw.choice(TOGETHER):
        found.setdefault(key, draw.choice(SENSIBLE[key]))
    return json.dumps(found).encode()


def drawn(draw: random.Random) -> tuple[str, str, bytes]:
    route = draw.choice(ALL)
    pieces = [
        piece if "{" not in piece else "%2F" if piece == "{vhost}" and draw.random() < 0.9 else draw.choice(NAMES)
        for piece in route.path.split("/")
    ]
    method = route.method if draw.random() < 0.9 else draw.choice(("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS"))
    return method, f"/api/{'/'.join(pieces)}{draw.choice(QUERIES)}", body(draw) if method in ("PUT", "POST") else b""


def control(version: str) -> Control:
    broker = broker_of(empty_scenario(version, "/"))
    server = Server(rules(version), {"/": broker}, {"guest": GUEST_USER}, ManualClock())
    found = Control(server, server.turn, ("127.0.0.1", 1), "token")
    for name in ("q", "a"):
        asked(found, "PUT", f"/api/queues/%2F/{name}", b'{"durable": true}')
        asked(found, "PUT", f"/api/exchanges/%2F/{name}", b"{}")
    return found


def asked(control: Control, method: str, target: str, data: bytes) -> Any:
    try:
        request = request_of(method, target, HEADERS, data)
    except HttpError as problem:
        return response_of(problem)
    return control.answer(request)


@pytest.mark.parametrize("version", ["3.10", "4.0", "4.3"])
def test_every_request_is_answered(version: str, capfd: pytest.CaptureFixture[str]) -> None:
    draw, found = random.Random(version), control(version)
    for number in range(REQUESTS):
        method, target, data = drawn(draw)
        if "/users/guest" in target:
            continue
        if "/" not in found.server.vhosts:
            found = control(version)
        found.server.users["guest"] = GUEST_USER
        began = time.monotonic()
        answer = asked(found, method, target, data)
        said = f"{number}: {method} {target[:200]} {data[:300]!r}: {answer.status}"
        failing = answer.status == 500 and "definitions" in target and answer.content is None  # as a real broker does
        assert answer.status < 500 or failing or (answer.status == 503 and "health" in target), said
        answer.body()
        assert time.monotonic() - began < SLOW_S, said
    assert capfd.readouterr() == ("", "")


def test_a_fault_is_one_line(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = control("4.0")

    def fail(*_: Any) -> Any:
        raise ValueError("with\ntwo lines, and \ud800")

    monkeypatch.setattr(found.management, "answer", fail)
    answer = found.answer(HttpRequest("GET", ("api", "overview\n"), {}, HEADERS))
    assert (answer.status, json.loads(answer.body())["error"]) == (500, "internal_error")
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), err.startswith("error: ")) == ("", 1, True)

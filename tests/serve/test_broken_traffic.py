"""Broken traffic, said to a real broker and to `routesim serve` of the same version: what both answer is equal."""

import struct
from collections.abc import Iterator
from typing import Any

import pytest
from kits.amqp.twins import Said, TwinConnection
from kits.live import URLS, live_session
from kits.serving import Served, serving

from routesim.amqp.frames import BODY, HEADER, METHOD, frame, method_frame
from routesim.amqp.methods import written
from routesim.rabbitmq.url import amqp_address

OPEN = Said(0, 1, "channel.open", {})
PUBLISH = method_frame(1, written("basic.publish", exchange="", routing_key="q"))
FLOW = method_frame(1, written("channel.flow", active=True))
MOST = 512 << 20
PATIENCE_S = 10


def header(size: int, kind: int = 60, weight: int = 0) -> bytes:
    return frame(HEADER, 1, struct.pack(">HHQH", kind, weight, size, 0))


BROKEN = {
    "a method of two octets": frame(METHOD, 1, b"\0\x32"),
    "a frame of no known type": frame(5, 1, b"xy"),
    "a second publish before the content of the first": PUBLISH + PUBLISH,
    "a header without a method": header(1),
    "a header of another class": PUBLISH + header(1, kind=50),
    "a header with a weight": PUBLISH + header(1, weight=1),
    "a body before its header": PUBLISH + frame(BODY, 1, b"x"),
    "a method before the body": PUBLISH + header(1) + FLOW,
    "a body that is too long": PUBLISH + header(1) + frame(BODY, 1, b"xy") + FLOW,
    "a body that is too long, and goes on": PUBLISH + header(3) + frame(BODY, 1, b"x") + 3 * frame(BODY, 1, b"yyy") + FLOW,
    "a second piece that is too long": PUBLISH + header(2) + frame(BODY, 1, b"x") + frame(BODY, 1, b"yy") + FLOW,
    "an empty piece of a body": PUBLISH + header(1) + frame(BODY, 1, b"") + FLOW,
    "a header of as much as there may be": PUBLISH + header(MOST) + FLOW,
    "a header of more than there may be": PUBLISH + header(MOST + 1) + FLOW,
    "a header of all that its field can say": PUBLISH + header(2**64 - 1) + frame(BODY, 1, b"x") + FLOW,
    "a method on a channel that is not open": method_frame(7, written("basic.get", queue="q")),
    "a channel that is opened again": method_frame(1, written("channel.open")),
    "immediate": method_frame(1, written("basic.publish", immediate=True)) + header(0),
    "connection.open again": method_frame(0, written("connection.open", virtual_host="/")),
    "a method that is cut off": method_frame(1, written("queue.declare", queue="q")[:-1]),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(URLS))
def both(request: pytest.FixtureRequest) -> Iterator[tuple[int, Served]]:
    session = live_session(request.param)
    with serving("--quiet", "--rabbitmq", session.profile) as server:
        yield amqp_address(URLS[request.param]).port, server


def answers(port: int, data: bytes) -> dict[str, Any]:
    """All that is heard of this up to the end of the connection."""
    connection = TwinConnection(port, "/")
    connection.carry_out(OPEN)
    connection.ask()
    while not connection.answered():
        connection.read(PATIENCE_S)
    connection.take()
    connection._send(data)
    while not connection.closed:
        connection.read(PATIENCE_S)
        assert connection.heard, "no answer"
    connection.end()
    return connection.take()


@pytest.mark.parametrize("what", BROKEN)
def test_broken_traffic_is_answered_alike(both: tuple[int, Served], what: str) -> None:
    port, served = both
    real = answers(port, BROKEN[what])
    assert answers(served.port, BROKEN[what]) == real

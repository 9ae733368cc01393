"""Broken and hostile traffic: it ends in RabbitMQ's answer or a closed connection, and does no harm to anybody else."""

import os
import random
import socket
import struct
import time
from collections.abc import Iterator

import pika
import pytest
from kits.amqp.twins import Said, TwinConnection
from kits.serving import Served, serving

from routesim.amqp.frames import BODY, HEADER, METHOD, frame, method_frame
from routesim.amqp.methods import written

CONNECTIONS = 1_000
LIMIT_MB = 60  # of an idle server
OPEN = Said(0, 1, "channel.open", {})
PUBLISH = method_frame(1, written("basic.publish", exchange="", routing_key="q"))


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--quiet", "--rabbitmq", "4.0") as server:
        yield server


@pytest.fixture(autouse=True)
def others_are_served(served: Served) -> Iterator[None]:
    other = pika.BlockingConnection(pika.URLParameters(served.url))
    channel = other.channel()
    name = channel.queue_declare("", exclusive=True).method.queue
    yield
    channel.basic_publish("", name, b"still here")
    assert channel.basic_get(name, auto_ack=True)[2] == b"still here"
    other.close()


def megabytes(served: Served) -> int:
    with open(f"/proc/{served.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def opened(served: Served) -> TwinConnection:
    connection = TwinConnection(served.port, "/")
    connection.carry_out(OPEN)
    connection.ask()
    while not connection.answered():
        connection.read(5)
    connection.take()
    return connection


def answer(served: Served, data: bytes) -> str:
    """What the server says to this after channel.open, up to the end of the connection."""
    connection = opened(served)
    connection._send(data)
    while not connection.closed:
        connection.read(10)
    connection.end()
    return connection.take()["heard"][0][0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (frame(METHOD, 1, b"\0\x32"), "'reply_code': 501, 'reply_text': 'FRAME_ERROR - type 1, all octets = <<0,50>>: unknown_frame'"),
        (frame(5, 1, b"xy"), "'reply_code': 501, 'reply_text': 'FRAME_ERROR - type 5, all octets = <<\"xy\">>: unknown_frame'"),
        (b"\1\0\1\0\0\0\1x?", "{invalid_frame_end_marker,63}"),
        (struct.pack(">BHI", 1, 1, 200_000), "{frame_too_large,200000,131064}"),
        (PUBLISH + PUBLISH, "'reply_code': 505, 'reply_text': 'UNEXPECTED_FRAME - expected content header for class 60, got non content header frame instead'"),
        (frame(HEADER, 1, struct.pack(">HHQH", 60, 0, 1, 0)), "'reply_code': 505, 'reply_text': 'UNEXPECTED_FRAME - expected method frame, got non method frame instead'"),
        (PUBLISH + frame(HEADER, 1, struct.pack(">HHQH", 50, 0, 1, 0)), "expected content header for class 60, got one for class 50 instead"),
        (PUBLISH + frame(HEADER, 1, struct.pack(">HHQH", 60, 0, 1, 0)) + frame(BODY, 1, b"xy") + PUBLISH, "expected content body, got non content body frame instead"),
        (method_frame(7, written("basic.get", queue="q")), "'reply_code': 504, 'reply_text': \"CHANNEL_ERROR - expected 'channel.open'\""),
        (method_frame(1, written("basic.publish", immediate=True)) + frame(HEADER, 1, struct.pack(">HHQH", 60, 0, 0, 0)), "'reply_code': 540, 'reply_text': 'NOT_IMPLEMENTED - immediate=true'"),
        (method_frame(0, written("connection.open", virtual_host="/")), "'reply_code': 504, 'reply_text': 'CHANNEL_ERROR - unexpected method in connection state running'"),
        (method_frame(1, written("queue.declare", queue="q")[:-1]), "'reply_code': 501, 'reply_text': 'FRAME_ERROR - cannot decode"),
    ],
)  # fmt: skip
def test_broken_traffic_is_answered(served: Served, data: bytes, says: str) -> None:
    assert says in answer(served, data)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01", b"AMQP\x00\x01\x00\x00"])
def test_whoever_speaks_something_else_is_told_what_to_speak(served: Served, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 10) as other:
        other.sendall(data)
        assert other.recv(100)[:4] == b"AMQP"
        assert other.recv(100) == b""


def test_fuzzed_frames(served: Served) -> None:
    draw = random.Random(7)
    whole = (
        method_frame(1, written("queue.declare", queue="f", durable=True, arguments={"a": 1, "b": [1, {"c": "x"}]}))
        + PUBLISH + frame(HEADER, 1, struct.pack(">HHQH", 60, 0, 3, 0x2000) + b"\0\0\0\0") + frame(BODY, 1, b"abc")
    )  # fmt: skip
    for _ in range(150):
        data = bytearray(whole + method_frame(1, os.urandom(draw.randrange(40))))
        for _ in range(draw.randrange(6)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        connection = opened(served)
        connection._send(bytes(data))
        connection.end()


def test_a_thousand_connections_leave_nothing(served: Served) -> None:
    for _ in range(2):
        connections = [TwinConnection(served.port, "/") for _ in range(CONNECTIONS // 2)]
        half_open = [socket.create_connection(("127.0.0.1", served.port), 10) for _ in range(CONNECTIONS // 4)]
        for each in (*connections, *half_open):
            each.end() if isinstance(each, TwinConnection) else each.close()
    time.sleep(0.3)
    assert megabytes(served) < LIMIT_MB


def test_a_flood_of_channels(served: Served) -> None:
    data = b"".join(method_frame(number, written("channel.open")) for number in range(2, 103))
    assert "NOT_ALLOWED - number of channels opened (100) has reached the negotiated channel_max (100)" in answer(served, data)


def test_a_bomb_of_tables(served: Served) -> None:
    inner = b""
    for _ in range(2_000):
        inner = b"\1aF" + struct.pack(">I", len(inner)) + inner
    table = struct.pack(">I", len(inner)) + inner
    properties = struct.pack(">H", 0x2000) + table
    assert "'reply_code': 541" in answer(served, PUBLISH + frame(HEADER, 1, struct.pack(">HHQ", 60, 0, 0) + properties))


def test_who_does_not_read_stops_only_his_own_deliveries(served: Served) -> None:
    silent = opened(served)
    silent.carry_out(Said(0, 1, "queue.declare", {"queue": "unread", "durable": True}))
    silent.carry_out(Said(0, 1, "basic.consume", {"queue": "unread", "no_ack": True, "consumer_tag": "c"}))
    connection = pika.BlockingConnection(pika.URLParameters(served.url))
    channel = connection.channel()
    time.sleep(0.2)
    for _ in range(400):
        channel.basic_publish("", "unread", b"x" * 100_000)
    waiting = channel.queue_declare("unread", passive=True).method.message_count
    assert waiting > 200  # what the sockets hold is on its way
    silent.open.clear()
    end = time.monotonic() + 20
    while waiting and time.monotonic() < end:  # it reads again, and gets the rest
        for _ in range(50):
            silent.read(0.05)
        waiting = channel.queue_declare("unread", passive=True).method.message_count
    assert waiting == 0
    channel.queue_delete("unread")
    connection.close()
    silent.end()


def test_a_message_of_128_megabytes_is_refused(served: Served) -> None:
    connection = opened(served)
    piece, size = b"y" * 131_064, 128 << 20
    connection._send(PUBLISH + frame(HEADER, 1, struct.pack(">HHQH", 60, 0, size, 0)))
    whole, rest = divmod(size, len(piece))
    for _ in range(whole):
        connection._send(frame(BODY, 1, piece))
    connection._send(frame(BODY, 1, piece[:rest]))
    while not connection.heard:
        connection.read(10)
    assert "message size 134217728 is larger than configured max size 16777216" in connection.take()["heard"][1][0]
    connection.end()


def test_nothing_grows_with_what_has_been_consumed() -> None:
    with serving("--quiet", "--history", "100", "--rabbitmq", "4.0") as server:
        connection = pika.BlockingConnection(pika.URLParameters(server.url))
        channel = connection.channel()
        channel.confirm_delivery()

        def round() -> int:
            for _ in range(10):
                name = channel.queue_declare("", exclusive=True).method.queue
                channel.queue_bind(name, "amq.fanout")
                for _ in range(150):
                    channel.basic_publish("amq.fanout", "", b"x" * 5_000)
                for _ in range(150):
                    channel.basic_get(name, auto_ack=True)
                channel.queue_delete(name)
            return megabytes(server)

        before = round()
        assert round() <= before + 2
        assert before < LIMIT_MB
        connection.close()

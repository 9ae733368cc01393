"""What goes over the wire, read by a codec of our own: how connections end, and what a client library would hide."""

from collections.abc import Iterator

import pytest
from kits.amqp.raw import FrameWire, RawClient
from kits.live import run_there

from routesim.rabbitmq.scratch import scratch_vhost
from routesim.run.on_rabbitmq.session import BrokerSession

ENDS = {
    "crash": [],
    "close": ["channel.close", "connection.close"],
}


@pytest.fixture
def client(session: BrokerSession) -> Iterator[RawClient]:
    with scratch_vhost(session.management) as vhost:
        found = RawClient(session.amqp, vhost)
        yield found
        found.close()


@pytest.mark.parametrize("end", ENDS)
def test_how_a_connection_ends(session: BrokerSession, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """A crash says nothing at all, a close cancels no consumer before."""
    wire = FrameWire(session.amqp.host, session.amqp.port)
    monkeypatch.setattr(session, "amqp", session.amqp._replace(host="127.0.0.1", port=wire.port))
    text = "queues: {q: }\nconsumers: {c: {queue: q, prefetch: 1, on_message: hold}}\n"
    run_there(session, text + f"steps:\n  - publish: {{routing_key: q}}\n  - {end}: c\nuntil: steps\n")
    wire.close()
    consumer = next(said for said in wire.said.values() if "basic.consume" in said)
    after = consumer[consumer.index("basic.consume") + 1 :]
    assert [name for name in after if name.startswith(("channel.", "connection.", "basic."))] == ENDS[end]


def test_what_is_declared_has_reached_the_channels_before_a_publish(
    session: BrokerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 4.0 on a moment after the answer: so something else is declared, whose answer comes later than that."""
    wire = FrameWire(session.amqp.host, session.amqp.port)
    monkeypatch.setattr(session, "amqp", session.amqp._replace(host="127.0.0.1", port=wire.port))
    text = "queues: {q: }\nexchanges: {x: fanout}\nsteps:\n"
    step = "  - bind: {source: x, destination: q, routing_key: '%d'}\n  - publish: {exchange: x}\n"
    result = run_there(session, text + "".join(step % number for number in range(3)))
    wire.close()
    assert len(list(result.broker.queues["q"].ready())) == 3
    marks = [
        said.count("exchange.declare") for said in wire.said.values() if "basic.publish" not in said and "queue.bind" not in said
    ]
    assert max(marks) == (0 if session.version.startswith("3.") else 3)


def test_3_2_nothing_is_delivered_after_the_cancel_ok(client: RawClient) -> None:
    """What was on its way comes before it (rules/queues#3.2)."""
    client.declare("q")
    client.consume("q", "c", 0)
    for _ in range(50):
        client.publish("q")
    client.cancel("c")
    client.until("basic.cancel-ok")
    before = [item.name for item in client.heard if item.name]
    assert before.index("basic.cancel-ok") == len(before) - 1
    assert client.listen(0.5) == []


TIMES_OUT = {"x_queue_type": "quorum", "x_consumer_timeout": 3000}


@pytest.mark.parametrize("confirms", [False, True])
def test_5_10_a_second_late_acknowledgement(session: BrokerSession, client: RawClient, confirms: bool) -> None:
    """Once a client has confirmed that its consumer is gone there is none to cancel, and the channel may go; else it stays."""
    if not session.version.startswith("4.3"):
        pytest.skip("before 4.3 the channel is closed, a minute later")
    client.declare("q", **TIMES_OUT)
    client.publish("q")
    client.consume("q", "c", 2)
    client.until("basic.deliver")
    assert client.listen(1.5) == []
    client.publish("q")
    client.until("basic.deliver")
    client.until("basic.cancel")
    if confirms:
        client.confirm_cancel("c")
        # A real one closes the channel in most runs; in some it saw both to be late at once, and in some it never looks again.
        assert set(client.listen(6)) <= {"channel.close"}
        closed = [heard for heard in client.heard if heard.name == "channel.close"]
        assert all(b"Timeout value used: -1 ms" in heard.payload for heard in closed)
    else:
        assert set(client.listen(4)) <= {"basic.cancel"}  # another one for the second, unless both were seen to be late at once


def test_5_10_a_client_that_cannot_be_told_loses_its_channel(session: BrokerSession) -> None:
    if not session.version.startswith("4.3"):
        pytest.skip("before 4.3 the channel is closed, a minute later")
    with scratch_vhost(session.management) as vhost:
        client = RawClient(session.amqp, vhost, hears_cancels=False)
        client.declare("q", **TIMES_OUT)
        client.publish("q")
        client.consume("q", "c", 1)
        assert b"Timeout value used: -1 ms" in client.until("channel.close").payload
        client.close()

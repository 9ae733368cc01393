"""rules/queues#8: streams as AMQP 0-9-1 shows them."""

import pytest
from kits.broker import Bench, versions

from routesim.values import Typed


def stream(version, count=5):
    b = Bench(version)
    b.queue("s", "stream")
    b.send("s", *range(count))
    return b


@versions()
def test_stream_8_1_everybody_reads_for_himself(version):
    """rules/queues#8.1: acks remove nothing; each consumer has its own place; nothing is ever redelivered."""
    b = stream(version, 3)
    for name in "AB":
        b.consume(name, "s", prefetch=10, args={"x-stream-offset": "first"})
    assert (b.of("A"), b.of("B")) == ("0 1 2", "0 1 2")
    assert [letter.headers["x-stream-offset"] for letter in b.letters] == [0, 1, 2, 0, 1, 2]
    b.ack("A", 3, multiple=True)
    b.close("A")
    b.consume("A", "s", prefetch=10, args={"x-stream-offset": "first"})
    assert b.of("A") == "0 1 2 0 1 2"


@versions()
def test_stream_8_2_acks_return_credit(version):
    """rules/queues#8.2: prefetch limits what is out (rules/queues#8.4: exactly, as from 4.0 on)."""
    b = stream(version)
    b.consume("A", "s", prefetch=2, args={"x-stream-offset": "first"})
    assert b.news() == "A:0 A:1"
    b.ack("A", 1)
    assert b.news() == "A:2"
    b.ack("A", 3, multiple=True, fails=None)
    assert b.news() == "A:3 A:4"


@versions()
@pytest.mark.parametrize(
    "ask",
    [
        lambda b: b.consume("A", "s", prefetch=5, auto_ack=True, fails=540),
        lambda b: b.get("ch", "s", fails=540),
        lambda b: b.purge("s", fails=540),
        lambda b: b.consume("A", "s", fails=406),
    ],
    ids=["no-ack", "get", "purge", "no prefetch"],
)
def test_stream_8_2_what_is_refused(version, ask):
    """rules/queues#8.2: no prefetch is 406; no-ack, get and purge are 540."""
    ask(stream(version))


@versions()
def test_stream_8_2_prefetch_is_looked_at_first(version):
    """rules/queues#8.2, checked on 3.10.8: without a prefetch it is 406 whatever else is wrong."""
    stream(version).consume("A", "s", auto_ack=True, fails=406)
    b = stream(version)
    if version != "4.3":
        b.qos("ch", 5, whole_channel=True)
    b.consume("A", "s", channel="ch", fails=406)


@versions()
def test_stream_8_3_wrong_offsets(version):
    """rules/queues#8.3: 406; in 3.10 what does not even begin like an age kills the connection."""
    b = stream(version)
    b.consume(
        "A",
        "s",
        prefetch=5,
        args={"x-stream-offset": "1x"},
        fails=(406, "invalid arg 'x-stream-offset' for queue 's' in vhost '/'"),
    )
    b.consume("A", "s", prefetch=5, args={"x-stream-offset": "bogus"}, fails=541 if version == "3.10" else 406)


@versions()
@pytest.mark.parametrize("requeue", [True, False])
@pytest.mark.parametrize("how", ["nack", "reject"])
def test_stream_8_2_rejecting_kills_the_connection(version, how, requeue):
    """rules/queues#8.2: nack and reject are 540 with either value of requeue."""
    b = stream(version)
    b.consume("A", "s", prefetch=5, args={"x-stream-offset": "first"})
    getattr(b, how)("A", 1, requeue=requeue, fails=540)
    b.consume("A", "s", prefetch=5, args={"x-stream-offset": "first"})
    assert b.of("A") == "0 1 2 3 4 0 1 2 3 4"


@versions()
@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (None, "5"),
        ("next", "5"),
        ("first", "0 1 2 3 4 5"),
        (3, "3 4 5"),
        (0, "0 1 2 3 4 5"),
        (-7, "0 1 2 3 4 5"),
        ("last", "4 5"),
    ],
)
def test_stream_8_3_offsets(version, offset, expected):
    """rules/queues#8.3: absent is next; a number is where to begin, negative ones at the start."""
    b = stream(version)
    b.consume("A", "s", prefetch=100, args={} if offset is None else {"x-stream-offset": offset})
    b.send("s", 5)
    assert b.of("A") == expected


@versions()
def test_stream_8_3_by_time(version):
    """rules/queues#8.3: a timestamp in seconds, or an age such as 10s."""
    b = Bench(version)
    b.queue("s", "stream")
    for number in range(5):
        b.send("s", number)
        b.wait(10_000)
    b.consume("A", "s", prefetch=100, args={"x-stream-offset": Typed("timestamp", 30)})
    b.consume("B", "s", prefetch=100, args={"x-stream-offset": "20s"})
    b.consume("C", "s", prefetch=100, args={"x-stream-offset": "1h"})
    assert (b.of("A"), b.of("B"), b.of("C")) == ("3 4", "3 4", "0 1 2 3 4")


@versions()
def test_stream_8_4_no_ttl_and_no_limit_by_count(version):
    """rules/queues#8.4: the expiration of a message means nothing here."""
    b = Bench(version)
    b.queue("s", "stream")
    b.send("s", 0, expiration="100")
    b.wait(10_000)
    b.consume("A", "s", prefetch=10, args={"x-stream-offset": "first"})
    assert b.news() == "A:0"


@versions()
def test_stream_8_1_several_consumers_on_one_channel(version):
    """rules/queues#3.1, rules/queues#8.1: tags are the channel's; each consumer's acks are its own credit."""
    b = stream(version, 4)
    b.consume("A", "s", channel="ch", prefetch=1, args={"x-stream-offset": "first"})
    b.consume("B", "s", channel="ch", prefetch=1, args={"x-stream-offset": 2})
    assert b.tags("AB") == "1:A0 2:B2"
    b.ack("ch", 2)
    assert b.tags("AB") == "1:A0 2:B2 3:B3"
    b.ack("ch", 1)
    assert b.of("A") == "0 1"

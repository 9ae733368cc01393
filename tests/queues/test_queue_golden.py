"""rules/queues#11: fifteen runs of a real RabbitMQ 3.10.8, asked of every version in which the rules are the same."""

import pytest
from kits.broker import KINDS, Bench, before, deaths, versions


def filled(version, kind, last=6, **arguments):
    b = Bench(version)
    b.queue("q", kind, **arguments)
    b.send("q", *range(1, last + 1))
    return b


def per_kind(classic, quorum, limited):
    return pytest.mark.parametrize(("kind", "expected"), list(zip(KINDS, (classic, quorum, limited), strict=True)))


@versions()
@per_kind("2* 4 5 6", "4 5 6 2*", "2* 4 5 6")
def test_golden_01_nack_one_of_three(version, kind, expected):
    """Get 1, 2, 3; nack 2; the others stay unacked."""
    b = filled(version, kind)
    b.get("ch", "q", 3)
    b.nack("ch", 2)
    assert b.drain("q") == expected
    assert b.count("q") == (0, 2)


@versions()
@per_kind("1* 2* 3* 4 5 6", "4 5 6 3* 1* 2*", "3* 1* 2* 4 5 6")
def test_golden_02_nack_3_1_2(version, kind, expected):
    """Get 1, 2, 3; nack 3, 1, 2."""
    b = filled(version, kind)
    b.get("ch", "q", 3)
    b.nack("ch", 3, 1, 2)
    assert b.drain("q") == expected


@versions()
@per_kind("1* 2* 3* 4 5 6", "1* 3* 4 5 6 2*", "2* 1* 3* 4 5 6")
def test_golden_03_nack_then_close(version, kind, expected):
    """Get 1, 2, 3; nack 2; close the channel."""
    b = filled(version, kind)
    b.get("ch", "q", 3)
    b.nack("ch", 2)
    b.close("ch")
    assert b.drain("q") == expected


@versions()
@per_kind("1* 2* 3* 4* 5 6", "2* 4* 1* 3* 5 6", "2* 4* 1* 3* 5 6")
def test_golden_04_two_channels_close(version, kind, expected):
    """Channel A has got 1 and 3, B 2 and 4; B closes, then A."""
    b = filled(version, kind)
    for channel in "ABAB":
        b.get(channel, "q")
    b.close("B", "A")
    assert b.drain("q") == expected


@versions()
def test_golden_05_twelve_gets_classic(version):
    """Twelve gets on one channel, then close: a classic queue is sorted."""
    b = filled(version, "classic", 14)
    b.get("ch", "q", 12)
    b.close("ch")
    assert b.drain("q").replace("*", "") == "1 2 3 4 5 6 7 8 9 10 11 12 13 14"


@versions(before("4.0"))
def test_golden_05_twelve_gets_quorum(version):
    """Twelve gets on one channel, then close: a quorum queue of 3.x has them in text order."""
    b = filled(version, "quorum", 14)
    b.get("ch", "q", 12)
    b.close("ch")
    assert b.drain("q") == "1* 10* 11* 12* 2* 3* 4* 5* 6* 7* 8* 9* 13 14"


@versions(before("4.0"))
@per_kind("5:A3* 6:A4* 7:B1* 8:B2*", "5:A5 6:A6 7:B3* 8:B4*", "5:A3* 6:A4* 7:B1* 8:B2*")
def test_golden_06_nack_all_of_two_consumers(version, kind, expected):
    """One channel, consumer B, then A, each with prefetch 2; nack everything."""
    b = filled(version, kind)
    b.consume("B", "q", channel="ch", prefetch=2)
    b.consume("A", "q", channel="ch", prefetch=2)
    assert b.tags("AB") == "1:B1 2:B2 3:A3 4:A4"
    b.nack("ch", 0, multiple=True)
    sent = b.tags("AB").split()
    assert " ".join(sent[4:8]) == expected


@versions()
@pytest.mark.parametrize(("kind", "dropped", "kept"), [("classic", "0 1", "2 3 4"), ("quorum", "2 3", "4 0* 1*")])
def test_golden_07_requeue_over_the_limit(version, kind, dropped, kept):
    """max-length 3, drop-head: [0, 1, 2], get 0 and 1, publish 3 and 4, nack both."""
    b = Bench(version)
    b.queue("q", kind, max_length=3)
    b.send("q", 0, 1, 2)
    b.get("ch", "q", 2)
    b.send("q", 3, 4)
    b.nack("ch", 1, 2)
    assert b.died("q", dropped=True).replace(":maxlen", "") == dropped
    assert b.drain("q") == kept


@versions()
def test_golden_08_bytes_classic(version):
    """max-length-bytes 10: what is too large drives out everything and then itself, oldest first."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", max_length_bytes=10, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", "a", body="aaaa")
    b.send("q", "b", body="bbbb")
    b.send("q", "c", body="cc")
    b.send("q", "d", body="d")
    assert b.ready("q") == "b c d"
    b.send("q", "e", body="e" * 11)
    assert b.drain("q") == ""
    assert b.drain("dlq") == "a b c d e"


@versions(before("4.0"))
def test_golden_08_bytes_quorum(version):
    """The same in a quorum queue of 3.x: what one publish drives out is dead-lettered newest first."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", "quorum", max_length_bytes=10, dead_letter_exchange="", dead_letter_routing_key="dlq")
    for message, body in (("a", "aaaa"), ("b", "bbbb"), ("c", "cc"), ("d", "d"), ("e", "e" * 11)):
        b.send("q", message, body=body)
    assert b.drain("q") == ""
    assert b.drain("dlq") == "a e d c b"


@versions()
def test_golden_09_priority_and_max_length(version):
    """max-priority 5, max-length 3: of p5, p0, p3, p4 the p5 is dead-lettered."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", max_priority=5, max_length=3, dead_letter_exchange="", dead_letter_routing_key="dlq")
    for priority in (5, 0, 3, 4):
        b.send("q", f"p{priority}", priority=priority)
    assert b.drain("dlq") == "p5"
    assert b.drain("q") == "p4 p3 p0"


@versions()
def test_golden_10_order_of_priorities(version):
    """max-priority 5: p0, none, p5, p9, p3, p5, p255, p1."""
    b = Bench(version)
    b.queue("q", max_priority=5)
    for number, priority in enumerate((0, None, 5, 9, 3, 5, 255, 1)):
        b.send("q", f"m{number}", priority=priority)
    assert b.drain("q") == "m2 m3 m5 m6 m4 m7 m0 m1"


@versions()
@pytest.mark.parametrize("kind", KINDS)
def test_golden_11_requeue_keeps_the_instant_of_expiry(version, kind):
    """TTL 800: got at 200 ms, requeued at 600 ms, gone at 800 ms."""
    b = Bench(version)
    b.queue("q", kind, message_ttl=800)
    b.send("q", "m")
    b.wait(200)
    assert b.get("ch", "q") == "m"
    b.wait(400)
    b.nack("ch", 1)
    b.wait(199)
    assert b.ready("q") == "m*"
    b.wait(1)
    assert b.ready("q") == ""
    assert b.died("q", dropped=True) == "m:expired"


@versions(before("4.3"))
def test_golden_12_global_limit_of_two_consumers(version):
    """Global limit 3, consumers A and B on one channel, twelve ready: A has 0, 1, 2; then they take turns."""
    b = Bench(version)
    b.queue("q")
    b.send("q", *range(12))
    b.qos("ch", 3, whole_channel=True)
    b.consume("A", "q", channel="ch")
    b.consume("B", "q", channel="ch")
    assert b.news() == "A:0 A:1 A:2"
    b.ack("ch", 1, 2, 3, 4, 5, 6)
    assert b.news() == "A:3 B:4 A:5 B:6 A:7 B:8"


@versions(("3.10", "3.13", "4.0", "4.2"))
def test_golden_13_delivery_limit(version):
    """Delivery limit 2, a loop of rejections: x-delivery-count absent, 1, 2; then the death is counted once."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", "quorum", delivery_limit=2, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.consume("A", "q", prefetch=1)
    b.send("q", "m")
    for tag in (1, 2, 3):
        b.reject("A", tag, requeue=True)
    counts = [letter.headers.get("x-delivery-count") for letter in b.letters]
    assert counts == [None, 1, 2]
    assert deaths(b.take("dlq")) == [("q", "delivery_limit", 1)]


@versions()
@per_kind("0* 2* 3* 4 new", "3* 4 new 0* 2*", "0* 2* 3* 4 new")
def test_golden_14_transaction(version, kind, expected):
    """Four out; in a transaction publish, reject 3, reject 1, ack 2; commit, then close with the fourth still out.

    The recorded quorum queue had `new` behind the requeued ones, because publishes travel at a low priority there; the
    simulator keeps to the order of the program (rules/queues#3.13, rules/queues#4.7).
    """
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q", kind)
    b.send("q", 0, 1, 2, 3, 4)
    b.tx("tx", "select")
    assert b.get("tx", "q", 4) == "0 1 2 3"
    b.send("q", "new", channel="tx")
    b.reject("tx", 3, requeue=True)
    b.reject("tx", 1, requeue=True)
    b.ack("tx", 2)
    b.tx("tx", "commit")
    b.close("tx")
    if version == "4.3" and kind == "quorum":  # a reject is returned before everything else there (rules/queues#2.8)
        expected = "0* 2* 3* 4 new"
    assert b.drain("q") == expected


@versions()
def test_golden_15_one_of_two_queues_refuses(version):
    """Fanout to a full queue with reject-publish and to another: ack, nack; the other has both."""
    b = Bench(version)
    b.exchange("x", "fanout")
    b.queue("full", max_length=1, overflow="reject-publish")
    b.queue("ok")
    b.bind("x", "full")
    b.bind("x", "ok")
    b.publish("x", "", 1, 2)
    assert list(b.confirms.values()) == ["ack", "nack"]
    assert b.drain("ok") == "1 2"

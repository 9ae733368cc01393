"""rules/queues#2: order, requeueing, redelivery, and what becomes of the unacked."""

import pytest
from kits.broker import Bench, before, deaths, kinds, since, versions

# Classic ---------------------------------------------------------------------------------------------------------------


@versions()
def test_order_2_1_first_in_first_out(version):
    """rules/queues#2.1: messages leave in the order of their arrival; those handed over directly have their number too."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q", prefetch=1)
    b.send("q", 0, 1, 2, 3)
    b.cancel("A")
    b.nack("A", 1)
    assert b.drain("q") == "0* 1 2 3"


@versions()
def test_order_2_2_requeue_merges_by_arrival(version):
    """rules/queues#2.2: nack, reject, recover and the end of a channel all restore the original positions."""
    b = Bench(version)
    b.queue("q")
    b.send("q", *range(8))
    b.get("a", "q")
    b.get("b", "q")
    b.get("c", "q")
    b.get("d", "q")
    b.get("a", "q", 2)
    b.nack("b", 1)
    b.reject("d", 1, requeue=True)
    b.recover("c")
    b.close("a")
    assert b.drain("q") == "0* 1* 2* 3* 4* 5* 6 7"


@versions()
def test_order_2_2_limit_then_expiry_then_dispatch(version):
    """rules/queues#2.2: after a requeue the limit is applied first, then the head's expiry, then consumers are served."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", max_length=2, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0)
    b.send("q", 1, expiration="1000")
    b.get("ch", "q", 2)
    b.consume("A", "q", prefetch=1)
    b.send("q", 2, 3, 4)
    b.ack("A", 1)
    assert b.news() == "A:2 A:3"
    b.send("q", 5)
    b.wait(1200)
    b.cancel("A")
    b.consume("B", "q", prefetch=2)
    assert b.news() == "B:4 B:5"
    b.send("q", 6, 7)
    b.nack("ch", 0, multiple=True)
    # 0 and 1 come back to 6 and 7: the limit drops 0 and 1, nothing is left to expire.
    assert b.ready("q") == "6 7"
    assert [deaths(b.take("dlq")) for _ in range(2)] == [[("q", "maxlen", 1)]] * 2


@versions()
@kinds("classic", "limited")
def test_order_2_3_redelivered_is_per_queue(version, kind):
    """rules/queues#2.3: set once the message left its queue, shown by basic.get too; a dead-lettered copy starts anew."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0)
    b.consume("A", "q", prefetch=1)
    b.close("A")
    assert b.get("ch", "q") == "0*"
    b.nack("ch", 1)
    assert b.get("ch", "q") == "0*"
    b.reject("ch", 2)
    assert b.get("ch", "dlq") == "0"


@versions()
def test_order_2_3_no_count_header_in_classic_queues(version):
    """rules/queues#2.3: classic queues tell no number of redeliveries."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0)
    b.get("ch", "q")
    b.nack("ch", 1)
    assert "x-delivery-count" not in b.take("q").headers


@versions()
def test_order_2_4_strict_priorities(version):
    """rules/queues#2.4: the highest level first, always; first in, first out inside a level; absent is 0."""
    b = Bench(version)
    b.queue("q", max_priority=3)
    for message, priority in (("a", None), ("b", 2), ("c", 0), ("d", 2), ("e", 99), ("f", 3), ("g", 1)):
        b.send("q", message, priority=priority)
    assert b.ready("q") == "e f b d g a c"
    assert b.drain("q") == "e f b d g a c"


@versions()
def test_order_2_4_a_stream_of_high_priorities_starves_the_low(version):
    """rules/queues#2.4: there is no turn for lower levels."""
    b = Bench(version)
    b.queue("q", max_priority=2)
    b.send("q", "low", priority=0)
    for number in range(20):
        b.send("q", number, priority=2)
        assert b.get("ch", "q", auto_ack=True) == str(number)
    assert b.drain("q") == "low"


@versions()
def test_order_2_4_requeue_returns_to_its_level(version):
    """rules/queues#2.4: by number inside the level; what has been delivered is not preempted."""
    b = Bench(version)
    b.queue("q", max_priority=2)
    b.send("q", "a", "b", priority=1)
    b.consume("A", "q", prefetch=2)
    b.send("q", "c", "d", priority=2)
    assert b.news() == "A:a A:b"
    b.cancel("A")
    b.nack("A", 2, 1)
    assert b.drain("q") == "c d a* b*"


@versions()
def test_order_2_5_priority_is_inert_without_max_priority(version):
    """rules/queues#2.5: without x-max-priority a classic queue ignores the property."""
    b = Bench(version)
    b.queue("q")
    for priority in (0, 9, 5):
        b.send("q", priority, priority=priority)
    assert b.drain("q") == "0 9 5"


# Quorum ----------------------------------------------------------------------------------------------------------------


@versions(before("4.0"))
def test_order_2_6_returns_first(version):
    """rules/queues#2.6: the returns list is served before the others; drop-head looks at the same head."""
    b = Bench(version)
    b.queue("q", "limited", max_length=3)
    b.send("q", 1, 2, 3)
    b.get("ch", "q", 2)
    b.send("q", 4, 5)
    b.nack("ch", 2)
    assert b.ready("q") == "3 4 5"
    assert b.died("q", dropped=True) == "2:maxlen"


@versions(before("4.0"))
def test_order_2_7_no_priorities_in_3_x(version):
    """rules/queues#2.7: a quorum queue of 3.x is first in, first out whatever the priority."""
    b = Bench(version)
    b.queue("q", "quorum")
    for priority in (0, 9, 5):
        b.send("q", priority, priority=priority)
    assert b.drain("q") == "0 9 5"


@versions(("4.0", "4.2"))
def test_order_2_7_two_high_for_one_normal(version):
    """rules/queues#2.7: from 5 on a priority is high; of three turns two are theirs, the third for an older normal one."""
    b = Bench(version)
    b.queue("q", "quorum")
    for number in range(4):
        b.send("q", f"n{number}", priority=4)
    for number in range(4):
        b.send("q", f"h{number}", priority=5)
    assert b.ready("q") == "h0 h1 n0 h2 h3 n1 n2 n3"
    assert b.drain("q") == "h0 h1 n0 h2 h3 n1 n2 n3"


@versions(("4.0", "4.2"))
def test_order_2_7_an_older_high_one_goes_first(version):
    """rules/queues#2.7: on the third turn the high head still goes when it is the older one."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.send("q", "h0", "h1", "h2", "h3", priority=9)
    b.send("q", "n0", "n1")
    assert b.drain("q") == "h0 h1 h2 h3 n0 n1"


@versions(("4.0", "4.2"))
def test_order_2_7_turns_are_counted_on_every_dequeue(version):
    """rules/queues#2.7: turns go on counting while only one kind is there."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.send("q", "n0", "n1", "n2")
    assert b.get("ch", "q", 2) == "n0 n1"
    b.send("q", "h0", "h1", priority=9)
    assert b.drain("q") == "n2 h0 h1"


@versions(("4.3",))
def test_order_2_7_strict_priorities_since_4_3(version):
    """rules/queues#2.7: 32 levels, highest first; absent is 4, beyond 31 is 31."""
    b = Bench(version)
    b.queue("q", "quorum")
    for message, priority in (("a", 0), ("none", None), ("b", 5), ("c", 31), ("d", 255), ("e", 4), ("f", 3), ("g", 32)):
        b.send("q", message, priority=priority)
    assert b.ready("q") == "c d g b none e f a"
    assert b.drain("q") == "c d g b none e f a"


@versions()
def test_order_2_8_where_a_quorum_queue_requeues(version):
    """rules/queues#2.8: without a limit nack, reject and recover go to the tail; from 4.3 on a reject to the returns."""
    for give_back in ("nack", "reject", "recover"):
        b = Bench(version)
        b.queue("q", "quorum")
        b.send("q", 1, 2, 3)
        b.get("ch", "q")
        if give_back == "recover":
            b.recover("ch")
        elif give_back == "reject":
            b.reject("ch", 1, requeue=True)
        else:
            b.nack("ch", 1)
        to_returns = give_back == "reject" and version == "4.3"
        assert b.drain("q") == ("1* 2 3" if to_returns else "2 3 1*"), give_back


@versions()
def test_order_2_8_each_command_in_the_order_of_arrival(version):
    """rules/queues#2.8: get 1, 2, 3; nack 3, 1, 2: that is their order."""
    for kind, expected in (("limited", "3* 1* 2* 4"), ("quorum", "4 3* 1* 2*")):
        b = Bench(version)
        b.queue("q", kind)
        b.send("q", 1, 2, 3, 4)
        b.get("ch", "q", 3)
        b.nack("ch", 3, 1, 2)
        assert b.drain("q") == expected


@versions()
def test_order_2_8_inside_one_command_by_delivery(version):
    """rules/queues#2.8: one nack of several returns them in the order in which the consumer had them."""
    b = Bench(version)
    b.queue("q", "limited")
    b.send("q", 1, 2, 3)
    b.consume("A", "q", prefetch=3)
    b.cancel("A")
    b.nack("A", 3, multiple=True)
    assert b.drain("q") == "1* 2* 3*"


@versions(("4.3",))
def test_order_2_8_a_nack_without_a_limit_re_enters_at_priority_4(version):
    """rules/queues#2.8: it loses its own priority."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.send("q", "high", priority=9)
    b.get("ch", "q")
    b.send("q", "five", priority=5)
    b.send("q", "three", priority=3)
    b.nack("ch", 1)
    assert b.drain("q") == "five high* three"


@versions()
def test_order_2_9_count_headers(version):
    """rules/queues#2.9: x-delivery-count counts returns; from 4.3 on x-acquired-count does, and the other the failed ones."""
    b = Bench(version)
    b.queue("q", "limited")
    b.consume("A", "q", prefetch=1)
    b.send("q", 0)
    b.nack("A", 1)
    b.reject("A", 2, requeue=True)
    headers = [letter.headers for letter in b.letters]
    counts = [header.get("x-delivery-count") for header in headers]
    acquired = [header.get("x-acquired-count") for header in headers]
    if version == "4.3":
        assert (counts, acquired) == ([None, None, 1], [None, 1, 2])
    else:
        assert (counts, acquired) == ([None, 1, 2], [None, None, None])


@versions()
def test_order_2_9_the_first_basic_get(version):
    """rules/queues#2.9: in 3.10 and 3.11 the first basic.get of a message says x-delivery-count 0."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.send("q", 0)
    b.get("ch", "q")
    assert b.letters[-1].headers.get("x-delivery-count") == (0 if version == "3.10" else None)


@versions()
def test_order_2_9_a_publishers_own_count(version):
    """rules/queues#2.9: it passes through until the queue adds its own."""
    b = Bench(version)
    b.queue("q", "limited")
    b.consume("A", "q", prefetch=1)
    b.send("q", 0, headers={"x-delivery-count": 77})
    b.reject("A", 1, requeue=True)
    assert [letter.headers["x-delivery-count"] for letter in b.letters] == [77, 1]


def deliveries_until_death(version, limit, give_back, **arguments):
    b = Bench(version)
    b.queue("dlq")
    b.queue(
        "q",
        "classic",
        args={"x-queue-type": "quorum", "x-delivery-limit": limit, **arguments},
        dead_letter_exchange="",
        dead_letter_routing_key="dlq",
    )
    b.send("q", "m")
    count = 0
    while count < 30 and b.get("ch", "q") != "-":
        count += 1
        give_back(b, b.letters[-1].tag)
    if count == 30:
        return "never"
    assert deaths(b.take("dlq")) == [("q", "delivery_limit", 1)]
    return count


@versions()
@pytest.mark.parametrize("limit", [0, 1, 5])
@pytest.mark.parametrize("how", ["nack", "reject", "recover", "close"])
def test_order_2_10_delivery_limit(version, limit, how):
    """rules/queues#2.10: L+1 deliveries; what counts differs by version."""
    give_back = {
        "nack": lambda b, tag: b.nack("ch", tag),
        "reject": lambda b, tag: b.reject("ch", tag, requeue=True),
        "recover": lambda b, tag: b.recover("ch"),
        "close": lambda b, tag: b.close("ch"),
    }[how]
    expected = "never" if version == "4.3" and how in ("nack", "recover") else limit + 1
    assert deliveries_until_death(version, limit, give_back) == expected


@versions()
def test_order_2_10_without_a_dead_letter_exchange_it_is_dropped(version):
    """rules/queues#2.10: a message over its limit is gone."""
    b = Bench(version)
    b.queue("q", "quorum", delivery_limit=0)
    b.send("q", "m")
    b.get("ch", "q")
    b.close("ch")
    assert b.drain("q") == ""
    assert b.died("q", dropped=True) == "m:delivery_limit"


@versions(before("4.0"))
def test_order_2_10_a_limit_that_is_text(version):
    """rules/queues#2.10: in 3.x text is no limit, but counts as one for where messages return."""
    b = Bench(version)
    b.queue("q", args={"x-queue-type": "quorum", "x-delivery-limit": "3"})
    b.send("q", 1, 2)
    for tag in range(1, 11):
        assert b.get("ch", "q").startswith("1")
        b.nack("ch", tag)
    assert b.drain("q") == "1* 2"


@versions()
def test_order_2_10_some_of_several_die(version):
    """rules/queues#2.10: one nack over several counts for each of them."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", "quorum", delivery_limit=1, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 1)
    b.get("x", "q")
    b.reject("x", 1, requeue=True)
    b.send("q", 2)
    b.get("ch", "q", 2)
    b.close("ch")
    assert b.drain("q") == "2*"
    assert b.drain("dlq") == "1"


@versions(("4.3",))
@pytest.mark.parametrize(
    ("type", "nack_ms", "reject_ms"), [("all", 100, 100), ("failed", 0, 100), ("returned", 100, 0), ("disabled", 0, 0)]
)
def test_order_2_11_delayed_retry(version, type, nack_ms, reject_ms):
    """rules/queues#2.11: returned messages are held back by kind, then come before all others."""
    for how, delay in (("nack", nack_ms), ("reject", reject_ms)):
        b = Bench(version)
        b.queue("q", "limited", delayed_retry_type=type, delayed_retry_min=100)
        b.send("q", "m", "next")
        b.get("ch", "q")
        if how == "nack":
            b.nack("ch", 1)
        else:
            b.reject("ch", 1, requeue=True)
        assert b.ready("q") == ("next" if delay else "m* next")
        if delay:
            b.wait(delay - 1)
            assert b.ready("q") == "next"
            b.wait(1)
        assert b.drain("q") == "m* next"


@versions(("4.3",))
def test_order_2_11_delays_grow_with_the_failures(version):
    """rules/queues#2.11: min times the count of failures, no more than max; max is min by default."""
    b = Bench(version)
    b.queue("q", "limited", delayed_retry_type="all", delayed_retry_min=100, delayed_retry_max=250)
    b.queue("flat", "limited", delayed_retry_type="all", delayed_retry_min=100)
    for queue, delays in (("q", (100, 200, 250, 250)), ("flat", (100, 100, 100))):
        b.send(queue, "m")
        for delay in delays:
            assert b.get("ch", queue) != "-"
            b.reject("ch", b.letters[-1].tag, requeue=True)
            b.wait(delay - 1)
            assert b.count(queue)[0] == 0
            b.wait(1)
            assert b.count(queue)[0] == 1


@versions(("4.3",))
@pytest.mark.parametrize("shortest", [None, 0])
def test_order_2_11_needs_a_minimum(version, shortest):
    """rules/queues#2.11: without a positive minimum nothing is held back."""
    b = Bench(version)
    arguments = {} if shortest is None else {"delayed_retry_min": shortest}
    b.queue("q", "limited", delayed_retry_type="all", **arguments)
    b.send("q", "m")
    b.get("ch", "q")
    b.nack("ch", 1)
    assert b.ready("q") == "m*"


@versions(("4.3",))
def test_order_2_11_delayed_messages_count_towards_the_limit(version):
    """rules/queues#2.11, rules/queues#6.1: a delayed message takes a place of max-length, though it is not ready."""
    b = Bench(version)
    b.queue("q", "limited", delayed_retry_type="all", delayed_retry_min=100, max_length=1)
    b.send("q", "m")
    b.get("ch", "q")
    b.nack("ch", 1)
    b.send("q", "next")
    assert b.ready("q") == ""
    b.wait(100)
    assert b.drain("q") == "m*"


@versions(before("4.0"))
def test_order_2_12_consumers_by_tag_when_a_channel_ends(version):
    """rules/queues#2.12: in 3.x by consumer tag, basic.gets by the text of their tag among them."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.send("q", *range(6))
    b.consume("Z", "q", channel="ch", prefetch=2)
    b.consume("A", "q", channel="ch", prefetch=2)
    b.get("ch", "q", 2)
    b.close("ch")
    assert b.drain("q") == "4* 5* 2* 3* 0* 1*"


@versions(since("4.0"))
def test_order_2_12_consumers_by_registration_since_4_0(version):
    """rules/queues#2.12: from 4.0 on in the order in which they were registered."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.send("q", *range(4))
    b.consume("Z", "q", channel="ch", prefetch=2)
    b.consume("A", "q", channel="ch", prefetch=2)
    b.close("ch")
    assert b.drain("q") == "0* 1* 2* 3*"


@versions()
@kinds("quorum", "limited")
def test_order_2_12_inside_a_consumer_by_delivery(version, kind):
    """rules/queues#2.12: by the consumer's message ids, so in the order in which it was sent them, however old they are."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", 1, 2)
    b.get("other", "q")
    b.consume("A", "q", prefetch=5)
    b.nack("other", 1)
    b.send("q", 3)
    assert b.news() == "A:2 A:1* A:3"
    b.close("A")
    assert b.drain("q") == "2* 1* 3*"


@versions()
def test_order_2_12_two_channels_in_the_order_of_their_end(version):
    """rules/queues#2.12: what the first channel held comes before what the second did."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.send("q", 1, 2, 3)
    b.get("a", "q")
    b.get("b", "q")
    b.close("b", "a")
    assert b.drain("q") == "2* 1* 3"


# The fate of the unacked -----------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_unacked_2_13_cancel(version, kind):
    """rules/queues#2.13: after basic.cancel they stay out, to be acked or nacked; other consumers get nothing of it."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q", prefetch=2)
    b.consume("B", "q", prefetch=2)
    b.send("q", 0, 1, 2)
    assert b.news() == "A:0 B:1 A:2"
    b.cancel("A")
    assert b.news() == ""
    b.ack("A", 1)
    b.nack("A", 2)
    assert b.news() == "B:2*"


@versions()
@kinds()
def test_unacked_2_13_channel_closed_by_an_error(version, kind):
    """rules/queues#2.13: a channel error requeues everything that the channel held."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q", prefetch=2)
    b.send("q", 0, 1, 2)
    b.ack("A", 99, fails=406)
    assert b.drain("q") == "0* 1* 2"


@versions()
@kinds()
def test_unacked_2_13_connection_closed(version, kind):
    """rules/queues#2.13: all channels of a connection end with it."""
    b = Bench(version)
    b.channel("a", "one")
    b.channel("b", "one")
    b.queue("q", kind)
    b.send("q", 0, 1, 2)
    b.get("a", "q")
    b.get("b", "q")
    b.recover("a", requeue=False, fails=540)
    assert b.drain("q") == "0* 1* 2"


@versions()
@kinds()
def test_unacked_2_13_uncommitted_answers_count_as_unacked(version, kind):
    """rules/queues#2.13, rules/queues#4.7: what was acked in a transaction that never committed is requeued."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q", kind)
    b.send("q", 0, 1)
    b.tx("tx", "select")
    b.get("tx", "q", 2)
    b.ack("tx", 1)
    b.reject("tx", 2)
    b.close("tx")
    assert b.drain("q") == "0* 1*"


@versions()
def test_unacked_2_13_a_stream_among_other_queues(version):
    """rules/queues#8.2, rules/queues#2.13: nacking a stream's delivery kills the connection;
    other queues get their messages back."""
    b = Bench(version)
    b.queue("a-stream", "stream")
    b.queue("q")
    b.send("q", 0)
    b.consume("S", "a-stream", channel="ch", prefetch=5)
    b.consume("A", "q", channel="ch", prefetch=5)
    b.send("a-stream", 1)
    b.nack("ch", 0, multiple=True, fails=540)
    assert b.drain("q") == "0*"

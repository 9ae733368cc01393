"""rules/queues#5: message TTL, x-expires and the acknowledgement timeout. Time is virtual."""

import pytest
from kits.broker import Bench, before, deaths, kinds, since, versions

from routesim import events
from routesim.broker.publishing import parse_expiration
from routesim.replies import AmqpError

# Message TTL -----------------------------------------------------------------------------------------------------------


@versions()
@kinds()
@pytest.mark.parametrize(
    ("queue_ttl", "own", "expires"), [(300, None, 300), (None, "200", 200), (300, "200", 200), (100, "200", 100)]
)
def test_ttl_5_1_the_smaller_counts_from_the_enqueue(version, kind, queue_ttl, own, expires):
    """rules/queues#5.1: expired when now has reached the instant, not before."""
    b = Bench(version)
    b.queue("q", kind, **({} if queue_ttl is None else {"message_ttl": queue_ttl}))
    b.wait(50)
    b.send("q", 0, expiration=own)
    b.wait(expires - 1)
    assert b.ready("q") == "0"
    b.wait(1)
    assert b.ready("q") == ""
    assert b.died("q", dropped=True) == "0:expired"


@versions()
def test_ttl_5_1_a_policy_does_not_touch_queued_messages(version):
    """rules/queues#5.1: the instant is fixed when the message is enqueued."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0)
    b.policy("ttl", "q", {"message-ttl": 100})
    b.wait(1000)
    assert b.ready("q") == "0"
    b.delete_policy("ttl")
    b.queue("p", message_ttl=500)
    b.send("p", 1)
    b.policy("ttl", "p", {"message-ttl": 100})
    b.wait(400)
    assert b.ready("p") == "1"
    b.wait(100)
    assert b.ready("p") == ""


EXPIRATIONS = [
    ("5", 5), ("+5", 5), ("007", 7), ("-0", 0), ("0", 0), ("315360000000", 315_360_000_000),
    ("", "no_integer"), ("abc", "no_integer"), (" 5", "no_integer"), ("-", "no_integer"),
    ("10.5", '{leftover_string,".5"}'), ("5 ", '{leftover_string," "}'), ("0x10", '{leftover_string,"x10"}'),
    ("-1", "{value_negative,-1}"), ("315360000001", "{value_too_large,315360000001}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXPIRATIONS)
@versions()
def test_ttl_5_2_expiration(version, text, expected):
    """rules/queues#5.2, rules/routing#U11: a decimal number of ms with an optional sign and leading zeros; else 406."""
    b = Bench(version)
    b.queue("q")
    if isinstance(expected, int):
        assert parse_expiration(text) == expected
        b.send("q", 0, expiration=text)
        b.wait(max(0, expected - 1))
        assert b.ready("q") == ("0" if expected else "")
        b.wait(1)
        assert b.ready("q") == ""
    else:
        with pytest.raises(AmqpError, match="invalid expiration"):
            parse_expiration(text)
        b.send("q", 0, expiration=text, fails=(406, f"PRECONDITION_FAILED - invalid expiration '{text}': {expected}"))


@versions()
@kinds()
@pytest.mark.parametrize("how", ["queue", "message"])
def test_ttl_5_3_zero_is_now_or_never(version, kind, how):
    """rules/queues#5.3: a waiting consumer gets it; otherwise it expires at once, of a quorum queue 1 ms later."""
    b = Bench(version)
    b.queue("dlq")
    arguments, fields = ({"message_ttl": 0}, {}) if how == "queue" else ({}, {"expiration": "0"})
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq", **arguments)
    b.consume("A", "q", prefetch=1)
    b.send("q", 0, 1, **fields)
    assert b.news() == "A:0"
    if kind != "classic":
        b.wait(1)
    assert b.ready("q") == ""
    assert b.drain("dlq") == "1"


@versions()
@kinds()
def test_ttl_5_4_both_leave_when_the_head_does(version, kind):
    """rules/queues#5.4: of [2000 ms, 100 ms] both leave at 2000, in order."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", "long", expiration="2000")
    b.send("q", "short", expiration="100")
    b.wait(1999)
    assert b.ready("q") == "long short"
    b.wait(1)
    assert b.drain("dlq") == "long short"


@versions()
@kinds()
def test_ttl_5_4_expired_before_anything_behind_it_is_delivered(version, kind):
    """rules/queues#5.4: an expired message that becomes the head is not delivered."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", "live")
    b.send("q", "dead", expiration="100")
    b.send("q", "next")
    b.wait(500)
    b.consume("A", "q")
    assert b.of("A") == "live next"
    assert b.died("q", dropped=True) == "dead:expired"


@versions()
@kinds()
def test_ttl_5_4_expired_messages_behind_the_head_fill_the_queue(version, kind):
    """rules/queues#5.4: they count for max-length."""
    b = Bench(version)
    b.queue("q", kind, max_length=2)
    b.send("q", "live")
    b.send("q", "dead", expiration="100")
    b.wait(500)
    b.send("q", "next")
    b.wait(1)  # the head was dropped, so the expired one is the head
    assert b.died("q", dropped=True) == "live:maxlen dead:expired"
    assert b.drain("q") == "next"


@versions(("4.3",))
def test_ttl_5_4_the_head_of_every_level_since_4_3(version):
    """rules/queues#5.4: in a quorum queue the timer covers every priority and the returns."""
    b = Bench(version)
    b.queue("q", "limited")
    b.send("q", "high", priority=9)
    b.send("q", "low", priority=0, expiration="100")
    b.wait(100)
    assert b.ready("q") == "high"


@versions()
def test_ttl_5_5_after_a_fetch_the_next_head_is_looked_at(version):
    """rules/queues#5.5: basic.get, requeue and drop each look at the new head, and arm its timer."""
    b = Bench(version)
    b.queue("q")
    b.send("q", "live")
    b.send("q", "soon", expiration="300")
    b.wait(100)
    b.get("ch", "q")
    b.wait(199)
    assert b.ready("q") == "soon"
    b.wait(1)
    assert b.ready("q") == ""


@versions()
def test_ttl_5_6_low_levels_wait_for_the_high_to_drain(version):
    """rules/queues#5.6: in a classic priority queue only the head of the highest level is watched."""
    b = Bench(version)
    b.queue("q", max_priority=5)
    b.send("q", "low", expiration="100")
    b.send("q", "high", priority=5)
    b.wait(99)
    assert b.ready("q") == "high low"
    b.wait(1000)
    assert "low" in b.ready("q")
    b.get("ch", "q")
    assert b.ready("q") == ""


@versions()
def test_ttl_5_6_an_expired_message_that_jumped_the_line_is_delivered(version):
    """rules/queues#5.6: to a consumer as to basic.get, since nothing looks at it in time."""
    b = Bench(version)
    b.queue("q", max_priority=5)
    b.send("q", "low")
    b.send("q", "high", priority=5, expiration="100")
    b.wait(500)
    b.consume("A", "q", prefetch=1)
    assert b.news() == "A:high"


@versions()
@kinds()
def test_ttl_5_7_unacked_messages_expire_when_they_come_back(version, kind):
    """rules/queues#5.7: not while they are out; once requeued, at once, even with an idle consumer."""
    b = Bench(version)
    b.queue("q", kind, message_ttl=100)
    b.send("q", 0)
    b.get("ch", "q")
    b.wait(500)
    assert b.count("q") == (0, 1)
    b.consume("A", "q")
    b.nack("ch", 1)
    assert b.news() == ""
    assert b.died("q", dropped=True) == "0:expired"


@versions()
@kinds()
def test_ttl_5_8_expiry_is_first_at_an_instant(version, kind):
    """rules/queues#5.8: at its instant a message is gone before anything else happens."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", 0, expiration="100")
    b.wait(100)
    b.consume("A", "q")
    assert b.news() == ""


@versions()
@kinds()
def test_ttl_5_8_dead_letters_lose_their_expiration(version, kind):
    """rules/queues#5.8: what expired once does not expire again by its own property, which x-death remembers."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, expiration="100")
    b.wait(10_000)
    letter = b.take("dlq")
    assert deaths(letter) == [("q", "expired", 1)]
    assert letter.content.expiration is None
    assert letter.headers["x-death"][0]["original-expiration"] == "100"


# x-expires -------------------------------------------------------------------------------------------------------------


@versions()
def test_expires_5_9_what_keeps_a_classic_queue(version):
    """rules/queues#5.9: a consumer keeps it; declaring and basic.get, even of nothing, restart the clock; publishing does not."""
    b = Bench(version)
    b.queue("q", expires=1000)
    b.wait(900)
    b.get("ch", "q")
    b.wait(900)
    b.queue("q", expires=1000)
    b.wait(900)
    b.send("q", 0)
    b.wait(99)
    assert b.queues == "q"
    b.wait(1)
    assert b.queues == ""


@versions()
def test_expires_5_9_the_clock_starts_when_the_last_consumer_goes(version):
    """rules/queues#5.9: by cancel or with its channel."""
    for leave in ("cancel", "close"):
        b = Bench(version)
        b.queue("q", expires=1000)
        b.consume("A", "q")
        b.wait(10_000)
        assert b.queues == "q"
        getattr(b, leave)("A")
        b.wait(999)
        assert b.queues == "q"
        b.wait(1)
        assert b.queues == ""


@versions()
def test_expires_5_9_drops_everything(version):
    """rules/queues#5.9: nothing is dead-lettered, bindings go, tags may be acked later."""
    b = Bench(version)
    b.queue("dlq")
    b.exchange("x", "fanout")
    b.queue("q", expires=1000, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.bind("x", "q")
    b.send("q", 0, 1)
    b.get("ch", "q")
    b.wait(1000)
    assert b.queues == "dlq"
    b.ack("ch", 1)
    assert b.drain("dlq") == ""
    assert b.route("x") == ""


@versions()
def test_expires_5_9_a_quorum_queue_looks_every_5_seconds(version):
    """rules/queues#5.9: its deletion is up to 5 s late, never early; declaring does not renew, basic.get does."""
    b = Bench(version)
    b.queue("q", "quorum", expires=1000)
    b.wait(999)
    assert b.queues == "q"
    b.wait(5001)
    assert b.queues == ""
    b.queue("q", "quorum", expires=6000)
    b.wait(5000)
    b.get("ch", "q")
    b.wait(5999)
    assert b.queues == "q"
    b.wait(5001)
    assert b.queues == ""


@versions()
def test_expires_5_9_cancelled_consumers_that_hold_messages_protect_a_quorum_queue(version):
    """rules/queues#5.9: as long as the cancelled consumer's messages are out."""
    b = Bench(version)
    b.queue("q", "quorum", expires=1000)
    b.consume("A", "q")
    b.send("q", 0)
    b.cancel("A")
    b.wait(60_000)
    assert b.queues == "q"
    b.ack("A", 1)
    b.wait(15_000)
    assert b.queues == ""


@versions()
@kinds("classic", "quorum")
def test_expires_5_9_by_policy_on_a_queue_that_is_there(version, kind):
    """rules/queues#5.9, rules/routing#O4, rules/routing#D5: a policy that sets expires later counts for existing queues."""
    b = Bench(version)
    b.queue("q", kind)
    b.policy("short", "q", {"expires": 1000})
    b.wait(20_000)
    assert b.queues == ""


@versions()
def test_expires_5_9_a_policy_that_is_taken_away(version):
    """rules/routing#O4: without the policy the queue has no lease any more."""
    b = Bench(version)
    b.policy("short", "q", {"expires": 1000})
    b.queue("q")
    b.wait(500)
    b.delete_policy("short")
    b.wait(20_000)
    assert b.queues == "q"


@versions()
def test_expires_5_9_restart_of_the_clock_at_boot(version):
    """rules/queues#7.4: a restart gives a classic queue its whole lease again."""
    b = Bench(version)
    b.queue("q", expires=1000)
    b.wait(900)
    b.restart()
    b.wait(999)
    assert b.queues == "q"
    b.wait(1)
    assert b.queues == ""


# Acknowledgement timeout -----------------------------------------------------------------------------------------------


@versions(before("4.3"))
@kinds()
@pytest.mark.parametrize("how", ["consume", "get"])
def test_overdue_5_10_closes_the_channel_until_4_2(version, kind, how):
    """rules/queues#5.10: looked at every 60 s; the oldest delivery counts, a basic.get too; everything is requeued."""
    b = Bench(version, consumer_timeout=90_000)
    b.queue("q", kind)
    b.send("q", 0, 1)
    if how == "consume":
        b.consume("ch", "q", prefetch=1)
    else:
        b.get("ch", "q")
    b.wait(119_000)
    assert b.all(events.ChannelClosed) == []
    b.wait(2_000)
    closed = b.last(events.ChannelClosed)
    assert closed.code == 406
    assert "delivery acknowledgement on channel" in closed.text
    assert "timed out. Timeout value used: 90000" in closed.text
    assert b.drain("q") == "0* 1"


@versions(before("4.3"))
def test_overdue_5_10_the_default_is_half_an_hour(version):
    """rules/queues#5.10: 1,800,000 ms."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0)
    b.get("ch", "q")
    b.wait(1_799_000)
    assert b.count("q") == (0, 1)
    b.wait(62_000)
    assert b.count("q") == (1, 0)


@versions(before("4.3"))
def test_overdue_5_10_acks_in_time_are_fine(version):
    """rules/queues#5.10: what is acked in time never counts; a younger delivery has its own time."""
    b = Bench(version, consumer_timeout=90_000)
    b.queue("q")
    b.send("q", 0, 1)
    b.get("ch", "q")
    b.wait(80_000)
    b.get("ch", "q")
    b.ack("ch", 1)
    b.wait(80_000)
    b.ack("ch", 2)
    b.wait(1_000_000)
    assert b.all(events.ChannelClosed) == []


@versions(("3.13", "4.0", "4.2"))
def test_overdue_5_10_per_queue_since_3_12(version):
    """rules/queues#5.10: the smaller of the queue's own timeout and the broker's."""
    b = Bench(version, consumer_timeout=600_000)
    b.policy("hurry", "q", {"consumer-timeout": 60_000})
    b.queue("q")
    b.send("q", 0)
    b.get("ch", "q")
    b.wait(121_000)
    assert b.drain("q") == "0*"


@versions(("4.3",))
def test_overdue_5_10_only_the_message_since_4_3(version):
    """rules/queues#5.10: the overdue message returns before all others, without counting as failed; the consumer is cancelled."""
    b = Bench(version, consumer_timeout=90_000)
    b.queue("q", "limited")
    b.consume("A", "q", prefetch=2)
    b.send("q", 0)
    b.wait(50_000)
    b.send("q", 1, 2)
    b.wait(39_999)
    assert b.count("q") == (1, 2)
    b.wait(1)
    assert b.ready("q") == "0* 2"
    assert b.count("q") == (2, 1)
    assert [(told.consumer, told.channel_lost) for told in b.ended] == [("A", False)]
    first = b.take("q")
    assert first.headers.get("x-acquired-count") == 1
    assert "x-delivery-count" not in first.headers
    b.ack("A", 2)


@versions(("4.3",))
def test_overdue_5_10_returns_even_without_a_delivery_limit(version):
    """rules/queues#5.10: overdue messages go to the returns, whatever the limit."""
    b = Bench(version, consumer_timeout=10_000)
    b.queue("q", "quorum")
    b.consume("A", "q", prefetch=1)
    b.send("q", 0, 1)
    b.wait(10_000)
    assert b.drain("q") == "0* 1"


@versions(("4.3",))
@kinds("classic", "stream")
def test_overdue_5_10_only_quorum_queues_since_4_3(version, kind):
    """rules/queues#5.10: classic queues and streams wait for ever."""
    b = Bench(version, consumer_timeout=10_000)
    b.queue("q", kind)
    b.consume("A", "q", prefetch=1)
    b.send("q", 0)
    b.wait(1_000_000)
    assert b.all(events.ChannelClosed) == b.all(events.ConsumerCancelled) == []


@versions(("4.3",))
def test_overdue_5_10_a_classic_delivery_does_not_hide_a_quorum_one(version):
    """rules/queues#5.10: each delivery of a quorum queue has its own timer, whatever else the channel holds."""
    b = Bench(version, consumer_timeout=10_000)
    b.queue("c")
    b.queue("k", "limited")
    b.consume("C", "c", channel="ch")
    b.consume("K", "k", channel="ch")
    b.send("c", 0)
    b.wait(5_000)
    b.send("k", 1)
    b.wait(10_000)
    assert b.ready("k") == "1*"


@versions(since("4.3"))
def test_overdue_5_10_the_queues_own_timeout_wins_since_4_3(version):
    """rules/queues#5.10: queue argument before the broker's setting, be it longer or shorter."""
    b = Bench(version, consumer_timeout=10_000)
    b.queue("slow", "limited", consumer_timeout=50_000)
    b.queue("fast", "limited", consumer_timeout=1_000)
    b.consume("S", "slow")
    b.consume("F", "fast")
    b.send("slow", 0)
    b.send("fast", 1)
    b.wait(1_000)
    assert b.ready("fast") == "1*"
    b.wait(48_000)
    assert b.ready("slow") == ""
    b.wait(1_000)
    assert b.ready("slow") == "0*"


@versions(("4.3",))
def test_overdue_5_10_a_consumer_that_the_broker_cancels_keeps_no_queue(version):
    """rules/queues#5.9, rules/queues#5.10: when the last consumer goes for its overdue acknowledgement,
    the lease of x-expires begins."""
    b = Bench(version, consumer_timeout=10_000)
    b.queue("q", "limited", expires=20_000)
    b.consume("A", "q", prefetch=1)
    b.send("q", 0)
    b.wait(11_000)
    assert b.queues == "q"
    b.wait(30_000)
    assert b.queues == ""


@versions(("4.3",))
def test_overdue_5_10_a_late_ack_is_no_error(version):
    """rules/queues#5.10: settling a tag that timed out does nothing."""
    b = Bench(version, consumer_timeout=10_000)
    b.queue("q", "limited")
    b.consume("A", "q", prefetch=1)
    b.send("q", 0)
    b.wait(10_000)
    b.ack("A", 1)
    assert b.ready("q") == "0*"


@versions(("4.3",))
def test_overdue_5_10_a_late_answer_counts_once(version):
    """rules/queues#5.10: the tag is outstanding until it is settled, by itself or with those before it; then it is unknown."""
    b = Bench(version, consumer_timeout=10_000)
    b.queue("q", "limited")
    b.consume("A", "q", prefetch=3)
    for number in range(3):
        b.send("q", number)
    b.wait(10_000)
    b.nack("A", 3)
    b.ack("A", 2, multiple=True)
    assert b.ready("q") == "0* 1* 2*"
    b.ack("A", 1, fails=406)

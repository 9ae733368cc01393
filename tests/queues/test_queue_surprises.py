"""rules/queues#0: what simulators of queues typically get wrong. One test a surprise, in its order.

Not here: S29 below 4.0 (RabbitMQ leaves that order to a hash) and what only wires, processes and clusters show.
"""

from itertools import permutations

import pytest
from kits.broker import ALL, Bench, before, deaths, kinds, since, versions

from routesim import events


@versions()
def test_queues_s01_quorum_requeue_goes_to_the_tail_without_a_delivery_limit(version):
    """rules/queues#S1: without a limit a requeued message goes to the tail; with one, and when the channel ends,
    before all others."""
    for kind, nacked in (("quorum", "2 3 1*"), ("limited", "1* 2 3")):
        b = Bench(version)
        b.queue("q", kind)
        b.send("q", 1, 2, 3)
        b.get("ch", "q")
        b.nack("ch", 1)
        assert b.drain("q") == nacked

        b = Bench(version)
        b.queue("q", kind)
        b.send("q", 1, 2, 3)
        b.get("ch", "q")
        b.close("ch")
        assert b.drain("q") == "1* 2 3"


@versions()
@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_queues_s02_classic_requeue_restores_the_original_order(version, order):
    """rules/queues#S2: in whatever order and from whatever channels messages come back,
    a classic queue has them in order again."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 1, 2, 3, 4)
    holders = {1: ("x", 1), 2: ("y", 1), 3: ("x", 2)}
    b.get("x", "q")
    b.get("y", "q")
    b.get("x", "q")
    for number in order:
        channel, tag = holders[number]
        b.nack(channel, tag)
    assert b.drain("q") == "1* 2* 3* 4"


@versions()
def test_queues_s03_nack_multiple_is_one_operation_per_consumer_in_tag_order(version):
    """rules/queues#S3: the tags of one nack are grouped by consumer tag, in byte order, each group with its own dispatch."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, 1, 2, 3)
    b.consume("Z", "q", channel="ch", prefetch=2)
    b.consume("A", "q", channel="ch", prefetch=2)
    assert b.news() == "Z:0 Z:1 A:2 A:3"
    b.nack("ch", 0, multiple=True, requeue=False)
    assert b.drain("dlq") == "2 3 0 1"


@versions()
def test_queues_s03_deliveries_of_basic_get_are_settled_first(version):
    """rules/queues#S3: tags from basic.get form a group each, before the group of any consumer."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, 1, 2, 3)
    b.consume("A", "q", channel="ch", prefetch=2)
    b.get("ch", "q", 2)
    b.nack("ch", 0, multiple=True, requeue=False)
    assert b.drain("dlq") == "2 3 0 1"


@versions()
def test_queues_s04_first_consumer_of_a_full_queue_takes_everything(version):
    """rules/queues#S4: with prefetch 0 the first consumer of a filled queue takes all of it, of a quorum queue 2000 messages."""
    for kind, first, second in (("classic", 2100, 0), ("quorum", 2000, 100)):
        b = Bench(version)
        b.queue("q", kind)
        b.send("q", *range(2100))
        b.consume("A", "q")
        b.consume("B", "q")
        assert len(b.of("A").split()) == first
        assert len(b.of("B").split()) == second


@versions()
@pytest.mark.parametrize(("kind", "expected"), [("classic", "A:3 B:4"), ("quorum", "B:3 A:4")])
def test_queues_s05_consumers_leave_the_rotation_at_different_moments(version, kind, expected):
    """rules/queues#S5: a consumer without credit leaves a quorum queue's line at once,
    a classic queue's when it is offered a message."""
    b = Bench(version)
    b.queue("q", kind)
    for name in "ABC":
        b.consume(name, "q", prefetch=1)
    b.send("q", 0, 1, 2)
    assert b.news() == "A:0 B:1 C:2"
    b.ack("B", 1)
    b.ack("A", 1)
    b.send("q", 3, 4)
    assert b.news() == expected


@versions(before("4.3"))
def test_queues_s06_qos_per_consumer_switches_the_channel_limit_off(version):
    """rules/queues#S6: basic.qos(global=false) removes a global limit that was set before it; the other way round both hold."""
    b = Bench(version)
    b.queue("q")
    b.qos("ch", 1, whole_channel=True)
    b.consume("A", "q", channel="ch")
    b.send("q", 0, 1, 2)
    assert b.news() == "A:0"
    b.qos("ch", 5)
    assert b.news() == "A:1 A:2"

    b = Bench(version)
    b.queue("q")
    b.qos("ch", 2)
    b.qos("ch", 3, whole_channel=True)
    b.consume("A", "q", channel="ch")
    b.consume("B", "q", channel="ch")
    b.send("q", 0, 1, 2, 3, 4)
    assert b.news() == "A:0 B:1 A:2"


@versions(before("4.3"))
def test_queues_s07_a_channel_at_its_limit_stops_its_automatic_consumers_too(version):
    """rules/queues#S7: no-ack deliveries do not count towards a global limit, but stop with it."""
    b = Bench(version)
    b.queue("q")
    b.qos("ch", 1, whole_channel=True)
    b.consume("auto", "q", channel="ch", auto_ack=True)
    b.consume("A", "q", channel="ch")
    b.send("q", 0, 1, 2, 3)
    assert b.news() == "auto:0 A:1"
    b.ack("ch", 2)
    assert b.news() == "auto:2 A:3"


@versions()
def test_queues_s08_max_length_counts_ready_messages_only(version):
    """rules/queues#S8: unacked messages do not count; requeueing over the limit drops from the head, even what just came back."""
    b = Bench(version)
    b.queue("q", max_length=2)
    b.send("q", 0, 1)
    assert b.get("ch", "q", 2) == "0 1"
    b.send("q", 2, 3)
    assert b.ready("q") == "2 3"
    b.nack("ch", 1)
    assert b.died("q", dropped=True) == "0:maxlen"
    assert b.drain("q") == "2 3"


@versions()
def test_queues_s09_the_victim_of_a_full_priority_queue_is_the_highest(version):
    """rules/queues#S9: max-length drops the head, which is the message of highest priority: perhaps the one just published."""
    b = Bench(version)
    b.queue("q", max_priority=5, max_length=2)
    b.send("q", 0, 1, priority=1)
    b.send("q", 2, priority=5)
    assert b.died("q", dropped=True) == "2:maxlen"
    assert b.drain("q") == "0 1"


@versions()
@pytest.mark.parametrize(("overflow", "delivered", "answer"), [("reject-publish", "", "nack"), ("drop-head", "A:0", "ack")])
def test_queues_s10_max_length_zero_with_an_idle_consumer(version, overflow, delivered, answer):
    """rules/queues#S10: reject-publish refuses before it looks at the consumers; drop-head delivers first."""
    b = Bench(version)
    b.queue("q", max_length=0, overflow=overflow)
    b.consume("A", "q")
    b.send("q", 0)
    assert b.news() == delivered
    assert b.confirms == {"0": answer}


@versions()
@pytest.mark.parametrize(("limit", "resumes_at"), [(3, 2), (10, 8), (0, 0)])
def test_queues_s11_quorum_reject_publish_takes_one_more_and_resumes_at_80_percent(version, limit, resumes_at):
    """rules/queues#S11: N+1 are accepted; then none until no more than floor(0.8 N) are ready."""
    b = Bench(version)
    b.queue("q", "quorum", max_length=limit, overflow="reject-publish")
    b.send("q", *range(limit + 3))
    assert list(b.confirms.values()) == ["ack"] * (limit + 1) + ["nack"] * 2
    while b.count("q")[0] > resumes_at:
        b.send("q", "no")
        assert b.confirms["no"] == "nack"
        b.take("q")
    b.send("q", "yes")
    assert b.confirms["yes"] == "ack"


@versions()
def test_queues_s12_quorum_reject_publish_dlx_is_drop_head(version):
    """rules/queues#S12: a quorum queue takes reject-publish-dlx at its declaration and behaves as with drop-head."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", "quorum", max_length=1, overflow="reject-publish-dlx", dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, 1)
    assert b.confirms == {"0": "ack", "1": "ack"}
    assert b.drain("q") == "1"
    assert b.drain("dlq") == "0"


@versions()
@pytest.mark.parametrize(("kind", "kept"), [("quorum", "0 1 d"), ("classic", "0")])
def test_queues_s13_dead_letters_for_a_full_queue_that_rejects(version, kind, kept):
    """rules/queues#S13: a quorum queue takes a dead letter beyond its limit; a classic queue lets it vanish."""
    b = Bench(version)
    b.queue("full", kind, max_length=1, overflow="reject-publish")
    b.queue("q", dead_letter_exchange="", dead_letter_routing_key="full")
    b.send("full", 0, *([1] if kind == "quorum" else []))
    b.send("q", "d")
    b.get("ch", "q")
    b.reject("ch", 1)
    assert b.drain("full") == kept


@versions()
def test_queues_s14_a_delivery_limit_of_n_means_n_plus_1_deliveries(version):
    """rules/queues#S14: two rejections with requeue pass a limit of 2, the third is the message's death."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", "quorum", delivery_limit=2, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", "m")
    for tag in (1, 2, 3):
        assert b.get("ch", "q").rstrip("*") == "m"
        b.reject("ch", tag, requeue=True)
    assert b.get("ch", "q") == "-"
    assert deaths(b.take("dlq")) == [("q", "delivery_limit", 1)]


@versions()
def test_queues_s14_which_returns_count_towards_the_delivery_limit(version):
    """rules/queues#S14: before 4.3 every return counts; from 4.3 on basic.nack does not, basic.reject and a lost channel do."""

    def after(give_back):
        b = Bench(version)
        b.queue("q", "quorum", delivery_limit=0)
        b.send("q", "m")
        b.get("ch", "q")
        give_back(b)
        return b.count("q")[0]

    assert after(lambda b: b.nack("ch", 1)) == (1 if version == "4.3" else 0)
    assert after(lambda b: b.recover("ch")) == (1 if version == "4.3" else 0)
    assert after(lambda b: b.reject("ch", 1, requeue=True)) == 0
    assert after(lambda b: b.close("ch")) == 0


@versions()
def test_queues_s14_a_limit_of_minus_1(version):
    """rules/queues#S14: x-delivery-limit -1 behaves like 0 in 3.x and means no limit from 4.0 on."""
    b = Bench(version)
    b.queue("q", "quorum", delivery_limit=-1)
    b.send("q", "m")
    for tag in range(1, 26):
        if b.get("ch", "q") == "-":
            break
        b.reject("ch", tag, requeue=True)
    assert b.drain("q") == ("" if version.startswith("3") else "m*")


@versions(since("4.0"))
def test_queues_s14_the_default_limit_of_4_0_is_20(version):
    """rules/queues#S14: a quorum queue without x-delivery-limit gives a message 21 deliveries."""
    b = Bench(version)
    b.queue("q", args={"x-queue-type": "quorum"})
    b.send("q", "m")
    deliveries = 0
    while b.get("ch", "q") != "-":
        deliveries += 1
        b.reject("ch", deliveries, requeue=True)
    assert deliveries == 21


@versions()
def test_queues_s15_quorum_queues_ignore_exclusive_consumers(version):
    """rules/queues#S15: the exclusive flag of basic.consume keeps nobody out of a quorum queue."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.consume("A", "q", exclusive=True)
    b.consume("B", "q")
    b.consume("C", "q", exclusive=True)
    b.send("q", 0, 1, 2)
    assert b.news() == "A:0 B:1 C:2"


@versions()
def test_queues_s16_the_successor_of_a_single_active_consumer_gets_the_backlog(version):
    """rules/queues#S16: 3.x pushes nothing and crashes at the next publish; the simulator does what 4.0 does,
    in every version."""
    b = Bench(version)
    b.queue("q", single_active_consumer=True)
    b.consume("A", "q", prefetch=1)
    b.consume("B", "q", prefetch=1)
    b.send("q", 0, 1)
    assert b.news() == "A:0"
    b.cancel("A")
    assert b.news() == "B:1"
    b.send("q", 2)
    b.ack("B", 1)
    assert b.news() == "B:2"


@versions()
def test_queues_s17_single_active_classic_failover_by_priority_without_preemption(version):
    """rules/queues#S17: a classic queue's successor is the one of highest x-priority; a newcomer of higher priority waits."""
    b = Bench(version)
    b.queue("q", single_active_consumer=True)
    b.consume("A", "q")
    b.consume("B", "q")
    b.consume("C", "q", priority=5)
    b.consume("D", "q", priority=5)
    b.send("q", 0)
    assert b.news() == "A:0"
    b.close("A")
    assert b.news() == "C:0*"


@versions(before("4.0"))
def test_queues_s17_single_active_quorum_failover_is_first_come_in_3_x(version):
    """rules/queues#S17: in 3.x a quorum queue ignores x-priority among waiting consumers."""
    b = Bench(version)
    b.queue("q", "quorum", single_active_consumer=True)
    b.consume("A", "q")
    b.consume("B", "q")
    b.consume("C", "q", priority=5)
    b.send("q", 0)
    b.close("A")
    assert b.news() == "A:0 B:0*"


@versions(since("4.0"))
def test_queues_s17_single_active_quorum_preempts_since_4_0(version):
    """rules/queues#S17: a newcomer of higher x-priority takes over, once the active one has settled what it holds."""
    b = Bench(version)
    b.queue("q", "quorum", single_active_consumer=True)
    b.consume("A", "q")
    b.send("q", 0)
    b.consume("B", "q", priority=5)
    b.send("q", 1)
    assert b.news() == "A:0"
    b.ack("A", 1)
    assert b.news() == "B:1"


@versions()
@pytest.mark.parametrize("flag", ["if_unused", "if_empty"])
def test_queues_s18_conditional_delete_of_a_quorum_queue_kills_the_connection(version, flag):
    """rules/queues#S18: queue.delete with if-unused or if-empty is not implemented for quorum queues: 540."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.delete_queue("q", **{flag: True}, fails=540)
    assert b.queues == "q"


@versions()
@pytest.mark.parametrize("multiple", [False, True])
def test_queues_s19_only_an_outstanding_tag_may_be_settled(version, multiple):
    """rules/queues#S19: an unknown, settled, automatic or foreign tag is 406,
    with `multiple` too when that very tag is not open."""
    wrong = (406, "unknown delivery tag")

    def bench():
        b = Bench(version)
        b.queue("q")
        b.send("q", 0, 1, 2, 3)
        assert b.get("ch", "q", 3) == "0 1 2"
        return b

    b = bench()
    b.ack("ch", 4, multiple=multiple, fails=wrong)
    b = bench()
    b.ack("ch", 2)
    b.ack("ch", 2, multiple=multiple, fails=wrong)
    b = bench()
    b.nack("ch", 2)
    b.nack("ch", 2, multiple=multiple, fails=wrong)
    b = bench()
    b.ack("other", 1, multiple=multiple, fails=wrong)
    b = bench()
    b.get("ch", "q", auto_ack=True)
    b.ack("ch", 4, multiple=multiple, fails=wrong)
    assert b.drain("q") == "0* 1* 2*"


@versions()
def test_queues_s20_tag_zero(version):
    """rules/queues#S20: tag 0 with multiple is everything, and fine when that is nothing; without multiple it is 406."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0, 1, 2)
    b.ack("ch", 0, multiple=True)
    b.get("ch", "q", 2)
    b.ack("ch", 0, multiple=True)
    assert b.count("q") == (1, 0)
    b.ack("ch", 0, fails=406)


@versions()
def test_queues_s21_recover_without_requeue_kills_the_connection(version):
    """rules/queues#S21: basic.recover(requeue=false) is 540; what the connection held is requeued."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0)
    b.get("ch", "q")
    b.recover("ch", requeue=False, fails=540)
    assert b.drain("q") == "0*"


@versions()
def test_queues_s22_consumer_tags(version):
    """rules/queues#S22: a tag in use on the channel is 530; another channel may use it; cancelling an unknown one is fine."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q", channel="x")
    b.consume("A", "q", channel="y")
    b.cancel("nobody", channel="x")
    b.consume("A", "q", channel="x", fails=(530, "attempt to reuse consumer tag 'A'"))
    b.send("q", 0)
    assert b.letters[-1].consumer == "A"
    b.ack("y", 1)


@versions()
@kinds()
def test_queues_s23_cancel_leaves_the_unacked_with_the_channel(version, kind):
    """rules/queues#S23: what a cancelled consumer holds is not requeued and can still be acked."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q", prefetch=2)
    b.send("q", 0, 1, 2)
    b.cancel("A")
    assert b.ready("q") == "2"
    assert b.count("q") == (1, 2)
    b.ack("A", 1)
    b.close("A")
    assert b.drain("q") == "1* 2"


@versions()
def test_queues_s23_auto_delete_destroys_what_the_last_consumer_holds(version):
    """rules/queues#S23: cancelling the last consumer deletes an auto-delete queue with everything in it;
    the tags stay ackable."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", auto_delete=True, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.consume("A", "q", prefetch=1)
    b.send("q", 0, 1)
    b.cancel("A")
    assert b.queues == "dlq"
    b.ack("A", 1)
    assert b.drain("dlq") == ""


@versions()
def test_queues_s24_x_expires_and_unacked_gets(version):
    """rules/queues#S24: a classic queue expires although a basic.get holds a message of it; a quorum queue does not."""
    b = Bench(version)
    b.queue("c", expires=1000)
    b.queue("k", "quorum", expires=1000)
    b.send("c", 0)
    b.send("k", 0)
    b.get("ch", "c")
    b.get("ch", "k")
    b.wait(20_000)
    assert b.queues == "k"
    b.ack("ch", 1)
    b.ack("ch", 2)
    b.wait(20_000)
    assert b.queues == ""


@versions()
def test_queues_s24_declaring_again_renews_the_lease_of_a_classic_queue_only(version):
    """rules/queues#S24: queue.declare restarts the clock of x-expires on a classic queue, not on a quorum queue."""
    b = Bench(version)
    b.queue("c", expires=6000)
    b.queue("k", "quorum", expires=6000)
    b.wait(5000)
    b.queue("c", expires=6000)
    b.queue("k", "quorum", expires=6000)
    b.wait(5900)
    assert b.queues == "c"
    b.wait(200)
    assert b.queues == ""


@versions()
@kinds()
def test_queues_s25_expired_messages_wait_behind_a_live_head(version, kind):
    """rules/queues#S25: they stay ready and counted, and leave when the head does."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", "live")
    b.send("q", "short", expiration="100")
    b.send("q", "last")
    b.wait(500)
    assert b.ready("q") == "live short last"
    assert b.count("q") == (3, 0)
    assert b.get("ch", "q") == "live"
    assert b.died("q", dropped=True) == "short:expired"
    assert b.get("ch", "q") == "last"


@versions()
def test_queues_s26_a_priority_queue_may_deliver_an_expired_message(version):
    """rules/queues#S26: a message that jumps the line arms no timer, so it is delivered after its time."""
    b = Bench(version)
    b.queue("q", max_priority=5)
    b.send("q", "low")
    b.send("q", "high", priority=5, expiration="100")
    b.wait(500)
    assert b.get("ch", "q") == "high"


@versions()
def test_queues_s27_redelivered_after_a_kill_and_after_a_clean_stop(version):
    """rules/queues#S27: a kill marks every message of a classic queue as redelivered, a clean stop only those that were out."""
    for clean, expected in ((True, "0* 1 2"), (False, "0* 1* 2*")):
        b = Bench(version)
        b.queue("q")
        b.send("q", 0, 1, 2)
        b.get("ch", "q")
        b.restart(clean=clean)
        assert b.drain("q") == expected


@versions()
@pytest.mark.parametrize("clean", [True, False])
def test_queues_s28_quorum_queues_keep_transient_messages(version, clean):
    """rules/queues#S28: transient messages survive in a quorum queue; the count of those that were out goes up by one."""
    b = Bench(version)
    b.queue("q", "limited")
    b.send("q", 0, 1, 2, delivery_mode=1)
    b.get("ch", "q")
    b.restart(clean=clean)
    first = b.take("q")
    assert str(first) == "0*"
    assert first.headers["x-delivery-count"] == 1
    second = b.take("q")
    assert str(second) == "1"
    assert "x-delivery-count" not in second.headers or second.headers["x-delivery-count"] == 0
    assert b.drain("q") == "2"


@versions(since("4.0"))
def test_queues_s29_a_large_nack_keeps_its_order_since_4_0(version):
    """rules/queues#S29: more than 32 messages of one consumer come back in ascending order (3.x: by a hash, not simulated)."""
    b = Bench(version)
    b.queue("q", "limited")
    b.send("q", *range(40))
    b.consume("A", "q", prefetch=40)
    b.cancel("A")
    b.nack("A", 40, multiple=True)
    assert b.drain("q") == " ".join(f"{number}*" for number in range(40))


@versions(before("4.0"))
def test_queues_s30_many_gets_come_back_in_text_order_of_their_tags(version):
    """rules/queues#S30: in 3.x a channel's basic.gets return to a quorum queue in the order 1, 10, 11, 12, 2, 3 …"""
    b = Bench(version)
    b.queue("q", "quorum")
    b.send("q", *range(1, 15))
    b.get("ch", "q", 12)
    b.close("ch")
    assert b.drain("q").replace("*", "") == "1 10 11 12 2 3 4 5 6 7 8 9 13 14"


@versions(("3.10", "3.13", "4.0", "4.2.0", "4.2.4", "4.3"))
def test_queues_s31_order_of_several_victims_of_one_publish(version):
    """rules/queues#S31: a quorum queue dead-letters several drop-head victims of one publish newest first, until 4.2.4."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", "quorum", max_length_bytes=10, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, 1, 2, body="xxx")
    b.send("q", 3, body="y" * 9)
    assert b.drain("dlq") == ("0 1 2" if version in ("4.2.4", "4.3") else "2 1 0")


@versions()
def test_queues_s32_exclusive_queues_are_never_durable(version):
    """rules/queues#S32: exclusive with or without durable is the same queue; the wrong exclusive flag is 405,
    even for the owner."""
    b = Bench(version)
    b.queue("q", exclusive=True, durable=True, channel="ch")
    b.queue("q", exclusive=True, durable=False, channel="ch")
    b.queue("q", exclusive=False, durable=True, channel="ch", fails=405)


@versions()
def test_queues_s33_what_is_confirmed(version):
    """rules/queues#S33: an unroutable publish and a drop-head victim are acked;
    one refusal of several queues nacks the publish."""
    b = Bench(version)
    b.exchange("x", "fanout")
    b.queue("drops", max_length=1)
    b.queue("ok")
    b.queue("full", max_length=1, overflow="reject-publish")
    b.send("nowhere", "lost")
    b.send("drops", 0, 1)
    b.bind("x", "full")
    b.bind("x", "ok")
    b.publish("x", "", 2, 3)
    assert b.confirms == {"lost": "ack", "0": "ack", "1": "ack", "2": "ack", "3": "nack"}
    assert b.drain("ok") == "2 3"
    assert b.drain("full") == "2"


@versions(("4.3",))
def test_queues_s34_what_4_3_denies(version):
    """rules/queues#S34: transient queues that are not exclusive are refused with 541; global QoS counts per consumer."""
    b = Bench(version)
    b.queue("q", durable=False, channel="other", fails=541)
    b.queue("mine", durable=False, exclusive=True, channel="other")
    b.queue("q")
    b.qos("ch", 1, whole_channel=True)
    b.consume("A", "q", channel="ch")
    b.consume("B", "q", channel="ch")
    b.send("q", 0, 1, 2)
    assert b.news() == "A:0 B:1"


@versions()
@kinds("classic", "quorum")
def test_queues_s35_late_acknowledgements(version, kind):
    """rules/queues#S35: until 4.2 the channel is closed with 406; in 4.3 only a quorum queue takes the message back."""
    b = Bench(version, consumer_timeout=10_000)
    b.queue("q", kind)
    b.consume("A", "q")
    b.send("q", 0)
    b.wait(75_000)
    closed = [event.code for event in b.all(events.ChannelClosed)]
    if version != "4.3":
        assert closed == [406]
        assert b.ready("q") == "0*"
    elif kind == "classic":
        assert closed == []
        assert b.count("q") == (0, 1)
    else:
        assert closed == []
        assert [event.consumer for event in b.all(events.ConsumerCancelled)] == ["A"]
        assert b.ready("q") == "0*"


@versions()
def test_queues_s36_message_priorities_of_quorum_queues(version):
    """rules/queues#S36: none in 3.x; two high for one normal in 4.0 to 4.2; strict, 4 by default, from 4.3 on."""
    b = Bench(version)
    b.queue("q", "quorum")
    for message, priority in (("a0", 0), ("b", None), ("c9", 9), ("d5", 5), ("e4", 4), ("f40", 40), ("g9", 9)):
        b.send("q", message, priority=priority)
    # 4.0-4.2: high, high, then the normal head if it is older than the high head.
    expected = {
        "3": "a0 b c9 d5 e4 f40 g9",
        "4.0": "c9 d5 a0 f40 g9 b e4",
        "4.2": "c9 d5 a0 f40 g9 b e4",
        "4.3": "f40 c9 g9 d5 b e4 a0",
    }
    assert b.drain("q") == expected[version if version in expected else "3"]


@versions(since("4.0"))
def test_queues_s36_a_returned_message_precedes_all_priorities(version):
    """rules/queues#S36: with a delivery limit what comes back is ahead of every priority."""
    b = Bench(version)
    b.queue("q", "limited")
    b.send("q", "low", priority=0)
    b.get("ch", "q")
    b.send("q", "high", priority=9)
    b.nack("ch", 1)
    assert b.drain("q") == "low* high"


def test_the_surprises_are_tried_in_every_version():
    """A version profile that is added wants to be tried here too."""
    from routesim.versions import NEWEST_PATCH

    assert set(ALL) <= set(NEWEST_PATCH)

"""rules/queues#3: who gets which message."""

import pytest
from kits.broker import Bench, before, kinds, since, versions

from routesim import events

# Consuming -------------------------------------------------------------------------------------------------------------


@versions()
def test_consume_3_1_what_is_refused(version):
    """rules/queues#3.1: a missing queue 404, an exclusive one of another connection 405."""
    b = Bench(version)
    b.queue("mine", exclusive=True)
    b.consume("A", "nope", fails=(404, "no queue 'nope' in vhost '/'"))
    b.consume("A", "mine", fails=405)


@versions()
def test_consume_3_1_a_tag_in_use_comes_before_all_else(version):
    """rules/queues#3.1, checked on 3.10.8: re-using a consumer tag is 530 even where the queue does not exist."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q")
    b.consume("A", "nope", fails=530)


@versions()
@kinds("classic", "quorum")
@pytest.mark.parametrize("priority", [True, "5", 1.5])
def test_consume_3_1_priority_is_an_integer(version, kind, priority):
    """rules/queues#3.1: any other x-priority is 406."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q", priority=priority, fails=(406, "x-priority"))
    b.consume("A", "q", priority=-5)


@versions()
def test_consume_3_1_arguments_of_streams(version):
    """rules/queues#3.1: x-stream-offset belongs to streams, x-priority does not; unknown ones pass."""
    b = Bench(version)
    b.queue("s", "stream")
    b.queue("c")
    b.queue("k", "quorum")
    b.consume("A", "s", prefetch=1, priority=5, fails=406)
    b.consume("A", "c", args={"x-stream-offset": "first"}, fails=406)
    b.consume("A", "k", args={"x-stream-offset": "first"}, fails=406)
    b.consume("A", "c", args={"x-nobody-knows": 1})


@versions()
def test_consume_3_1_cancel_on_ha_failover(version):
    """rules/queues#3.1: x-cancel-on-ha-failover is a bool of classic queues until 3.13, and unknown from 4.0 on."""
    b = Bench(version)
    b.queue("c")
    b.consume("A", "c", args={"x-cancel-on-ha-failover": "yes"}, fails=406 if version in before("4.0") else None)


@versions()
def test_consume_3_1_delivery_tags(version):
    """rules/queues#3.1: one sequence a channel, from 1, for deliveries and gets, automatic ones included."""
    b = Bench(version)
    b.queue("q")
    b.queue("other")
    b.consume("A", "q", channel="ch", auto_ack=True)
    b.send("q", 0)
    b.send("other", 1, 2, 3)
    b.get("ch", "other", auto_ack=True)
    b.get("ch", "other")
    b.send("q", 4)
    assert [letter.tag for letter in b.letters] == [1, 2, 3, 4]
    b.close("ch")
    b.get("ch", "other")
    assert b.letters[-1].tag == 1


# Classic ---------------------------------------------------------------------------------------------------------------


@versions()
def test_classic_3_2_a_consumer_without_credit_keeps_its_place_until_it_is_offered_something(version):
    """rules/queues#3.2: acking before that keeps the place in the line; being offered a message loses it."""
    b = Bench(version)
    b.queue("q")
    for name in "AB":
        b.consume(name, "q", prefetch=1)
    b.send("q", 0, 1)
    b.ack("A", 1)
    b.ack("B", 1)
    b.send("q", 2, 3)
    assert b.news() == "A:0 B:1 A:2 B:3"
    b.send("q", 4)
    b.ack("B", 2)
    b.ack("A", 2)
    assert b.news() == "B:4"
    b.send("q", 5)
    assert b.news() == "A:5"


@versions()
def test_classic_3_2_who_regains_credit_re_enters_at_the_tail(version):
    """rules/queues#3.2: those offered a message in vain come back when they have credit; who was not stays where it is."""
    b = Bench(version)
    b.queue("q")
    b.consume("X", "q", channel="ch", prefetch=1)
    b.consume("Y", "q", channel="ch", prefetch=1)
    b.consume("Z", "q", prefetch=1)
    b.send("q", 0, 1, 2, 3)
    assert b.news() == "X:0 Y:1 Z:2"
    b.ack("ch", 2)
    assert b.news() == "Y:3"
    b.ack("ch", 1)
    b.ack("Z", 1)
    b.ack("ch", 3)
    b.send("q", 4, 5, 6)
    assert b.news() == "Y:4 X:5 Z:6"


@versions()
@kinds()
def test_cancelled_3_2_acks_of_a_cancelled_consumer_give_no_credit(version, kind):
    """rules/queues#3.2, rules/queues#3.3: its credit is forgotten; nobody else gets it."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q", channel="ch", prefetch=1)
    b.consume("B", "q", channel="ch", prefetch=1)
    b.send("q", 0, 1, 2)
    b.cancel("A", channel="ch")
    assert b.news() == "A:0 B:1"
    b.ack("ch", 1)
    assert b.news() == ""
    b.ack("ch", 2)
    assert b.news() == "B:2"


@versions()
def test_classic_3_2_credit_goes_by_consumer_tag(version):
    """rules/queues#3.2, checked on 3.10.8: an ack frees credit of whoever has the tag now, an earlier holder's too."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q", prefetch=1)
    b.send("q", 0, 1, 2)
    b.cancel("A")
    b.consume("A", "q", prefetch=1)
    assert b.news() == "A:0 A:1"
    b.ack("A", 1)
    assert b.news() == "A:2"


@versions()
def test_classic_3_2_effect_before_dispatch(version):
    """rules/queues#3.2: a requeued message is back in its place before anybody is served."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0, 1, 2)
    b.consume("A", "q", prefetch=1)
    b.nack("A", 1)
    assert b.news() == "A:0 A:0*"
    b.ack("A", 2)
    assert b.news() == "A:1"


@versions()
def test_classic_3_2_cancel_dispatches_since_4_0(version):
    """rules/queues#3.2: nothing that cancel frees is anybody's to have, so the two versions look alike but for SAC."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q", prefetch=1)
    b.consume("B", "q", prefetch=1)
    b.send("q", 0, 1, 2)
    b.cancel("A")
    assert b.news() == "A:0 B:1"
    b.ack("B", 1)
    assert b.news() == "B:2"


@versions()
def test_classic_3_2_channel_end_requeues_then_dispatches(version):
    """rules/queues#3.2: the other channels' consumers get what the lost one held."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q", prefetch=2)
    b.consume("B", "q", prefetch=3)
    b.send("q", 0, 1, 2)
    assert b.news() == "A:0 B:1 A:2"
    b.close("A")
    assert b.news() == "B:0* B:2*"


# Quorum ----------------------------------------------------------------------------------------------------------------


@versions()
@kinds("quorum", "limited")
def test_quorum_3_3_leaves_the_line_when_credit_is_used_up(version, kind):
    """rules/queues#3.3: whoever has credit again goes to the tail at once."""
    b = Bench(version)
    b.queue("q", kind)
    for name in "ABC":
        b.consume(name, "q", prefetch=1)
    b.send("q", 0, 1, 2)
    b.ack("C", 1)
    b.ack("A", 1)
    b.ack("B", 1)
    b.send("q", 3, 4, 5)
    assert b.news() == "A:0 B:1 C:2 C:3 A:4 B:5"


@versions()
@kinds("quorum", "limited")
def test_quorum_3_3_an_ack_does_not_move_who_is_in_line(version, kind):
    """rules/queues#3.3: with credit left a consumer keeps its place."""
    b = Bench(version)
    b.queue("q", kind)
    for name in "AB":
        b.consume(name, "q", prefetch=5)
    b.send("q", 0, 1)
    b.ack("A", 1)
    b.send("q", 2, 3)
    assert b.news() == "A:0 B:1 A:2 B:3"


@versions()
def test_quorum_3_3_without_a_limit_dispatch_runs_between_the_messages_of_a_nack(version):
    """rules/queues#3.3: each message of a nack is a command of its own; with a limit they are one."""
    b = Bench(version)
    b.queue("q", "quorum")
    b.consume("A", "q", prefetch=2)
    b.send("q", 0, 1, 2, 3)
    b.nack("A", 2, multiple=True)
    assert b.news() == "A:0 A:1 A:2 A:3"

    b = Bench(version)
    b.queue("q", "quorum")
    b.consume("A", "q", prefetch=2)
    b.consume("B", "q", prefetch=2)
    b.send("q", 0, 1, 2, 3)
    assert b.news() == "A:0 B:1 A:2 B:3"
    b.nack("A", 2, multiple=True)
    assert b.news() == "A:0* A:2*"


@versions(before("4.0"))
@kinds("quorum", "limited")
def test_quorum_3_3_batches_by_tag(version, kind):
    """rules/queues#3.3: consumers of one channel get their tags in batches, in 3.x in the order of consumer tags."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("Z", "q", channel="ch", prefetch=2)
    b.consume("A", "q", channel="ch", prefetch=2)
    b.consume("hold", "q", prefetch=4, priority=9)
    b.send("q", 0, 1, 2, 3)
    b.close("hold")
    assert b.tags("ZA") == "1:A1* 2:A3* 3:Z0* 4:Z2*"


@versions(since("4.0"))
@kinds("quorum", "limited")
def test_quorum_3_3_batches_by_registration_since_4_0(version, kind):
    """rules/queues#3.3: from 4.0 on in the order of registration."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("Z", "q", channel="ch", prefetch=2)
    b.consume("A", "q", channel="ch", prefetch=2)
    b.consume("hold", "q", prefetch=4, priority=9)
    b.send("q", 0, 1, 2, 3)
    b.close("hold")
    assert b.tags("ZA") == "1:Z0* 2:Z2* 3:A1* 4:A3*"


@versions()
@kinds("quorum", "limited")
def test_quorum_3_3_automatic_consumers_have_credit_that_comes_back(version, kind):
    """rules/queues#3.3, rules/queues#3.6: no-ack deliveries are settled when they are sent, so prefetch does not end them."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", *range(7))
    b.consume("A", "q", prefetch=2, auto_ack=True)
    assert b.of("A") == "0 1 2 3 4 5 6"
    assert b.count("q") == (0, 0)


@versions()
def test_quorum_3_3_what_a_cancelled_consumer_gives_back(version):
    """rules/queues#3.3: acks of its messages give nobody credit; nacks do requeue."""
    b = Bench(version)
    b.queue("q", "limited")
    b.consume("A", "q", prefetch=2)
    b.send("q", 0, 1, 2)
    b.cancel("A")
    b.ack("A", 1)
    b.nack("A", 2)
    assert b.ready("q") == "1* 2"


# Turns -----------------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_turns_3_4_idle_consumers_take_turns(version, kind):
    """rules/queues#3.4: three idle consumers, seven messages."""
    b = Bench(version)
    b.queue("q", kind)
    for name in "ABC":
        b.consume(name, "q")
    b.send("q", *range(7))
    assert (b.of("A"), b.of("B"), b.of("C")) == ("0 3 6", "1 4", "2 5")


@versions()
@kinds()
def test_turns_3_4_with_a_message_waiting(version, kind):
    """rules/queues#3.4: all busy, message 3 ready; C acks, A acks, 4 is published: C gets 3, A gets 4."""
    b = Bench(version)
    b.queue("q", kind)
    for name in "ABC":
        b.consume(name, "q", prefetch=1)
    b.send("q", 0, 1, 2, 3)
    b.news()
    b.ack("C", 1)
    b.ack("A", 1)
    b.send("q", 4)
    assert b.news() == "C:3 A:4"


@versions()
@pytest.mark.parametrize(("kind", "expected"), [("classic", "A:3 B:4"), ("quorum", "B:3 A:4"), ("limited", "B:3 A:4")])
def test_turns_3_4_with_nothing_waiting(version, kind, expected):
    """rules/queues#3.4: nobody was offered anything: B acks, A acks, then 3 and 4 are published."""
    b = Bench(version)
    b.queue("q", kind)
    for name in "ABC":
        b.consume(name, "q", prefetch=1)
    b.send("q", 0, 1, 2)
    b.news()
    b.ack("B", 1)
    b.ack("A", 1)
    b.send("q", 3, 4)
    assert b.news() == expected


@versions()
@kinds()
def test_turns_3_5_the_first_consumer_is_filled_first(version, kind):
    """rules/queues#3.5: with prefetch 3, A has 0 to 2 before B has 3 to 5."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", *range(8))
    b.consume("A", "q", prefetch=3)
    b.consume("B", "q", prefetch=3)
    assert (b.of("A"), b.of("B")) == ("0 1 2", "3 4 5")


# Prefetch --------------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_prefetch_3_6_is_taken_by_later_consumers(version, kind):
    """rules/queues#3.6: basic.qos counts for consumers to come on its channel; who is there keeps what they had."""
    b = Bench(version)
    b.queue("q", kind)
    b.qos("ch", 1)
    b.consume("A", "q", channel="ch")
    b.qos("ch", 2)
    b.consume("B", "q", channel="ch")
    b.send("q", *range(6))
    assert len(b.of("A").split()) == 1
    assert len(b.of("B").split()) == 2


@versions()
def test_prefetch_3_6_a_classic_automatic_consumer_ignores_it(version):
    """rules/queues#3.6: no-ack means no credit on a classic queue."""
    b = Bench(version)
    b.queue("q")
    b.send("q", *range(5))
    b.consume("A", "q", prefetch=1, auto_ack=True)
    assert b.of("A") == "0 1 2 3 4"


@versions()
@kinds()
def test_prefetch_3_6_basic_get_is_outside_of_it(version, kind):
    """rules/queues#3.6: basic.get neither minds prefetch nor uses it."""
    b = Bench(version)
    b.queue("q", kind)
    b.qos("ch", 1)
    b.send("q", 0, 1, 2, 3)
    assert b.get("ch", "q", 3) == "0 1 2"
    b.consume("A", "q", channel="ch")
    assert b.news() == "A:3"


# Global limit ----------------------------------------------------------------------------------------------------------


@versions(before("4.3"))
def test_global_3_7_counts_gets_that_were_out_when_it_was_set_for_ever(version):
    """rules/queues#3.7: what basic.get holds counts when the limit is set, and its ack never lowers the count."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0, 1, 2, 3, 4)
    b.get("ch", "q", 2)
    b.qos("ch", 3, whole_channel=True)
    b.consume("A", "q", channel="ch")
    assert b.news() == "A:2"
    b.ack("ch", 1, 2)
    assert b.news() == ""
    b.ack("ch", 3)
    assert b.news() == "A:3"
    b.qos("ch", 0, whole_channel=True)
    assert b.news() == "A:4"


@versions(before("4.3"))
def test_global_3_7_gets_taken_later_do_not_count(version):
    """rules/queues#3.7: a basic.get after the limit was set neither uses nor frees it."""
    b = Bench(version)
    b.queue("q")
    b.qos("ch", 1, whole_channel=True)
    b.send("q", 0, 1, 2)
    b.get("ch", "q")
    b.consume("A", "q", channel="ch")
    assert b.news() == "A:1"
    b.ack("ch", 1)
    assert b.news() == ""
    b.ack("ch", 2)
    assert b.news() == "A:2"


@versions(before("4.3"))
def test_global_3_7_with_a_prefetch_of_the_consumer(version):
    """rules/queues#3.7: both are asked for."""
    b = Bench(version)
    b.queue("q")
    b.qos("ch", 1)
    b.qos("ch", 3, whole_channel=True)
    b.consume("A", "q", channel="ch")
    b.consume("B", "q", channel="ch")
    b.send("q", 0, 1, 2)
    assert b.news() == "A:0 B:1"
    b.ack("ch", 1)
    assert b.news() == "A:2"


@versions(before("4.3"))
def test_global_3_7_other_channels_are_not_held_up(version):
    """rules/queues#3.7: only the channel at its limit is left out."""
    b = Bench(version)
    b.queue("q")
    b.qos("ch", 1, whole_channel=True)
    b.consume("A", "q", channel="ch")
    b.consume("B", "q")
    b.send("q", 0, 1, 2, 3)
    assert b.news() == "A:0 B:1 B:2 B:3"


@versions(before("4.3"))
def test_global_3_7_raising_and_removing_releases(version):
    """rules/queues#3.7: a higher limit counts at once, 0 removes it."""
    b = Bench(version)
    b.queue("q")
    b.qos("ch", 1, whole_channel=True)
    b.consume("A", "q", channel="ch")
    b.send("q", *range(5))
    assert b.news() == "A:0"
    b.qos("ch", 3, whole_channel=True)
    assert b.news() == "A:1 A:2"
    b.qos("ch", 0, whole_channel=True)
    assert b.news() == "A:3 A:4"


@versions(before("4.3"))
def test_global_3_7_spans_queues(version):
    """rules/queues#3.7: one count a channel, whatever queues its consumers are on."""
    b = Bench(version)
    b.queue("p")
    b.queue("q")
    b.qos("ch", 1, whole_channel=True)
    b.consume("P", "p", channel="ch")
    b.consume("Q", "q", channel="ch")
    b.send("p", 0)
    b.send("q", 1)
    assert b.news() == "P:0"
    b.ack("ch", 1)
    assert b.news() == "Q:1"


@versions(before("4.3"))
@kinds("quorum", "stream")
def test_global_3_7_is_for_classic_queues_only(version, kind):
    """rules/queues#3.7: a consumer of a quorum queue or stream under a global limit is 540."""
    b = Bench(version)
    b.queue("q", kind)
    b.qos("ch", 5)
    b.qos("ch", 5, whole_channel=True)
    b.consume("A", "q", channel="ch", fails=540)


@versions(("4.3",))
@kinds("classic", "quorum")
def test_global_3_7_is_per_consumer_since_4_3(version, kind):
    """rules/queues#3.7: global=true is carried out as global=false."""
    b = Bench(version)
    b.queue("q", kind)
    b.channel("planned", prefetch=1)
    b.qos("ch", 1, whole_channel=True)
    b.consume("A", "q", channel="ch")
    b.consume("B", "q", channel="ch")
    b.consume("C", "q", channel="planned")
    b.send("q", 0, 1, 2, 3)
    assert b.news() == "A:0 B:1 C:2"


# basic.get -------------------------------------------------------------------------------------------------------------


@versions()
def test_get_3_8_takes_the_head_whoever_consumes(version):
    """rules/queues#3.8: a single active or an exclusive consumer of a classic queue does not keep it away."""
    b = Bench(version)
    b.queue("q", single_active_consumer=True)
    b.queue("p")
    b.consume("A", "q", prefetch=1)
    b.consume("B", "p", prefetch=1, exclusive=True)
    b.send("q", 0, 1)
    b.send("p", 0, 1)
    assert b.get("ch", "q") == "1"
    assert b.get("ch", "p") == "1"
    assert b.get("ch", "p") == "-"


@versions()
def test_get_3_8_what_is_refused(version):
    """rules/queues#3.8: 405 with a single active consumer on a quorum queue, 540 for a stream, 404 for a missing one."""
    b = Bench(version)
    b.queue("q", "quorum", single_active_consumer=True)
    b.queue("s", "stream")
    b.get("ch", "q", fails=405)
    b.get("ch", "s", fails=540)
    b.get("ch", "nope", fails=404)


# Exclusive consumers ---------------------------------------------------------------------------------------------------


@versions()
def test_exclusive_3_9_is_granted_to_the_first_only(version):
    """rules/queues#3.9: while one holds it every other consume is 403; it needs a queue without consumers."""
    b = Bench(version)
    in_use = (403, "queue 'q' in vhost '/' in exclusive use")
    b.queue("q")
    b.consume("A", "q", exclusive=True)
    b.consume("B", "q", fails=in_use)
    b.consume("B", "q", exclusive=True, fails=in_use)
    b.cancel("A")
    b.consume("B", "q")
    b.consume("C", "q", exclusive=True, fails=in_use)
    b.close("B")
    b.consume("C", "q", exclusive=True)
    b.close("C")
    b.consume("D", "q")


# Single active consumer ------------------------------------------------------------------------------------------------


def single(version, kind, *consumers):
    b = Bench(version)
    b.queue("q", kind, single_active_consumer=True)
    for name, priority in consumers:
        b.consume(name, "q", prefetch=2, priority=priority)
    return b


@versions()
@kinds("classic", "quorum")
def test_single_3_10_only_the_first_receives(version, kind):
    """rules/queues#3.10: others wait even while the active one has no credit."""
    b = single(version, kind, ("A", 0), ("B", 0))
    b.send("q", 0, 1, 2)
    assert b.news() == "A:0 A:1"
    b.ack("A", 1)
    assert b.news() == "A:2"
    assert [event.consumer for event in b.all(events.ConsumerActive)] == ["A"]


@versions()
@kinds("classic", "quorum")
def test_single_3_10_takeover_when_the_channel_ends(version, kind):
    """rules/queues#3.10: the next in line gets what the lost one held, then the backlog."""
    b = single(version, kind, ("A", 0), ("B", 0), ("C", 0))
    b.send("q", 0, 1, 2)
    b.news()
    b.close("A")
    assert b.news() == "B:0* B:1*"
    b.close("B")
    assert b.news() == "C:0* C:1*"
    assert [event.consumer for event in b.all(events.ConsumerActive)] == ["A", "B", "C"]


@versions()
@kinds("classic", "quorum")
def test_single_3_10_the_place_is_free_after_a_restart(version, kind):
    """rules/queues#3.10: whoever consumes first when the broker is back is the active one."""
    b = single(version, kind, ("A", 0))
    b.restart()
    b.consume("B", "q", prefetch=2)
    b.send("q", 0)
    assert b.news() == "B:0"


@versions()
@kinds("classic", "quorum")
def test_single_3_10_takeover_when_it_is_cancelled(version, kind):
    """rules/queues#3.10: what the cancelled one holds stays out while the next one starts."""
    b = single(version, kind, ("A", 0), ("B", 0))
    b.send("q", 0, 1, 2)
    b.news()
    b.cancel("A")
    assert b.news() == "B:2"
    b.nack("A", 1)
    assert b.news() == "B:0*"


@versions()
@kinds("classic", "quorum")
def test_single_3_10_a_waiting_one_may_leave(version, kind):
    """rules/queues#3.10: cancelling a waiting consumer changes nothing for the active one."""
    b = single(version, kind, ("A", 0), ("B", 0), ("C", 0))
    b.cancel("B")
    b.send("q", 0)
    b.close("A")
    assert b.news() == "A:0 C:0*"


@versions()
def test_single_3_10_exclusive_consumers(version):
    """rules/queues#3.10: an exclusive consumer is 403 on a classic queue with a single active one; a quorum queue takes it."""
    b = Bench(version)
    b.queue("c", single_active_consumer=True)
    b.queue("k", "quorum", single_active_consumer=True)
    b.consume("A", "c", exclusive=True, fails=403)
    b.consume("A", "k", exclusive=True)


@versions()
def test_single_3_10_classic_failover_by_priority_then_age(version):
    """rules/queues#3.10: the highest x-priority, then the earliest; a newcomer of higher priority waits."""
    b = single(version, "classic", ("A", 0), ("B", 1), ("C", 5), ("D", 5))
    b.send("q", 0)
    for name in "ACD":
        b.close(name)
    assert b.news() == "A:0 C:0* D:0* B:0*"


@versions(since("4.0"))
def test_single_3_10_quorum_preemption_waits_for_the_unacked(version):
    """rules/queues#3.10: the active one gets nothing new, and goes back to waiting once it holds nothing."""
    b = single(version, "quorum", ("A", 0))
    b.send("q", 0)
    b.consume("B", "q", prefetch=2, priority=5)
    b.send("q", 1)
    assert b.news() == "A:0"
    b.ack("A", 1)
    assert b.news() == "B:1"
    b.close("B")
    assert b.news() == "A:1*"


@versions(since("4.0"))
def test_single_3_10_quorum_preemption_of_an_idle_one_is_at_once(version):
    """rules/queues#3.10: holding nothing, the active one makes way at once."""
    b = single(version, "quorum", ("A", 0), ("B", 5))
    b.send("q", 0)
    assert b.news() == "B:0"
    b.cancel("B")
    b.nack("B", 1)
    assert b.news() == "A:0*"


@versions(since("4.0"))
def test_single_3_10_quorum_waiting_by_priority_since_4_0(version):
    """rules/queues#3.10: among the waiting the highest priority is next."""
    b = single(version, "quorum", ("A", 9), ("B", 0), ("C", 5))
    b.send("q", 0)
    b.close("A")
    assert b.news() == "A:0 C:0*"


@versions(before("4.0"))
def test_single_3_10_quorum_waiting_by_age_in_3_x(version):
    """rules/queues#3.10: in 3.x the waiting list is first in, first out, and nobody is preempted."""
    b = single(version, "quorum", ("A", 0), ("B", 0), ("C", 5))
    b.send("q", 0)
    b.close("A")
    b.close("B")
    assert b.news() == "A:0 B:0* C:0*"


# Priorities of consumers -----------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_priority_3_11_is_strict(version, kind):
    """rules/queues#3.11: the highest with credit get all, in turns; the others only while those have none."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("low", "q", prefetch=2, priority=-1)
    b.consume("A", "q", prefetch=2, priority=5)
    b.consume("mid", "q", prefetch=1)
    b.consume("B", "q", prefetch=1, priority=5)
    b.send("q", *range(7))
    assert b.news() == "A:0 B:1 A:2 mid:3 low:4 low:5"
    b.ack("B", 1)
    assert b.news() == "B:6"


@versions()
@kinds()
def test_priority_3_11_the_highest_is_first_again_once_it_has_credit(version, kind):
    """rules/queues#3.11: new messages go to it rather than to those below."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("low", "q", prefetch=5)
    b.consume("high", "q", prefetch=1, priority=1)
    b.send("q", 0, 1)
    assert b.news() == "high:0 low:1"
    b.ack("high", 1)
    b.send("q", 2, 3)
    assert b.news() == "high:2 low:3"


# When ------------------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_when_3_12_time_alone_pushes_nothing(version, kind):
    """rules/queues#3.12: expiry removes messages, but nobody is sent anything by it."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q", prefetch=1)
    b.send("q", 0)
    b.send("q", 1, expiration="100")
    b.send("q", 2)
    b.news()
    b.wait(1000)
    assert b.news() == ""
    assert b.ready("q") == "2"
    b.ack("A", 1)
    assert b.news() == "A:2"

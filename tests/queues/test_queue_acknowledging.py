"""rules/queues#4: acknowledgements, transactions and confirms."""

import pytest
from kits.broker import Bench, before, deaths, kinds, versions

from routesim import events


def dead_lettering(version, kind="classic", **arguments):
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("dlq")
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq", **arguments)
    return b


# Tags ------------------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_tags_4_2_multiple_takes_everything_up_to_the_tag(version, kind):
    """rules/queues#4.2: all outstanding tags not above it, which must be outstanding itself."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", *range(5))
    b.get("ch", "q", 5)
    b.ack("ch", 2)
    b.ack("ch", 3, multiple=True)
    assert b.count("q") == (0, 2)
    b.close("ch")
    assert b.drain("q") == "3* 4*"


@versions()
def test_tags_4_2_an_unknown_tag_requeues_the_rest(version):
    """rules/queues#4.2: the channel is closed, and what it held otherwise is requeued."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0, 1, 2)
    b.get("ch", "q", 3)
    b.ack("ch", 1)
    b.ack("ch", 1, fails=(406, "PRECONDITION_FAILED - unknown delivery tag 1"))
    assert b.drain("q") == "1* 2*"


@versions()
@pytest.mark.parametrize("multiple", [False, True])
def test_tags_4_2_automatic_deliveries_cannot_be_settled(version, multiple):
    """rules/queues#4.1: a no-ack delivery is never among the unacked."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q", auto_ack=True)
    b.send("q", 0)
    b.ack("A", 1, multiple=multiple, fails=406)


@versions()
@kinds()
def test_tags_4_3_reject_and_nack(version, kind):
    """rules/queues#4.3: requeue=false dead-letters with the reason rejected, or drops."""
    b = dead_lettering(version, kind)
    b.queue("plain", kind)
    for queue in ("q", "plain"):
        b.send(queue, 0, 1)
        b.get(queue, queue, 2)
        b.reject(queue, 1)
        b.nack(queue, 2, requeue=False)
    assert [deaths(b.take("dlq")) for _ in range(2)] == [[("q", "rejected", 1)]] * 2
    assert b.count("plain") == (0, 0)
    assert b.died("plain", dropped=True) == "0:rejected 1:rejected"


@versions()
def test_tags_4_3_a_missing_dead_letter_exchange_drops(version):
    """rules/queues#4.3: silently."""
    b = Bench(version)
    b.queue("q", dead_letter_exchange="nowhere")
    b.send("q", 0)
    b.get("ch", "q")
    b.reject("ch", 1)
    assert b.died("q", dropped=True) == "0:rejected"


# Groups ----------------------------------------------------------------------------------------------------------------


@versions()
def test_groups_4_4_a_nack_refills_consumer_by_consumer(version):
    """rules/queues#4.4: consumers Z (0, 1) and A (2, 3), [4, 5] ready: A is refilled first with 2, 3, then Z with 0, 1."""
    b = Bench(version)
    b.queue("q")
    b.send("q", *range(6))
    b.consume("Z", "q", channel="ch", prefetch=2)
    b.consume("A", "q", channel="ch", prefetch=2)
    assert b.news() == "Z:0 Z:1 A:2 A:3"
    b.nack("ch", 0, multiple=True)
    assert b.news() == "A:2* A:3* Z:0* Z:1*"


@versions()
def test_groups_4_4_queues_by_name(version):
    """rules/queues#4.4: queues come in the order of their names, whatever the tags."""
    b = Bench(version)
    b.queue("dlq")
    for name in ("z", "a"):
        b.queue(name, dead_letter_exchange="", dead_letter_routing_key="dlq")
        b.send(name, name)
        b.get("ch", name)
    b.nack("ch", 0, multiple=True, requeue=False)
    assert b.drain("dlq") == "a z"


@versions()
def test_groups_4_4_gets_by_number_before_consumers(version):
    """rules/queues#4.4: the tags of basic.get in numeric order (2 before 10), then consumers by the bytes of their tags."""
    b = dead_lettering(version)
    b.send("q", *range(14))
    b.consume("a", "q", channel="ch", prefetch=1)
    b.consume("B", "q", channel="ch", prefetch=1)
    b.get("ch", "q", 10)
    b.nack("ch", 0, multiple=True, requeue=False)
    assert b.drain("dlq") == "2 3 4 5 6 7 8 9 10 11 1 0"


# Order of dead letters -------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_dead_4_5_order(version, kind):
    """rules/queues#4.5: one nack by ascending tag; several nacks as the client sends them."""
    b = dead_lettering(version, kind)
    b.send("q", *range(6))
    b.consume("A", "q", prefetch=6)
    b.reject("A", 5, 2)
    b.nack("A", 0, multiple=True, requeue=False)
    assert b.drain("dlq") == "4 1 0 2 3 5"


@versions()
def test_dead_4_5_priority_queue_by_level(version):
    """rules/queues#4.5: inside one operation the highest level is first."""
    b = dead_lettering(version, max_priority=5)
    b.consume("A", "q", prefetch=4)
    for number, priority in enumerate((1, 5, 0, 5)):
        b.send("q", number, priority=priority)
    assert b.of("A") == "0 1 2 3"
    b.nack("A", 0, multiple=True, requeue=False)
    assert b.drain("dlq") == "1 3 0 2"


# Recover ---------------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_recover_4_6_requeues_everything(version, kind):
    """rules/queues#4.6: all unacked of the channel; it may come back to the same consumer; nothing outstanding is fine."""
    b = Bench(version)
    b.queue("q", kind)
    b.recover("A")
    b.consume("A", "q", prefetch=2)
    b.send("q", 0, 1)
    b.recover("A")
    assert b.news() == "A:0 A:1 A:0* A:1*"
    b.ack("A", 1, fails=406)


# Transactions ----------------------------------------------------------------------------------------------------------


@versions()
def test_tx_4_7_modes(version):
    """rules/queues#4.7: a channel with confirms has no transactions; commit and rollback want a select, which may be repeated."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.tx("ch", "select", fails=(406, "cannot switch from confirm to tx mode"))
    b.tx("tx", "commit", fails=(406, "channel is not transactional"))
    b.tx("tx", "rollback", fails=(406, "channel is not transactional"))
    b.tx("tx", "select")
    b.tx("tx", "select")
    b.tx("tx", "commit")
    b.tx("tx", "rollback")


@versions()
@kinds()
def test_tx_4_7_publishes_wait_for_the_commit(version, kind):
    """rules/queues#4.7: delivered at commit, in order; dropped by rollback and by the end of the channel."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q", kind)
    b.tx("tx", "select")
    b.send("q", 0, 1, channel="tx")
    assert b.ready("q") == ""
    b.tx("tx", "commit")
    assert b.ready("q") == "0 1"
    b.send("q", 2, channel="tx")
    b.tx("tx", "rollback")
    b.send("q", 3, channel="tx")
    b.close("tx")
    assert b.drain("q") == "0 1"


@versions()
@kinds()
def test_tx_4_7_answers_wait_for_the_commit(version, kind):
    """rules/queues#4.7: a recorded tag is not outstanding any more, but credit comes only with the commit."""
    b = Bench(version)
    b.channel("A", confirms=False)
    b.queue("q", kind)
    b.tx("A", "select")
    b.consume("A", "q", prefetch=1)
    b.send("q", 0, 1)
    b.ack("A", 1)
    assert b.news() == "A:0"
    assert b.count("q") == (1, 1)
    b.tx("A", "commit")
    assert b.news() == "A:1"
    assert b.count("q") == (0, 1)


@versions()
@pytest.mark.parametrize("again", ["ack", "nack", "reject"])
def test_tx_4_7_a_recorded_tag_cannot_be_answered_again(version, again):
    """rules/queues#4.7: 406, and the end of the channel undoes what was recorded."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q")
    b.send("q", 0)
    b.tx("tx", "select")
    b.get("tx", "q")
    b.ack("tx", 1)
    getattr(b, again)("tx", 1, fails=406)
    assert b.drain("q") == "0*"


@versions()
@kinds()
def test_tx_4_7_rollback_makes_tags_outstanding_again(version, kind):
    """rules/queues#4.7: what was recorded can be answered after all."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q", kind)
    b.send("q", 0, 1)
    b.tx("tx", "select")
    b.get("tx", "q", 2)
    b.ack("tx", 2)
    b.nack("tx", 1)
    b.tx("tx", "rollback")
    assert b.count("q") == (0, 2)
    b.ack("tx", 1, 2)
    b.tx("tx", "commit")
    assert b.count("q") == (0, 0)


@versions()
def test_tx_4_7_publishes_first_then_answers(version):
    """rules/queues#4.7: a publish of the transaction is in the queue before a requeue of it looks for a consumer."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q", max_length=1)
    b.send("q", 0)
    b.tx("tx", "select")
    b.get("tx", "q")
    b.nack("tx", 1)
    b.send("q", 1, channel="tx")
    b.tx("tx", "commit")
    assert b.died("q", dropped=True) == "0:maxlen"
    assert b.drain("q") == "1"


@versions()
def test_tx_4_7_consecutive_rejections_are_one_operation(version):
    """rules/queues#4.7: answers of one kind in a row are applied sorted by tag; an answer of another kind comes between."""
    b = dead_lettering(version)
    b.send("q", *range(6))
    b.tx("tx", "select")
    b.get("tx", "q", 6)
    b.reject("tx", 3)
    b.reject("tx", 1)
    b.ack("tx", 2)
    b.reject("tx", 6)
    b.nack("tx", 4, requeue=False)
    b.tx("tx", "commit")
    assert b.drain("dlq") == "0 2 3 5"


@versions(before("4.3"))
def test_tx_4_7_nack_and_reject_are_of_one_kind(version):
    """rules/queues#4.7: kinds are ack, requeue and discard; a nack and a reject that requeue merge."""
    b = dead_lettering(version, "limited")
    b.send("q", 0, 1, 2)
    b.tx("tx", "select")
    b.get("tx", "q", 2)
    b.nack("tx", 2)
    b.reject("tx", 1, requeue=True)
    b.tx("tx", "commit")
    assert b.drain("q") == "0* 1* 2"


@versions()
def test_tx_4_7_a_refused_publish_fails_the_commit(version):
    """rules/queues#4.7: 406, the channel is closed; what other queues took stays, and answers are carried out."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("full", max_length=0, overflow="reject-publish")
    b.queue("q")
    b.tx("tx", "select")
    b.send("q", 0, channel="tx")
    b.send("full", 1, channel="tx")
    b.send("q", 2, channel="tx")
    b.tx("tx", "commit", fails=(406, "partial tx completion"))
    assert b.drain("q") == "0 2"


@versions()
def test_tx_4_7_routing_errors_are_told_at_once(version):
    """rules/queues#4.7: a missing exchange is 404 at the publish; the transaction is undone."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q")
    b.tx("tx", "select")
    b.send("q", 0, channel="tx")
    b.publish("nope", "", 1, channel="tx", fails=404)
    assert b.drain("q") == ""


@versions()
def test_tx_4_7_returns_come_with_the_commit(version):
    """rules/routing#U9, rules/routing#S28: a mandatory publish that reaches nothing is returned at the commit."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.tx("tx", "select")
    b.send("nowhere", "m", channel="tx", mandatory=True)
    assert b.returned == ""
    b.tx("tx", "commit")
    assert b.returned == "m"


@versions()
@kinds()
def test_tx_4_7_a_queue_that_is_deleted_before_the_commit(version, kind):
    """rules/routing#S28, rules/routing#R8: routed by name when published,
    delivered at commit to whatever queue has that name then."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("gone", kind)
    b.queue("again", kind)
    b.tx("tx", "select")
    b.send("gone", 0, channel="tx", mandatory=True)
    b.send("again", 1, channel="tx", mandatory=True)
    b.delete_queue("gone")
    b.delete_queue("again")
    b.queue("again", kind)
    b.tx("tx", "commit")
    assert b.returned == "0"
    assert b.drain("again") == "1"


@versions()
def test_tx_4_7_a_queue_declared_later_gets_nothing(version):
    """rules/routing#S28: where a message goes is decided when it is published."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.exchange("x", "fanout")
    b.tx("tx", "select")
    b.publish("x", "", 0, channel="tx")
    b.queue("late")
    b.bind("x", "late")
    b.tx("tx", "commit")
    assert b.drain("late") == ""


@versions()
def test_tx_4_7_a_consumer_on_the_channel_gets_what_is_committed(version):
    """rules/queues#4.7: a publish to a queue that the channel itself consumes arrives with the commit."""
    b = Bench(version)
    b.channel("A", confirms=False)
    b.queue("q")
    b.tx("A", "select")
    b.consume("A", "q")
    b.send("q", 0, channel="A")
    assert b.news() == ""
    b.tx("A", "commit")
    assert b.news() == "A:0"


# Confirms --------------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_confirms_4_9_one_answer_a_publish(version, kind):
    """rules/queues#4.8, rules/queues#4.9: immediately and in order."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", 0, 1, 2)
    assert list(b.confirms.items()) == [("0", "ack"), ("1", "ack"), ("2", "ack")]


@versions()
def test_confirms_4_9_return_before_ack(version):
    """rules/queues#4.9: a mandatory message that reaches nothing is returned, then acked."""
    b = Bench(version)
    b.send("nowhere", 0, mandatory=True)
    kinds = [type(event) for event in b.events if type(event) in (events.Returned, events.Confirmed)]
    assert kinds == [events.Returned, events.Confirmed]
    returned = b.last(events.Returned)
    assert (returned.code, returned.text, returned.exchange, returned.routing_key) == (312, "NO_ROUTE", "", "nowhere")
    assert b.confirms == {"0": "ack"}


@versions()
@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_confirms_4_9_mandatory_and_refused(version, kind):
    """rules/queues#4.9: a nack and no return, for a queue was found."""
    b = Bench(version)
    b.queue("q", kind, max_length=0, overflow="reject-publish")
    b.send("q", 0, mandatory=True)
    b.send("q", 1, mandatory=True)
    assert b.confirms["1"] == "nack"
    assert b.returned == ""


@versions()
def test_confirms_4_9_an_error_is_no_confirm(version):
    """rules/queues#4.9: the channel is closed; the publish gets neither ack nor nack."""
    b = Bench(version)
    b.publish("nope", "", 0, fails=(404, "NOT_FOUND - no exchange 'nope' in vhost '/'"))
    assert b.confirms == {}


@versions()
def test_confirms_only_where_they_are_on(version):
    """rules/queues#4.8: a channel without confirms is told nothing."""
    b = Bench(version)
    b.channel("ch", confirms=False)
    b.queue("q")
    b.send("q", 0, channel="ch")
    assert b.confirms == {}

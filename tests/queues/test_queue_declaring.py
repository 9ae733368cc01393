"""rules/queues#1: declaring, deleting and purging queues, and who may do it."""

import pytest
from kits.broker import Bench, kinds, since, versions

from routesim import events

LOCKED = (405, "RESOURCE_LOCKED")


# Names -----------------------------------------------------------------------------------------------------------------


@versions()
def test_names_1_1_line_ends_are_taken_out_of_names(version):
    """rules/queues#1.1: CR and LF do not count; a space does."""
    b = Bench(version)
    b.queue("a\r\nb")
    b.queue(" ")
    assert b.queues == "  ab"
    b.delete_queue("a\nb")
    assert b.queues == " "


@versions()
def test_names_1_1_server_named_queues(version):
    """rules/queues#1.1: the broker draws amq.gen- and 22 characters, for classic queues only."""
    b = Bench(version)
    b.queue("mine", server_named=True)
    b.queue("other", server_named=True)
    names = [event.broker_name for event in b.all(events.QueueDeclared)]
    assert len(set(names)) == 2
    for name in names:
        assert name.startswith("amq.gen-")
        assert len(name) == len("amq.gen-") + 22
    for kind in ("quorum", "stream"):
        b.queue("third", kind, server_named=True, fails=(406, "Cannot declare a server-named queue for type"))


@versions()
def test_names_1_2_reserved_prefix(version):
    """rules/queues#1.2: amq. with its dot is 403; amqfoo and AMQ.foo are free."""
    b = Bench(version)
    b.queue("amq.foo", fails=(403, "queue name 'amq.foo' contains reserved prefix 'amq.*'"))
    b.queue("amqfoo")
    b.queue("AMQ.foo")
    assert b.queues == "AMQ.foo amqfoo"


# Durable, exclusive, auto-delete ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("auto_delete", [True, False])
@versions()
def test_flags_1_3_classic_queues_take_all_combinations(version, durable, exclusive, auto_delete):
    """rules/queues#1.3: all eight, but from 4.3 on none that is neither durable nor exclusive."""
    denied = version == "4.3" and not durable and not exclusive
    b = Bench(version)
    b.queue("q", durable=durable, exclusive=exclusive, auto_delete=auto_delete, fails=541 if denied else None)
    assert b.queues == ("" if denied else "q")


@versions()
@kinds("quorum", "stream")
@pytest.mark.parametrize(
    ("flags", "property"),
    [
        ({"auto_delete": True, "exclusive": True, "durable": False}, "auto-delete"),
        ({"exclusive": True, "durable": False}, "exclusive-owner"),
        ({"exclusive": True}, "exclusive-owner"),
        ({"durable": False}, "non-durable"),
        ({"auto_delete": True}, "auto-delete"),
    ],
)
def test_flags_1_3_quorum_queues_and_streams_are_durable_and_shared(version, kind, flags, property):
    """rules/queues#1.3: anything else is 406, looked at in the order auto-delete, exclusive, durable."""
    b = Bench(version)
    b.queue("q", kind, **flags, fails=(406, f"invalid property '{property}' for queue 'q' in vhost '/'"))
    assert b.queues == ""


# Auto-delete -----------------------------------------------------------------------------------------------------------


@versions()
def test_auto_delete_1_5_with_the_last_consumer(version):
    """rules/queues#1.5: deleted when the last of at least one consumer is cancelled."""
    b = Bench(version)
    b.queue("q", auto_delete=True)
    b.consume("A", "q")
    b.consume("B", "q")
    b.cancel("A")
    assert b.queues == "q"
    b.cancel("B")
    assert b.queues == ""


@versions()
def test_auto_delete_1_5_with_the_last_channel(version):
    """rules/queues#1.5: the end of the consumers' channel or connection counts."""
    b = Bench(version)
    b.queue("q", auto_delete=True)
    b.consume("A", "q")
    b.consume("B", "q")
    b.close("A")
    assert b.queues == "q"
    b.ack("B", 99, fails=406)
    assert b.queues == ""


@versions()
def test_auto_delete_1_5_needs_a_consumer_first(version):
    """rules/queues#1.5: a queue that nobody ever consumed stays; basic.get does not count."""
    b = Bench(version)
    b.queue("q", auto_delete=True)
    b.send("q", 0)
    b.get("ch", "q")
    b.close("ch")
    assert b.drain("q") == "0*"


@versions()
def test_auto_delete_1_5_loses_ready_and_unacked(version):
    """rules/queues#1.5: nothing of it is dead-lettered."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", auto_delete=True, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, 1, 2)
    b.get("ch", "q")
    b.consume("A", "q", prefetch=1)
    b.close("A")
    assert b.queues == "dlq"
    b.ack("ch", 1)
    assert b.drain("dlq") == ""


@versions()
def test_auto_delete_1_5_waits_for_a_consumer_again_after_a_restart(version):
    """rules/queues#1.5: a durable auto-delete queue survives the restart that takes its consumers."""
    b = Bench(version)
    b.queue("q", auto_delete=True)
    b.consume("A", "q")
    b.restart()
    assert b.queues == "q"
    b.close("A")
    assert b.queues == "q"
    b.consume("B", "q")
    b.cancel("B")
    assert b.queues == ""


# Exclusive queues ------------------------------------------------------------------------------------------------------


def exclusive(version):
    b = Bench(version)
    b.channel("own", "owner")
    b.channel("own2", "owner")
    b.exchange("x", "fanout")
    b.queue("q", exclusive=True, channel="own")
    return b


@versions()
@pytest.mark.parametrize(
    "ask",
    [
        lambda b: b.queue("q", exclusive=True, channel="foreign", fails=LOCKED),
        lambda b: b.queue("q", channel="foreign", fails=LOCKED),
        lambda b: b.consume("A", "q", channel="foreign", fails=LOCKED),
        lambda b: b.get("foreign", "q", fails=LOCKED),
        lambda b: b.purge("q", channel="foreign", fails=LOCKED),
        lambda b: b.delete_queue("q", channel="foreign", fails=LOCKED),
        lambda b: b.bind("x", "q", channel="foreign", fails=LOCKED),
    ],
    ids=["declare", "declare shared", "consume", "get", "purge", "delete", "bind"],
)
def test_exclusive_1_7_other_connections_are_locked_out(version, ask):
    """rules/queues#1.7: everything but publishing is 405 for another connection."""
    b = exclusive(version)
    ask(b)
    assert b.queues == "q"


@versions()
def test_exclusive_1_7_what_other_connections_may_do(version):
    """rules/queues#1.7: publish to it, and unbind what is not bound; a binding that exists is locked (rules/routing#B6)."""
    b = exclusive(version)
    b.send("q", 0, channel="foreign")
    b.unbind("x", "q", "no such key", channel="foreign")
    b.bind("x", "q", channel="own")
    b.unbind("x", "q", channel="foreign", fails=LOCKED)
    assert b.get("own2", "q") == "0"


@versions()
def test_exclusive_1_7_belongs_to_the_connection(version):
    """rules/queues#1.7: the owner's other channels have access; it goes with the connection, not with a channel."""
    b = exclusive(version)
    b.consume("A", "q", channel="own2")
    b.ack("own", 99, fails=406)
    assert b.queues == "q"
    b.send("q", 0)
    assert b.news() == "A:0"
    b.close("owner")
    assert b.queues == ""


@versions()
def test_exclusive_1_7_the_flag_may_not_change(version):
    """rules/queues#1.7, rules/queues#S32: re-declaring with another exclusive flag is 405, even for the owner."""
    b = exclusive(version)
    b.queue("q", exclusive=True, durable=False, channel="own")
    b.queue("q", channel="own2", fails=LOCKED)
    b.queue("shared")
    b.queue("shared", exclusive=True, channel="own2", fails=LOCKED)


# Default queue type ----------------------------------------------------------------------------------------------------


@versions()
def test_default_type_1_10_is_used_where_it_fits(version):
    """rules/queues#1.10: the vhost's default type is injected where durable, exclusive and auto-delete allow it."""
    b = Bench(version, default_queue_type="quorum")
    b.queue("plain")
    b.queue("exclusive", exclusive=True)
    b.queue("auto", auto_delete=True)
    b.queue("asked", args={"x-queue-type": "classic"})
    kinds = {event.queue: event.type for event in b.all(events.QueueDeclared)}
    assert kinds == {"plain": "quorum", "exclusive": "classic", "auto": "classic", "asked": "classic"}


@versions()
def test_default_type_1_10_declaring_twice_is_the_same(version):
    """rules/queues#1.10, rules/queues#1.8: the type is injected into a second declaration too, so that it is equivalent."""
    b = Bench(version, default_queue_type="quorum")
    b.queue("q")
    b.queue("q")
    b.queue("q", args={"x-queue-type": "quorum"})
    b.queue("q", args={"x-queue-type": "classic"}, fails=406)


# Delete and purge ------------------------------------------------------------------------------------------------------


@versions()
def test_delete_1_13_a_missing_queue_is_fine(version):
    """rules/queues#1.13: delete-ok, whatever the flags."""
    b = Bench(version)
    b.delete_queue("nope")
    b.delete_queue("nope", if_unused=True, if_empty=True)


@versions()
def test_delete_1_13_conditions_of_a_classic_queue(version):
    """rules/queues#1.13: if-empty is looked at before if-unused; empty means no ready messages."""
    b = Bench(version)
    b.queue("q")
    b.send("q", 0)
    b.consume("A", "q", prefetch=1)
    b.send("q", 1)
    b.delete_queue("q", if_empty=True, if_unused=True, fails=(406, "queue 'q' in vhost '/' not empty"))
    b.delete_queue("q", if_unused=True, fails=(406, "queue 'q' in vhost '/' in use"))
    b.purge("q")
    b.delete_queue("q", if_empty=True)
    assert b.queues == ""


@versions()
def test_delete_1_13_a_stream_ignores_the_conditions(version):
    """rules/queues#1.13: neither if-unused nor if-empty keeps a stream."""
    b = Bench(version)
    b.queue("s", "stream")
    b.send("s", 0)
    b.consume("A", "s", prefetch=1)
    b.delete_queue("s", if_unused=True, if_empty=True)
    assert b.queues == ""


@versions()
@kinds()
def test_delete_1_13_drops_everything(version, kind):
    """rules/queues#1.13, rules/queues#2.13: nothing is dead-lettered; unacked tags may be acked once;
    consumers are told (rules/queues#9.1)."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, 1, 2)
    b.consume("A", "q", prefetch=1)
    b.get("ch", "q")
    b.delete_queue("q")
    assert b.drain("dlq") == ""
    assert [event.consumer for event in b.all(events.ConsumerCancelled)] == ["A"]
    assert [(told.consumer, told.channel_lost) for told in b.ended] == [("A", False)]
    b.ack("A", 1)
    b.nack("ch", 1)
    b.ack("ch", 1, fails=406)


@versions()
@kinds()
def test_delete_1_13_a_consumer_tag_is_free_again(version, kind):
    """rules/queues#9.1: after the broker's basic.cancel the tag may be used again on the channel."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q")
    b.delete_queue("q")
    b.queue("q", kind)
    b.consume("A", "q")
    b.send("q", 0)
    assert b.news() == "A:0"


@versions()
@kinds()
def test_delete_recreating_starts_empty(version, kind):
    """rules/queues#1.13: what the old queue of the name had does not come back, nor what was out of it."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", 0, 1)
    b.get("ch", "q")
    b.delete_queue("q")
    b.queue("q", kind)
    assert b.drain("q") == ""
    b.nack("ch", 1)
    b.close("ch")
    assert b.drain("q") == ""


@versions()
@kinds()
def test_purge_1_14_takes_the_ready(version, kind):
    """rules/queues#1.14: unacked ones stay and may come back; nothing is dead-lettered; the answer is the number removed."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, 1, 2)
    b.get("ch", "q")
    assert b.purge("q") == 2
    assert b.count("q") == (0, 1)
    assert b.drain("dlq") == ""
    b.nack("ch", 1)
    assert b.drain("q") == "0*"


@versions()
def test_purge_1_14_streams_and_missing_queues(version):
    """rules/queues#1.14: 540 for a stream, 404 for what is not there."""
    b = Bench(version)
    b.queue("s", "stream")
    b.purge("s", fails=540)
    b.purge("nope", fails=(404, "no queue 'nope' in vhost '/'"))


@versions(("4.3",))
def test_purge_1_14_takes_delayed_retries_since_4_3(version):
    """rules/queues#1.14: a quorum queue's delayed messages are removed and counted too."""
    b = Bench(version)
    b.queue("q", "quorum", delayed_retry_type="all", delayed_retry_min=1000)
    b.send("q", 0, 1)
    b.get("ch", "q")
    b.nack("ch", 1)
    assert b.purge("q") == 2
    b.wait(5000)
    assert b.drain("q") == ""


@versions()
def test_purge_1_14_pending_dead_letters(version):
    """rules/queues#1.14: from 4.3 on a purge removes and counts the at-least-once dead letters that wait for their exchange."""
    b = Bench(version)
    b.queue(
        "q", "quorum", dead_letter_strategy="at-least-once", overflow="reject-publish", dead_letter_exchange="later",
        dead_letter_routing_key="dlq",
    )  # fmt: skip
    b.queue("dlq")
    b.send("q", 0, 1)
    b.get("ch", "q")
    b.reject("ch", 1)
    assert b.purge("q") == (2 if version == "4.3" else 1)
    b.exchange("later", "fanout")
    b.bind("later", "dlq")
    b.wait(400_000)
    assert b.drain("dlq") == ("" if version == "4.3" else "0")


@versions(since("4.0"))
def test_delete_pending_dead_letters_go_with_the_queue(version):
    """rules/routing#D7: a queue that is deleted takes its waiting dead letters along."""
    b = Bench(version)
    b.queue("q", "quorum", dead_letter_strategy="at-least-once", overflow="reject-publish", dead_letter_exchange="later")
    b.send("q", 0)
    b.get("ch", "q")
    b.reject("ch", 1)
    b.delete_queue("q")
    b.wait(400_000)
    assert b.queues == ""


@versions(("4.3",))
def test_delete_delayed_retries_go_with_the_queue(version):
    """rules/queues#1.13, rules/queues#2.11: a queue that is deleted takes its delayed retries along."""
    b = Bench(version)
    b.queue("q", "quorum", delayed_retry_type="all", delayed_retry_min=1000)
    b.send("q", 0)
    b.get("ch", "q")
    b.nack("ch", 1)
    b.delete_queue("q")
    b.wait(5000)
    assert b.queues == ""


@versions()
@kinds()
def test_delete_with_an_open_transaction(version, kind):
    """rules/queues#4.7, rules/queues#1.13: acks recorded in a transaction go with the queue; the commit ignores them."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q", kind)
    b.send("q", 0, 1)
    b.tx("tx", "select")
    b.get("tx", "q", 2)
    b.ack("tx", 1)
    b.nack("tx", 2)
    b.delete_queue("q")
    b.tx("tx", "commit")
    assert b.queues == ""


@versions()
def test_all_versions_know_the_three_types(version):
    """rules/queues#1.9b: classic, quorum and stream, case-sensitive."""
    b = Bench(version)
    for kind in ("classic", "quorum", "stream"):
        b.queue(kind, args={"x-queue-type": kind})
    b.queue("q", args={"x-queue-type": "Quorum"}, fails=(406, "x-queue-type"))
    b.queue("q", args={"x-queue-type": 1}, fails=(406, "{unacceptable_type,signedint}"))
    assert b.queues == "classic quorum stream"

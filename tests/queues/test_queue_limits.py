"""rules/queues#6: max-length, max-length-bytes and what overflow does."""

import pytest
from kits.broker import Bench, before, deaths, kinds, since, versions


def limited(version, kind="classic", **arguments):
    """A queue `q` that dead-letters to `dlq`."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", kind, dead_letter_exchange="", dead_letter_routing_key="dlq", **arguments)
    return b


# What counts -----------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_limit_6_1_unacked_messages_do_not_count(version, kind):
    """rules/queues#6.1: neither towards the length nor towards the bytes."""
    for arguments in ({"max_length": 2}, {"max_length_bytes": 6}):
        b = limited(version, kind, **arguments)
        b.consume("A", "q", prefetch=3)
        b.send("q", 0, 1, 2, 3, 4, body="xxx")
        assert b.ready("q") == "3 4"
        assert b.drain("dlq") == ""


@versions()
@kinds()
def test_limit_6_2_an_empty_body_weighs_nothing(version, kind):
    """rules/queues#6.2: a limit of 0 bytes admits it, and nothing else."""
    b = limited(version, kind, max_length_bytes=0)
    b.send("q", 0, 1)
    b.send("q", 2, body="x")
    assert b.ready("q") == ""  # the heavy one drives out all before it, then itself
    b.send("q", 3)
    assert b.drain("q") == "3"


@versions()
def test_limit_6_2_classic_bytes_are_those_of_the_body(version):
    """rules/queues#6.2: headers and properties weigh nothing, and a character its UTF-8 bytes."""
    b = limited(version, max_length_bytes=4)
    b.send("q", 0, 1, body="éé"[:1], headers={"long": "x" * 100}, properties={"reply_to": "y" * 100})
    assert b.ready("q") == "0 1"
    b.send("q", 2, body="x")
    assert b.drain("q") == "1 2"


@versions()
def test_limit_6_2_quorum_bytes_include_properties_since_4_0(version):
    """rules/queues#6.2: in 3.x only the body counts, from 4.0 on headers do too."""
    b = limited(version, "quorum", max_length_bytes=30)
    b.send("q", 0, 1, body="xx", headers={"long": "x" * 20})
    assert b.ready("q") == ("0 1" if version in before("4.0") else "1")


@versions()
@kinds()
def test_limit_6_1_both_limits(version, kind):
    """rules/queues#6.1: either is enough."""
    b = limited(version, kind, max_length=3, max_length_bytes=10)
    b.send("q", 0, 1, 2, 3, body="x")
    assert b.ready("q") == "1 2 3"
    b.send("q", 4, body="y" * 9)
    assert b.ready("q") == "3 4"


# drop-head -------------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_drop_head_6_3_the_oldest_goes(version, kind):
    """rules/queues#6.3: dead-lettered with the reason maxlen; the publisher is told ack."""
    b = limited(version, kind, max_length=2)
    b.send("q", 0, 1, 2, 3)
    assert set(b.confirms.values()) == {"ack"}
    letters = [b.take("dlq"), b.take("dlq")]
    assert [str(letter) for letter in letters] == ["0", "1"]
    assert deaths(letters[0]) == [("q", "maxlen", 1)]
    assert b.drain("q") == "2 3"


@versions()
@kinds()
def test_drop_head_6_3_a_message_too_big_for_the_queue_goes_itself(version, kind):
    """rules/queues#6.3: it is enqueued first, drives out everything, and itself."""
    b = limited(version, kind, max_length_bytes=5)
    b.send("q", 0, 1, body="xx")
    b.send("q", 2, body="xxxxxx")
    assert b.ready("q") == ""
    reversed_order = kind != "classic" and version in ("3.10", "3.13", "4.0")
    assert b.drain("dlq") == ("2 1 0" if reversed_order else "0 1 2")


@versions()
@kinds()
def test_drop_head_6_3_zero_delivers_only_directly(version, kind):
    """rules/queues#6.3: with max-length 0 a message survives only if a consumer takes it at once."""
    b = limited(version, kind, max_length=0)
    b.send("q", 0)
    b.consume("A", "q", prefetch=1)
    b.send("q", 1, 2)
    assert b.news() == "A:1"
    assert b.drain("dlq") == "0 2"


@versions()
def test_drop_head_6_3_a_requeued_old_message_is_the_first_victim(version):
    """rules/queues#6.3: on a classic queue it is the head again."""
    b = limited(version, max_length=2)
    b.send("q", 0, 1)
    b.get("ch", "q")
    b.send("q", 2)
    b.nack("ch", 1)
    assert b.drain("dlq") == "0"
    assert b.drain("q") == "1 2"


@versions()
def test_drop_head_6_3_a_quorum_requeue_drives_out_the_head(version):
    """rules/queues#6.3: without a delivery limit the requeued goes to the tail, with one it is the head itself."""
    b = limited(version, "quorum", max_length=2)
    b.send("q", 0, 1)
    b.get("ch", "q")
    b.send("q", 2)
    b.nack("ch", 1)
    assert b.drain("dlq") == "1"
    assert b.drain("q") == "2 0*"

    b = limited(version, "limited", max_length=2)
    b.send("q", 0, 1)
    b.get("ch", "q")
    b.send("q", 2)
    b.nack("ch", 1)
    assert b.drain("dlq") == "0"
    assert b.drain("q") == "1 2"


# reject-publish, classic -----------------------------------------------------------------------------------------------


@versions()
def test_reject_6_4_the_limit_is_exact(version):
    """rules/queues#6.4: N are taken, the next is refused until one has gone."""
    b = limited(version, max_length=2, overflow="reject-publish")
    b.send("q", 0, 1, 2)
    assert list(b.confirms.values()) == ["ack", "ack", "nack"]
    b.get("ch", "q")
    b.send("q", 3)
    assert b.confirms["3"] == "ack"
    assert b.drain("q") == "1 3"
    assert b.drain("dlq") == ""


@versions()
def test_reject_6_4_without_confirms_it_is_dropped_silently(version):
    """rules/queues#6.4: nobody is told."""
    b = limited(version, max_length=1, overflow="reject-publish")
    b.channel("quiet", confirms=False)
    b.send("q", 0, 1, channel="quiet")
    assert b.confirms == {}
    assert b.drain("q") == "0"


@versions()
def test_reject_6_4_bytes(version):
    """rules/queues#6.4: refused when the message would go over the limit; a smaller one may still fit."""
    b = limited(version, max_length_bytes=5, overflow="reject-publish")
    b.send("q", 0, body="xxx")
    b.send("q", 1, body="xxx")
    b.send("q", 2, body="xx")
    b.send("q", 3)
    assert list(b.confirms.values()) == ["ack", "nack", "ack", "ack"]
    assert b.drain("q") == "0 2 3"


@versions()
def test_reject_6_4_requeues_are_always_taken(version):
    """rules/queues#6.4: a requeue may exceed the limit, and nothing is dropped."""
    b = limited(version, max_length=1, overflow="reject-publish")
    b.send("q", 0)
    b.get("ch", "q")
    b.send("q", 1)
    b.nack("ch", 1)
    assert b.drain("q") == "0* 1"


@versions()
def test_reject_6_4_consumers_with_credit_keep_it_open(version):
    """rules/queues#6.4: with a limit of 1 and a consumer that takes everything nothing is refused."""
    b = limited(version, max_length=1, overflow="reject-publish")
    b.consume("A", "q")
    b.send("q", 0, 1, 2)
    assert set(b.confirms.values()) == {"ack"}
    assert b.of("A") == "0 1 2"


@versions()
def test_reject_dlx_6_4_the_refused_message_is_dead_lettered(version):
    """rules/queues#6.4: with the reason maxlen, and the publisher gets a nack."""
    b = limited(version, max_length=1, overflow="reject-publish-dlx")
    b.send("q", 0, 1)
    assert b.confirms == {"0": "ack", "1": "nack"}
    letter = b.take("dlq")
    assert str(letter) == "1"
    assert deaths(letter) == [("q", "maxlen", 1)]
    assert b.drain("q") == "0"


@versions()
def test_reject_dlx_6_4_without_an_exchange(version):
    """rules/queues#6.4: it is refused and gone."""
    b = Bench(version)
    b.queue("q", max_length=0, overflow="reject-publish-dlx")
    b.send("q", 0)
    assert b.confirms == {"0": "nack"}
    assert b.drain("q") == ""


@versions()
def test_reject_6_6_whatever_the_priority(version):
    """rules/queues#6.6: a high priority does not get a message into a full queue."""
    b = limited(version, max_priority=5, max_length=1, overflow="reject-publish")
    b.send("q", 0, priority=0)
    b.send("q", 1, priority=5)
    assert b.confirms == {"0": "ack", "1": "nack"}


# reject-publish, quorum ------------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize(("limit", "resumes_at"), [(1, 0), (2, 1), (3, 2), (5, 4), (10, 8), (0, 0)])
def test_reject_6_5_quorum(version, limit, resumes_at):
    """rules/queues#6.5: N+1 fit; publishing resumes when no more than floor(0.8 N) are ready."""
    b = Bench(version)
    b.queue("q", "quorum", max_length=limit, overflow="reject-publish")
    b.send("q", *range(limit + 2))
    assert list(b.confirms.values()) == ["ack"] * (limit + 1) + ["nack"]
    b.send("q", "still")
    assert b.confirms["still"] == "nack"
    for _ in range(limit - resumes_at):
        b.take("q")
        b.send("q", "still")
        assert b.confirms["still"] == "nack"
    b.take("q")
    b.send("q", "again")
    assert b.confirms["again"] == "ack"


@versions()
def test_reject_6_5_quorum_with_an_idle_consumer(version):
    """rules/queues#6.5: it is tested after the dispatch, so with a limit of 0 and a consumer everything passes."""
    b = Bench(version)
    b.queue("q", "quorum", max_length=0, overflow="reject-publish")
    b.consume("A", "q")
    b.send("q", 0, 1, 2, 3)
    assert set(b.confirms.values()) == {"ack"}


@versions()
def test_reject_6_5_quorum_a_new_publisher(version):
    """rules/queues#6.5: another channel's first publish passes at N ready, not above."""
    b = Bench(version)
    b.queue("q", "quorum", max_length=2, overflow="reject-publish")
    b.send("q", 0, 1, channel="x")
    b.send("q", 2, channel="y")
    assert b.confirms["2"] == "ack"
    b.send("q", 3, channel="z")
    b.send("q", 4, channel="x")
    assert (b.confirms["3"], b.confirms["4"]) == ("nack", "nack")


@versions()
def test_reject_6_5_quorum_bytes(version):
    """rules/queues#6.5: the same by bytes."""
    b = Bench(version)
    b.queue("q", "quorum", max_length_bytes=10, overflow="reject-publish")
    b.send("q", 0, 1, body="x" * 5)
    b.send("q", 2, 3, body="x")
    assert list(b.confirms.values()) == ["ack", "ack", "ack", "nack"]
    b.take("q")
    b.send("q", 4, body="x")
    assert b.confirms["4"] == "ack"


@versions()
def test_reject_6_5_quorum_requeues_block_too(version):
    """rules/queues#6.5: any command that leaves more than N ready blocks the known publishers."""
    b = Bench(version)
    b.queue("q", "limited", max_length=1, overflow="reject-publish")
    b.send("q", 0, 1)
    b.get("ch", "q", 2)
    b.send("q", 2)
    assert b.confirms["2"] == "ack"
    b.nack("ch", 1)
    b.send("q", 3)
    assert b.confirms["3"] == "nack"


@versions()
@pytest.mark.parametrize("how", ["purge", "expiry", "policy", "consumer"])
def test_reject_6_5_quorum_whatever_makes_room(version, how):
    """rules/queues#6.5: publishing resumes once the queue is short enough, by a purge, an expiry, a new limit or a consumer."""
    b = Bench(version)
    b.queue("q", "quorum", overflow="reject-publish", message_ttl=1000)
    b.policy("short", "q", {"max-length": 2})
    b.send("q", 0, 1, 2, 3)
    assert list(b.confirms.values()) == ["ack", "ack", "ack", "nack"]
    if how == "purge":
        b.purge("q")
    elif how == "expiry":
        b.wait(1000)
    elif how == "policy":
        b.policy("short", "q", {"max-length": 5})
    else:
        b.consume("A", "q")
    b.send("q", 4)
    assert b.confirms["4"] == "ack"


@versions()
def test_reject_6_5_quorum_dlx_is_drop_head(version):
    """rules/queues#6.5: by argument and by policy."""
    b = limited(version, "quorum", max_length=1, overflow="reject-publish-dlx")
    b.send("q", 0, 1)
    assert set(b.confirms.values()) == {"ack"}
    assert b.drain("dlq") == "0"


# Priorities ------------------------------------------------------------------------------------------------------------


@versions()
def test_victim_6_6_of_a_classic_priority_queue(version):
    """rules/queues#6.6: the oldest of the highest level."""
    b = limited(version, max_priority=5, max_length=3)
    for number, priority in enumerate((1, 5, 5)):
        b.send("q", number, priority=priority)
    b.send("q", 3, priority=0)
    assert b.drain("dlq") == "1"
    assert b.drain("q") == "2 0 3"


@versions(since("4.0"))
def test_victim_6_6_of_a_quorum_queue_is_the_next_to_deliver(version):
    """rules/queues#6.6: returned ones first, then by the order of priorities."""
    b = limited(version, "limited", max_length=2)
    b.send("q", 0, priority=0)
    b.get("ch", "q")
    b.send("q", 1, priority=9)
    b.send("q", 2, priority=0)
    b.nack("ch", 1)
    assert b.drain("dlq") == "0"
    b.send("q", 3, priority=0)
    assert b.drain("dlq") == "1"


# Policies --------------------------------------------------------------------------------------------------------------


@versions()
@kinds()
def test_policy_6_7_a_new_limit_counts_at_once(version, kind):
    """rules/queues#6.7: messages over the new limit are dropped from the head."""
    b = limited(version, kind)
    b.send("q", 0, 1, 2, 3)
    b.policy("short", "^q$", {"max-length": 2})
    assert b.ready("q") == "2 3"
    dead = b.drain("dlq")
    assert dead == ("1 0" if kind != "classic" and version in ("3.10", "3.13", "4.0") else "0 1")
    b.delete_policy("short")
    b.send("q", 4)
    assert b.drain("q") == "2 3 4"


# Arrivals by dead-lettering --------------------------------------------------------------------------------------------


def arriving(version, kind, **arguments):
    """One message `d` is dead-lettered into the full queue `full`, which holds `0`."""
    b = Bench(version)
    b.queue("last")
    b.queue("full", kind, max_length=1, dead_letter_exchange="", dead_letter_routing_key="last", **arguments)
    b.queue("q", dead_letter_exchange="", dead_letter_routing_key="full")
    b.send("full", 0)
    b.send("q", "d")
    b.get("ch", "q")
    b.reject("ch", 1)
    return b


@versions()
@kinds()
def test_arrival_6_8_drop_head(version, kind):
    """rules/queues#6.8: as any publish."""
    b = arriving(version, kind)
    assert b.drain("full") == "d"
    assert b.drain("last") == "0"


@versions()
def test_arrival_6_8_classic_reject_publish(version):
    """rules/queues#6.8: silently gone."""
    b = arriving(version, "classic", overflow="reject-publish")
    assert b.drain("full") == "0"
    assert b.drain("last") == ""
    assert b.died("q", dropped=True) == "d:rejected"


@versions()
def test_arrival_6_8_classic_reject_publish_dlx(version):
    """rules/queues#6.8: handed on to the full queue's own exchange, with the reason maxlen."""
    b = arriving(version, "classic", overflow="reject-publish-dlx")
    assert b.drain("full") == "0"
    letter = b.take("last")
    assert str(letter) == "d"
    assert deaths(letter) == [("full", "maxlen", 1), ("q", "rejected", 1)]


@versions()
def test_arrival_6_8_quorum_reject_publish(version):
    """rules/queues#6.8: always taken."""
    b = arriving(version, "quorum", overflow="reject-publish")
    b.send("q", "e")
    b.get("ch", "q")
    b.reject("ch", 2)
    assert b.drain("full") == "0 d e"


@versions()
@kinds("classic", "quorum")
def test_arrival_6_8_at_least_once_is_tried_again(version, kind):
    """rules/queues#6.8: what a full queue refuses stays with its source until there is room."""
    b = Bench(version)
    b.queue("full", kind, max_length=1, overflow="reject-publish")
    b.queue(
        "q", "quorum", dead_letter_exchange="", dead_letter_routing_key="full", overflow="reject-publish",
        dead_letter_strategy="at-least-once",
    )  # fmt: skip
    b.send("full", 0, *([1] if kind == "quorum" else []))
    b.send("q", "d")
    b.get("ch", "q")
    b.reject("ch", 1)
    assert "d" not in b.ready("full")
    b.purge("full")
    b.wait(200_000)
    assert b.drain("full") == "d"

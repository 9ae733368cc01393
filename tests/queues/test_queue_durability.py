"""rules/queues#7: what a restart of the broker leaves. Clean stops and kills."""

import pytest
from kits.broker import Bench, before, kinds, versions

both = pytest.mark.parametrize("clean", [True, False])


@versions()
@both
def test_restart_7_1_queues(version, clean):
    """rules/queues#7.1: durable ones that are not exclusive survive."""
    b = Bench(version)
    b.queue("durable")
    b.queue("auto", auto_delete=True)
    b.queue("k", "quorum")
    b.queue("s", "stream")
    b.queue("exclusive", exclusive=True)
    if version != "4.3":
        b.queue("transient", durable=False)
    b.restart(clean=clean)
    assert b.queues == "auto durable k s"


@versions(before("4.2"))
@both
def test_restart_7_1_bindings(version, clean):
    """rules/queues#7.1: a binding survives if both its ends are durable."""
    b = Bench(version)
    b.exchange("durable", "fanout")
    b.exchange("transient", "fanout", durable=False)
    b.queue("q")
    b.queue("t", durable=False)
    b.bind("durable", "q")
    b.bind("durable", "t")
    b.bind("transient", "q")
    b.restart(clean=clean)
    assert b.exchanges == "durable"
    b.exchange("transient", "fanout", durable=False)
    b.queue("t", durable=False)
    assert b.route("durable") == "q"
    assert b.route("transient") == ""


@versions()
@both
@pytest.mark.parametrize(("kind", "kept"), [("classic", "0 2"), ("quorum", "0 1 2"), ("limited", "0 1 2")])
def test_restart_7_2_messages(version, clean, kind, kept):
    """rules/queues#7.2: a classic queue keeps the persistent ones, a quorum queue all."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", 0)
    b.send("q", 1, delivery_mode=1)
    b.send("q", 2)
    b.restart(clean=clean)
    assert b.drain("q").replace("*", "") == kept


@versions()
def test_restart_7_2_streams_keep_everything(version):
    """rules/queues#7.2: transient ones too."""
    b = Bench(version)
    b.queue("s", "stream")
    b.send("s", 0, delivery_mode=1)
    b.send("s", 1)
    b.restart()
    b.consume("A", "s", prefetch=10, args={"x-stream-offset": "first"})
    assert b.news() == "A:0 A:1"


@versions()
def test_restart_7_2_the_mode_goes_on_with_the_dead_letter(version):
    """rules/queues#7.2: a quorum queue leaves the mode as it is; in a classic queue it counts again."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", "quorum", dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", 0, delivery_mode=1)
    b.restart()
    b.get("ch", "q")
    b.reject("ch", 1)
    assert b.ready("dlq") == "0"
    b.restart()
    assert b.drain("dlq") == ""


@versions()
@kinds()
def test_restart_7_3_a_clean_stop_marks_what_was_out(version, kind):
    """rules/queues#7.3: redelivered exactly for those; a classic queue has them in their old places, a quorum queue first."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", 0, 1, 2, 3)
    b.get("ch", "q", 3)
    b.ack("ch", 1)
    b.nack("ch", 3)
    b.restart()
    assert b.drain("q") == {"classic": "1* 2* 3", "quorum": "1* 3 2*", "limited": "2* 1* 3"}[kind]


@versions()
@pytest.mark.parametrize(("kind", "expected"), [("classic", "0* 1* 2*"), ("quorum", "0* 1 2"), ("limited", "0* 1 2")])
def test_restart_7_3_a_kill_marks_all_of_a_classic_queue(version, kind, expected):
    """rules/queues#7.3: a quorum queue knows exactly, a classic queue does not."""
    b = Bench(version)
    b.queue("q", kind)
    b.send("q", 0, 1, 2)
    b.consume("A", "q", prefetch=1)
    b.restart(clean=False)
    assert b.drain("q") == expected


@versions()
@both
def test_restart_7_3_priority_queues(version, clean):
    """rules/queues#7.3: as classic queues; messages keep their levels."""
    b = Bench(version)
    b.queue("q", max_priority=5)
    b.send("q", 0, priority=1)
    b.send("q", 1, priority=5)
    b.send("q", 2, priority=1)
    b.get("ch", "q")
    b.restart(clean=clean)
    assert b.drain("q") == ("1* 0 2" if clean else "1* 0* 2*")


@versions()
@both
@kinds()
def test_restart_7_3_nobody_is_sent_anything_by_it(version, clean, kind):
    """rules/queues#7.3: all connections end at once: what one consumer held is not delivered to the next meanwhile."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q", prefetch=1)
    b.consume("B", "q", prefetch=1)
    b.send("q", 0)
    assert b.news() == "A:0"
    b.restart(clean=clean)
    assert b.news() == ""
    letter = b.take("q")
    assert str(letter) == "0*"
    if kind != "classic":
        count = "x-acquired-count" if version == "4.3" else "x-delivery-count"
        assert letter.headers[count] == 1


@versions()
@both
@kinds()
def test_restart_7_3_nothing_is_lost_to_an_automatic_consumer(version, clean, kind):
    """rules/queues#7.2, rules/queues#7.3: a no-ack consumer that is still connected does not get what another one's connection
    held."""
    b = Bench(version)
    b.queue("q", kind)
    b.consume("A", "q", prefetch=1, priority=1)
    b.consume("auto", "q", auto_ack=True)
    b.send("q", 0)
    assert b.news() == "A:0"
    b.restart(clean=clean)
    assert b.drain("q") == "0*"


@versions()
@both
def test_restart_7_3_a_delivery_limit_is_not_used_up_twice(version, clean):
    """rules/queues#7.3: one return a restart, so a limit of 1 is kept."""
    b = Bench(version)
    b.queue("q", args={"x-queue-type": "quorum", "x-delivery-limit": 1})
    for name in "ABC":
        b.consume(name, "q", prefetch=1)
    b.send("q", 0)
    b.restart(clean=clean)
    assert b.drain("q") == "0*"


@versions()
@both
def test_restart_consumers_and_channels_are_gone(version, clean):
    """rules/queues#7: everybody's connection ends; tags begin anew."""
    b = Bench(version)
    b.queue("q")
    b.consume("A", "q")
    b.send("q", 0)
    b.restart(clean=clean)
    assert [(told.consumer, told.channel_lost) for told in b.ended] == [("A", True)]
    b.ack("A", 1, fails=406)
    b.consume("A", "q")
    assert b.letters[-1].tag == 1
    assert str(b.letters[-1]) == "0*"


@versions()
@kinds()
def test_restart_7_4_ttl_goes_on(version, kind):
    """rules/queues#7.4: instants of expiry are those of before."""
    b = Bench(version)
    b.queue("q", kind, message_ttl=1000)
    b.send("q", 0)
    b.wait(600)
    b.restart()
    b.wait(399)
    assert b.count("q") == (1, 0)
    b.wait(1)
    assert b.count("q") == (0, 0)


@versions()
def test_restart_transactions_are_undone(version):
    """rules/queues#4.7: uncommitted publishes are gone, recorded acks were never made."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.queue("q")
    b.send("q", 0)
    b.tx("tx", "select")
    b.get("tx", "q")
    b.ack("tx", 1)
    b.send("q", 1, channel="tx")
    b.restart()
    assert b.drain("q") == "0*"

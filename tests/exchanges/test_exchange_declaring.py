"""rules/routing#1.6 to rules/routing#1.9: predeclared exchanges, declaring, deleting, binding, and what goes with what."""

import pytest
from kits.broker import Bench, before, since, versions

from routesim import events
from routesim.values import Typed

NOT_PERMITTED = (403, "ACCESS_REFUSED - operation not permitted on the default exchange")
PREDECLARED = {
    "amq.direct": "direct", "amq.fanout": "fanout", "amq.topic": "topic", "amq.match": "headers", "amq.headers": "headers",
}  # fmt: skip


# Predeclared -----------------------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize(("name", "type"), PREDECLARED.items())
def test_p1_exchanges_that_are_there(version, name, type):
    """rules/routing#P1: durable, not auto-delete, not internal; to be bound and published to as any other (rules/routing#P5)."""
    b = Bench(version)
    b.exchange(name, type)
    b.queue("q")
    b.bind(name, "q", "k")
    assert b.route(name, "k") == "q"
    b.unbind(name, "q", "k")
    assert b.route(name, "k") == ""


@versions()
def test_p1_the_trace_exchange_is_internal(version):
    """rules/routing#P1, rules/routing#V5: a durable topic exchange that nobody may publish to."""
    b = Bench(version)
    b.exchange("amq.rabbitmq.trace", "topic", internal=True)
    b.publish("amq.rabbitmq.trace", "k", fails=(403, "cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'"))
    b.queue("q")
    b.bind("amq.rabbitmq.trace", "q", "#")


@versions()
def test_p2_every_queue_is_bound_to_the_default_exchange(version):
    """rules/routing#P2, rules/routing#R2: by its name, as long as it is there."""
    b = Bench(version)
    b.queue("q")
    assert b.route("", "q") == "q"
    assert b.route("", "p", mandatory=True) == "returned"
    b.delete_queue("q")
    assert b.route("", "q") == ""


@versions()
@pytest.mark.parametrize(
    "ask",
    [
        lambda b: b.exchange("", fails=NOT_PERMITTED),
        lambda b: b.delete_exchange("", fails=NOT_PERMITTED),
        lambda b: b.bind("", "q", "k", fails=NOT_PERMITTED),
        lambda b: b.unbind("", "q", "q", fails=NOT_PERMITTED),
        lambda b: b.bind_exchange("", "amq.fanout", fails=NOT_PERMITTED),
        lambda b: b.bind_exchange("amq.fanout", "", fails=NOT_PERMITTED),
        lambda b: b.unbind("", "amq.fanout", to="exchange", fails=NOT_PERMITTED),
        lambda b: b.unbind("amq.fanout", "", to="exchange", fails=NOT_PERMITTED),
    ],
    ids=["declare", "delete", "bind", "unbind", "bind from", "bind to", "unbind from", "unbind to"],
)
def test_p3_the_default_exchange_is_nobodys(version, ask):
    """rules/routing#P3: 403."""
    b = Bench(version)
    b.queue("q")
    ask(b)


@versions()
def test_p4_reserved_names(version):
    """rules/routing#P4: a new exchange that begins with amq. is 403; an existing one is compared; other spellings are free."""
    b = Bench(version)
    b.exchange("amq.foo", fails=(403, "exchange name 'amq.foo' contains reserved prefix 'amq.*'"))
    b.exchange("amq.topic", "topic")
    b.exchange(
        "amq.topic",
        "direct",
        fails=(406, "inequivalent arg 'type' for exchange 'amq.topic' in vhost '/': received 'direct' but current is 'topic'"),
    )
    b.exchange("AMQ.x")
    b.exchange("amqp.x")


@versions()
@pytest.mark.parametrize("name", ["amq.direct", "amq.nothing"])
def test_p5_system_exchanges_cannot_be_deleted(version, name):
    """rules/routing#P5: whether they are there or not."""
    b = Bench(version)
    b.delete_exchange(name, fails=(403, f"deletion of system exchange '{name}' in vhost '/' not allowed"))


# Declaring -------------------------------------------------------------------------------------------------------------


@versions()
def test_c2_the_type_is_looked_at_first(version):
    """rules/routing#C2: unknown types are refused for existing exchanges and reserved names too; case counts."""
    code = 503 if version == "3.10" else 406
    b = Bench(version)
    b.exchange("x")
    for name in ("x", "amq.foo", ""):
        b.exchange(name, "nonsense", fails=code)
    b.exchange("y", "Fanout", fails=code)


@versions()
@pytest.mark.parametrize(("value", "kind"), [(1, "signedint"), (True, "bool"), (["a"], "array")])
def test_c3_the_alternate_exchange_is_text(version, value, kind):
    """rules/routing#C3: any other type is 406."""
    b = Bench(version)
    b.exchange("x", ae=value, fails=(406, f"invalid type '{kind}' for arg 'alternate-exchange' in exchange 'x' in vhost '/'"))
    assert b.exchanges == ""


@versions()
def test_c3_the_alternate_exchange_may_be_missing_or_itself(version):
    """rules/routing#C3: nobody looks whether it is there."""
    b = Bench(version)
    b.exchange("x", ae="nowhere")
    b.exchange("y", ae="y")
    b.exchange("z", ae="")
    assert b.exchanges == "x y z"


@versions()
def test_c5_equivalence(version):
    """rules/routing#C5: type, durable, auto-delete, internal, then the alternate exchange; the first difference is told."""
    b = Bench(version)
    b.exchange("x", "direct")
    where = "for exchange 'x' in vhost '/'"
    b.exchange(
        "x", "fanout", durable=False, fails=(406, f"inequivalent arg 'type' {where}: received 'fanout' but current is 'direct'")
    )
    b.exchange(
        "x",
        durable=False,
        auto_delete=True,
        fails=(406, f"inequivalent arg 'durable' {where}: received 'false' but current is 'true'"),
    )
    b.exchange(
        "x",
        auto_delete=True,
        internal=True,
        fails=(406, f"inequivalent arg 'auto_delete' {where}: received 'true' but current is 'false'"),
    )
    b.exchange(
        "x", internal=True, ae="a", fails=(406, f"inequivalent arg 'internal' {where}: received 'true' but current is 'false'")
    )
    b.exchange(
        "x",
        ae="q",
        fails=(
            406,
            f"inequivalent arg 'alternate-exchange' {where}: received the value 'q' of type 'longstr' but current is none",
        ),
    )
    b.exchange("y", ae="q")
    b.exchange(
        "y",
        fails=(
            406,
            "inequivalent arg 'alternate-exchange' for exchange 'y' in vhost '/': received none but current is the value 'q' of type 'longstr'",
        ),
    )
    b.exchange("y", ae="r", fails=(406, "received 'r' but current is 'q'"))
    b.exchange("y", ae="q")


@versions()
def test_c5_a_byte_array_of_equal_bytes_passes(version):
    """rules/routing#C5: another type, but an equal value."""
    b = Bench(version)
    b.exchange("x", ae="q")
    b.exchange("x", ae=Typed("bytes", b"q"))


@versions(before("4.2"))
@pytest.mark.parametrize("clean", [True, False])
def test_c8_transient_exchanges_vanish_with_a_restart(version, clean):
    """rules/routing#C8: with all that is bound from and to them;
    a durable auto-delete exchange that loses its last binding so stays."""
    b = Bench(version)
    b.exchange("durable", "fanout")
    b.exchange("auto-1", "fanout", auto_delete=True)
    b.exchange("auto-2", "fanout", auto_delete=True)
    b.exchange("transient", "fanout", durable=False)
    b.queue("kept")
    b.queue("gone", durable=False)
    b.bind_exchange("durable", "transient")
    b.bind("transient", "kept")
    b.bind_exchange("auto-1", "transient")
    b.bind("auto-2", "gone")
    b.bind("durable", "kept")
    b.restart(clean=clean)
    assert b.exchanges == "auto-1 auto-2 durable"
    b.exchange("transient", "fanout", durable=False)
    assert b.route("transient") == ""
    assert b.route("durable") == "kept"


@versions(("4.2", "4.3"))
def test_c8_transient_exchanges_are_kept_with_khepri(version):
    """rules/routing#C8: exchanges that are not durable survive a restart."""
    b = Bench(version)
    b.exchange("transient", "fanout", durable=False)
    b.restart()
    assert b.exchanges == "transient"


# Deleting --------------------------------------------------------------------------------------------------------------


@versions()
def test_k1_if_unused_looks_at_bindings_from_it(version):
    """rules/routing#K1: being a destination or an alternate exchange is no use; a binding from it is."""
    b = Bench(version)
    b.exchange("source", "fanout")
    b.exchange("x", "fanout")
    b.exchange("y", "fanout", ae="x")
    b.queue("q", dead_letter_exchange="x")
    b.bind_exchange("source", "x")
    b.delete_exchange("source", if_unused=True, fails=(406, "exchange 'source' in vhost '/' in use"))
    b.delete_exchange("x", if_unused=True)
    b.delete_exchange("source", if_unused=True)
    assert b.exchanges == "y"


@versions()
def test_k2_deleting_goes_upstream_only(version):
    """rules/routing#K2, rules/routing#K3: of A, B, C and q in a row, all auto-delete, deleting B takes A along and leaves C."""
    b = Bench(version)
    for name in "ABC":
        b.exchange(name, "fanout", auto_delete=True)
    b.queue("q")
    b.bind_exchange("A", "B")
    b.bind_exchange("B", "C")
    b.bind("C", "q")
    b.delete_exchange("B")
    assert b.exchanges == "C"
    assert b.route("C") == "q"


@versions()
@pytest.mark.parametrize("how", ["unbind", "delete", "cancel", "expire", "connection"])
def test_k3_what_deletes_an_auto_delete_exchange(version, how):
    """rules/routing#K3: losing the last binding by an unbind or with its queue, however that goes."""
    b = Bench(version)
    b.exchange("x", "fanout", auto_delete=True)
    arguments = {"expires": 1000} if how == "expire" else {}
    b.queue("q", auto_delete=how == "cancel", exclusive=how == "connection", channel="own", **arguments)
    b.queue("other")
    b.bind("x", "q", channel="own")
    b.bind("x", "other")
    b.unbind("x", "other")
    assert b.exchanges == "x"
    if how == "unbind":
        b.unbind("x", "q", channel="own")
    elif how == "delete":
        b.delete_queue("q")
    elif how == "cancel":
        b.consume("A", "q")
        b.cancel("A")
    elif how == "expire":
        b.wait(1000)
    else:
        b.close("own")
    assert b.exchanges == ""


@versions()
def test_k3_a_binding_to_itself_counts(version):
    """rules/routing#K3: it keeps the exchange, until it is the last to go."""
    b = Bench(version)
    b.exchange("x", "fanout", auto_delete=True)
    b.queue("q")
    b.bind_exchange("x", "x")
    b.bind("x", "q")
    b.delete_queue("q")
    assert b.exchanges == "x"
    b.unbind("x", "x", to="exchange")
    assert b.exchanges == ""


@versions()
def test_k3_several_bindings_of_one_queue_go_together(version):
    """rules/routing#K3: deleting the queue takes all of them; the exchange goes once."""
    b = Bench(version)
    b.exchange("x", "direct", auto_delete=True)
    b.queue("q")
    for key in "abc":
        b.bind("x", "q", key)
    b.delete_queue("q")
    assert b.exchanges == ""
    assert [event.exchange for event in b.all(events.ExchangeDeleted)] == ["x"]


@versions()
def test_k4_publishing_and_references_delete_nothing(version):
    """rules/routing#K4: a missing alternate or dead-letter exchange is looked for at every publish, so it may come later."""
    b = Bench(version)
    b.exchange("x", "fanout", ae="late")
    b.queue("unrouted")
    assert b.route("x") == ""
    b.exchange("late", "fanout")
    b.bind("late", "unrouted")
    assert b.route("x") == "unrouted"
    b.delete_exchange("late")
    assert b.route("x") == ""
    assert b.exchanges == "x"


@versions()
def test_k5_recreating_brings_no_bindings_back(version):
    """rules/routing#K5: neither of an exchange nor of a queue."""
    b = Bench(version)
    b.exchange("x", "fanout")
    b.exchange("up", "fanout")
    b.queue("q")
    b.bind("x", "q")
    b.bind_exchange("up", "x")
    b.delete_exchange("x")
    b.exchange("x", "fanout")
    assert b.route("x") == b.route("up") == ""
    b.bind("x", "q")
    b.delete_queue("q")
    b.queue("q")
    assert b.route("x") == ""
    b.bind("x", "q")
    assert b.route("x") == "q"


# Bindings --------------------------------------------------------------------------------------------------------------


@versions()
def test_b1_identity(version):
    """rules/routing#B1: source, destination and its kind, key and arguments; the same again changes nothing."""
    b = Bench(version)
    b.exchange("x", "direct")
    b.exchange("same-name", "fanout")
    b.queue("same-name")
    b.queue("q")
    b.bind("same-name", "q")
    for _ in range(2):
        b.bind("x", "same-name", "k")
        b.bind_exchange("x", "same-name", "k")
        b.bind("x", "same-name", "other")
        b.bind("x", "same-name", "k", args={"a": 1})
    assert len(b.all(events.Bound)) == 5
    assert b.route("x", "k") == "q same-name"
    b.unbind("x", "same-name", "k")
    assert b.route("x", "k") == "q same-name"
    b.unbind("x", "same-name", "k", args={"a": 1})
    assert b.route("x", "k") == "q"


@versions()
def test_b2_arguments_in_any_order_at_the_top_only(version):
    """rules/routing#B2: the order inside a nested table counts, as do widths and the types of array elements."""
    b = Bench(version)
    b.exchange("x", "fanout")
    b.queue("q")
    b.bind("x", "q", args={"a": 1, "b": {"c": 1, "d": 2}})
    b.bind("x", "q", args={"b": {"c": 1, "d": 2}, "a": 1})
    assert len(b.all(events.Bound)) == 1
    for other in (
        {"a": 1, "b": {"d": 2, "c": 1}}, {"a": Typed("long", 1), "b": {"c": 1, "d": 2}}, {"a": Typed("short", 1), "b": {"c": 1, "d": 2}},
        {"a": [1]}, {"a": [Typed("long", 1)]}, {"a": [1.0]}, {"a": [True]}, {"a": Typed("float", 1.5)}, {"a": 1.5}, {"a": True}, {"a": 1.0},
        {"a": Typed("bytes", b"x")}, {"a": "x"},
    ):  # fmt: skip
        count = len(b.all(events.Bound))
        b.bind("x", "q", args=other)
        assert len(b.all(events.Bound)) == count + 1, other


@versions()
def test_b3_order_of_checks(version):
    """rules/routing#B3: default exchange, source, destination, the type's own check, then the owner of an exclusive queue."""
    b = Bench(version)
    b.queue("mine", exclusive=True, channel="own")
    b.exchange("h", "headers")
    b.exchange("x", "fanout")
    b.bind("", "nope", fails=403)
    b.bind("nope", "neither", fails=(404, "no exchange 'nope' in vhost '/'"))
    b.bind("h", "nope", args={"x-match": "bad"}, fails=(404, "no queue 'nope' in vhost '/'"))
    b.bind_exchange("nope", "neither", fails=(404, "no exchange 'nope' in vhost '/'"))
    b.bind_exchange("x", "neither", fails=(404, "no exchange 'neither' in vhost '/'"))
    b.bind("h", "mine", args={"x-match": "bad"}, channel="foreign", fails=406)
    b.bind("h", "mine", channel="foreign", fails=405)


@versions(("3.10", "4.2.5", "4.2.6", "4.3"))
def test_b3_reply_addresses_cannot_be_bound(version):
    """rules/routing#B3, rules/routing#U25: 404 at first, 403 from 4.2.6 on, for unbind too."""
    b = Bench(version)
    name = "amq.rabbitmq.reply-to.abc"
    refused = version in ("4.2.6", "4.3")
    text = "cannot bind or unbind to a volatile (direct reply-to) queue"
    b.bind("amq.fanout", name, fails=(403, text) if refused else 404)
    b.unbind("amq.fanout", name, fails=(403, text) if refused else None)


@versions()
def test_b7_exchanges_bind_by_the_sources_type(version):
    """rules/routing#B7: what matches is decided by the source; loops are allowed."""
    b = Bench(version)
    b.exchange("t", "topic")
    b.exchange("d", "direct")
    b.queue("q")
    b.bind_exchange("t", "d", "*.k")
    b.bind_exchange("d", "t", "a.k")
    b.bind("d", "q", "a.k")
    assert b.route("t", "a.k") == "q"
    assert b.route("t", "b.k") == ""


@versions(since("3.13"))
def test_c2_an_unknown_type_leaves_the_connection(version):
    """rules/routing#C2: since 3.13.3 only the channel is closed, so that what else the connection has stays."""
    b = Bench(version)
    b.channel("other", "one")
    b.channel("ch", "one")
    b.queue("mine", exclusive=True, channel="other")
    b.exchange("x", "nonsense", channel="ch", fails=406)
    assert b.queues == "mine"

"""rules/routing#1.6 to rules/routing#1.9: predeclared exchanges, declaring, deleting, binding, and what goes with what."""

import pytest
from kits.broker import Bench, before, since, versions
from kits.rules import routing_rules

from routesim import events
from routesim.values import Typed

test_predeclared = routing_rules("""
P2,R2 every queue is bound to the default exchange: by its name, as long as it is there
    queue q; route "" q = q; route "" p mandatory = returned; delete-queue q; route "" q =
P4 reserved names: a new exchange that begins with amq. is 403; an existing one is compared; other spellings are free
    exchange amq.foo !403 exchange name 'amq.foo' contains reserved prefix 'amq.*'; exchange amq.topic topic
    exchange amq.topic direct !406 inequivalent arg 'type' for exchange 'amq.topic' in vhost '/': received 'direct' but current is 'topic'
    exchange AMQ.x; exchange amqp.x
P5 system exchanges cannot be deleted, amq.direct: whether they are there or not
    delete-exchange amq.direct !403 deletion of system exchange 'amq.direct' in vhost '/' not allowed
P5 system exchanges cannot be deleted, amq.nothing: whether they are there or not
    delete-exchange amq.nothing !403 deletion of system exchange 'amq.nothing' in vhost '/' not allowed
""")

test_declaring = routing_rules("""
C2 the type is looked at first: unknown types are refused for existing exchanges and reserved names too; case counts [<3.13]
    exchange x; exchange x nonsense !503; exchange amq.foo nonsense !503; exchange "" nonsense !503; exchange y Fanout !503
C2 the type is looked at first: unknown types are refused for existing exchanges and reserved names too; case counts [>=3.13]
    exchange x; exchange x nonsense !406; exchange amq.foo nonsense !406; exchange "" nonsense !406; exchange y Fanout !406
C3 the alternate exchange may be missing or itself: nobody looks whether it is there
    exchange x ae=nowhere; exchange y ae=y; exchange z ae=""; exchanges = x y z
""")

test_deleting = routing_rules("""
K1 if unused looks at bindings from it: being a destination or an alternate exchange is no use; a binding from it is
    exchange source fanout; exchange x fanout; exchange y fanout ae=x; queue q dead-letter-exchange=x; bind-exchange source x
    delete-exchange source if-unused !406 exchange 'source' in vhost '/' in use; delete-exchange x if-unused
    delete-exchange source if-unused; exchanges = y
K2,K3 deleting goes upstream only: of A, B, C and q in a row, all auto-delete, deleting B takes A along and leaves C
    exchange A fanout auto-delete; exchange B fanout auto-delete; exchange C fanout auto-delete; queue q; bind-exchange A B
    bind-exchange B C; bind C q; delete-exchange B; exchanges = C; route C = q
K3 a binding to itself counts: it keeps the exchange, until it is the last to go
    exchange x fanout auto-delete; queue q; bind-exchange x x; bind x q; delete-queue q; exchanges = x; unbind x x to=exchange
    exchanges =
K4 publishing and references delete nothing: a missing alternate or dead-letter exchange is looked for at every publish, so it may come later
    exchange x fanout ae=late; queue unrouted; route x =; exchange late fanout; bind late unrouted; route x = unrouted
    delete-exchange late; route x =; exchanges = x
K5 recreating brings no bindings back: neither of an exchange nor of a queue
    exchange x fanout; exchange up fanout; queue q; bind x q; bind-exchange up x; delete-exchange x; exchange x fanout
    route x =; route up =; bind x q; delete-queue q; queue q; route x =; bind x q; route x = q
""")

test_bindings = routing_rules("""
B3,U25 reply addresses cannot be bound: 404 at first, 403 from 4.2.6 on, for unbind too [3.10 4.2.5]
    bind amq.fanout amq.rabbitmq.reply-to.abc !404; unbind amq.fanout amq.rabbitmq.reply-to.abc
B3,U25 reply addresses cannot be bound: 404 at first, 403 from 4.2.6 on, for unbind too [4.2.6 4.3]
    bind amq.fanout amq.rabbitmq.reply-to.abc !403 cannot bind or unbind to a volatile (direct reply-to) queue
    unbind amq.fanout amq.rabbitmq.reply-to.abc !403 cannot bind or unbind to a volatile (direct reply-to) queue
B3 the bare name of the reply queue is no queue to bind: 404 in every version, and unbind finds nothing [3.10 4.0 4.2.5 4.2.6 4.3]
    bind amq.fanout amq.rabbitmq.reply-to !404 no queue 'amq.rabbitmq.reply-to' in vhost '/'; unbind amq.fanout amq.rabbitmq.reply-to
B7 exchanges bind by the sources type: what matches is decided by the source; loops are allowed
    exchange t topic; exchange d direct; queue q; bind-exchange t d *.k; bind-exchange d t a.k; bind d q a.k; route t a.k = q
    route t b.k =
""")

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


# Declaring -------------------------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize(("value", "kind"), [(1, "signedint"), (True, "bool"), (["a"], "array")])
def test_c3_the_alternate_exchange_is_text(version, value, kind):
    """rules/routing#C3: any other type is 406."""
    b = Bench(version)
    b.exchange("x", ae=value, fails=(406, f"invalid type '{kind}' for arg 'alternate-exchange' in exchange 'x' in vhost '/'"))
    assert b.exchanges == ""


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


@versions(since("3.13"))
def test_c2_an_unknown_type_leaves_the_connection(version):
    """rules/routing#C2: since 3.13.3 only the channel is closed, so that what else the connection has stays."""
    b = Bench(version)
    b.channel("other", "one")
    b.channel("ch", "one")
    b.queue("mine", exclusive=True, channel="other")
    b.exchange("x", "nonsense", channel="ch", fails=406)
    assert b.queues == "mine"

"""rules/routing#1.1, rules/routing#1.3, rules/routing#1.10, rules/routing#3: where a publish goes,
and what its publisher is told."""

import pytest
from kits.broker import Bench, before, since, versions
from kits.rules import routing_rules

from routesim import events
from routesim.values import Typed

test_the_walk = routing_rules("""
R2 the default exchange and cc: the queues of the vhost that the distinct keys name; others drop out
    queue a; queue b; route "" a headers={"CC":["b","nope","a"],"BCC":["b"]} = a b
    route "" nope headers={"CC":["b"]} mandatory = b; route "" nope headers={"CC":["neither"]} mandatory = returned
R4 one copy a queue: whatever the number of bindings, paths, keys and hops
    exchange x topic; exchange l fanout; queue q; bind l q; exchange r fanout; queue q; bind r q; bind x q #
    bind-exchange x l #; bind-exchange x r #; bind x q a.*; bind-exchange x l a.*; bind-exchange x r a.*; bind x q *.b
    bind-exchange x l *.b; bind-exchange x r *.b; bind x q a.b; bind-exchange x l a.b; bind-exchange x r a.b
    route x a.b headers={"CC":["a.b","a.c"]} = q
R5 cycles end: an exchange is visited once; loops over several, to itself and over alternate exchanges end silently
    exchange x fanout; queue q1; bind x q1; exchange y fanout; queue q2; bind y q2; exchange z fanout; queue q3; bind z q3
    bind-exchange x x; bind-exchange x y; bind-exchange y z; bind-exchange z x; bind-exchange z y; route x = q1 q2 q3
    route z = q1 q2 q3; exchange a ae=c; exchange c ae=a; exchange self ae=self; route a k mandatory = returned
    route self k mandatory = returned
R1,U20 every hop uses the same keys and headers: a fanout in front changes nothing; its inner exchanges use the key, CC and BCC
    exchange front fanout; exchange d direct; exchange h headers; queue main; bind d main k; queue cc; bind d cc c; queue bcc
    bind d bcc b; queue by-header; bind h by-header kind=x; bind-exchange front d; bind-exchange front h
    route front k headers={"CC":["c"],"BCC":["b"],"kind":"x"} = bcc by-header cc main
R1 the same key with other headers, binding: headers count wherever a headers exchange is met, however often the key was routed before
    exchange h headers; exchange x topic; bind-exchange x h #; queue q1; bind h q1 v=1; queue q2; bind h q2 v=2
    route x k headers={"v":1} = q1; route x k headers={"v":2} = q2; route x k headers={"v":3} =; route x k headers={"v":1} = q1
R1 the same key with other headers, alternate exchange: headers count wherever a headers exchange is met, however often the key was routed before
    exchange h headers; exchange x topic ae=h; queue q1; bind h q1 v=1; queue q2; bind h q2 v=2; route x k headers={"v":1} = q1
    route x k headers={"v":2} = q2; route x k headers={"v":3} =; route x k headers={"v":1} = q1
R9 order among queues, of a fanout: by their names, whatever the order of the bindings; descending in 3.x, ascending from 4.0 on
    exchange x fanout; queue m; queue z; queue a; bind x m; bind x z; bind x a; consume M m; consume Z z; consume A a
    publish x "" 0; news = Z:0 M:0 A:0 | >=4.0: A:0 M:0 Z:0
R8 what changes between two publishes of one key: bindings, queues, exchanges and policies count from one publish to the next
    exchange x direct; queue q; route x k =; bind x q k; route x k = q; exchange y fanout; bind-exchange x y k; queue r
    bind y r; route x k = q r; delete-queue q; queue q; route x k = r; delete-exchange y; route x k =
    policy ae x alternate-exchange=amq.fanout; bind amq.fanout r; route x k = r
""")

test_direct_and_fanout = routing_rules("""
X1 direct: byte by byte; "" matches ""; wildcards are ordinary; arguments do not matter
    exchange x; queue empty; bind x empty "" ignored=1; queue star; bind x star * ignored=1; queue hash; bind x hash # ignored=1
    queue a; bind x a a ignored=1; queue A; bind x A A ignored=1; queue dot; bind x dot a.b ignored=1; route x "" = empty
    route x * = star; route x # = hash; route x a = a; route x A = A; route x a.b = dot; route x b =
X2 fanout: every binding, whatever key, headers and CC say
    exchange x fanout; queue p; queue q; bind x p some; bind x q x-match=nonsense; route x other headers={"CC":["p"]} = p q
N1,N3 names and keys are bytes: case counts, composed and decomposed letters differ, spaces and slashes are letters
    exchange "a b/c:d"; queue q; bind "a b/c:d" q é; route "a b/c:d" é = q; route "a b/c:d" é =; publish "A b/c:d" "" !404
""")

test_alternate_exchanges = routing_rules("""
E11 it may be of any type or missing: a missing one leaves the message unroutable, without an error
    exchange x ae=missing; route x k mandatory = returned; exchange y ae=topic; exchange topic topic; queue q; bind topic q *.k
    route y a.k = q; route y k mandatory = returned
E12 a match whose destination is gone or seen counts: what matched counts before anybody looks whether it is there or was visited
    exchange ae fanout; queue unrouted; bind ae unrouted; exchange x fanout ae=ae; bind-exchange x x
    route x k mandatory = returned
E13 chains: an alternate exchange has its own; the chain stops at the first that was visited
    exchange a ae=b; exchange b ae=c; exchange c fanout; queue q; bind c q; route a k = q; exchange start fanout ae=second
    exchange second fanout; queue q2; bind second q2; exchange inner ae=start; bind-exchange start inner
    route start k mandatory = returned
E14 inner exchanges use their own: whatever the outer ones found
    exchange ae fanout; queue unrouted; bind ae unrouted; exchange inner ae=ae; exchange x fanout; queue q; bind x q
    bind-exchange x inner; route x k = q unrouted
E15 it satisfies mandatory: a queue that is reached over it counts
    exchange ae fanout; queue unrouted; bind ae unrouted; exchange x ae=ae; route x k mandatory = unrouted; confirms = probe:ack
E16 the default exchange as alternate: it has no bindings of its own; the alternate exchange that a policy gives it is tried then
    exchange ae fanout; queue unrouted; bind ae unrouted; queue k; exchange x ae=""; route x k mandatory = returned
    policy default ^$ alternate-exchange=ae apply-to=exchanges; route x k mandatory = unrouted
E10 a policy acts at once: setting and clearing it changes the next publish
    exchange ae fanout; queue unrouted; bind ae unrouted; exchange x; route x k =; policy p ^x$ alternate-exchange=ae
    route x k = unrouted; delete-policy p; route x k =
""")

test_cc_and_bcc = routing_rules("""
U19 bcc is removed: from the message that is stored, and from the one that is returned; CC stays
    queue q; send q m headers={"CC":["x"],"BCC":["y"],"h":1}; take q = m
U17 other spellings are headers: the names are exactly CC and BCC
    queue q; route "" nope headers={"cc":["q"],"Bcc":["q"],"CC ":"text"} mandatory = returned
""")

test_checks_of_a_publish = routing_rules("""
U1,U2 the reply address is looked at before expiration and user: a reply_to without its consumer is told before a bad expiration or user_id
    publish "" "" expiration="bad" properties={"reply_to":"amq.rabbitmq.reply-to","user_id":"bob"} !406 fast reply consumer does not exist
U1,U2 the user is looked at first until 3 13 and last in 4: user_id before expiration up to 3.13, after expiration and CC since 4.0 [<4.0]
    publish "" "" expiration="bad" properties={"user_id":"bob"} !406 user_id property set to 'bob' but authenticated user was 'guest'
    publish "" "" headers={"CC":1} properties={"user_id":"bob"} !406 user_id property set to 'bob' but authenticated user was 'guest'
    publish "" "" properties={"user_id":"bob"} !406 user_id property set to 'bob' but authenticated user was 'guest'
    publish "" "" properties={"user_id":""} !406; publish "" "" properties={"user_id":"guest"}
U1,U2 the user is looked at first until 3 13 and last in 4: user_id before expiration up to 3.13, after expiration and CC since 4.0 [>=4.0]
    publish "" "" expiration="bad" properties={"user_id":"bob"} !406 invalid expiration
    publish "" "" headers={"CC":1} properties={"user_id":"bob"} !406 CC
    publish "" "" properties={"user_id":"bob"} !406 user_id property set to 'bob' but authenticated user was 'guest'
    publish "" "" properties={"user_id":""} !406; publish "" "" properties={"user_id":"guest"}
U3 checked even if unroutable: the failed publish closes the channel and gets neither ack nor nack
    send nowhere m expiration="bad" !406; confirms =; returned =
U4 size of a body: headers do not count; the limit itself is fine
    broker max-message-size=10; queue q
    send q m body="x"*10 headers={"h":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
    send q body=éééééé !406; drain q = m
U4 default limits: 128 MiB until 3.13, 16 MiB since 4.0 [<4.0]
    queue q; send q body="x"*17825792
U4 default limits: 128 MiB until 3.13, 16 MiB since 4.0 [>=4.0]
    queue q; send q body="x"*17825792 !406 larger than configured max size 16777216
""")

test_direct_reply_to = routing_rules("""
U21 consuming replies: without acknowledgements, and once a channel
    consume R amq.rabbitmq.reply-to channel=ch !406 reply consumer cannot acknowledge
    consume R amq.rabbitmq.reply-to channel=ch auto-ack
    consume S amq.rabbitmq.reply-to channel=ch auto-ack !406 reply consumer already set
""")


def fan(b, name, *queues, **options):
    """A fanout exchange with queues bound to it."""
    b.exchange(name, "fanout", **options)
    for queue in queues:
        b.queue(queue)
        b.bind(name, queue)


# The walk --------------------------------------------------------------------------------------------------------------


@versions()
def test_r6_internal_exchanges(version):
    """rules/routing#R6: fine behind a binding, as alternate and dead-letter exchange; not to be published to."""
    b = Bench(version)
    fan(b, "inner", "q", internal=True)
    b.exchange("x", "direct", ae="inner")
    b.bind_exchange("x", "inner", "k")
    b.publish("inner", "", fails=(403, "cannot publish to internal exchange 'inner' in vhost '/'"))
    assert b.route("x", "k") == b.route("x", "other") == "q"
    b.purge("q")
    b.queue("dying", dead_letter_exchange="inner")
    b.send("dying", "m")
    b.get("ch", "dying")
    b.nack("ch", 1, requeue=False)
    assert b.drain("q") == "m"


@versions()
def test_r7_a_message_keeps_its_exchange_and_key(version):
    """rules/routing#R7: those of the publish, not of an inner hop, when delivered and when returned."""
    b = Bench(version)
    b.exchange("x", "topic")
    fan(b, "y", "q")
    b.bind_exchange("x", "y", "#")
    b.publish("x", "a.b", "m", headers={"CC": ["c"]})
    content = b.take("q").content
    assert (content.exchange, content.routing_key) == ("x", "a.b")
    b.exchange("lonely", "topic", ae="y2")
    b.exchange("y2", "fanout")
    b.publish("lonely", "k", "back", mandatory=True)
    returned = b.last(events.Returned)
    assert (returned.message, returned.exchange, returned.routing_key) == ("back", "lonely", "k")


# Alternate exchanges ---------------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize(
    "type", ["direct", "topic", "fanout", "headers", "x-consistent-hash", "x-modulus-hash", "x-random", "x-recent-history"]
)
def test_e17_every_type_without_bindings(version, type):
    """rules/routing#E17: whatever its type, an exchange that finds nothing uses its alternate exchange."""
    b = Bench(version)
    fan(b, "ae", "unrouted")
    b.exchange("x", type, ae="ae")
    assert b.route("x", "k") == "unrouted"


# CC and BCC ------------------------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize("header", ["CC", "BCC"])
@pytest.mark.parametrize(("value", "kind"), [("text", "longstr"), (1, "signedint"), (None, "void"), ({"a": 1}, "table")])
def test_u17_they_are_arrays(version, header, value, kind):
    """rules/routing#U17: any other type is 406."""
    b = Bench(version)
    b.queue("q")
    text = f'PRECONDITION_FAILED - invalid message: {{unacceptable_type_in_header,"{header}",{kind}}}'
    b.send("q", headers={header: value}, fails=(406, text) if version == "3.10" else 406)


@versions()
def test_u18_only_texts_count(version):
    """rules/routing#U18: integers, void and byte arrays in them are passed over; an empty array is fine."""
    b = Bench(version)
    b.queue("a")
    b.queue("5")
    assert b.route("", "nope", {"CC": [5, None, Typed("bytes", b"a"), "a"], "BCC": []}) == "a"
    assert b.route("", "nope", {"CC": [Typed("longstr", "a")]}) == "a"


@versions()
def test_u20_a_cc_key_too_long_for_a_routing_key(version):
    """rules/routing#N4: it may exceed 255 bytes and still match a wildcard."""
    b = Bench(version)
    b.exchange("x", "topic")
    b.queue("q")
    b.bind("x", "q", "long.*")
    assert b.route("x", "short", {"CC": ["long." + "x" * 300]}) == "q"


# Checks of a publish ---------------------------------------------------------------------------------------------------


@versions()
def test_u1_order_of_checks(version):
    """rules/routing#U1: size, exchange, internal, then the message's own fields."""
    b = Bench(version, max_message_size=10)
    b.exchange("inner", internal=True)
    bad = {"expiration": "bad", "headers": {"CC": "text"}}
    b.publish("nope", "", body="x" * 11, fails=(406, "message size 11 is larger than configured max size 10"), **bad)
    b.publish("nope", "", fails=404, **bad)
    b.publish("inner", "", fails=403, **bad)
    b.publish("", "", fails=(406, "invalid expiration"), **bad)


@versions()
@pytest.mark.parametrize("mode", [0, 3, 255])
def test_u14_delivery_modes(version, mode):
    """rules/routing#U14: only 1 and 2 until 3.12; since 3.13 anything but 2 is transient."""
    b = Bench(version)
    b.queue("q")
    text = f"PRECONDITION_FAILED - invalid message: {{delivery_mode_unknown,{mode}}}"
    b.send("q", "m", delivery_mode=mode, fails=(406, text) if version == "3.10" else None)
    b.restart()
    assert b.drain("q") == ""


@versions()
def test_u5_mandatory(version):
    """rules/routing#U5: returned when no queue is there after routing; otherwise dropped."""
    b = Bench(version)
    b.exchange("x", "fanout")
    b.publish("x", "k", "back", mandatory=True)
    b.publish("x", "k", "lost")
    returned = b.last(events.Returned)
    assert (returned.message, returned.code, returned.text, returned.exchange, returned.routing_key) == (
        "back",
        312,
        "NO_ROUTE",
        "x",
        "k",
    )
    assert [(event.message, event.returned) for event in b.all(events.Unroutable)] == [("back", True), ("lost", False)]


# Direct reply-to -------------------------------------------------------------------------------------------------------

REPLY_TO = "amq.rabbitmq.reply-to"


def requester(version):
    b = Bench(version)
    b.queue("rpc")
    b.consume("R", REPLY_TO, channel="ch", auto_ack=True)
    b.send("rpc", "question", channel="ch", properties={"reply_to": REPLY_TO})
    return b, b.take("rpc").content.properties["reply_to"]


@versions()
def test_u16_reply_to_needs_its_consumer(version):
    """rules/routing#U16: on the same channel; it is replaced by the address."""
    b = Bench(version)
    b.queue("rpc")
    b.send("rpc", properties={"reply_to": REPLY_TO}, fails=(406, "fast reply consumer does not exist"))
    _, address = requester(version)
    assert address.startswith(f"{REPLY_TO}.")


@versions()
@pytest.mark.parametrize("by", ["key", "CC", "BCC"])
def test_u22_replies_go_over_the_default_exchange(version, by):
    """rules/routing#U22: the address as a key, or in CC or BCC; through any other exchange it is just a key."""
    b, address = requester(version)
    if by == "key":
        b.send(address, "answer")
    else:
        b.send("nowhere", "answer", headers={by: [address]})
    assert b.news() == "R:answer"
    b.publish("amq.direct", address, "lost", mandatory=True)
    assert b.news() == ""
    assert b.returned == "lost"


@versions()
def test_u23_dead_addresses(version):
    """rules/routing#U23: silently dropped and acked once the requester is gone; until 4.1 a mandatory one is returned."""
    b, address = requester(version)
    b.close("ch")
    b.send(address, "answer")
    assert b.news() == ""
    assert b.confirms["answer"] == "ack"
    if version in before("4.2"):
        b.send(address, "again", mandatory=True)
        assert b.returned == "again"


@versions(since("4.2"))
def test_u24_a_dead_address_counts_as_routed_since_4_2(version):
    """rules/routing#U24, rules/routing#S14: the address is a queue as long as it can be read, so nothing is returned."""
    b, address = requester(version)
    b.close("ch")
    b.send(address, "again", mandatory=True)
    assert b.returned == ""


@versions()
def test_u24_a_reply_counts_among_the_queues_of_its_confirm_since_4_2(version):
    """rules/routing#U24: until 4.1 it went past all queues."""
    b, address = requester(version)
    b.send(address, "answer")
    assert b.last(events.Confirmed).queues == (0 if version in before("4.2") else 1)


@versions()
def test_u22_a_cancelled_reply_consumer(version):
    """rules/routing#U22: after basic.cancel nothing arrives; the channel may consume replies again."""
    b, address = requester(version)
    b.cancel("R", channel="ch")
    b.send(address, "late")
    assert b.news() == ""
    b.consume("R2", REPLY_TO, channel="ch", auto_ack=True)

"""rules/routing#1.1, rules/routing#1.3, rules/routing#1.10, rules/routing#3: where a publish goes,
and what its publisher is told."""

import pytest
from kits.broker import Bench, before, since, versions

from routesim import events
from routesim.values import Typed


def fan(b, name, *queues, **options):
    """A fanout exchange with queues bound to it."""
    b.exchange(name, "fanout", **options)
    for queue in queues:
        b.queue(queue)
        b.bind(name, queue)


# The walk --------------------------------------------------------------------------------------------------------------


@versions()
def test_r2_the_default_exchange_and_cc(version):
    """rules/routing#R2: the queues of the vhost that the distinct keys name; others drop out."""
    b = Bench(version)
    b.queue("a")
    b.queue("b")
    assert b.route("", "a", {"CC": ["b", "nope", "a"], "BCC": ["b"]}) == "a b"
    assert b.route("", "nope", {"CC": ["b"]}, mandatory=True) == "b"
    assert b.route("", "nope", {"CC": ["neither"]}, mandatory=True) == "returned"


@versions()
def test_r4_one_copy_a_queue(version):
    """rules/routing#R4: whatever the number of bindings, paths, keys and hops."""
    b = Bench(version)
    b.exchange("x", "topic")
    fan(b, "l", "q")
    fan(b, "r", "q")
    for key in ("#", "a.*", "*.b", "a.b"):
        b.bind("x", "q", key)
        b.bind_exchange("x", "l", key)
        b.bind_exchange("x", "r", key)
    assert b.route("x", "a.b", {"CC": ["a.b", "a.c"]}) == "q"


@versions()
def test_r5_cycles_end(version):
    """rules/routing#R5: an exchange is visited once; loops over several, to itself and over alternate exchanges end silently."""
    b = Bench(version)
    fan(b, "x", "q1")
    fan(b, "y", "q2")
    fan(b, "z", "q3")
    for source, destination in (("x", "x"), ("x", "y"), ("y", "z"), ("z", "x"), ("z", "y")):
        b.bind_exchange(source, destination)
    assert b.route("x") == b.route("z") == "q1 q2 q3"
    b.exchange("a", ae="c")
    b.exchange("c", ae="a")
    b.exchange("self", ae="self")
    assert b.route("a", "k", mandatory=True) == b.route("self", "k", mandatory=True) == "returned"


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
    b.reject("ch", 1)
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


@versions()
def test_r1_every_hop_uses_the_same_keys_and_headers(version):
    """rules/routing#R1, rules/routing#U20: a fanout in front changes nothing; its inner exchanges use the key, CC and BCC."""
    b = Bench(version)
    b.exchange("front", "fanout")
    b.exchange("d", "direct")
    b.exchange("h", "headers")
    for name, key in (("main", "k"), ("cc", "c"), ("bcc", "b")):
        b.queue(name)
        b.bind("d", name, key)
    b.queue("by-header")
    b.bind("h", "by-header", args={"kind": "x"})
    b.bind_exchange("front", "d")
    b.bind_exchange("front", "h")
    assert b.route("front", "k", {"CC": ["c"], "BCC": ["b"], "kind": "x"}) == "bcc by-header cc main"


@versions()
@pytest.mark.parametrize("over", ["binding", "alternate exchange"])
def test_r1_the_same_key_with_other_headers(version, over):
    """rules/routing#R1: headers count wherever a headers exchange is met, however often the key was routed before."""
    b = Bench(version)
    b.exchange("h", "headers")
    b.exchange("x", "topic", ae="h" if over == "alternate exchange" else None)
    if over == "binding":
        b.bind_exchange("x", "h", "#")
    for value in (1, 2):
        b.queue(f"q{value}")
        b.bind("h", f"q{value}", args={"v": value})
    for value, expected in ((1, "q1"), (2, "q2"), (3, ""), (1, "q1")):
        assert b.route("x", "k", {"v": value}) == expected


@versions()
def test_r8_what_changes_between_two_publishes_of_one_key(version):
    """rules/routing#R8: bindings, queues, exchanges and policies count from one publish to the next."""
    b = Bench(version)
    b.exchange("x", "direct")
    b.queue("q")
    assert b.route("x", "k") == ""
    b.bind("x", "q", "k")
    assert b.route("x", "k") == "q"
    b.exchange("y", "fanout")
    b.bind_exchange("x", "y", "k")
    b.queue("r")
    b.bind("y", "r")
    assert b.route("x", "k") == "q r"
    b.delete_queue("q")
    b.queue("q")
    assert b.route("x", "k") == "r"
    b.delete_exchange("y")
    assert b.route("x", "k") == ""
    b.policy("ae", "x", {"alternate-exchange": "amq.fanout"})
    b.bind("amq.fanout", "r")
    assert b.route("x", "k") == "r"


# Direct and fanout -----------------------------------------------------------------------------------------------------


@versions()
def test_x1_direct(version):
    """rules/routing#X1: byte by byte; "" matches ""; wildcards are ordinary; arguments do not matter."""
    b = Bench(version)
    b.exchange("x")
    for name, key in {"empty": "", "star": "*", "hash": "#", "a": "a", "A": "A", "dot": "a.b"}.items():
        b.queue(name)
        b.bind("x", name, key, args={"ignored": 1})
    for key, expected in {"": "empty", "*": "star", "#": "hash", "a": "a", "A": "A", "a.b": "dot", "b": ""}.items():
        assert b.route("x", key) == expected


@versions()
def test_x2_fanout(version):
    """rules/routing#X2: every binding, whatever key, headers and CC say."""
    b = Bench(version)
    b.exchange("x", "fanout")
    b.queue("p")
    b.queue("q")
    b.bind("x", "p", "some")
    b.bind("x", "q", args={"x-match": "nonsense"})
    assert b.route("x", "other", {"CC": ["p"]}) == "p q"


@versions()
def test_n1_names_and_keys_are_bytes(version):
    """rules/routing#N1, rules/routing#N3: case counts, composed and decomposed letters differ, spaces and slashes are letters."""
    b = Bench(version)
    b.exchange("a b/c:d")
    b.queue("q")
    b.bind("a b/c:d", "q", "\u00e9")
    assert b.route("a b/c:d", "\u00e9") == "q"
    assert b.route("a b/c:d", "e\u0301") == ""
    b.publish("A b/c:d", "", fails=404)


# Alternate exchanges ---------------------------------------------------------------------------------------------------


@versions()
def test_e11_it_may_be_of_any_type_or_missing(version):
    """rules/routing#E11: a missing one leaves the message unroutable, without an error."""
    b = Bench(version)
    b.exchange("x", ae="missing")
    assert b.route("x", "k", mandatory=True) == "returned"
    b.exchange("y", ae="topic")
    b.exchange("topic", "topic")
    b.queue("q")
    b.bind("topic", "q", "*.k")
    assert b.route("y", "a.k") == "q"
    assert b.route("y", "k", mandatory=True) == "returned"


@versions()
def test_e12_a_match_whose_destination_is_gone_or_seen_counts(version):
    """rules/routing#E12: what matched counts before anybody looks whether it is there or was visited."""
    b = Bench(version)
    fan(b, "ae", "unrouted")
    b.exchange("x", "fanout", ae="ae")
    b.bind_exchange("x", "x")
    assert b.route("x", "k", mandatory=True) == "returned"


@versions()
def test_e13_chains(version):
    """rules/routing#E13: an alternate exchange has its own; the chain stops at the first that was visited."""
    b = Bench(version)
    b.exchange("a", ae="b")
    b.exchange("b", ae="c")
    fan(b, "c", "q")
    assert b.route("a", "k") == "q"
    b.exchange("start", "fanout", ae="second")
    fan(b, "second", "q2")
    b.exchange("inner", ae="start")
    b.bind_exchange("start", "inner")
    # inner misses; its alternate was visited already, so nothing more happens.
    assert b.route("start", "k", mandatory=True) == "returned"


@versions()
def test_e14_inner_exchanges_use_their_own(version):
    """rules/routing#E14: whatever the outer ones found."""
    b = Bench(version)
    fan(b, "ae", "unrouted")
    b.exchange("inner", ae="ae")
    fan(b, "x", "q")
    b.bind_exchange("x", "inner")
    assert b.route("x", "k") == "q unrouted"


@versions()
def test_e15_it_satisfies_mandatory(version):
    """rules/routing#E15: a queue that is reached over it counts."""
    b = Bench(version)
    fan(b, "ae", "unrouted")
    b.exchange("x", ae="ae")
    assert b.route("x", "k", mandatory=True) == "unrouted"
    assert b.confirms == {"probe": "ack"}


@versions()
def test_e16_the_default_exchange_as_alternate(version):
    """rules/routing#E16: it has no bindings of its own; the alternate exchange that a policy gives it is tried then."""
    b = Bench(version)
    fan(b, "ae", "unrouted")
    b.queue("k")
    b.exchange("x", ae="")
    assert b.route("x", "k", mandatory=True) == "returned"
    b.policy("default", "^$", {"alternate-exchange": "ae"}, apply_to="exchanges")
    assert b.route("x", "k", mandatory=True) == "unrouted"


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


@versions()
def test_e10_a_policy_acts_at_once(version):
    """rules/routing#E10: setting and clearing it changes the next publish."""
    b = Bench(version)
    fan(b, "ae", "unrouted")
    b.exchange("x")
    assert b.route("x", "k") == ""
    b.policy("p", "^x$", {"alternate-exchange": "ae"})
    assert b.route("x", "k") == "unrouted"
    b.delete_policy("p")
    assert b.route("x", "k") == ""


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
def test_u19_bcc_is_removed(version):
    """rules/routing#U19: from the message that is stored, and from the one that is returned; CC stays."""
    b = Bench(version)
    b.queue("q")
    b.send("q", "m", headers={"CC": ["x"], "BCC": ["y"], "h": 1})
    assert b.take("q").headers == {"CC": ["x"], "h": 1}


@versions()
def test_u17_other_spellings_are_headers(version):
    """rules/routing#U17: the names are exactly CC and BCC."""
    b = Bench(version)
    b.queue("q")
    assert b.route("", "nope", {"cc": ["q"], "Bcc": ["q"], "CC ": "text"}, mandatory=True) == "returned"


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
def test_u1_the_reply_address_is_looked_at_before_expiration_and_user(version):
    """rules/routing#U1, rules/routing#U2: a reply_to without its consumer is told before a bad expiration or user_id."""
    b = Bench(version)
    properties = {"reply_to": "amq.rabbitmq.reply-to", "user_id": "bob"}
    b.publish("", "", expiration="bad", properties=properties, fails=(406, "fast reply consumer does not exist"))


@versions()
def test_u1_the_user_is_looked_at_first_until_3_13_and_last_in_4(version):
    """rules/routing#U1, rules/routing#U2: user_id before expiration up to 3.13, after expiration and CC since 4.0."""
    b = Bench(version)
    old = version in ("3.10", "3.13")
    user = (406, "user_id property set to 'bob' but authenticated user was 'guest'")
    b.publish("", "", expiration="bad", properties={"user_id": "bob"}, fails=user if old else (406, "invalid expiration"))
    b.publish("", "", headers={"CC": 1}, properties={"user_id": "bob"}, fails=user if old else (406, "CC"))
    b.publish("", "", properties={"user_id": "bob"}, fails=user)
    b.publish("", "", properties={"user_id": ""}, fails=406)
    b.publish("", "", properties={"user_id": "guest"})


@versions()
def test_u3_checked_even_if_unroutable(version):
    """rules/routing#U3: the failed publish closes the channel and gets neither ack nor nack."""
    b = Bench(version)
    b.send("nowhere", "m", expiration="bad", fails=406)
    assert b.confirms == {}
    assert b.returned == ""


@versions()
def test_u4_size_of_a_body(version):
    """rules/routing#U4: headers do not count; the limit itself is fine."""
    b = Bench(version, max_message_size=10)
    b.queue("q")
    b.send("q", "m", body="x" * 10, headers={"h": "x" * 100})
    b.send("q", body="\u00e9" * 6, fails=406)
    assert b.drain("q") == "m"


@versions()
def test_u4_default_limits(version):
    """rules/routing#U4: 128 MiB until 3.13, 16 MiB since 4.0."""
    b = Bench(version)
    b.queue("q")
    mebibytes_17 = "x" * (17 * 2**20)
    b.send("q", body=mebibytes_17, fails=(406, "larger than configured max size 16777216") if version in since("4.0") else None)


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
def test_u21_consuming_replies(version):
    """rules/routing#U21: without acknowledgements, and once a channel."""
    b = Bench(version)
    b.consume("R", REPLY_TO, channel="ch", fails=(406, "reply consumer cannot acknowledge"))
    b.consume("R", REPLY_TO, channel="ch", auto_ack=True)
    b.consume("S", REPLY_TO, channel="ch", auto_ack=True, fails=(406, "reply consumer already set"))


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
def test_u22_a_cancelled_reply_consumer(version):
    """rules/routing#U22: after basic.cancel nothing arrives; the channel may consume replies again."""
    b, address = requester(version)
    b.cancel("R", channel="ch")
    b.send(address, "late")
    assert b.news() == ""
    b.consume("R2", REPLY_TO, channel="ch", auto_ack=True)

"""rules/routing#0: what simulators of routing typically get wrong. One test a surprise, in its order.

Not here: S20 and S21, which are about the export of definitions, and S26, whose shortcuts a scenario does not have.
"""

import pytest
from kits.broker import Bench, before, deaths, since, versions

from routesim import events
from routesim.values import Typed


@versions()
def test_routing_s01_alternate_exchange_fires_when_no_binding_matched(version):
    """rules/routing#S1: not when no queue was reached: a binding that leads to a dead end keeps the alternate exchange out."""
    b = Bench(version)
    b.queue("unrouted")
    b.exchange("ae", "fanout")
    b.bind("ae", "unrouted")
    b.exchange("x", "direct", ae="ae")
    b.exchange("dead-end", "fanout")
    b.bind_exchange("x", "dead-end", "k")
    assert b.route("x", "k", mandatory=True) == "returned"
    assert b.route("x", "other", mandatory=True) == "unrouted"


@versions()
@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_routing_s02_a_cc_key_that_matches_suppresses_the_alternate_exchange(version, header):
    """rules/routing#S2: it counts as a match of the exchange, and satisfies `mandatory`."""
    b = Bench(version)
    b.queue("q")
    b.queue("unrouted")
    b.exchange("ae", "fanout")
    b.bind("ae", "unrouted")
    b.exchange("x", "direct", ae="ae")
    b.bind("x", "q", "copy")
    assert b.route("x", "nothing", {header: ["copy"]}, mandatory=True) == "q"


@versions()
def test_routing_s03_order_of_x_death(version):
    """rules/routing#S3: after deaths in a, b, c, d the header is d, b, a, c until 3.12, and newest first since."""
    b = Bench(version)
    for name, following in zip("abcde", "bcde", strict=False):
        b.queue(name, dead_letter_exchange="", dead_letter_routing_key=following)
    b.queue("e")
    b.send("a", "m")
    for name in "abcd":
        b.get("ch", name)
        b.reject("ch", b.letters[-1].tag)
    order = [queue for queue, _, _ in deaths(b.take("e"))]
    assert order == (["d", "b", "a", "c"] if version == "3.10" else ["d", "c", "b", "a"])


@versions()
def test_routing_s04_a_loop_that_3_10_never_ends(version):
    """rules/routing#S4: an older rejection that was shuffled to the front lets an expiry loop go on for ever."""
    b = Bench(version)
    b.queue("r0", dead_letter_exchange="", dead_letter_routing_key="r1")
    b.queue("r1", message_ttl=10, dead_letter_exchange="", dead_letter_routing_key="r2")
    b.queue("r2", message_ttl=10, dead_letter_exchange="", dead_letter_routing_key="r1")
    b.send("r0", "m")
    b.get("ch", "r0")
    b.reject("ch", 1)
    b.wait(100_000)
    still_there = b.count("r1")[0] + b.count("r2")[0]
    assert still_there == (1 if version == "3.10" else 0)


@versions()
def test_routing_s05_headers_bindings_without_criteria(version):
    """rules/routing#S5: `all` without criteria matches everything, `any` nothing; keys that begin with x- are no criteria."""
    b = Bench(version)
    b.exchange("x", "headers")
    for name, arguments in {
        "none": {}, "all": {"x-match": "all"}, "any": {"x-match": "any"}, "x-foo": {"x-match": "all", "x-foo": 1},
        "any-x-foo": {"x-match": "any", "x-foo": 1}, "all-with-x": {"x-match": "all-with-x", "x-foo": 1},
        "any-with-x": {"x-match": "any-with-x", "x-foo": 1},
    }.items():  # fmt: skip
        b.queue(name)
        b.bind("x", name, args=arguments)
    assert b.route("x") == "all none x-foo"
    assert b.route("x", headers={"x-foo": 1}) == "all all-with-x any-with-x none x-foo"


@versions()
def test_routing_s06_equality_of_header_values(version):
    """rules/routing#S6: 3.10 compares numbers of all types as numbers; since 3.13 integers and floats differ, and timestamps."""
    b = Bench(version)
    b.exchange("x", "headers")
    for name, value in {"int": 1, "long": Typed("long", 1), "double": 1.0, "time": Typed("timestamp", 1)}.items():
        b.queue(name)
        b.bind("x", name, args={"h": value})
    old = version == "3.10"
    assert b.route("x", headers={"h": 1}) == ("double int long time" if old else "int long time")
    assert b.route("x", headers={"h": 1.0}) == ("double int long time" if old else "double")
    assert b.route("x", headers={"h": Typed("timestamp", 1)}) == ("double int long time" if old else "")
    assert b.route("x", headers={"h": True}) == ""
    assert b.route("x", headers={"h": "1"}) == ""


@versions()
def test_routing_s06_texts_and_bytes_are_equal_nested_values_exact(version):
    """rules/routing#S6: a text equals the byte array of its bytes; inside tables and arrays types and order count."""
    b = Bench(version)
    b.exchange("x", "headers")
    for name, value in {"text": "a", "table": {"a": 1, "b": 2}, "array": [1, 2]}.items():
        b.queue(name)
        b.bind("x", name, args={"h": value})
    assert b.route("x", headers={"h": Typed("bytes", b"a")}) == "text"
    assert b.route("x", headers={"h": {"a": 1, "b": 2}}) == "table"
    assert b.route("x", headers={"h": {"b": 2, "a": 1}}) == ""
    assert b.route("x", headers={"h": {"a": Typed("long", 1), "b": 2}}) == ""
    assert b.route("x", headers={"h": [1, 2]}) == "array"
    assert b.route("x", headers={"h": [2, 1]}) == ""


@versions()
def test_routing_s07_a_binding_is_known_by_the_exact_types_of_its_arguments(version):
    """rules/routing#S7: unbinding with {z: long 1} leaves the binding made with {z: int 1}, and says ok."""
    b = Bench(version)
    b.queue("q")
    b.exchange("x", "fanout")
    b.bind("x", "q", args={"z": 1})
    b.unbind("x", "q", args={"z": Typed("long", 1)})
    assert b.route("x") == "q"
    b.unbind("x", "q", args={"z": 1})
    assert b.route("x") == ""


@versions()
def test_routing_s08_what_is_not_there_can_be_unbound_and_deleted(version):
    """rules/routing#S8: unbind and delete say ok; binding to what is missing is 404."""
    b = Bench(version)
    b.queue("q")
    b.exchange("x")
    b.unbind("x", "nope")
    b.unbind("nope", "q")
    b.unbind("x", "q", "no such key")
    b.unbind("x", "nope", to="exchange")
    b.delete_exchange("nope")
    b.delete_exchange("nope", if_unused=True)
    b.bind("x", "nope", fails=(404, "no queue 'nope' in vhost '/'"))
    b.bind("nope", "q", fails=(404, "no exchange 'nope' in vhost '/'"))


@versions()
def test_routing_s09_only_the_alternate_exchange_is_compared(version):
    """rules/routing#S9: another hash-header, inner type or unknown argument is accepted on a re-declaration, and ignored."""
    b = Bench(version)
    b.exchange("h", "x-consistent-hash", hash_header="one")
    b.exchange("h", "x-consistent-hash", hash_header="two")
    b.exchange("h", "x-consistent-hash", unknown=1)
    b.exchange("x", ae="a")
    b.exchange(
        "x",
        ae="b",
        fails=(406, "inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received 'b' but current is 'a'"),
    )
    b.exchange("x", fails=(406, "inequivalent arg 'alternate-exchange'"))


@versions(("3.10", "3.13.2", "3.13.3", "4.0", "4.2", "4.3"))
def test_routing_s10_an_unknown_exchange_type(version):
    """rules/routing#S10: kills the connection before 3.13.3, the channel since."""
    b = Bench(version)
    old = version in ("3.10", "3.13.2")
    b.exchange(
        "x",
        "nonsense",
        fails=(503, "COMMAND_INVALID - unknown exchange type 'nonsense'") if old else (406, "unknown exchange type 'nonsense'"),
    )


@versions()
def test_routing_s12_the_default_exchange_as_alternate_and_dead_letter_exchange(version):
    """rules/routing#S12: as an alternate exchange "" leads nowhere, as a dead-letter exchange it reaches the queue of the key."""
    b = Bench(version)
    b.queue("k")
    b.exchange("x", ae="")
    assert b.route("x", "k", mandatory=True) == "returned"
    b.queue("q", dead_letter_exchange="", dead_letter_routing_key="k")
    b.send("q", "m")
    b.get("ch", "q")
    b.reject("ch", 1)
    assert b.drain("k") == "m"


@versions()
def test_routing_s13_a_policy_for_the_default_exchange_is_never_consulted(version):
    """rules/routing#S13: what the default exchange cannot route is lost whatever alternate exchange a policy gives it."""
    b = Bench(version)
    b.queue("unrouted")
    b.exchange("ae", "fanout")
    b.bind("ae", "unrouted")
    b.policy("all", ".*", {"alternate-exchange": "ae"})
    assert b.route("", "nope", mandatory=True) == "returned"


@versions()
def test_routing_s14_direct_reply_to_and_mandatory(version):
    """rules/routing#S14: before 4.2 a mandatory reply is delivered and returned; since then it is delivered."""
    b = Bench(version)
    b.consume("R", "amq.rabbitmq.reply-to", channel="ch", auto_ack=True)
    b.queue("rpc")
    b.send("rpc", "question", channel="ch", properties={"reply_to": "amq.rabbitmq.reply-to"})
    address = b.take("rpc").content.properties["reply_to"]
    assert address.startswith("amq.rabbitmq.reply-to.")
    b.send(address, "answer", mandatory=True)
    assert b.news() == "R:answer"
    assert b.returned == ("answer" if version in before("4.2") else "")


@versions()
def test_routing_s15_unroutable_publishes_are_acked(version):
    """rules/routing#S15: after the return if mandatory; a nack comes from a queue only, and one nacks the whole message."""
    b = Bench(version)
    b.exchange("x", "fanout")
    b.publish("x", "", "lost")
    b.publish("x", "", "back", mandatory=True)
    b.queue("keeps")
    b.queue("full", max_length=0, overflow="reject-publish")
    b.bind("x", "keeps")
    b.bind("x", "full")
    b.publish("x", "", "refused")
    assert b.confirms == {"lost": "ack", "back": "ack", "refused": "nack"}
    assert b.returned == "back"
    assert b.drain("keeps") == "refused"


@versions()
def test_routing_s16_reject_publish_and_mandatory(version):
    """rules/routing#S16: nacked, not returned; overflow is looked at before consumers are."""
    b = Bench(version)
    b.queue("q", max_length=0, overflow="reject-publish")
    b.consume("A", "q")
    b.send("q", "m", mandatory=True)
    assert (b.confirms, b.returned, b.news()) == ({"m": "nack"}, "", "")


@versions()
def test_routing_s17_one_policy_at_most(version):
    """rules/routing#S17: the highest that matches hides a lower one with the key that was wanted;
    one whose keys do not fit is skipped."""
    b = Bench(version)
    b.queue("q")
    b.policy("length", "q", {"max-length": 1}, priority=1)
    b.policy("ttl", "q", {"message-ttl": 60_000}, priority=2)
    b.policy("quorum only", "q", {"delivery-limit": 5}, priority=3)
    b.send("q", 0, 1)
    assert b.ready("q") == "0 1"
    b.delete_policy("ttl")
    assert b.ready("q") == "1"


@versions()
def test_routing_s18_argument_or_policy(version):
    """rules/routing#S18: the argument wins for a dead-letter exchange, a classic overflow and an alternate exchange;
    for quorum overflow the policy."""
    b = Bench(version)
    b.queue("by-argument")
    b.queue("by-policy")
    b.exchange("a", "fanout")
    b.exchange("p", "fanout")
    b.bind("a", "by-argument")
    b.bind("p", "by-policy")
    b.policy("x", "^x$", {"alternate-exchange": "p"})
    b.exchange("x", ae="a")
    assert b.route("x") == "by-argument"
    b.purge("by-argument")
    b.policy("q", "^q", {"dead-letter-exchange": "p", "overflow": "reject-publish", "max-length": 1})
    b.queue("q-classic", dead_letter_exchange="a", overflow="drop-head", max_length=5)
    b.queue("q-quorum", "quorum", dead_letter_exchange="a", overflow="drop-head", max_length=5)
    b.send("q-classic", 0, 1)
    b.send("q-quorum", 2, 3, 4)
    assert b.confirms == {"probe": "ack", "0": "ack", "1": "ack", "2": "ack", "3": "ack", "4": "nack"}
    assert b.drain("by-argument") == "0"


@versions()
def test_routing_s19_auto_delete_exchanges_look_at_their_own_bindings(version):
    """rules/routing#S19: only losing the last binding from them counts; it goes on upstream; never bound ones stay."""
    b = Bench(version)
    for name in "ABC":
        b.exchange(name, "fanout", auto_delete=True)
    b.exchange("never", "fanout", auto_delete=True)
    b.exchange("source", "fanout")
    b.queue("q")
    b.bind_exchange("source", "never")
    b.unbind("source", "never", to="exchange")
    b.bind_exchange("A", "B")
    b.bind_exchange("B", "C")
    b.bind("C", "q")
    assert b.exchanges == "A B C never source"
    b.delete_queue("q")
    assert b.exchanges == "never source"


@versions()
def test_routing_s22_a_second_binding_of_a_queue_in_a_ring(version):
    """rules/routing#S22: it is ignored by the ring, and removing either takes all buckets."""
    b = Bench(version)
    b.exchange("x", "x-consistent-hash")
    b.queue("a")
    b.queue("b")
    b.bind("x", "a", "1")
    b.bind("x", "a", "2")
    b.bind("x", "b", "1")
    b.unbind("x", "a", "2")
    assert {b.route("x", str(key)) for key in range(50)} == {"b"}


@versions()
def test_routing_s23_bcc_is_used_again_when_dead_lettered(version):
    """rules/routing#S23: BCC keys count without a dead-letter key; with one, CC and BCC count no more,
    and 3.13+ keeps the CC header."""
    b = Bench(version)
    b.exchange("dlx", "direct")
    for name in ("main", "cc", "bcc", "other"):
        b.queue(f"dlq-{name}")
        b.bind("dlx", f"dlq-{name}", name)
    b.queue("main", dead_letter_exchange="dlx")
    b.queue("keyed", dead_letter_exchange="dlx", dead_letter_routing_key="other")
    headers = {"CC": ["cc"], "BCC": ["bcc"]}
    b.send("main", "m", headers=headers)
    b.get("ch", "main")
    b.reject("ch", 1)
    assert [b.drain(f"dlq-{name}") for name in ("main", "cc", "bcc", "other")] == ["m", "m", "m", ""]
    b.send("keyed", "m", headers=headers)
    b.get("ch", "keyed")
    b.reject("ch", 2)
    assert [b.count(f"dlq-{name}")[0] for name in ("main", "cc", "bcc", "other")] == [0, 0, 0, 1]
    letter = b.take("dlq-other")
    assert ("CC" in letter.headers) is (version != "3.10")
    assert "BCC" not in letter.headers


@versions()
def test_routing_s24_later_deaths_change_the_count_only(version):
    """rules/routing#S24: time, exchange, routing keys and expiration stay those of the first death of that kind in that queue."""
    b = Bench(version)
    b.exchange("x", "topic")
    b.queue("q", dead_letter_exchange="", dead_letter_routing_key="q")
    b.bind("x", "q", "#")
    b.wait(5_000)
    b.publish("x", "first.key", "m", expiration="60000")
    for tag in (1, 2, 3):
        b.get("ch", "q")
        b.reject("ch", tag)
        b.wait(10_000)
    (entry,) = b.take("q").headers["x-death"]
    assert entry["count"] == Typed("long", 3)
    assert entry["time"] == Typed("timestamp", 5)
    assert (entry["exchange"], entry["routing-keys"], entry["original-expiration"]) == ("x", ["first.key"], "60000")


@versions(("3.10", "4.2", "4.3.4", "4.3.5"))
def test_routing_s25_number_of_hash_words(version):
    """rules/routing#S25: from 4.3.5 on a topic binding key has at most two # words."""
    b = Bench(version)
    b.queue("q")
    b.exchange("x", "topic")
    b.bind("x", "q", "#.a.#")
    b.bind("x", "q", "a##.#.#")
    text = "Topic binding key '#.a.#.b.#' uses 3 '#' wildcards, at most 2 are allowed"
    b.bind("x", "q", "#.a.#.b.#", fails=(406, text) if version == "4.3.5" else None)


@versions()
def test_routing_s27_line_ends_in_names(version):
    """rules/routing#S27: taken out in declare, bind, unbind and delete, but not in publish."""
    b = Bench(version)
    b.exchange("x\r\n", "fanout")
    b.queue("q\n")
    b.bind("\rx", "\nq")
    assert (b.exchanges, b.queues) == ("x", "q")
    assert b.route("x") == "q"
    b.publish("x\n", "", fails=404)
    assert b.route("", "q\n", mandatory=True) == "returned"
    b.unbind("x\n", "q\r")
    assert b.route("x") == ""
    b.delete_exchange("x\n")
    assert b.exchanges == ""


@versions()
def test_routing_s28_transactions_route_at_once_and_deliver_later(version):
    """rules/routing#S28: what is bound after the publish gets nothing; returns come with the commit."""
    b = Bench(version)
    b.channel("tx", confirms=False)
    b.exchange("x", "fanout")
    b.queue("early")
    b.queue("late")
    b.bind("x", "early")
    b.tx("tx", "select")
    b.publish("x", "", 0, channel="tx")
    b.unbind("x", "early")
    b.bind("x", "late")
    b.send("nope", 1, channel="tx", mandatory=True)
    assert b.returned == ""
    b.tx("tx", "commit")
    assert b.returned == "1"
    assert (b.drain("early"), b.drain("late")) == ("0", "")


@versions(since("3.13"))
def test_routing_s04_newest_first_ends_the_loop(version):
    """rules/routing#S4: since 3.13 the rejection is older than the expiry in r1, so the way back to r1 is cut."""
    b = Bench(version)
    b.queue("r0", dead_letter_exchange="", dead_letter_routing_key="r1")
    b.queue("r1", message_ttl=10, dead_letter_exchange="", dead_letter_routing_key="r2")
    b.queue("r2", message_ttl=10, dead_letter_exchange="", dead_letter_routing_key="r1")
    b.send("r0", "m")
    b.get("ch", "r0")
    b.reject("ch", 1)
    b.wait(1_000)
    assert [(event.message, event.queue) for event in b.all(events.CycleCut)] == [("m", "r1")]

"""rules/routing#0: what simulators of routing typically get wrong. One test a surprise, in its order.

Not here: S20 and S21, which are about the export of definitions, and S26, whose shortcuts a scenario does not have.
"""

from kits.broker import Bench, before, deaths, since, versions
from kits.rules import routing_rules

from routesim import events
from routesim.values import Typed

test_rules = routing_rules("""
S1 alternate exchange fires when no binding matched: not when no queue was reached: a binding that leads to a dead end keeps the alternate exchange out
    queue unrouted; exchange ae fanout; bind ae unrouted; exchange x direct ae=ae; exchange dead-end fanout
    bind-exchange x dead-end k; route x k mandatory = returned; route x other mandatory = unrouted
S2 a cc key that matches suppresses the alternate exchange, CC: it counts as a match of the exchange, and satisfies `mandatory`
    queue q; queue unrouted; exchange ae fanout; bind ae unrouted; exchange x direct ae=ae; bind x q copy
    route x nothing headers={"CC":["copy"]} mandatory = q
S2 a cc key that matches suppresses the alternate exchange, BCC: it counts as a match of the exchange, and satisfies `mandatory`
    queue q; queue unrouted; exchange ae fanout; bind ae unrouted; exchange x direct ae=ae; bind x q copy
    route x nothing headers={"BCC":["copy"]} mandatory = q
S5 headers bindings without criteria: `all` without criteria matches everything, `any` nothing; keys that begin with x- are no criteria
    exchange x headers; queue none; bind x none; queue all; bind x all x-match=all; queue any; bind x any x-match=any
    queue x-foo; bind x x-foo x-match=all x-foo=1; queue any-x-foo; bind x any-x-foo x-match=any x-foo=1; queue all-with-x
    bind x all-with-x x-match=all-with-x x-foo=1; queue any-with-x; bind x any-with-x x-match=any-with-x x-foo=1
    route x = all none x-foo; route x headers={"x-foo":1} = all all-with-x any-with-x none x-foo
S8 what is not there can be unbound and deleted: unbind and delete say ok; binding to what is missing is 404
    queue q; exchange x; unbind x nope; unbind nope q; unbind x q "no such key"; unbind x nope to=exchange; delete-exchange nope
    delete-exchange nope if-unused; bind x nope !404 no queue 'nope' in vhost '/'
    bind nope q !404 no exchange 'nope' in vhost '/'
S9 only the alternate exchange is compared: another hash-header, inner type or unknown argument is accepted on a re-declaration, and ignored
    exchange h x-consistent-hash hash-header=one; exchange h x-consistent-hash hash-header=two
    exchange h x-consistent-hash unknown=1; exchange x ae=a
    exchange x ae=b !406 inequivalent arg 'alternate-exchange' for exchange 'x' in vhost '/': received 'b' but current is 'a'
    exchange x !406 inequivalent arg 'alternate-exchange'
S10 an unknown exchange type: kills the connection before 3.13.3, the channel since [3.10 3.13.2]
    exchange x nonsense !503 COMMAND_INVALID - unknown exchange type 'nonsense'
S10 an unknown exchange type: kills the connection before 3.13.3, the channel since [3.13.3 4.0 4.2 4.3]
    exchange x nonsense !406 unknown exchange type 'nonsense'
S12 the default exchange as alternate and dead letter exchange: as an alternate exchange "" leads nowhere, as a dead-letter exchange it reaches the queue of the key
    queue k; exchange x ae=""; route x k mandatory = returned; queue q dead-letter=k; send q m; get ch q; reject ch 1
    drain k = m | 4.3: m*
S13 a policy for the default exchange is never consulted: what the default exchange cannot route is lost whatever alternate exchange a policy gives it
    queue unrouted; exchange ae fanout; bind ae unrouted; policy all .* alternate-exchange=ae
    route "" nope mandatory = returned
S15 unroutable publishes are acked: after the return if mandatory; a nack comes from a queue only, and one nacks the whole message
    exchange x fanout; publish x "" lost; publish x "" back mandatory; queue keeps
    queue full max-length=0 overflow=reject-publish; bind x keeps; bind x full; publish x "" refused
    confirms = lost:ack back:ack refused:nack; returned = back; drain keeps = refused
S16 reject publish and mandatory: nacked, not returned; overflow is looked at before consumers are
    queue q max-length=0 overflow=reject-publish; consume A q; send q m mandatory; confirms = m:nack; returned =; news =
S19 auto delete exchanges look at their own bindings: only losing the last binding from them counts; it goes on upstream; never bound ones stay
    exchange A fanout auto-delete; exchange B fanout auto-delete; exchange C fanout auto-delete
    exchange never fanout auto-delete; exchange source fanout; queue q; bind-exchange source never
    unbind source never to=exchange; bind-exchange A B; bind-exchange B C; bind C q; exchanges = A B C never source
    delete-queue q; exchanges = never source
S25 number of hash words: from 4.3.5 on a topic binding key has at most two # words [3.10 4.2 4.3.4]
    queue q; exchange x topic; bind x q #.a.#; bind x q a##.#.#; bind x q #.a.#.b.#
S25 number of hash words: from 4.3.5 on a topic binding key has at most two # words [4.3.5]
    queue q; exchange x topic; bind x q #.a.#; bind x q a##.#.#
    bind x q #.a.#.b.# !406 Topic binding key '#.a.#.b.#' uses 3 '#' wildcards, at most 2 are allowed
S28 transactions route at once and deliver later: what is bound after the publish gets nothing; returns come with the commit
    channel tx confirms=false; exchange x fanout; queue early; queue late; bind x early; tx tx select; publish x "" 0 channel=tx
    unbind x early; bind x late; send nope 1 channel=tx mandatory; returned =; tx tx commit; returned = 1; drain early = 0
    drain late =
""")


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
    dead = "m*" if version == "4.3" else "m"  # rules/routing#D22
    b.send("main", "m", headers=headers)
    b.get("ch", "main")
    b.reject("ch", 1)
    assert [b.drain(f"dlq-{name}") for name in ("main", "cc", "bcc", "other")] == [dead, dead, dead, ""]
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

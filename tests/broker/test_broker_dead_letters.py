"""rules/routing#4: dead-lettering. What dies, what is published, where it may not go."""

import itertools
import random

import pytest
from kits.broker import Bench, before, deaths, kinds, since, versions
from kits.rules import routing_rules

from routesim import events
from routesim.values import Typed

test_configuration = routing_rules("""
D3,D17 the exchange may come later: missing at the death, the message is dropped; it need not be there when the queue is declared
    queue dlq; queue q dead-letter-exchange=late; send q 0 1; die q; exchange late fanout; bind late dlq
    die q; drain dlq = 1 | 4.3: 1*
D4 a key without an exchange does nothing
    policy p ^q$ dead-letter-routing-key=dlq; queue dlq; queue q; send q m; die q; drain dlq =
D5 policies count for later deaths: from the moment of their change
    queue dlq; queue q; send q 0 1 2; die q; policy p ^q$ dead-letter-exchange="" dead-letter-routing-key=dlq; die q
    delete-policy p; die q; drain dlq = 1 | 4.3: 1*
""")

test_when = routing_rules("""
D7 what is not dead lettered: acked, requeued, purged, deleted, refused [classic quorum]
    queue dlq; queue q {kind} max-length=3 overflow=reject-publish dead-letter=dlq; send q 0..5; get ch q 2; ack ch 1; nack ch 2
    purge q; send q 7; delete-queue q; drain dlq =
D6 reasons: rejected, expired, maxlen; delivery_limit of a quorum queue [classic quorum]
    queue dlq; [classic] queue q max-length=1 dead-letter=dlq; [quorum] queue q quorum max-length=1 delivery-limit=0 dead-letter=dlq
    send q e expiration=100; wait 200; send q m r; die q; [quorum] send q d; [quorum] get ch q; [quorum] close ch
    ready dlq = e m r | quorum: e m r d | 4.3: e m r* | quorum 4.3: e m r* d*; deaths dlq = q:expired:1; deaths dlq = q:maxlen:1; deaths dlq = q:rejected:1
    [quorum] deaths dlq = q:delivery_limit:1
D10 order of deaths, a repeated one moves to the front: its count goes up; until 3.12 the rest comes reversed
    queue a dead-letter=b; queue b dead-letter=c; queue c dead-letter=a; send a m; die a; die b; die c; die a
    deaths b = a:rejected:2 b:rejected:1 c:rejected:1 | >=3.13: a:rejected:2 c:rejected:1 b:rejected:1
D10 order of deaths, other reasons are other entries
    queue q dead-letter=r message-ttl=100; queue r dead-letter=q; send q m; wait 100; die r; die q
    deaths r = q:rejected:1 q:expired:1 r:rejected:1 | >=3.13: q:rejected:1 r:rejected:1 q:expired:1
""")

test_cycles = routing_rules("""
D16 only the queue of the cycle is left out: other targets of the same dead letter get it
    exchange dlx fanout; queue q dead-letter-exchange=dlx message-ttl=100; queue other; bind dlx q; bind dlx other; send q m
    wait 1000; ready q =; drain other = m
D16 delivery limit is no rejection: what died of its delivery limit does not come back to the queue
    queue q quorum delivery-limit=0 dead-letter-exchange=""; send q m; get ch q; reject ch 1 requeue; drain q =
    dropped q = m:delivery_limit
D16 cycle back into its own queue: not without a rejection [reason=expired maxlen]
    [expired] queue q dead-letter-exchange="" message-ttl=100; [maxlen] queue q dead-letter-exchange="" max-length=0
    send q m; wait 1000; ready q =; dropped q = m:{reason}; cut = q
D16 cycle of rejections goes on for ever
    queue q dead-letter-exchange=""; send q m; die q; die q; die q; die q; die q; deaths q = q:rejected:5
D16 cycle of two expiries ends
    queue a dead-letter=b message-ttl=100; queue b dead-letter=a message-ttl=100; send a m; wait 10000; count a = 0 0; count b = 0 0
D16 cycle of a rejection and an expiry goes on: the retry pattern
    queue work dead-letter=wait; queue wait dead-letter=work message-ttl=100; send work m; die work; wait 100; count work = 1 0
    die work; wait 100; count work = 1 0; die work; wait 100; count work = 1 0; die work; wait 100; count work = 1 0
    die work; wait 100; count work = 1 0; deaths work = wait:expired:5 work:rejected:5
D16 cycle of three expiries ends where it began
    queue a dead-letter=b message-ttl=100; queue b dead-letter=c message-ttl=100; queue c dead-letter=a message-ttl=100
    send a m; wait 10000; cut = a; count a = 0 0; count b = 0 0; count c = 0 0
D16 no cycle in a row of queues
    queue a dead-letter=b message-ttl=100; queue b dead-letter=c message-ttl=100; queue c; send a m; wait 1000
    deaths c = b:expired:1 a:expired:1
""")

test_where_it_goes = routing_rules("""
D17 unroutable dead letters: dropped, unless the dead-letter exchange has an alternate one
    exchange dlx direct; queue q dead-letter-exchange=dlx; send q m; die q; dropped q = m:rejected
    exchange ae fanout; queue unrouted; bind ae unrouted; exchange dlx2 direct ae=ae; queue q2 dead-letter-exchange=dlx2
    send q2 m; die q2; drain unrouted = m | 4.3: m*
D15 never mandatory never returned: the publisher hears nothing of it
    exchange dlx direct; queue q dead-letter-exchange=dlx; send q m mandatory; die q; returned =
    confirms = m:ack
D20,queues#8.7 streams as targets: a stream dead-letters nothing, but takes dead letters, from 3.12 on [3.13 4.0 4.2 4.3]
    queue s stream; queue q dead-letter=s; send q m; die q; consume A s prefetch=5 x-stream-offset=first
    news = A:m
""")

test_at_least_once = routing_rules("""
D19 kept until it can be routed: without a route the dead letter stays with its source, neither ready nor unacked, and is tried every 180 s
    queue q quorum dead-letter-exchange=dlx dead-letter-strategy=at-least-once overflow=reject-publish; queue dlq; send q 0 1
    die q; die q; count q = 0 0; wait 170000; exchange dlx fanout; bind dlx dlq
    drain dlq =; wait 30000; drain dlq = 0 1 | 4.3: 0* 1*
D8,queues#6.1 waiting dead letters fill the queue: they count towards its limit
    queue q quorum dead-letter-exchange=dlx dead-letter-strategy=at-least-once overflow=reject-publish max-length=1; queue dlq
    send q 0 1; die q; die q; send q 2; confirms = 0:ack 1:ack 2:nack
D19 survives a restart: the source keeps it over a restart
    queue q quorum dead-letter-exchange=dlx dead-letter-strategy=at-least-once overflow=reject-publish; queue dlq; send q 0
    die q; restart; exchange dlx fanout; bind dlx dlq; wait 400000; drain dlq = 0 | 4.3: 0*
D19 without reject-publish it is at most once [overflow=drop-head reject-publish-dlx]
    queue q quorum dead-letter-exchange=dlx dead-letter-strategy=at-least-once overflow={overflow}; queue dlq; send q 0; die q
    exchange dlx fanout; bind dlx dlq; wait 400000; drain dlq =
""")

OLD, NEW = before("3.13"), since("3.13")


def die(b, queue):
    """The head of the queue dies of a rejection."""
    b.get("killer", queue)
    b.reject("killer", b.letters[-1].tag)


# Configuration ---------------------------------------------------------------------------------------------------------


@versions()
@kinds("classic", "quorum")
def test_d1_argument_and_policy_combine(version, kind):
    """rules/routing#D1: exchange and key are looked up each by itself, the argument first."""
    b = Bench(version)
    b.exchange("a", "direct")
    b.exchange("p", "direct")
    for exchange in "ap":
        for key in ("own", "arg", "pol"):
            b.queue(f"{exchange}-{key}")
            b.bind(exchange, f"{exchange}-{key}", key)
    b.policy("p", "^q", {"dead-letter-exchange": "p", "dead-letter-routing-key": "pol"})
    b.queue("q1", kind)
    b.queue("q2", kind, dead_letter_exchange="a")
    b.queue("q3", kind, dead_letter_exchange="a", dead_letter_routing_key="arg")
    for queue, expected in (("q1", "p-pol"), ("q2", "a-pol"), ("q3", "a-arg")):
        b.send(queue, "m")
        die(b, queue)
        assert b.drain(expected) == ("m*" if version == "4.3" else "m")


# What is published -----------------------------------------------------------------------------------------------------


def chain(version, *names):
    """Queues in a row, each dead-lettering to the next."""
    b = Bench(version)
    for name, following in itertools.pairwise(names):
        b.queue(name, dead_letter_exchange="", dead_letter_routing_key=following)
    b.queue(names[-1])
    return b


@versions()
@pytest.mark.parametrize(
    ("number", "scrambled", "newest_first"),
    [(1, "a", "a"), (2, "ba", "ba"), (3, "cab", "cba"), (4, "dbac", "dcba"), (5, "ecabd", "edcba")],
)
def test_d10_order_of_deaths(version, number, scrambled, newest_first):
    """rules/routing#D10: until 3.12 the newest first and, from the third death on, the rest reversed each time;
    newest first since."""
    b = chain(version, *"abcdef")
    b.send("a", "m")
    for name in "abcde"[:number]:
        die(b, name)
    order = "".join(queue for queue, _, _ in deaths(b.take("abcdef"[number])))
    assert order == (scrambled if version in OLD else newest_first)


@versions()
def test_d11_fields_of_an_entry(version):
    """rules/routing#D11: count, reason, queue, time, exchange, the keys (never BCC), and the expiration if there was one."""
    b = chain(version, "q", "dlq")
    b.exchange("x", "topic")
    b.bind("x", "q", "#")
    b.wait(7_500)
    b.publish("x", "k", "m", headers={"CC": ["c1", "c2"], "BCC": ["b"]}, expiration="60000")
    die(b, "q")
    (entry,) = b.take("dlq").headers["x-death"]
    assert entry == {
        "count": Typed("long", 1), "reason": "rejected", "queue": "q", "time": Typed("timestamp", 7), "exchange": "x",
        "routing-keys": ["k", "c1", "c2"], "original-expiration": "60000",
    }  # fmt: skip


@versions()
def test_d11_a_bcc_key_equal_to_a_cc_key_is_not_told_twice(version):
    """rules/routing#D11: the keys are those of the main key and CC, as they were sent."""
    b = chain(version, "q", "dlq")
    b.send("q", "m", headers={"CC": ["c"], "BCC": ["c"]})
    die(b, "q")
    (entry,) = b.take("dlq").headers["x-death"]
    assert entry["routing-keys"] == ["q", "c"]


@versions(("3.10",))
def test_d11_order_of_the_fields(version):
    """rules/routing#D11: in the first entry as listed, alphabetical in any that is written later."""
    b = chain(version, "a", "b", "c")
    b.send("a", "m")
    die(b, "a")
    die(b, "b")
    newer, older = b.take("c").headers["x-death"]
    assert list(newer) == ["count", "exchange", "queue", "reason", "routing-keys", "time"]
    assert list(older) == ["count", "reason", "queue", "time", "exchange", "routing-keys"]


@versions()
def test_d13_first_and_last_death(version):
    """rules/routing#D13: x-first-death-* with the first death; x-last-death-* with every one, since 3.13."""
    b = chain(version, "a", "b", "c")
    b.exchange("x", "fanout")
    b.bind("x", "a")
    b.publish("x", "", "m")
    die(b, "a")
    die(b, "b")
    headers = b.take("c").headers
    assert [headers[f"x-first-death-{name}"] for name in ("queue", "reason", "exchange")] == ["a", "rejected", "x"]
    last = [headers.get(f"x-last-death-{name}") for name in ("queue", "reason", "exchange")]
    assert last == ([None] * 3 if version in OLD else ["b", "rejected", ""])


@versions(NEW)
def test_d13_headers_are_sorted(version):
    """rules/routing#D13: rendered by name, each once."""
    b = chain(version, "a", "b")
    b.send("a", "m", headers={"z": 1, "a": 2, "x-first-death-queue": "mine"})
    die(b, "a")
    headers = b.take("b").headers
    assert list(headers) == sorted(headers)
    assert headers["x-first-death-queue"] == "a"


CLIENTS = [
    {
        "queue": "q",
        "reason": "rejected",
        "count": Typed("long", 7),
        "exchange": "e",
        "routing-keys": ["k"],
        "time": Typed("timestamp", 1),
    }
]


@versions()
def test_d14_an_x_death_sent_by_a_client(version):
    """rules/routing#D14: its counts go on until 3.13; from 4.0 on the first real death overwrites it."""
    b = chain(version, "q", "dlq")
    b.send("q", "m", headers={"x-death": CLIENTS})
    assert b.get("look", "q") == "m"
    assert deaths(b.letters[-1]) == [("q", "rejected", 7)]
    b.close("look")
    die(b, "q")
    assert deaths(b.take("dlq")) == [("q", "rejected", 8 if version in before("4.0") else 1)]


@versions(OLD)
def test_d10_client_entries_of_one_kind_are_merged(version):
    """rules/routing#D10: the count of the first; if it has none, their number."""
    b = chain(version, "q", "dlq")
    entry = {"queue": "old", "reason": "expired"}
    b.send("q", 1, headers={"x-death": [{**entry, "count": Typed("long", 4)}, entry]})
    b.send("q", 2, headers={"x-death": [entry, entry, entry]})
    b.send("q", 3, headers={"x-death": [{"queue": "q", "reason": "rejected"}, {"queue": "q", "reason": "rejected"}]})
    for _ in range(3):
        die(b, "q")
    assert deaths(b.take("dlq")) == [("q", "rejected", 1), ("old", "expired", 4)]
    assert deaths(b.take("dlq")) == [("q", "rejected", 1), ("old", "expired", 3)]
    assert deaths(b.take("dlq")) == [("q", "rejected", 3)]


@versions(OLD)
def test_d10_an_x_death_of_another_type_is_replaced(version):
    """rules/routing#D10: and no x-first-death-* is set then."""
    b = chain(version, "q", "dlq")
    b.send("q", "m", headers={"x-death": "text"})
    die(b, "q")
    headers = b.take("dlq").headers
    assert [entry["queue"] for entry in headers["x-death"]] == ["q"]
    assert "x-first-death-queue" not in headers


@versions(OLD)
def test_d10_clients_first_death_headers_are_overwritten(version):
    """rules/routing#D10: by the first death; an existing x-death leaves them alone, missing or not."""
    b = chain(version, "q", "dlq")
    b.send("q", 1, headers={"x-first-death-queue": "mine"})
    b.send("q", 2, headers={"x-first-death-queue": "mine", "x-death": CLIENTS})
    die(b, "q")
    die(b, "q")
    assert b.take("dlq").headers["x-first-death-queue"] == "q"
    headers = b.take("dlq").headers
    assert headers["x-first-death-queue"] == "mine"
    assert "x-first-death-reason" not in headers


@versions()
def test_d15_what_the_dead_letter_looks_like(version):
    """rules/routing#D15: exchange and key of the dead-lettering, no expiration, everything else as it was.

    Its redelivered flag: rules/routing#D22.
    """
    b = Bench(version)
    b.exchange("dlx", "fanout")
    b.queue("dlq")
    b.bind("dlx", "dlq")
    b.queue("q", dead_letter_exchange="dlx", dead_letter_routing_key="new")
    b.send(
        "q",
        "m",
        body="text",
        priority=3,
        expiration="9999",
        delivery_mode=1,
        properties={"correlation_id": "c"},
        headers={"h": 1},
    )
    b.get("ch", "q")
    b.nack("ch", 1)
    die(b, "q")
    letter = b.take("dlq")
    content = letter.content
    assert (content.exchange, content.routing_key, content.body, content.priority) == ("dlx", "new", "text", 3)
    assert (content.expiration, content.delivery_mode, content.properties) == (None, 1, {"correlation_id": "c"})
    assert letter.headers["h"] == 1
    assert letter.redelivered is (version == "4.3")
    assert "x-delivery-count" not in letter.headers


@versions()
def test_d21_the_delivery_count_stays_behind(version):
    """rules/routing#D21: a quorum queue's count header is not in the dead letter."""
    b = Bench(version)
    b.queue("dlq")
    b.queue("q", "limited", dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", "m")
    b.get("ch", "q")
    b.reject("ch", 1, requeue=True)
    b.get("ch", "q")
    b.reject("ch", 2)
    headers = b.take("dlq").headers
    assert not {"x-delivery-count", "x-acquired-count"} & set(headers)


@versions()
def test_d15_cc_with_a_dead_letter_key(version):
    """rules/routing#D15: the key replaces all keys; the header goes until 3.12, and stays without effect since 3.13."""
    b = Bench(version)
    b.queue("copy")
    b.queue("dlq", dead_letter_exchange="", dead_letter_routing_key="last")
    b.queue("last")
    b.queue("q", dead_letter_exchange="", dead_letter_routing_key="dlq")
    b.send("q", "m", headers={"CC": ["copy"]})
    assert b.drain("copy") == "m"
    die(b, "q")
    assert b.drain("copy") == ""
    die(b, "dlq")
    assert b.drain("copy") == ""
    letter = b.take("last")
    assert ("CC" in letter.headers) is (version in NEW)
    assert [entry["routing-keys"] for entry in letter.headers["x-death"]] == [["dlq"], ["q", "copy"]]


@versions()
def test_d15_cc_without_a_dead_letter_key(version):
    """rules/routing#D15: the message keeps its keys, and the header."""
    b = Bench(version)
    b.exchange("dlx")
    for name in ("first", "copy"):
        b.queue(name)
        b.bind("dlx", name, "q" if name == "first" else "cc")
    b.queue("q", dead_letter_exchange="dlx")
    b.send("q", "m", headers={"CC": ["cc"]})
    die(b, "q")
    letters = [b.take("first"), b.take("copy")]
    assert [letter.headers["CC"] for letter in letters] == [["cc"], ["cc"]]


# Cycles ----------------------------------------------------------------------------------------------------------------


@versions()
def test_d16_a_loop_at_one_instant_does_not_hang(version):
    """rules/routing#S4: a loop without waiting is told as a livelock, not walked for ever."""
    b = Bench(version)
    b.queue("r0", dead_letter_exchange="", dead_letter_routing_key="r1")
    b.queue("r1", message_ttl=0, dead_letter_exchange="", dead_letter_routing_key="r2")
    b.queue("r2", message_ttl=0, dead_letter_exchange="", dead_letter_routing_key="r1")
    b.send("r0", "m")
    die(b, "r0")
    assert (b.broker.livelock is not None) is (version in OLD)
    if b.broker.livelock:
        assert b.broker.livelock.message == "m"
        assert set(b.broker.livelock.places) == {"r1", "r2"}


@pytest.mark.parametrize("version", ["3.10", "4.3"])
def test_d19_time_alone_costs_nothing(version):
    """Retries that would come to nothing, for nothing has happened since the last, are passed over; the next stay in their time."""
    b = Bench(version)
    b.queue(
        "q",
        "quorum",
        dead_letter_exchange="",
        dead_letter_routing_key="dlq",
        dead_letter_strategy="at-least-once",
        overflow="reject-publish",
    )
    b.send("q", "m")
    b.get("ch", "q")
    b.wait(1_000)
    b.reject("ch", 1)  # at 1 s: tried again at 181 s, 361 s and so on
    b.wait(1_000 * 86_400_000)
    assert sum(isinstance(event, events.Awaiting) for event in b.events) <= 2, "an acknowledgement was watched, once"
    assert b.broker.due() is None
    assert b.broker.copy().fingerprint() == b.broker.fingerprint()
    b.queue("dlq")
    late = (b.broker.now - 1_000) % 180_000
    b.wait(180_000 - late - 1)
    assert list(b.broker.queues["dlq"].ready()) == []
    b.wait(1)
    assert [copy.message for copy in b.broker.queues["dlq"].ready()] == ["m"]


@pytest.mark.parametrize("seed", range(40))
def test_d19_who_passes_over_retries_tells_the_same(seed):
    """The plain rule beside it, which tries every 180 s whatever has happened."""
    draw = random.Random(seed)
    twins = [Bench("4.3"), Bench("4.3")]
    twins[1].broker.retry_is_vain = lambda queue, changes: False
    steps = [draw.choice(["reject", "room", "wait", "wait", "get", "declare", "drop", "expire"]) for _ in range(30)]
    waits = [draw.choice([1_000, 60_000, 180_000, 500_000]) for _ in steps]
    for b in twins:
        b.queue("full", "classic", max_length=1, overflow="reject-publish")
        b.queue(
            "other",
            "quorum",
            dead_letter_exchange="",
            dead_letter_routing_key="later",
            dead_letter_strategy="at-least-once",
            overflow="reject-publish",
        )
        b.queue(
            "q",
            "quorum",
            dead_letter_exchange="",
            dead_letter_routing_key="full",
            dead_letter_strategy="at-least-once",
            overflow="reject-publish",
        )
        for number, (step, ms) in enumerate(zip(steps, waits, strict=True)):
            if step == "reject":
                for queue in ("q", "other"):
                    b.send(queue, f"{queue}{number}")
                    b.get(f"ch{number}", queue)
                b.reject(f"ch{number}", 1)
                b.reject(f"ch{number}", 2)
            elif step == "room":
                b.purge("full")
            elif step == "get":
                b.get("reader", "full")
            elif step == "declare":
                b.queue("later", "classic", message_ttl=50_000, max_length=1, overflow="reject-publish")
            elif step == "drop":
                b.delete_queue("later")
            elif step == "expire":
                b.send("full", f"short{number}", expiration="100000")
            b.wait(ms)
    told = [[event for event in b.events if not isinstance(event, events.Awaiting)] for b in twins]
    assert told[0] == told[1]
    assert any(isinstance(event, events.DeadLettered) for event in told[0]) or "reject" not in steps

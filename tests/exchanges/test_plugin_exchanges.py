"""rules/routing#2, rules/routing#A: the exchange types of plugins, and Erlang's hashes."""

from collections import Counter

import pytest
from kits.broker import Bench, before, since, versions

from routesim.content import Content
from routesim.exchanges.consistent_hash import ConsistentHash
from routesim.exchanges.erlang import Atom, jump, phash2
from routesim.model import Binding, Exchange
from routesim.values import Typed
from routesim.versions import rules

# Erlang's hashes -------------------------------------------------------------------------------------------------------

VECTORS = [
    (b"a", 112802447), (b"k1", 57409138), (b"hello.world", 70563106), (b"", 13708901), ([b"a"], 53691870), ([b"k1"], 21317394),
    ([b"a", b"b"], 3094894), ([b""], 38220213), (Atom("undefined"), 45914356), ((Atom("longstr"), b"a"), 65711459),
    ((Atom("signedint"), 5), 40839585), (5, 5878562), (True, 506293),
]  # fmt: skip


@pytest.mark.parametrize(("term", "expected"), VECTORS)
def test_a7_phash2(term, expected):
    """rules/routing#A7: what erlang:phash2 gives."""
    assert phash2(term) == expected


@pytest.mark.parametrize(("key", "buckets", "expected"), [(1, 1, 0), (1, 2, 0), (1, 3, 2), (123456789, 2, 1), (123456789, 5, 1)])
def test_a6_jump(key, buckets, expected):
    """rules/routing#A6: worked out by hand from the first two uniforms of A7."""
    assert jump(key, buckets) == expected


def test_a6_more_buckets_move_few_keys():
    """rules/routing#A6: a bucket more takes keys from the others, and moves none among them."""
    for buckets in range(1, 12):
        for key in range(200):
            assert jump(key, buckets + 1) in (jump(key, buckets), buckets)


# x-consistent-hash -----------------------------------------------------------------------------------------------------


def ring(version, *weights, **arguments):
    """Queues q0, q1 … bound in this order with these weights."""
    b = Bench(version)
    b.exchange("x", "x-consistent-hash", **arguments)
    for number, weight in enumerate(weights):
        b.queue(f"q{number}")
        b.bind("x", f"q{number}", str(weight))
    return b


@versions()
@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ({"hash_header": "a", "hash_property": "message_id"}, 406, "hash-header and hash-property are mutually exclusive"),
        ({"hash_property": "bogus"}, 406, "Unsupported property: bogus"),
        ({"hash_header": 1}, 541, "INTERNAL_ERROR"),
        ({"hash_property": True}, 541, "INTERNAL_ERROR"),
    ],
)
def test_g1_arguments(version, arguments, code, text):
    """rules/routing#G1: one header or one of three properties."""
    b = Bench(version)
    b.exchange("x", "x-consistent-hash", **arguments, fails=(code, text))
    for name in ("message_id", "correlation_id", "timestamp"):
        b.exchange(name, "x-consistent-hash", hash_property=name)


@versions()
def test_g2_weights(version):
    """rules/routing#G2: the binding key is a whole number from 1 on, as Erlang reads one; at most 10000 since 4.2.6."""
    b = Bench(version)
    b.exchange("x", "x-consistent-hash")
    b.queue("q")
    for key in ("1", "+3", "007", "10000"):
        b.bind("x", "q", key)
    for key, shown in (("", "<<>>"), ('a"', r'<<"a\"">>'), *((key, f'<<"{key}">>') for key in ("1.5", " 1", "1 ", "abc", "1e2"))):
        b.bind("x", "q", key, fails=(406, f"The binding key must be an integer: {shown}"))
    for key in ("0", "-1", "-0"):
        b.bind("x", "q", key, fails=(406, "The binding key must be greater than 0"))
    b.bind("x", "q", "10001", fails=(406, "The binding key must not exceed 10000") if version in since("4.2") else None)


@versions()
def test_g3_buckets_in_the_order_of_binding(version):
    """rules/routing#G3, rules/routing#G4: each destination owns as many buckets as its weight says, one after the other."""
    b = ring(version, 2, 1, 3)
    owners = ["q0", "q0", "q1", "q2", "q2", "q2"]
    for number in range(60):
        key = f"key-{number}"
        assert b.route("x", key) == owners[jump(phash2(key.encode()), 6)]


@versions()
def test_g3_unbinding_shifts_the_later_buckets_down(version):
    """rules/routing#G3: they keep their order; a destination bound anew goes to the end."""
    b = ring(version, 1, 1, 1)
    b.unbind("x", "q0", "1")
    for number in range(40):
        assert b.route("x", str(number)) == ["q1", "q2"][jump(phash2(str(number).encode()), 2)]
    b.bind("x", "q0", "1")
    for number in range(40):
        assert b.route("x", str(number)) == ["q1", "q2", "q0"][jump(phash2(str(number).encode()), 3)]


@versions()
def test_g3_bound_yet_without_a_bucket(version):
    """rules/routing#G3: a second binding adds nothing; unbinding either takes all;
    binding the one that is left again changes nothing."""
    b = ring(version, 1)
    b.bind("x", "q0", "5")
    b.unbind("x", "q0", "1")
    b.bind("x", "q0", "5")
    assert b.route("x", "k", mandatory=True) == "returned"


@versions()
def test_g4_exchanges_own_buckets_too(version):
    """rules/routing#G4: the destination may be an exchange; with one bucket everything goes there."""
    b = Bench(version)
    b.exchange("x", "x-consistent-hash")
    b.exchange("next", "fanout")
    b.queue("q")
    b.bind("next", "q")
    b.bind_exchange("x", "next", "3")
    assert {b.route("x", str(number)) for number in range(20)} == {"q"}


@versions()
def test_g5_cc_does_not_count(version):
    """rules/routing#G5: only the first key is hashed."""
    b = ring(version, 1, 1, 1, 1)
    for number in range(20):
        assert b.route("x", str(number), {"CC": ["other"], "BCC": ["more"]}) == b.route("x", str(number))


@versions()
def test_g5_g6_by_header(version):
    """rules/routing#G5: in 3.10 the header's type and value are hashed; G6: since 3.13 the value,
    an integer being its own seed."""
    b = ring(version, 1, 1, 1, 1, hash_header="h")
    for value, typed, bare in (
        ("text", (Atom("longstr"), b"text"), b"text"), (5, (Atom("signedint"), 5), 5), (Typed("long", 7), (Atom("long"), 7), 7),
        (-3, (Atom("signedint"), -3), -3), (True, (Atom("bool"), True), True),
    ):  # fmt: skip
        if value == -3 and version != "3.10":
            continue  # a negative seed is nobody's rule
        bucket = jump(phash2(typed), 4) if version == "3.10" else jump(bare, 4)
        assert b.route("x", "any", {"h": value}) == f"q{bucket}", value


@versions()
def test_g5_a_missing_header_is_one_bucket(version):
    """rules/routing#G5: all messages without it fall into the bucket of the atom undefined."""
    b = ring(version, 1, 1, 1, 1, hash_header="h")
    expected = f"q{jump(45914356, 4)}"
    assert {b.route("x", str(number)) for number in range(10)} == {expected}
    assert b.route("x", "k", {"other": 1}) == expected


@versions(since("3.13"))
def test_g6_an_array_is_its_first_element(version):
    """rules/routing#G6: since 3.13 the first element, with its type."""
    b = ring(version, 1, 1, 1, 1, hash_header="h")
    expected = f"q{jump(65711459, 4)}"
    assert b.route("x", "k", {"h": ["a"]}) == b.route("x", "k", {"h": ["a", "b"]}) == expected


@versions()
@pytest.mark.parametrize(("name", "value"), [("correlation_id", "abc"), ("message_id", "m-1"), ("timestamp", 1700000000)])
def test_g5_by_property(version, name, value):
    """rules/routing#G5: its text, a timestamp as decimal seconds; a missing one is undefined."""
    b = ring(version, 1, 1, 1, 1, hash_property=name)
    bucket = jump(phash2(str(value).encode()), 4)
    assert b.route("x", "any", properties={name: value}) == f"q{bucket}"
    if name != "message_id":  # the simulator gives every message one
        assert b.route("x", "any") == f"q{jump(45914356, 4)}"


@versions()
@pytest.mark.parametrize("name", ["m-1", "another"])
def test_g5_by_message_id_where_none_is_given(version, name):
    """rules/routing#G5: every message has the id that the scenario gives it."""
    b = ring(version, 1, 1, 1, 1, hash_property="message_id")
    b.publish("x", "any", name)
    taken = [number for number in range(4) if b.ready(f"q{number}") == name]
    assert taken == [jump(phash2(name.encode()), 4)]


@versions()
def test_g7_after_a_restart(version):
    """rules/routing#G7: the ring is rebuilt in the order of the sorted bindings; with Khepri the stored ring stays."""
    b = Bench(version)
    b.exchange("x", "x-consistent-hash")
    for name in ("c", "a", "b"):
        b.queue(name)
        b.bind("x", name, "1")
    b.restart()
    owners = "abc" if version in before("4.2") else "cab"
    for number in range(30):
        assert b.route("x", str(number)) == owners[jump(phash2(str(number).encode()), 3)]


# x-modulus-hash --------------------------------------------------------------------------------------------------------


@versions()
def test_m1_m2_by_all_keys(version):
    """rules/routing#M1: the hash of all keys modulo the number of bindings; M2: sorted by key and destination,
    or by destination since 4.3."""
    b = Bench(version)
    b.exchange("x", "x-modulus-hash")
    for name, key in (("c", "1"), ("a", "3"), ("b", "2")):
        b.queue(name)
        b.bind("x", name, key)
    order = "abc" if version == "4.3" else "cba"
    for number in range(30):
        key = f"key-{number}"
        assert b.route("x", key) == order[phash2([key.encode()]) % 3]
        assert b.route("x", key, {"CC": ["c"], "BCC": ["b"]}) == order[phash2([key.encode(), b"c", b"b"]) % 3]


@versions(before("4.3"))
def test_m1_a_queue_bound_twice_counts_twice(version):
    """rules/routing#M1: over bindings, not queues."""
    b = Bench(version)
    b.exchange("x", "x-modulus-hash")
    b.queue("a")
    b.queue("b")
    b.bind("x", "a", "1")
    b.bind("x", "a", "2")
    b.bind("x", "b", "3")
    for number in range(30):
        assert b.route("x", str(number)) == "aab"[phash2([str(number).encode()]) % 3]


# x-random, x-local-random ----------------------------------------------------------------------------------------------


@versions()
def test_l1_one_of_the_bindings(version):
    """rules/routing#L1: one destination, with the chance of its share of the bindings; key and headers do not matter."""
    b = Bench(version, seed=3)
    b.exchange("x", "x-random")
    b.queue("a")
    b.queue("b")
    b.bind("x", "a", "1")
    b.bind("x", "a", "2")
    b.bind("x", "b", "nothing to do with it")
    found = Counter(b.route("x", "k") for _ in range(300))
    assert set(found) == {"a", "b"}
    assert 160 < found["a"] < 240


@versions()
def test_l1_the_seed_decides(version):
    """rules/routing#L1: the same seed, the same choices; another one, others."""

    def choices(seed):
        b = Bench(version, seed=seed)
        b.exchange("x", "x-random")
        for name in "abcd":
            b.queue(name)
            b.bind("x", name)
        return [b.route("x") for _ in range(20)]

    assert choices(1) == choices(1) != choices(2)


@versions()
def test_l2_local_random(version):
    """rules/routing#L2: unknown before 4.0; bindings have no key and lead to classic queues."""
    b = Bench(version)
    if version in before("4.0"):
        b.exchange("x", "x-local-random", fails=503 if version == "3.10" else 406)
        return
    b.exchange("x", "x-local-random")
    b.exchange("y", "fanout")
    b.queue("c")
    b.queue("k", "quorum")
    b.queue("s", "stream")
    b.bind("x", "c", "k", fails=(406, "Non empty binding 'k' key not permitted"))
    b.bind("x", "k", fails=(406, "Queue type"))
    b.bind("x", "s", fails=(406, "not valid for this exchange type"))
    b.bind_exchange("x", "y", fails=(406, "Destination not found"))
    b.bind("x", "c")
    assert b.route("x", "whatever") == "c"


# x-recent-history ------------------------------------------------------------------------------------------------------


@versions()
@pytest.mark.parametrize("length", [0, -1, True, "5", 1.5, Typed("unsignedint", 5), Typed("unsignedbyte", 5)])
def test_y2_the_length_is_a_positive_integer(version, length):
    """rules/routing#Y2: of a signed type."""
    b = Bench(version)
    b.exchange(
        "x",
        "x-recent-history",
        x_recent_history_length=length,
        fails=(406, "'x-recent-history-length' must be a positive integer"),
    )
    b.exchange("x", "x-recent-history", x_recent_history_length=Typed("byte", 5))


@versions()
def test_y1_y3_new_bindings_get_what_was_published(version):
    """Y1-Y3: routed like fanout; a new binding of a queue is replayed the newest 20, oldest first."""
    b = Bench(version)
    b.exchange("x", "x-recent-history")
    b.queue("early")
    b.bind("x", "early")
    b.publish("x", "any.key", *range(25))
    b.queue("late")
    b.bind("x", "late")
    assert b.drain("early") == " ".join(map(str, range(25)))
    assert b.drain("late") == " ".join(map(str, range(5, 25)))


@versions()
def test_y3_each_new_binding_replays_again(version):
    """rules/routing#Y3: with its original exchange, key and headers; the same binding again replays nothing."""
    b = Bench(version)
    b.exchange("x", "x-recent-history", x_recent_history_length=2)
    b.publish("x", "key", 1, 2, 3, headers={"h": 1})
    b.queue("q")
    b.bind("x", "q")
    b.bind("x", "q")
    b.bind("x", "q", "other")
    letter = b.take("q")
    assert (letter.content.exchange, letter.content.routing_key, letter.headers) == ("x", "key", {"h": 1})
    assert b.drain("q") == "3 2 3"
    assert b.confirms == {"1": "ack", "2": "ack", "3": "ack"}


@versions()
def test_y1_messages_that_are_not_to_be_stored(version):
    """rules/routing#Y1: the header must be true itself; the text "true" does not count."""
    b = Bench(version)
    b.exchange("x", "x-recent-history")
    b.publish("x", "", 1, headers={"x-recent-history-no-store": True})
    b.publish("x", "", 2, headers={"x-recent-history-no-store": "true"})
    b.publish("x", "", 3, headers={"x-recent-history-no-store": False})
    b.queue("q")
    b.bind("x", "q")
    assert b.drain("q") == "2 3"


@versions()
def test_y4_a_new_binding_to_an_exchange(version):
    """rules/routing#Y4: replayed newest first; a message that reaches no queue kills the connection."""
    b = Bench(version)
    b.exchange("x", "x-recent-history")
    b.publish("x", "k", 1, 2, 3)
    b.exchange("y", "fanout")
    b.queue("q")
    b.bind("y", "q")
    b.bind_exchange("x", "y")
    assert b.drain("q") == "3 2 1"
    b.exchange("empty", "fanout")
    b.bind_exchange("x", "empty", channel="other", fails=(541, "INTERNAL_ERROR"))


@versions()
def test_y5_the_cache_goes_with_the_exchange(version):
    """rules/routing#Y5: a new exchange of the name remembers nothing."""
    b = Bench(version)
    b.exchange("x", "x-recent-history")
    b.publish("x", "", 1)
    b.delete_exchange("x")
    b.exchange("x", "x-recent-history")
    b.queue("q")
    b.bind("x", "q")
    assert b.drain("q") == ""


@versions(("3.10",))
def test_y5_the_cache_is_in_memory_on_3_10(version):
    """rules/routing#Y5: a restart empties it."""
    b = Bench(version)
    b.exchange("x", "x-recent-history")
    b.publish("x", "", 1)
    b.restart()
    b.queue("q")
    b.bind("x", "q")
    assert b.drain("q") == ""


# x-delayed-message -----------------------------------------------------------------------------------------------------


def delayed(version, inner="direct", **options):
    b = Bench(version)
    b.exchange("x", "x-delayed-message", x_delayed_type=inner, **options)
    b.queue("q")
    b.bind("x", "q", "k")
    return b


@versions()
def test_w1_the_inner_type(version):
    """rules/routing#W1: an existing type, and not this one; matching and the check of bindings are the inner type's."""
    b = Bench(version)
    b.exchange("x", "x-delayed-message", fails=(406, "'x-delayed-type' must be an existing exchange type"))
    b.exchange(
        "x", "x-delayed-message", x_delayed_type="nonsense", fails=(406, "'x-delayed-type' must be an existing exchange type")
    )
    for odd in ([], {"a": 1}, 5, None):
        b.exchange(
            "x", "x-delayed-message", x_delayed_type=odd, fails=(406, "'x-delayed-type' must be an existing exchange type")
        )
    b.exchange("x", "x-delayed-message", x_delayed_type="x-delayed-message", fails=(406, "can't be used for 'x-delayed-type'"))
    b = delayed(version, "topic")
    b.bind("x", "q", "a.#")
    assert b.route("x", "a.b.c") == "q"
    b = delayed(version, "headers")
    b.bind("x", "q", args={"x-match": "wrong"}, fails=406)


@versions()
@pytest.mark.parametrize(
    ("value", "delay"),
    [
        (100, 100),
        (Typed("long", 100), 100),
        ("100", 100),
        (100.9, 100),
        (0, 0),
        (-5, 0),
        (2**32, 0),
        ("soon", 0),
        (True, 0),
        (None, 0),
        ([1], 0),
    ],
)
def test_w2_delays(version, value, delay):
    """rules/routing#W2: whole ms in an integer, a text or, cut off, a float; anything else is not delayed."""
    b = delayed(version)
    assert b.route("x", "k", {"x-delay": value}) == ("" if delay else "q")
    if delay:
        b.wait(delay - 1)
        assert b.ready("q") == ""
        b.wait(1)
    assert b.ready("q") == "probe"


@versions()
def test_w2_the_longest_delay(version):
    """rules/routing#W2: 2^32-1 ms."""
    b = delayed(version)
    assert b.route("x", "k", {"x-delay": Typed("long", 2**32 - 1)}) == ""
    b.wait(2**32 - 1)
    assert b.ready("q") == "probe"


@versions()
def test_w3_what_the_publisher_is_told(version):
    """rules/routing#W3: acked at once; mandatory is returned although it will arrive;
    the alternate exchange gets it immediately."""
    b = delayed(version, ae="ae")
    b.publish("x", "k", "m", headers={"x-delay": 100}, mandatory=True)
    assert (b.confirms, b.returned) == ({"m": "ack"}, "m")
    b.wait(100)
    assert b.drain("q") == "m"
    b.exchange("ae", "fanout")
    b.queue("unrouted")
    b.bind("ae", "unrouted")
    b.publish("x", "k", "n", headers={"x-delay": 100})
    assert b.drain("unrouted") == "n"
    b.wait(100)
    assert b.drain("q") == "n"


@versions()
def test_w4_routed_with_the_bindings_of_that_moment(version):
    """rules/routing#W4: x-delay is negated, and it is not delayed again."""
    b = delayed(version)
    b.queue("later")
    b.publish("x", "k", "m", headers={"x-delay": 100, "h": 1})
    b.unbind("x", "q", "k")
    b.bind("x", "later", "k")
    b.wait(100)
    assert b.ready("q") == ""
    letter = b.take("later")
    assert letter.headers == {"x-delay": -100, "h": 1}


@versions()
def test_w4_lost_when_nothing_matches_then(version):
    """rules/routing#W4: without an alternate exchange silently, whether the binding or the exchange is gone."""
    for undo in (lambda b: b.unbind("x", "q", "k"), lambda b: b.delete_exchange("x"), lambda b: b.delete_queue("q")):
        b = delayed(version)
        b.publish("x", "k", "m", headers={"x-delay": 100})
        undo(b)
        b.wait(200)
        assert b.returned == ""


@versions()
def test_w4_order_by_time_then_by_arrival(version):
    """rules/routing#W4: shorter delays overtake longer ones."""
    b = delayed(version)
    for message, delay in (("a", 300), ("b", 100), ("c", 200), ("d", 100)):
        b.publish("x", "k", message, headers={"x-delay": delay})
    b.wait(1000)
    assert b.drain("q") == "b d c a"


def test_g2_a_weight_takes_no_memory() -> None:
    exchange = ConsistentHash(Exchange("x", "x-consistent-hash"), rules("3.10"))
    exchange.add(Binding("x", "q", "queue", str(10**200)))
    assert exchange.route("m", Content("x", "k", ("k",), None, ""), lambda count: 0) == exchange.bindings

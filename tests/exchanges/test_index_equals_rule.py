"""What an exchange finds quickly is what its plain rule says, whatever was bound and unbound before (hypothesis)."""

from hypothesis import given, settings
from hypothesis import strategies as st
from kits.broker import ALL

from routesim.content import Content
from routesim.exchanges import EXCHANGE_TYPES
from routesim.model import Binding, Exchange
from routesim.values import Typed, table_identity, wire_type
from routesim.versions import rules

few = settings(max_examples=150, deadline=None)
words = st.sampled_from(["", "a", "b", "*", "#", "a*"])
keys = st.lists(words, max_size=4).map(".".join)
destinations = st.sampled_from([("queue", "p"), ("queue", "q"), ("exchange", "q")])
values = st.sampled_from([
    0, 1, True, False, 1.0, 0.0, "1", "", None, Typed("long", 1), Typed("timestamp", 1), Typed("float", 1.0), Typed("bytes", b"1"),
    Typed("timestamp", 0), 1000, [], [1], [1.0], {}, {"a": 1}, Typed("decimal", (0, 1)),
])  # fmt: skip
headers = st.dictionaries(st.sampled_from(["a", "b", "x-c", "X-c"]), values, max_size=3)
ALIKE = [{"a": value} for value in (1, True, 1.0, Typed("long", 1), None, "1", Typed("bytes", b"1"))]


def content(message_keys, message_headers):
    return Content("x", message_keys[0], tuple(message_keys), message_headers, "")


def identity(binding):
    return binding.destination_type, binding.destination, binding.routing_key, table_identity(binding.arguments)


def carried_out(kind, version, steps):
    """An exchange after binding and unbinding, and the bindings that are left, in the order of their making."""
    exchange = EXCHANGE_TYPES[kind](Exchange("x", kind), rules(version))
    bound = {}
    for binding, keep in steps:
        key = identity(binding)
        if keep and key not in bound:
            bound[key] = binding
            exchange.add(binding)
        elif not keep and key in bound:
            exchange.remove(bound.pop(key))
    return exchange, list(bound.values())


def agrees(exchange, bound, message, rule):
    """Route, why and an independent rule all name the same bindings, none twice."""
    found = [identity(binding) for binding in exchange.route("m", message, lambda count: 0)]
    assert len(found) == len(set(found))
    expected = {identity(binding) for binding in bound if rule(binding, message)}
    assert set(found) == expected
    assert {identity(binding) for binding in bound if exchange.why(binding, "m", message).match} == expected
    copied = exchange.clone()
    assert {identity(binding) for binding in copied.route("m", message, lambda count: 0)} == expected


def steps_with(arguments, binding_keys=keys, to=destinations):
    """Bindings out of a small pool, bound and unbound in turn."""
    binding = st.builds(lambda to, key, args: Binding("x", to[1], to[0], key, args), to, binding_keys, arguments)
    pool = st.lists(binding, min_size=1, max_size=8)
    return st.tuples(pool, st.lists(st.integers(0, 7), max_size=25)).map(toggled)


def toggled(drawn):
    pool, numbers = drawn
    steps, bound = [], set()
    for number in numbers:
        binding = pool[number % len(pool)]
        key = identity(binding)
        steps.append((binding, key not in bound))
        bound ^= {key}
    return steps


# The rules, written down once more -------------------------------------------------------------------------------------


def direct_rule(binding, message):
    return binding.routing_key in message.keys


def topic_rule(binding, message):
    def match(pattern, parts):
        if not pattern:
            return not parts
        if pattern[0] == "#":
            return match(pattern[1:], parts) or (bool(parts) and match(pattern, parts[1:]))
        return bool(parts) and pattern[0] in ("*", parts[0]) and match(pattern[1:], parts[1:])

    return any(match(split(binding.routing_key), split(key)) for key in message.keys)


def split(text):
    return text.split(".") if text else []


INTEGERS = ("byte", "short", "signedint", "long")


def same(value, wanted, strict):
    """rules/routing#H7, rules/routing#H8: does a header's value equal a criterion's?"""

    def form(item, of_message):
        kind, inner = wire_type(item), item.value if isinstance(item, Typed) else item
        if kind in ("longstr", "binary"):
            return "text", inner.encode() if isinstance(inner, str) else inner
        if kind == "timestamp":
            return "integer" if strict else "number", inner * 1000 if strict and of_message else inner
        if kind in INTEGERS:
            return "integer" if strict else "number", inner
        if kind in ("float", "double"):
            return "float" if strict else "number", inner
        if kind == "table":
            return "list", repr([(key, wire_type(each), each) for key, each in inner.items()])
        if kind == "array":
            return "list", repr([(wire_type(each), each) for each in inner])
        return kind, inner

    return form(value, True) == form(wanted, False)


def headers_rule(version):
    strict = version not in ("3.10",)

    def rule(binding, message):
        mode = binding.arguments.get("x-match", "all")
        criteria = {
            key: value for key, value in binding.arguments.items()
            if key != "x-match" and (mode.endswith("-with-x") or not key.startswith("x-"))
        }  # fmt: skip
        sent = message.headers or {}
        met = [key in sent and (wanted is None or same(sent[key], wanted, strict)) for key, wanted in criteria.items()]
        return any(met) if mode.startswith("any") else all(met)

    return rule


# The properties --------------------------------------------------------------------------------------------------------


@few
@given(steps_with(st.just({})), st.lists(keys, min_size=1, max_size=3))
def test_direct(steps, message_keys):
    """X1: the binding key is one of the keys."""
    exchange, bound = carried_out("direct", "3.10", steps)
    agrees(exchange, bound, content(message_keys, None), direct_rule)


@few
@given(steps_with(st.sampled_from([{}, {"z": 1}, {"z": True}])), st.lists(keys, min_size=1, max_size=3))
def test_fanout(steps, message_keys):
    """X2: every binding."""
    exchange, bound = carried_out("fanout", "3.10", steps)
    agrees(exchange, bound, content(message_keys, None), lambda binding, message: True)


@few
@given(steps_with(st.just({})), st.lists(keys, min_size=1, max_size=3))
def test_topic(steps, message_keys):
    """T1-T8: the trie finds what the textbook does."""
    exchange, bound = carried_out("topic", "3.10", steps)
    agrees(exchange, bound, content(message_keys, None), topic_rule)


@few
@given(
    steps_with(
        st.tuples(headers, st.sampled_from([None, "all", "any", "all-with-x", "any-with-x"])).map(
            lambda pair: {**pair[0], **({"x-match": pair[1]} if pair[1] else {})}
        ),
        st.sampled_from(["", "k"]),
    ),
    headers,
    st.sampled_from(ALL),
)
def test_headers(steps, message_headers, version):
    """H1-H8: compiled criteria say what the arguments do."""
    exchange, bound = carried_out("headers", version, steps)
    agrees(exchange, bound, content(["k"], message_headers), headers_rule(version))


@few
@given(steps_with(st.sampled_from(ALIKE), st.just(""), st.just(("queue", "q"))), st.sampled_from(["3.10", "4.3"]))
def test_headers_of_arguments_that_python_calls_equal(steps, version):
    """B1: 1, true and 1.0 are different arguments; unbinding one leaves the others."""
    exchange, bound = carried_out("headers", version, steps)
    for message_headers in ALIKE:
        agrees(exchange, bound, content(["k"], message_headers), headers_rule(version))


@few
@given(
    steps_with(st.sampled_from([{}, {"z": 1}]), st.sampled_from(["1", "2", "3", "+1", "01"])),
    st.lists(keys, min_size=1, max_size=2),
)
def test_consistent_hash(steps, message_keys):
    """G3, G4: one destination that owns a bucket, or none when the ring is empty."""
    exchange, _bound = carried_out("x-consistent-hash", "3.10", steps)
    ring = []
    left = {}
    for binding, keep in steps:  # the ring, by the rule
        key, destination = identity(binding), (binding.destination_type, binding.destination)
        if keep and key not in left:
            left[key] = binding
            if destination not in ring:
                ring += [destination] * int(binding.routing_key)
        elif not keep and key in left:
            del left[key]
            ring = [bucket for bucket in ring if bucket != destination]
    assert [owner for owner, weight in exchange.owners.items() for _ in range(weight)] == ring
    found = exchange.route("m", content(message_keys, None), lambda count: 0)
    assert len(found) == (1 if ring else 0)
    for binding in found:
        assert (binding.destination_type, binding.destination) in ring
        assert identity(binding) in left


@few
@given(steps_with(st.just({})), st.integers(0, 10**6))
def test_random(steps, number):
    """L1: one of the bindings that are left, each in its turn of the draw."""
    exchange, bound = carried_out("x-random", "3.10", steps)
    found = list(exchange.route("m", content(["k"], None), lambda count: number % count))
    assert found == ([bound[number % len(bound)]] if bound else [])

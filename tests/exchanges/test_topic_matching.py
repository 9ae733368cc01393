"""rules/routing#1.4: topic patterns against keys, all of a small world, by the textbook."""

from itertools import product

import pytest
from kits.broker import Bench, versions

from routesim.broker import uniform
from routesim.content import Content
from routesim.exchanges.topic import Topic, matches, words_of
from routesim.model import Binding, Exchange
from routesim.versions import rules


def textbook(pattern, words):
    """rules/routing#T8, word for word."""
    if not pattern:
        return not words
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return textbook(rest, words) or (bool(words) and textbook(pattern, words[1:]))
    return bool(words) and head in ("*", words[0]) and textbook(rest, words[1:])


def split(text):
    """rules/routing#T1: the empty text has no words, any other one more than dots."""
    return text.split(".") if text else []


def texts(alphabet, longest):
    """Every text of up to `longest` words of the alphabet."""
    return sorted({".".join(words) for length in range(longest + 1) for words in product(alphabet, repeat=length)})


def exchange_with(patterns, version="3.10"):
    exchange = Topic(Exchange("x", "topic"), rules(version))
    bindings = {pattern: Binding("x", pattern, "queue", pattern) for pattern in patterns}
    for binding in bindings.values():
        exchange.add(binding)
    return exchange, bindings


def content(*keys):
    return Content("x", keys[0], keys, None, "")


def routed(exchange, *keys):
    found = [binding.routing_key for binding in exchange.route("m", content(*keys), lambda count: 0)]
    assert len(found) == len(set(found)), "a binding was found twice"
    return set(found)


def test_t1_words():
    """rules/routing#T1: dots separate words, which may be empty."""
    for text, words in {"": [], ".": ["", ""], "a.": ["a", ""], "a..b": ["a", "", "b"], "a": ["a"], ".a": ["", "a"]}.items():
        assert words_of(text) == split(text) == words


@pytest.mark.parametrize(
    ("alphabet", "longest", "key_alphabet", "longest_key"),
    [(("a", "b", "", "*", "#"), 3, ("a", "b", "", "*", "#"), 3), (("a", "", "*", "#"), 4, ("a", "b", ""), 5)],
    ids=["three words of five", "four words of four"],
)
def test_t2_to_t8_everything_small(alphabet, longest, key_alphabet, longest_key):
    """T2-T4, T8: the plain rule and the index agree with the textbook on every pattern and key of a small world."""
    patterns, keys = texts(alphabet, longest), texts(key_alphabet, longest_key)
    exchange, _bindings = exchange_with(patterns)
    split_patterns = {pattern: split(pattern) for pattern in patterns}
    for key in keys:
        words = split(key)
        expected = {pattern for pattern, parts in split_patterns.items() if textbook(parts, words)}
        assert {pattern for pattern in patterns if matches(words_of(pattern), words)} == expected, key
        assert routed(exchange, key) == expected, key


def test_t2_verdicts_agree_with_routing():
    """rules/routing#T2: `why` and `route` answer the same for every binding."""
    patterns, keys = texts(("a", "", "*", "#"), 3), texts(("a", "b", ""), 3)
    exchange, bindings = exchange_with(patterns)
    for key in keys:
        found = routed(exchange, key)
        for pattern, binding in bindings.items():
            assert exchange.why(binding, "m", content(key)).match is (pattern in found)


def test_t2_after_removals_and_additions():
    """The index forgets what is unbound and nothing else, in whatever order."""
    patterns, keys = texts(("a", "", "*", "#"), 3), texts(("a", "b", ""), 3)
    exchange, bindings = exchange_with(patterns)
    shuffled = sorted(patterns, key=lambda pattern: uniform(1, hash_of(pattern)))
    present = set(patterns)
    for number, pattern in enumerate(shuffled):
        exchange.remove(bindings[pattern])
        present.discard(pattern)
        if number % 12 == 0 or len(present) < 3:
            for key in keys:
                words = split(key)
                assert routed(exchange, key) == {item for item in present if textbook(split(item), words)}
    for pattern in patterns[::3]:
        exchange.add(bindings[pattern])
    for key in keys:
        assert routed(exchange, key) == {item for item in patterns[::3] if textbook(split(item), split(key))}


def hash_of(text):
    return sum((index + 1) * ord(character) for index, character in enumerate(text))


FACTS = [  # pattern, keys that it matches, keys that it does not (rules/routing#T3)
    ("#", ["", ".", "a", "a.b", "..."], []),
    ("*", ["a", "ab", "*", "#"], ["", ".", "a.b"]),
    ("", [""], [".", "a", " "]),
    ("*.", [".", "a."], ["", "a", ".a", "a.b"]),
    ("#.", [".", "..", "a.", "a.b."], ["", "a"]),
    ("#.#", ["", "a", "a.b.c"], []),
    ("#.*", ["a", "a.b", "."], [""]),
    ("a.#", ["a", "a.b", "a.", "a..b"], ["", "b", "ab", "b.a"]),
    ("a*", ["a*"], ["a", "ab", "a.b"]),
    ("##", ["##"], ["", "a", "#", "#.#"]),
    ("*a", ["*a"], ["ba", "a"]),
    ("a.*.c", ["a.b.c", "a..c", "a.*.c"], ["a.c", "a.b.b.c"]),
    ("A", ["A"], ["a"]),
]


@pytest.mark.parametrize(("pattern", "yes", "no"), FACTS)
@versions()
def test_t3_facts_through_a_broker(version, pattern, yes, no):
    """T2-T4: bound, published, routed."""
    b = Bench(version)
    b.queue("q")
    b.exchange("x", "topic")
    b.bind("x", "q", pattern)
    for key in yes:
        assert b.route("x", key) == "q", key
    for key in no:
        assert b.route("x", key) == "", key


@versions()
def test_t6_each_key_is_matched_by_itself(version):
    """rules/routing#T6: the routing key and those of CC and BCC, the union of what they match, one copy a queue."""
    b = Bench(version)
    b.exchange("x", "topic")
    for name, pattern in {"a": "a.*", "b": "*.b", "c": "c.#", "none": "a.b.c"}.items():
        b.queue(name)
        b.bind("x", name, pattern)
    assert b.route("x", "a.b") == "a b"
    assert b.route("x", "x", {"CC": ["a.b", "c"], "BCC": ["a.z"]}) == "a b c"


def test_many_hashes_do_not_explode():
    """rules/routing#T5: any number of # words; matching takes time in proportion, not exponentially."""
    pattern = ".".join(["#", "a"] * 12 + ["#"])
    exchange, _ = exchange_with([pattern, "#." * 20 + "b", "a.#.#.#.#.a"])
    key = ".".join("a" * 60)
    assert routed(exchange, key) == {pattern, "a.#.#.#.#.a"}
    assert not matches(words_of(pattern + ".b"), words_of(key))


def test_several_bindings_of_one_pattern_are_all_found():
    """rules/routing#B1: the same key to several queues, or with other arguments, is several bindings."""
    exchange = Topic(Exchange("x", "topic"), rules("3.10"))
    several = [Binding("x", queue, "queue", pattern) for queue in "pqr" for pattern in ("a.#", "a.b")]
    for binding in several:
        exchange.add(binding)
    assert sorted(exchange.route("m", content("a.b"), lambda count: 0)) == sorted(several)
    exchange.remove(several[0])
    assert sorted(exchange.route("m", content("a.b"), lambda count: 0)) == sorted(several[1:])


@pytest.mark.parametrize(("version", "shared"), [("4.2", False), ("4.3.0", True), ("4.3.1", False), ("4.3", False)])
def test_t7_an_empty_key_reaches_the_empty_bindings_of_other_topic_exchanges(version, shared):
    """rules/routing#T7: in 4.3.0; other keys, and other types of exchange, are as they should be."""
    b = Bench(version)
    for name in ("own", "other", "fallback"):
        b.queue(name)
    for name, type in (("a", "topic"), ("b", "topic"), ("d", "direct"), ("f", "fanout")):
        b.exchange(name, type, ae="f" if name == "a" else None)
    b.bind("a", "own", "x")
    b.bind("b", "other", "")
    b.bind("d", "other", "")
    b.bind("f", "fallback")
    assert b.route("a", "") == ("other" if shared else "fallback")
    assert (b.route("a", "x"), b.route("a", "y"), b.route("b", "")) == ("own", "fallback", "other")
    b.exchange("direct")
    assert b.route("direct", "") == ""

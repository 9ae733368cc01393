"""Sets of keys: what the automata say is what the plain matcher says, for every key."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routesim.exchanges.topic import matches, words_of
from routesim.explain.keys.key_sets import (
    ALL,
    NONE,
    Keys,
    Remainders,
    TooManyStates,
    all_of,
    any_of,
    classes,
    covers,
    exactly,
    topic,
    witness,
)

WORDS = ("a", "b", "", "*", "#")
PATTERN = st.lists(st.sampled_from(("a", "b", "*", "#", "")), max_size=4).map(".".join)
# "" is no word, ".": two empty ones. One empty word alone cannot be written.
KEYS = [
    key
    for size in range(5)
    for words in product(("a", "b", "c", ""), repeat=size)
    if words_of(key := ".".join(words)) == list(words)
]


def expressions() -> st.SearchStrategy[tuple[Keys, object]]:
    """A set of keys, and the same as a predicate on keys by the plain rule."""
    leaf = PATTERN.map(lambda pattern: (topic(pattern), lambda key: matches(words_of(pattern), words_of(key))))
    literal = PATTERN.map(lambda text: (exactly(text), lambda key: text == key))
    return st.recursive(
        leaf | literal,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda two: (two[0][0] & two[1][0], lambda key: two[0][1](key) and two[1][1](key))),
            st.tuples(inner, inner).map(lambda two: (two[0][0] | two[1][0], lambda key: two[0][1](key) or two[1][1](key))),
            inner.map(lambda one: (~one[0], lambda key: not one[1](key))),
        ),
        max_leaves=5,
    )


@given(expressions())
@settings(max_examples=400, deadline=None)
def test_a_witness_is_in_the_set_and_an_empty_set_has_none(both: tuple[Keys, object]) -> None:
    keys, holds = both
    found = witness(keys)
    if found is None:
        assert not any(holds(key) for key in KEYS)  # type: ignore[operator]
    else:
        assert holds(found)  # type: ignore[operator]
        shorter = [key for key in KEYS if holds(key)]  # type: ignore[operator]
        assert not shorter or len(words_of(found)) <= min(len(words_of(key)) for key in shorter)


@given(st.lists(PATTERN, min_size=1, max_size=4, unique=True))
@settings(max_examples=200, deadline=None)
def test_classes_are_all_the_combinations_that_there_are(patterns: list[str]) -> None:
    found = classes({pattern: topic(pattern) for pattern in patterns})
    for members, key in found.items():
        assert members == {pattern for pattern in patterns if matches(words_of(pattern), words_of(key))}
    for key in KEYS:
        assert frozenset(pattern for pattern in patterns if matches(words_of(pattern), words_of(key))) in found


@pytest.mark.parametrize(
    ("large", "small", "answer"),
    [
        ("#", "a.*", True), ("a.#", "a.*", True), ("a.*", "a.#", False), ("*.#", "#.*", True), ("#.#", "#", True),
        ("#", "", True), ("*", "", False), ("a.#.b", "a.*.b", True), ("a.#.b", "a.b", True), ("*.*", "a.#", False),
    ],
)  # fmt: skip
def test_coverage(large: str, small: str, answer: bool) -> None:
    assert covers(topic(large), topic(small)) is answer


def test_several_patterns_together_cover_what_none_of_them_does() -> None:
    together = any_of((topic(""), topic("*"), topic("*.*.#")))
    assert covers(together, ALL)
    assert not covers(any_of((topic(""), topic("*.*.#"))), ALL)
    assert witness(all_of((topic("a.#"), topic("#.b"), ~topic("a.b")))) == "a.other.b"


def test_nothing_and_everything() -> None:
    assert witness(NONE) is None
    assert witness(ALL) == ""
    assert witness(ALL, longer=True) == "other"
    assert witness(topic(""), longer=True) == ""
    assert ~~topic("a") == topic("a")
    assert any_of((NONE, ALL)) == ALL
    assert all_of((NONE, ALL)) == NONE


def test_wildcards_in_a_literal_are_words() -> None:
    assert witness(exactly("*") & ~topic("other")) == "*"
    assert witness(exactly("*") & topic("*")) == "*"
    assert witness(exactly("#") & topic("*.*")) is None


def test_thousands_of_plain_patterns_are_quick() -> None:
    many = any_of(topic(f"word{number}.{number}") for number in range(1_000))
    assert witness(~many) == ""
    assert witness(topic("word7.*") & ~many) == "word7.other"


def test_what_is_too_large_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routesim.explain.keys.remainders.MAX_STEPS", 500)
    with pytest.raises(TooManyStates):
        classes({str(size): topic("#.a" + ".*" * size) for size in range(8)})


def test_questions_share_what_they_find_and_what_they_may_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = all_of(topic(f"#.{word}.#") for word in "abcdefgh")
    shared = Remainders()
    before = shared.left_together
    assert witness(keys, work=shared) == "a.b.c.d.e.f.g.h"
    first = before - shared.left_together
    assert witness(keys, work=shared) == "a.b.c.d.e.f.g.h"
    assert before - shared.left_together < 2 * first
    shared.left_together = 10
    with pytest.raises(TooManyStates):
        witness(keys, work=shared)
    assert witness(keys) == "a.b.c.d.e.f.g.h"


def spent(keys: Keys) -> tuple[str | None, int]:
    """A witness, and the steps that it cost."""
    shared = Remainders()
    before = shared.left_together
    return witness(keys, longer=True, work=shared), before - shared.left_together


def rungs(height: int) -> list[Keys]:
    """The way down a ladder on which every step looks at the next word: 0, 0, 0 … and a 1 at the last."""
    return [*(topic("*." * level + "0.#") for level in range(height - 1)), topic("*." * (height - 1) + "1.#")]


def test_a_ladder_costs_no_more_than_its_size() -> None:
    """Each rung is a pattern of its own length; a product of their automata has 2^28 states."""
    key, steps = spent(all_of(rungs(28)))
    assert key == ".".join(["0"] * 27 + ["1"])
    assert steps < 4 * 28**2
    bits = [any_of((topic("*." * level + "0.#"), topic("*." * level + "1.#"))) for level in range(28)]
    nowhere, steps = spent(all_of([*bits, ~any_of(all_of(rungs(height + 1)) for height in range(28)), ~topic("0.#")]))
    assert nowhere is None
    assert steps < 8 * 28**3


def test_what_a_ladder_leads_to_has_as_many_classes_as_rungs() -> None:
    found = classes({str(height): all_of(rungs(height)) for height in range(1, 29)})
    assert {key for members, key in found.items() if members} == {".".join(["0"] * height + ["1"]) for height in range(28)}

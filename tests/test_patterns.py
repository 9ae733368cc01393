"""Patterns of policies: what matches is what Python's engine says, and none takes for ever."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routesim.patterns import compiled, may_take_long
from routesim.patterns.machine import NotRegular, PatternMachine

ATOMS = ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "x", "^", "$", r"\b", "(a|b)", "(ab|a)", "(?:b*)", "(a{1,2})"]
REPEATS = ["", "*", "+", "?", "{2}", "{1,3}", "*?"]
PATTERNS = st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)), min_size=1, max_size=6)


@given(PATTERNS, st.text("abx1\n_", max_size=8))
def test_the_machine_finds_what_the_engine_finds(parts: list[tuple[str, str]], name: str) -> None:
    pattern = "".join(atom + repeat for atom, repeat in parts)
    try:
        machine, expected = PatternMachine(pattern), re.compile(pattern).search(name)
    except (re.error, NotRegular):
        assume(False)
        return
    assert machine.found_in(name) == (expected is not None)


LONG = [
    ".*.*.*.*.*.*x", "(x*)*y", "a*a*a*a*a*a*y", "((a{1,20}){1,20})b", "(a|a){1,30}b", "a?" * 30 + "a" * 30 + "b", "(a+){10}b",
]  # fmt: skip


@pytest.mark.parametrize("pattern", LONG)
def test_a_pattern_that_goes_back_without_end_is_decided(pattern: str) -> None:
    assert may_take_long(pattern)
    assert not compiled(pattern)("a" * 255)


@pytest.mark.parametrize("pattern", ["^orders", "^(amq|celery)\\.", ".*", r"^shop\.[a-z]+\.[a-z]+$", "^(?!amq\\.).*"])
def test_what_policies_have_goes_the_quick_way(pattern: str) -> None:
    assert not may_take_long(pattern)

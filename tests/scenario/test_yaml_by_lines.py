"""What is read line by line is what libyaml reads, node by node and place by place; and nearly every scenario is read so."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.paths import SCENARIOS

from routesim.diagnostics import Invalid
from routesim.scenario.yaml import by_lines
from routesim.scenario.yaml.nodes import Text
from routesim.scenario.yaml.parsing import parse_by_events
from routesim.scenario.yaml.source import Source


def described(node: Any) -> Any:
    """All that there is to know about a node."""
    place = (type(node).__name__, node.line, node.column, node.width)
    if isinstance(node, Text):
        return (*place, str(node), node.plain)
    if isinstance(node, list):
        return (*place, [described(each) for each in node])
    return (*place, [(described(key), described(value)) for key, value in node.items()])


def by_events(text: str) -> Any:
    try:
        return described(parse_by_events(Source("x", text)))
    except Invalid as invalid:
        return invalid.diagnostics


def agrees(text: str) -> bool:
    """Whether the text is read line by line; what is, is what libyaml reads."""
    found = by_lines.read(text)
    assert found is None or described(found) == by_events(text), text
    return found is not None


PIECES = [
    "a", "b.c", "key", "a: b", "a:", "b: ", "- ", "-", "- a", "- a: b", "- - a", "  ", "\n", "\n  ", "\n    ", "\n- ", "\n  - ", " # note", "#",
    "# x\n", "{", "}", "[", "]", ", ", ",", ": ", ":", "'", "''", "'a b'", '"', '""', '"a: b"', "\\", "{a: b}", "{a: b, c: 1}", "[a, 'b']",
    "{a: {b: [c]}}", "{a: }", "{}", "[]", "{a}", "{a:b}", "&x ", "*x", "!t ", "|", ">", "---", "...", "-1", "1.5", "<<", "? ", "%", "@", "`",
    ">-\n", "|\n", ">\n    x\n    y\n", "|-\n  x\n\n  y\n", "    words\n", "a: >-\n  b\n", "x.#", "a:b",
    "ä", "\t", "\u2028", "\x85", "\r", "a b", "~", "null", "amqp://h", "10:30", "a#b", "a #b", "it's", "-x", "--", "x: {a: b} # c", "x: 'y' # z",
]  # fmt: skip
NAMES = st.sampled_from(["a", "b", "routing_key", "x.y", "a b", "'q'", '"q: r"', "-1", "ä", "it's", "x-max", "a#b"])


@st.composite
def documents(draw: st.DrawFn, depth: int = 3, indent: int = 0) -> str:
    """A block mapping or sequence that is nearly always well formed."""
    lines = []
    item = indent > 0 and draw(st.booleans())
    for index in range(draw(st.integers(1, 4))):
        key = "" if item else draw(NAMES) + (str(index) if draw(st.integers(0, 9)) else "") + ":"
        lead = " " * indent + ("- " if item else "") + key
        kind = draw(st.integers(0, 6)) if depth else 0
        if kind == 1:
            lines += [
                lead + draw(st.sampled_from(["", " # note", "  "])),
                draw(documents(depth - 1, indent + draw(st.sampled_from([0, 1, 2, 2, 4])))),
            ]
        elif kind == 2 and item:
            inner = draw(documents(depth - 1, indent + 2))
            lines.append(lead + inner.lstrip(" "))
        else:
            lines.append(lead + " " + draw(st.sampled_from(PIECES)) + draw(st.sampled_from(["", "", " # note", " ", "\n"])))
    return "\n".join(lines)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@settings(max_examples=600)
def test_any_pieces(text: str) -> None:
    agrees(text)


FLOW_KEYS = st.sampled_from(["a", "b", "routing_key", "x-max", "'q'", "<<", "a b", "é"])
FLOW_VALUES = st.sampled_from(
    ["b", "x.*.#", "'c'", "'d, e'", "'f: g'", "'it''s'", "'}'", "''", "-1", "", "x:y", "h i", "[j]", "{k: l}", "m #"]
)


@given(st.lists(st.tuples(FLOW_KEYS, st.sampled_from([": ", ": ", ": ", ":"]), FLOW_VALUES).map("".join), max_size=4), st.data())
@settings(max_examples=1500)
def test_mappings_within_a_line(pairs: list[str], data: st.DataObject) -> None:
    between = data.draw(st.sampled_from([", ", ", ", ",", " , ", ",  ", ", , "]))
    opens, closes = (
        data.draw(st.sampled_from(["{", "{", "{ "])),
        data.draw(st.sampled_from(["}", "}", ", }", ",}", " }", "} ", "} # z", "}}"])),
    )
    agrees(data.draw(st.sampled_from(["x: ", "x:\n  - ", "x:\n  y: "])) + opens + between.join(pairs) + closes + "\n")


@given(documents())
@settings(max_examples=600)
def test_documents(text: str) -> None:
    agrees(text)


@given(st.data())
@settings(max_examples=200)
def test_a_scenario_with_a_slip_of_the_pen(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(EVERY))
    text = path.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text)))
    agrees(text[:at] + data.draw(st.sampled_from(PIECES)) + text[at + data.draw(st.integers(0, 3)) :])


EVERY = sorted(SCENARIOS.rglob("*.yaml"))


def test_most_scenarios_are_read_line_by_line() -> None:
    read = [path for path in EVERY if agrees(path.read_text(encoding="utf-8"))]
    assert len(read) > len(EVERY) // 2


@pytest.mark.parametrize(
    "text", ["a: {b: 1}", "steps:\n- publish: {routing_key: q}\n- get:\n    queue: q\n", "a:\n  - 'x' # y\nb:\n"]
)
def test_plain_ones(text: str) -> None:
    assert agrees(text)


@pytest.mark.parametrize(
    "text", ["", "a", "- a", "a: b: c", "a: b\n  c", "a: &x b", "a: 'b'c", "a: 'b''c'", "a: b\na: c", "a: {b: c", "a:\n\tb: c", "--- {}", "a: |\n  b"]
)  # fmt: skip
def test_what_is_left_to_libyaml(text: str) -> None:
    assert by_lines.read(text) is None

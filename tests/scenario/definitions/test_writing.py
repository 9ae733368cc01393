"""A topology written as a scenario reads back as the same topology, whatever its names are."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from routesim.model import Binding, Exchange, Policy, Queue
from routesim.scenario.definitions.list_form import plain_data
from routesim.scenario.load import load_source
from routesim.scenario.topology_data import DeclaredTopology, scenario_sections, topology_of
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import lines, scalar
from routesim.values import INTEGER_RANGES, Typed

HOSTILE = [
    "yes", "No", "on", "y", "null", "~", "", "true", "1.10", "0x10", "1e3", "012", "12:30:00", "2024-01-31", ".inf", "-", "- a",
    "# no comment", "a # b", "a: b", "a:", ":", " leading", "trailing ", "*alias", "&anchor", "!tag", "|", ">", "%", "@", "`", "?",
    "? a", "{a}", "[a]", "a, b", "'", '"', "\\", "<<", "=", "---", "...", "\t", "a\tb", "\x00", "\x1b[31m", "\x7f", "\x85",
    "\u2028", "\ufeff", "\ufffe", "\u202e", "[red]", "<script>", "日本語", "😀", "🇩🇪", "e\u0301", "long", "x" * 255, "é" * 127, "\x01" * 255,
]  # fmt: skip
characters = st.characters(exclude_categories=["Cs"])
texts = st.sampled_from(HOSTILE) | st.text(characters, max_size=20)
short = texts.filter(lambda text: len(text.encode()) <= 255)
names = short.filter(lambda text: text and not re.search("[\r\n]", text) and not text.startswith("amq."))


@given(texts, st.booleans())
@settings(max_examples=400)
def test_a_scalar_is_its_text_to_every_reader(text: str, ascii: bool) -> None:
    written = scalar(text, ascii=ascii)
    assert "\n" not in written
    assert not ascii or written.isascii()
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        assert yaml.load(written, Loader=loader) == text
        assert yaml.load(f"{{{written}: {written}}}", Loader=loader) == {text: text}


@pytest.mark.parametrize(
    "text", ["ship.*", "shop", "amq.topic", r"^shop\.", "a pair", "worker-1", "w1@host.celery.pidbox", "(a|b)$"]
)
def test_plain_text_stays_plain(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize("text", [text for text in HOSTILE[:46] if text != "\\"])
def test_what_could_be_misread_is_quoted(text: str) -> None:
    assert scalar(text)[0] == '"'


integers = [
    st.builds(Typed, st.just(name), st.integers(low, high)) for name, (low, high) in INTEGER_RANGES.items()
]  # fmt: skip
leaves = st.one_of(
    st.none(), st.booleans(), texts, st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), *integers,
    st.builds(Typed, st.just("timestamp"), st.integers(0, 2**63 - 1)),
    st.builds(Typed, st.just("bytes"), texts.map(str.encode)),
    st.builds(Typed, st.just("float"), st.floats(width=32, allow_nan=False, allow_infinity=False)),
    st.builds(Typed, st.just("double"), st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(Typed, st.just("decimal"), st.tuples(st.integers(0, 8), st.integers(0, 999_999_999))),
)  # fmt: skip
keys = short | st.sampled_from(["long", "table", "void", "bytes"])
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8)
tables = st.dictionaries(keys, values, max_size=3)
stored = st.dictionaries(short.map(lambda text: f"k{text}"[:60]), values, max_size=2)  # arguments that nobody checks


@st.composite
def topologies(draw: Any) -> DeclaredTopology:
    exchanges = draw(
        st.lists(
            st.builds(Exchange, names, st.sampled_from(["fanout", "direct", "topic"]), st.booleans(), st.booleans(), st.booleans(), stored),
            max_size=3, unique_by=lambda item: item.name,
        )
    )  # fmt: skip
    kinds = st.sampled_from([{}, {"x-queue-type": "classic"}, {"x-queue-type": "quorum"}, {"x-max-length": 5}])
    queues = draw(
        st.lists(
            st.builds(lambda name, kind, more: Queue(name, arguments={**kind, **more}), names, kinds, stored),
            max_size=3, unique_by=lambda item: item.name,
        )
    )  # fmt: skip
    sources = st.sampled_from([*(item.name for item in exchanges if item.type == "fanout"), "amq.fanout"])
    bindings = []
    if queues:
        one = st.builds(Binding, sources, st.sampled_from([item.name for item in queues]), st.just("queue"), short, tables)
        bindings = draw(st.lists(one, max_size=4))
    if exchanges:
        bindings += draw(
            st.lists(st.builds(Binding, sources, st.just(exchanges[0].name), st.just("exchange"), short, st.just({})), max_size=1)
        )
    policy = st.builds(
        Policy, names, texts.map(re.escape), st.just({"max-length": 5, "dead-letter-routing-key": "yes"}), st.sampled_from(["all", "queues"]),
        st.integers(-5, 5) | st.just(1.5), st.just(False),
    )  # fmt: skip
    policies = draw(st.lists(policy, max_size=2, unique_by=lambda item: item.name))
    operators = [Policy(name, ".*", {"expires": 5}, "queues", 0, True) for name in draw(st.lists(names, max_size=1))]
    default = draw(st.sampled_from([None, "quorum"]))
    return DeclaredTopology(
        draw(names), "4.1", default, tuple(exchanges), tuple(queues), tuple(bindings), (*policies, *operators)
    )


def reread(topology: DeclaredTopology, *, ascii: bool = False) -> DeclaredTopology:
    text = "\n".join(lines(scenario_sections(topology), ["a comment", "  \x1b[31m and \u202e another"], ascii=ascii))
    return topology_of(load_source(Source("again.yaml", text), ""))


def unique(topology: DeclaredTopology) -> DeclaredTopology:
    """A binding that is given twice is one."""
    found: list[Binding] = []
    for item in topology.bindings:
        if repr(item) not in map(repr, found):
            found.append(item)
    return topology._replace(bindings=tuple(found))


data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8,
)  # fmt: skip


@given(
    st.dictionaries(texts.filter(bool), data.filter(lambda value: value not in ([], {})), min_size=1, max_size=3), st.booleans()
)
@settings(max_examples=150, deadline=None)
def test_sections_of_any_data_read_back(sections: dict[str, Any], ascii: bool) -> None:
    node = parse(Source("again.yaml", "\n".join(lines(sections, ["a comment"], ascii=ascii))))
    assert node is not None
    assert plain_data(node) == sections


@given(topologies(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_back_as_the_same(topology: DeclaredTopology, ascii: bool) -> None:
    assert repr(unique(reread(topology, ascii=ascii))) == repr(unique(topology)), "repr tells 1 from 1.0 and from True"


def test_long_items_become_blocks() -> None:
    arguments = {f"k{number}": {"inner": list(range(12))} for number in range(4)}
    topology = DeclaredTopology("/", "4.1", queues=(Queue("q", arguments=arguments),))
    found = list(lines(scenario_sections(topology)))
    assert max(map(len, found)) <= 110
    assert reread(topology) == topology


def test_the_shortest_forms() -> None:
    topology = DeclaredTopology(
        "/",
        "4.1",
        None,
        (Exchange("x", "fanout"),),
        (Queue("q"), Queue("r", arguments={"x-queue-type": "quorum"})),
        (Binding("x", "q"),),
    )
    assert list(lines(scenario_sections(topology))) == [
        'rabbitmq: "4.1"', "", "exchanges:", "  x: fanout", "", "queues:", "  q:", "  r: {type: quorum}", "", "bindings:",
        "  - {source: x, destination: q}",
    ]  # fmt: skip


def test_comments_stay_comments() -> None:
    """Nothing in a comment may begin a line of the scenario."""
    found = list(lines(scenario_sections(DeclaredTopology("/", "4.1")), ["word " * 60, "", "  indented " * 20], apart=True))
    assert all(line.startswith("#") for line in found[:-2])
    assert found[-2:] == ["", 'rabbitmq: "4.1"']

"""Graphs: what is drawn, the way that a message took, what is left out, and a layout in which nothing overlaps."""

import json
import re
from io import StringIO
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.cli import routesim
from kits.paths import ALL_SCENARIO_FILES, SCENARIOS

from routesim.explain.answer import CannotExplain
from routesim.graph import (
    Edge,
    Graph,
    Key,
    Node,
    collapsed,
    focused,
    graph_of,
    shared,
    taken_by_message,
    taken_by_publish,
    without_idle,
)
from routesim.graph.layout import Box, laid_out
from routesim.graph.model import ALTERNATE, BINDING, CONSUMER, CONSUMES, DEAD_LETTER, EXCHANGE, MISSING, QUEUE
from routesim.report.formats import GRAPH, formats_of, writer_of
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

SHOES = str(SCENARIOS / "shoes.yaml")


def scenario(text: str) -> Scenario:
    return load_source(Source("topology", text), "")


def edges(graph: Graph, *, taken: bool = False) -> set[tuple[str, str, str]]:
    return {(edge.source.name, edge.target.name, edge.kind) for edge in graph.edges if edge.taken or not taken}


def test_every_way_between_two_nodes_is_an_edge() -> None:
    graph = graph_of(load(SHOES))
    assert edges(graph) == {
        ("shop", "warehouse", BINDING), ("shop", "audit", BINDING), ("shop", "shop.unrouted", ALTERNATE),
        ("shop.unrouted", "unrouted", BINDING), ("warehouse", "shop.dlx", DEAD_LETTER), ("shop.dlx", "parked", BINDING),
        ("warehouse", "packer", CONSUMES),
    }  # fmt: skip
    assert {key.kind for key in graph.nodes} == {EXCHANGE, QUEUE, CONSUMER}
    assert graph.roots() == [Key(EXCHANGE, "shop")]


def test_the_way_of_a_message_in_a_run() -> None:
    boots = graph_of(load(SHOES), taken_by_message(load(SHOES), "m3"))
    assert edges(boots, taken=True) == {
        ("shop", "warehouse", BINDING), ("warehouse", "packer", CONSUMES), ("warehouse", "shop.dlx", DEAD_LETTER),
        ("shop.dlx", "parked", BINDING),
    }  # fmt: skip
    refund = graph_of(load(SHOES), taken_by_publish(load(SHOES), "shop", "refund", None))
    assert edges(refund, taken=True) == {("shop", "shop.unrouted", ALTERNATE), ("shop.unrouted", "unrouted", BINDING)}


def test_a_publish_to_the_default_exchange_is_seen() -> None:
    hello = scenario("{queues: {hello: }, steps: [{publish: {routing_key: hello}}]}")
    for taken in (taken_by_message(hello, "m1"), taken_by_publish(hello, "", "hello", None)):
        assert edges(graph_of(hello, taken), taken=True) == {("(default exchange)", "hello", BINDING)}


def test_what_is_named_and_does_not_exist_is_shown() -> None:
    text = "{queues: {q: {arguments: {x-dead-letter-exchange: gone}}, r: {arguments: {x-dead-letter-exchange: '', x-dead-letter-routing-key: none}}}}"
    graph = graph_of(scenario(text))
    assert {key.name for key in graph.nodes if key.kind == MISSING} == {"gone", "none"}


def test_questions_about_what_is_not_there() -> None:
    shoes = load(SHOES)
    with pytest.raises(CannotExplain, match="did you mean 'm3'"):
        taken_by_message(shoes, "m33")
    with pytest.raises(CannotExplain, match="did you mean 'shop'"):
        taken_by_publish(shoes, "shpo", "", None)
    with pytest.raises(CannotExplain, match="did you mean 'audit'"):
        focused(graph_of(shoes), "audits", 1)


def test_a_focus_leaves_out_what_is_far_away() -> None:
    graph = graph_of(load(SHOES))
    near = focused(graph, "parked", 1)
    assert {key.name for key in near.nodes} == {"parked", "shop.dlx"}
    assert near.left_out == len(graph.nodes) - 2
    assert focused(graph, "parked", 9).nodes == graph.nodes


BUILT_IN = """
exchanges: {shop: {type: topic, arguments: {alternate-exchange: AE}}, d: direct}
queues: {q: {arguments: {x-dead-letter-exchange: DLX}}, r: {arguments: {x-dead-letter-exchange: amq.topic}}}
bindings: [{source: shop, destination: q, routing_key: a}, {source: shop, destination: amq.fanout, destination_type: exchange, routing_key: b}]
policies: [{name: all, pattern: .*, definition: {alternate-exchange: POLICY, dead-letter-exchange: amq.headers}}]
"""


@pytest.mark.parametrize("alternate", ["gone", "amq.rabbitmq.trace", "d", "shop", '""'])
@pytest.mark.parametrize("dead_letter", ["gone", "amq.direct", '""', "shop"])
@pytest.mark.parametrize("by_policy", ["gone too", "amq.fanout", '""', "shop"])
def test_every_end_of_an_edge_is_drawn(alternate: str, dead_letter: str, by_policy: str) -> None:
    """Whatever leads to what: exchanges of RabbitMQ's own, the default exchange, such as do not exist."""
    text = BUILT_IN.replace("AE", alternate).replace("DLX", dead_letter).replace("POLICY", by_policy)
    graph = graph_of(scenario(text))
    ends = {key for edge in graph.edges for key in (edge.source, edge.target)}
    assert ends <= graph.nodes.keys()
    assert collapsed(graph).edges
    assert without_idle(graph, {Key(QUEUE, "q")}).nodes


def test_queues_that_are_alike_become_one_node() -> None:
    names = [f"q{number}" for number in range(500)]
    bindings = ", ".join(f"{{source: x, destination: {name}, routing_key: k.{name}}}" for name in names)
    text = f"{{exchanges: {{x: topic}}, queues: {{{', '.join(f'{name}: ' for name in names)}, other: {{type: quorum}}}}, bindings: [{bindings}]}}"
    small = collapsed(graph_of(scenario(text)))
    assert len(small.nodes) == 3
    group = next(node for node in small.nodes.values() if node.members)
    assert len(group.members) == 500
    assert len(small.edges) == 1
    assert len(small.edges[0].labels) == 500
    assert collapsed(graph_of(load(SHOES))) == graph_of(load(SHOES))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["km.stage.a.dlq", "km.stage.b.dlq"], "km.stage.*.dlq"), (["orders.one", "orders.two"], "orders.*"),
        (["a-retry", "b-retry"], "*-retry"), (["work", "words"], ""), (["a.b", "a.b.c"], "a.*"), (["x", "y"], ""),
    ],
)  # fmt: skip
def test_a_group_is_named_by_what_its_names_share(names: list[str], expected: str) -> None:
    assert shared(names) == expected


def test_a_group_can_be_opened() -> None:
    names = [f"jobs.{number}.dlq" for number in range(16)]
    graph = graph_of(scenario(f"queues: {{{', '.join(f'{name}: ' for name in names)}}}"))
    assert [key.name for key in collapsed(graph).nodes] == ["16 queues: jobs.*.dlq"]
    assert collapsed(graph, ["jobs.3.dlq"]) == collapsed(graph, ["*"]) == graph


def test_virtual_hosts_are_drawn_side_by_side(tmp_path: Path) -> None:
    flags = {"durable": True, "auto_delete": False, "arguments": {}}
    queues = [{"vhost": vhost, "name": "jobs", **flags} for vhost in ("shop", "stage")]
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"vhosts": [{"name": "shop"}, {"name": "stage"}], "queues": queues}))
    both = routesim("graph", str(path))
    assert (both.status, both.err) == (0, "")
    assert "queue shop: jobs" in both.out
    assert "queue stage: jobs" in both.out
    assert "stage" not in routesim("graph", str(path), "--vhost", "shop").out
    data = json.loads(routesim("graph", str(path), "--format", "json").out)
    assert [item["vhost"] for item in data["vhosts"]] == ["shop", "stage"]
    assert [[node["name"] for node in item["nodes"]] for item in data["vhosts"]] == [["jobs"], ["jobs"]]
    assert data["nodes"] == data["vhosts"][0]["nodes"]
    assert "vhosts" not in json.loads(routesim("graph", str(path), "--vhost", "shop", "--format", "json").out)


def test_an_exchange_of_which_all_is_left_out_is_left_out_unless_a_message_came_to_it() -> None:
    names = [f"a{number}" for number in range(25)]
    exchanges = "".join(f"  {name}: fanout\n" for name in names)
    queues = "".join(f"  q{name}: {{}}\n" for name in names)
    bindings = "".join(f"  - {{source: {name}, destination: q{name}}}\n" for name in names)
    text = f"exchanges:\n{exchanges}  alone: fanout\nqueues:\n{queues}bindings:\n{bindings}"
    graph = graph_of(scenario(text))
    small = without_idle(graph, {Key(QUEUE, "qa1"), Key(EXCHANGE, "a2")})
    assert {key.name for key in small.nodes} == {"a1", "qa1", "a2", "alone"}, "alone is so in the file"
    assert (small.left_out, small.lone) == (24 + 23, 23)
    assert not any(key.kind == QUEUE for key in without_idle(graph, set()).nodes)
    text = text.replace("  alone: fanout\n", "")
    assert len(without_idle(graph_of(scenario(text)), set()).nodes) == 25, "better exchanges than nothing"


def test_a_ladder_becomes_the_way_that_was_taken() -> None:
    """28 levels of exchanges and queues: queues that were not used go, and exchanges that only hand on become one."""
    graph = graph_of(load(str(SCENARIOS / "celery" / "delayed-retry-is-stuck.yaml")))
    small = without_idle(graph, {Key(QUEUE, name) for name in ("celery_delayed_1", "celery_delayed_0", "orders")})
    queues = {key.name for key in small.nodes if key.kind == QUEUE}
    assert queues == {"celery_delayed_1", "celery_delayed_0", "orders", "w1.celery.pidbox", "celeryev.w1"}
    assert small.left_out == 26
    (group,) = [node for node in small.nodes.values() if node.members]
    assert group.members == tuple(f"celery_delayed_{level}" for level in range(26, 1, -1))
    assert group.name == "celery_delayed_26 and 24 more"
    assert {("celery_delayed_27", group.name, BINDING), (group.name, "celery_delayed_1", BINDING)} <= edges(small)
    assert all(edge.source in small.nodes and edge.target in small.nodes for edge in small.edges)
    assert without_idle(graph, graph.nodes) == graph, "where all of it is used, all is drawn"
    assert without_idle(graph_of(load(SHOES)), set()) == graph_of(load(SHOES)), "what is small is drawn in full"


# Layout ----------------------------------------------------------------------------------------------------------------

SIZES = st.tuples(st.integers(20, 200), st.integers(10, 60))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, dict[Key, tuple[float, float]], dict[Edge, tuple[float, float]]]:
    keys = [Key(QUEUE, str(number)) for number in range(draw(st.integers(1, 9)))]
    pairs = draw(st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(keys)), max_size=16, unique=True))
    drawn = tuple(Edge(source, target, BINDING, ("key",)) for source, target in pairs)
    sizes = {key: draw(SIZES) for key in keys}
    labels = {edge: draw(SIZES) for edge in drawn if draw(st.booleans())}
    return Graph("g", {key: Node(key) for key in keys}, drawn), sizes, labels


def overlap(left: Box, right: Box) -> bool:
    return (
        abs(left.x - right.x) < (left.width + right.width) / 2 - 0.01
        and abs(left.y - right.y) < (left.height + right.height) / 2 - 0.01
    )


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_nothing_overlaps_and_everything_is_inside(
    drawn: tuple[Graph, dict[Key, tuple[float, float]], dict[Edge, tuple[float, float]]],
) -> None:
    graph, sizes, labels = drawn
    layout = laid_out(graph, sizes, labels)
    loops = {route.edge for route in layout.routes if route.edge.source == route.edge.target}
    placed = [route.label for route in layout.routes if route.label is not None and route.edge not in loops]
    boxes = [*layout.nodes.values(), *placed]
    assert len(placed) == len(labels.keys() - loops)
    for index, box in enumerate(boxes):
        assert box.x - box.width / 2 >= 0
        assert box.x + box.width / 2 <= layout.width + 0.01
        assert box.y - box.height / 2 >= 0
        assert box.y + box.height / 2 <= layout.height + 0.01
        assert not any(overlap(box, other) for other in boxes[:index])
    assert {route.edge for route in layout.routes} == set(graph.edges)
    for route in layout.routes:
        assert all(one != other for one, other in pairwise(route.points)), "an arrowhead needs a direction"
        ends = layout.nodes[route.edge.source], layout.nodes[route.edge.target]
        for box, (x, y) in zip(ends, (route.points[0], route.points[-1]), strict=True):
            assert abs(x - box.x) <= box.width / 2 + 0.01
            assert abs(y - box.y) <= box.height / 2 + 0.01


def test_layers_follow_the_messages() -> None:
    layout = laid_out(graph := graph_of(load(SHOES)), dict.fromkeys(graph.nodes, (50.0, 20.0)), {})
    at = {key.name: box.x for key, box in layout.nodes.items()}
    assert at["shop"] < at["warehouse"] < at["shop.dlx"] < at["parked"]


# Drawings --------------------------------------------------------------------------------------------------------------

HOSTILE = """
name: "<script>alert(1)</script> \\u202e [red]"
exchanges: {"a & b <c>": topic, "x\\e[31m": direct, "]]>--": fanout}
queues: {'q"1': {arguments: {x-dead-letter-exchange: "a & b <c>"}}, "%s`|": }
bindings:
  - {source: "a & b <c>", destination: 'q"1', routing_key: '#."quoted".`;'}
  - {source: "]]>--", destination: "%s`|", routing_key: "]|"}
"""


def drawing(graph: Graph, format: str) -> str:
    out = StringIO()
    writer_of(format, GRAPH)(out, graph, colour=False, depth=None)
    return out.getvalue()


@pytest.mark.parametrize("format", formats_of(GRAPH))
def test_no_name_breaks_a_drawing(format: str) -> None:
    text = drawing(graph_of(scenario(HOSTILE)), format)
    assert "\x1b" not in text
    assert format not in ("svg", "mermaid") or "<script" not in text
    assert "\u202e" not in text
    if format == "svg":
        root = ElementTree.fromstring(text)
        assert "a & b <c>" in {item.text for item in root.iter() if item.tag.endswith("text")}
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    if format == "mermaid":
        assert all(re.fullmatch(r'[^"]*|[^"]*"[^"]*"[^"]*', line) for line in text.splitlines())
    if format == "dot":
        assert all(len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0 for line in text.splitlines())


@pytest.mark.parametrize("path", ALL_SCENARIO_FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("format", formats_of(GRAPH))
def test_every_scenario_can_be_drawn(path: Path, format: str) -> None:
    graph = collapsed(graph_of(load(str(path))))
    text = drawing(graph, format)
    if format == "svg":
        ElementTree.fromstring(text)
    if format == "tree":
        for key in graph.nodes:
            assert key.name in text


def test_the_tree_says_everything_once() -> None:
    shoes = load(SHOES)
    assert (
        drawing(graph_of(shoes, taken_by_message(shoes, "m3")), "tree")
        == """\
exchange shop (topic)
├─ ✔ ship.* → queue warehouse (classic)
│  ├· ✔ dead letters → exchange shop.dlx (fanout)
│  │  └─ ✔ "" → queue parked (quorum)
│  └─ ✔ packer (prefetch 1)
├─ #.shoes → queue audit (classic)
└· alternate exchange → exchange shop.unrouted (fanout)
   └─ "" → queue unrouted (classic)
""".replace("✔ packer", "✔ consumer packer")
    )


def test_a_policy_for_every_exchange_draws_no_edges_from_those_that_nobody_uses() -> None:
    text = """
exchanges: {x: fanout}
policies: [{name: everywhere, pattern: ".*", apply-to: exchanges, definition: {alternate-exchange: x}}]
"""
    graph = graph_of(load_source(Source("g.yaml", text), ""))
    assert {edge.source.name for edge in graph.edges} <= {node.key.name for node in graph.nodes.values()}

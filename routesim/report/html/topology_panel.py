"""The topology of a run, drawn with what every queue and consumer holds, and the moments as numbers for `page.js`."""

from typing import Any

from routesim.graph import Graph, Key
from routesim.graph.model import CONSUMER, QUEUE
from routesim.report.graphs.svg import NodeContents, part_of_a_page
from routesim.report.html.markup import Markup
from routesim.report.html.story import Frame, Story
from routesim.text import visible

IDLE = "idle"


def drawing(story: Story) -> Markup:
    """The topology, with the state at the end of the run."""
    depths: dict[str, tuple[int, int]] = {}
    holds: dict[str, str] = {}
    for moment in story.moments:
        depths.update(moment.depths)
        holds.update(moment.holds)
    held = {}
    for key in story.graph.nodes:
        if key.kind == QUEUE:
            each = [depths.get(name, (0, 0)) for name in _names(story.graph, key)]
            ready, unacked = sum(depth[0] for depth in each), sum(depth[1] for depth in each)
            held[key] = NodeContents(f"{ready:,} ready · {unacked:,} unacked", ready, unacked)
        elif key.kind == CONSUMER:
            held[key] = NodeContents(f"holds {holds[key.name]}" if holds.get(key.name) else IDLE)
    return Markup(part_of_a_page(story.graph, held))


def _names(graph: Graph, key: Key) -> tuple[str, ...]:
    return graph.nodes[key].members or (key.name,)


def replay(story: Story) -> dict[str, Any]:
    """What the page needs for a step from one moment to the next, in numbers: `nodes` has one entry a node of the drawing, the
    numbers of its queues, that of its consumer, or null. A moment is [milliseconds since the one before, edges, nodes,
    (queue, ready, unacked) ..., (consumer, what it holds) ...], without what is empty at its end; an edge that is gone
    backwards is written as -1 - its number."""
    graph = story.graph
    at_node = {Key(key.kind, name): number for number, key in enumerate(graph.nodes) for name in _names(graph, key)}
    nodes = {key: number for number, key in enumerate(graph.nodes)}
    edges = {(nodes[edge.source], nodes[edge.target], edge.kind): number for number, edge in enumerate(graph.edges)}
    names = _Numbers(
        {name for moment in story.moments for name in moment.depths} | {key.name for key in at_node if key.kind == QUEUE}
    )
    workers = _Numbers({name for moment in story.moments for name in moment.holds} | story.scenario.consumers.keys())
    groups: list[Any] = []
    for key in graph.nodes:
        if key.kind == QUEUE:
            groups.append([names[name] for name in _names(graph, key)])
        else:
            groups.append(workers[key.name] if key.kind == CONSUMER else None)

    def packed(moment: Frame, before: int) -> list[Any]:
        found = [edges.get((at_node.get(source), at_node.get(target), kind)) for source, target, kind in moment.ways]  # type: ignore[arg-type]
        way = [-1 - number if moment.back else number for number in found if number is not None]
        touched = dict.fromkeys(number for key in moment.keys if (number := at_node.get(key)) is not None)
        parts: list[Any] = [
            moment.at_ms - before, way, list(touched),
            [value for name, depth in moment.depths.items() for value in (names[name], *depth)],
            [value for name, text in moment.holds.items() for value in (workers[name], text)],
        ]  # fmt: skip
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        return parts

    times = [0, *(moment.at_ms for moment in story.moments)]
    return {
        "name": visible(story.scenario.name),
        "nodes": groups,
        "queues": len(names),
        "consumers": len(workers),
        "moments": [packed(moment, before) for moment, before in zip(story.moments, times, strict=False)],
    }


class _Numbers(dict[str, int]):
    """Names to numbers, in a fixed order."""

    def __init__(self, names: set[str]) -> None:
        super().__init__((name, number) for number, name in enumerate(sorted(names)))

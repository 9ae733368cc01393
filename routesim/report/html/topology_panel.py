"""The topology of a run, drawn with what every queue and consumer holds, and the moments as numbers for `page.js`."""

from typing import Any

from routesim.graph import Edge, EdgeKey, Graph, Key
from routesim.graph.model import CONSUMER, PUBLISHES, QUEUE
from routesim.report.graphs.svg import NodeContents, part_of_a_page
from routesim.report.html.drawings import Picture
from routesim.report.html.markup import Markup, element
from routesim.report.html.moments import Frame
from routesim.report.html.story import Story
from routesim.text import visible

IDLE = "idle"


def drawings(story: Story) -> list[Markup]:
    """Each drawing, with the state at the end of the run; all but the first are hidden."""
    depths: dict[str, tuple[int, int]] = {}
    holds: dict[str, str] = {}
    for moment in story.moments:
        depths.update(moment.depths)
        holds.update(moment.holds)
    gone = None if story.left_out or story.live or not story.kept else {way for moment in story.moments for way in moment.ways}
    return [
        element("div", _drawn(item, depths, holds, gone), class_="variant", hidden=number > 0)
        for number, item in enumerate(story.drawings)
    ]


def _drawn(picture: Picture, depths: dict[str, tuple[int, int]], holds: dict[str, str], gone: set[EdgeKey] | None) -> Markup:
    """`gone`: the edges that messages went along; None: nobody knows."""
    graph, held = picture.graph, {}
    for key in graph.nodes:
        if key.kind == QUEUE:
            each = [depths.get(name, (0, 0)) for name in _names(graph, key)]
            ready, unacked = sum(depth[0] for depth in each), sum(depth[1] for depth in each)
            held[key] = NodeContents(f"{ready:,} ready · {unacked:,} unacked", ready, unacked)
        elif key.kind == CONSUMER:
            held[key] = NodeContents(f"holds {holds[key.name]}" if holds.get(key.name) else IDLE)
    return Markup(part_of_a_page(graph, held, _unused(picture, gone)))


def _unused(picture: Picture, gone: set[EdgeKey] | None) -> set[Edge]:
    """The edges that no message went along; what consumers publish is not told by edges."""
    if not gone:
        return set()
    at = _drawn_as(picture)
    went = {(at.get(source), at.get(target), kind) for source, target, kind in gone}
    return {edge for edge in picture.graph.edges if edge.kind != PUBLISHES and (edge.source, edge.target, edge.kind) not in went}


def _names(graph: Graph, key: Key) -> tuple[str, ...]:
    return graph.nodes[key].members or (key.name,)


def _drawn_as(picture: Picture) -> dict[Key, Key]:
    """The node of the drawing that stands for each exchange, queue and consumer."""
    graph = picture.graph
    of = {Key(key.kind, name): key for key in graph.nodes for name in _names(graph, key)}
    return {**of, **{consumer: of[queue] for consumer, queue in picture.inside.items()}}


def replay(story: Story) -> dict[str, Any]:
    """What the page needs for a step from one moment to the next, in numbers.

    `keys` are the nodes of the whole topology: [kind, name]; `edges` its edges: [source, target]. Of each of the `drawings`
    there is `nodes`, an entry for each of its nodes, the numbers of its queues, that of its consumer, or null; `names`, what its
    groups are called ({node: name}); `of_key` and `of_edge`, which of its nodes and edges shows one of the whole (-1: none). A
    moment is [milliseconds since the one before, edges, keys, (queue, ready, unacked) ..., (consumer, what it holds) ...],
    without what is empty at its end; an edge that is gone backwards is written as -1 - its number. `opening`: the moment to
    begin with."""
    whole = story.whole
    keys = {key: number for number, key in enumerate(whole.nodes)}
    edges = {(edge.source, edge.target, edge.kind): number for number, edge in enumerate(whole.edges)}
    names = _Numbers(
        {name for moment in story.moments for name in moment.depths} | {key.name for key in keys if key.kind == QUEUE}
    )
    workers = _Numbers({name for moment in story.moments for name in moment.holds} | story.scenario.consumers.keys())

    def packed(moment: Frame, before: int) -> list[Any]:
        found = [edges.get(way) for way in moment.ways]
        way = [-1 - number if moment.back else number for number in found if number is not None]
        touched = dict.fromkeys(number for key in moment.keys if (number := keys.get(key)) is not None)
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
        "keys": [[key.kind, visible(key.name)] for key in keys],
        "edges": [[keys[edge.source], keys[edge.target]] for edge in whole.edges],
        "drawings": [_numbered(item, whole, names, workers) for item in story.drawings],
        "queues": len(names),
        "consumers": len(workers),
        "opening": story.opening,
        "moments": [packed(moment, before) for moment, before in zip(story.moments, times, strict=False)],
    }


def _numbered(drawing: Picture, whole: Graph, queues: dict[str, int], workers: dict[str, int]) -> dict[str, Any]:
    graph, at = drawing.graph, _drawn_as(drawing)
    nodes = {key: number for number, key in enumerate(graph.nodes)}
    edges = {(edge.source, edge.target, edge.kind): number for number, edge in enumerate(graph.edges)}
    held: list[Any] = []
    for key in graph.nodes:
        if key.kind == QUEUE:
            held.append([queues[name] for name in _names(graph, key)])
        else:
            held.append(workers[key.name] if key.kind == CONSUMER else None)
    of_edge = [edges.get((at.get(edge.source), at.get(edge.target), edge.kind), -1) for edge in whole.edges]  # type: ignore[arg-type]
    return {
        "every": drawing.every,
        "celery": drawing.celery,
        "nodes": held,
        "names": {number: visible(key.name) for key, number in nodes.items() if graph.nodes[key].members},
        "of_key": [nodes.get(at.get(key), -1) for key in whole.nodes],  # type: ignore[arg-type]
        "of_edge": of_edge,
    }


class _Numbers(dict[str, int]):
    """Names to numbers, in a fixed order."""

    def __init__(self, names: set[str]) -> None:
        super().__init__((name, number) for number, name in enumerate(sorted(names)))

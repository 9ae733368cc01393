"""Where nodes and edges go: layers from left to right, in each layer an order with few crossings, and no overlaps.

Longest-path layers, with the edges that close a circle turned round; an edge's label is a place of its own in a layer
between two layers of nodes, so that nothing is ever drawn over it; orders by barycentres.
"""

from itertools import pairwise

from routesim.graph.model import Edge, Graph, Key
from routesim.named_tuples import NamedTuple

LAYER_GAP = 28.0
NODE_GAP = 20.0
THIN = 8.0  # height of the place where an edge passes a layer
SWEEPS = 12
MARGIN = 24.0

Size = tuple[float, float]


class Box(NamedTuple):
    """`x` and `y` are the middle."""

    x: float
    y: float
    width: float
    height: float


class EdgeRoute(NamedTuple):
    """The points that an edge passes, from its source to its target, and the place of its label."""

    edge: Edge
    points: tuple[tuple[float, float], ...]
    label: Box | None
    backwards: bool


class Layout(NamedTuple):
    nodes: dict[Key, Box]
    routes: tuple[EdgeRoute, ...]
    width: float
    height: float


class _Place:
    """A node, the label of an edge, or where an edge passes; `layer` and `y` are what the layout decides."""

    def __init__(self, layer: int, size: Size) -> None:
        self.layer, self.width, self.height = layer, *size
        self.before: list[_Place] = []
        self.after: list[_Place] = []
        self.y = 0.0


def laid_out(graph: Graph, sizes: dict[Key, Size], labels: dict[Edge, Size]) -> Layout:
    """The layout of a graph whose nodes and labels have these sizes (of edges without a label there is none)."""
    backwards = _closing(graph)
    level = _levels(graph, backwards)
    places = {key: _Place(2 * level[key], sizes[key]) for key in graph.nodes}
    chains: list[tuple[Edge, list[_Place], _Place | None]] = []
    extra: list[_Place] = []
    for edge in graph.edges:
        if edge.source == edge.target:
            continue
        ends = (edge.target, edge.source) if edge in backwards else (edge.source, edge.target)
        first, last = places[ends[0]], places[ends[1]]
        chain, label = [first], None
        for layer in range(first.layer + 1, last.layer):
            named = edge in labels and label is None and (layer == last.layer - 1 if edge in backwards else True)
            place = _Place(layer, labels[edge] if named else (0.0, THIN))
            label = place if named else label
            chain.append(place)
            extra.append(place)
        chain.append(last)
        for left, right in pairwise(chain):
            left.after.append(right)
            right.before.append(left)
        chains.append((edge, chain, label))
    layers = _layers([*places.values(), *extra])
    _order(layers)
    _spread(layers)
    return _measured(graph, places, chains, layers, backwards, labels)


def _closing(graph: Graph) -> set[Edge]:
    """The edges that lead back to where a walk from the roots has come from."""
    found: set[Edge] = set()
    following: dict[Key, list[Edge]] = {}
    for edge in graph.edges:
        following.setdefault(edge.source, []).append(edge)
    done: set[Key] = set()
    for root in graph.roots():
        if root in done:
            continue
        path, on_path = [(root, iter(following.get(root, [])))], {root}
        while path:
            key, edges = path[-1]
            for edge in edges:
                if edge.target in on_path:
                    found.add(edge)
                elif edge.target not in done:
                    path.append((edge.target, iter(following.get(edge.target, []))))
                    on_path.add(edge.target)
                    break
            else:
                path.pop()
                on_path.discard(key)
                done.add(key)
    return found


def _levels(graph: Graph, backwards: set[Edge]) -> dict[Key, int]:
    """For every node the length of the longest way to it."""
    pairs = [
        (edge.target, edge.source) if edge in backwards else (edge.source, edge.target)
        for edge in graph.edges
        if edge.source != edge.target
    ]
    waiting = dict.fromkeys(graph.nodes, 0)
    following: dict[Key, list[Key]] = {}
    for source, target in pairs:
        waiting[target] += 1
        following.setdefault(source, []).append(target)
    level = dict.fromkeys(graph.nodes, 0)
    todo = [key for key, count in waiting.items() if not count]
    for key in todo:  # grows while it is walked
        for target in following.get(key, ()):
            level[target] = max(level[target], level[key] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                todo.append(target)
    return level


def _layers(places: list[_Place]) -> list[list[_Place]]:
    layers: list[list[_Place]] = [[] for _ in range(max((place.layer for place in places), default=0) + 1)]
    for place in places:
        layers[place.layer].append(place)
    return layers


def _order(layers: list[list[_Place]]) -> None:
    """Sweeps to and fro; each place goes where its neighbours of the layer before are on average."""
    rank = {id(place): index for layer in layers for index, place in enumerate(layer)}
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for layer in layers if forwards else reversed(layers):
            means: dict[int, float] = {}
            for index, place in enumerate(layer):
                near = place.before if forwards else place.after
                means[id(place)] = sum(rank[id(item)] for item in near) / len(near) if near else float(index)
            layer.sort(key=lambda place: means[id(place)])
            rank.update((id(place), index) for index, place in enumerate(layer))


def _spread(layers: list[list[_Place]]) -> None:
    """Heights: one below the other at first, then each towards its neighbours as far as the order leaves room."""
    for layer in layers:
        y = 0.0
        for place in layer:
            place.y = y + place.height / 2
            y += place.height + NODE_GAP
    tallest = max((layer[-1].y + layer[-1].height / 2 for layer in layers if layer), default=0.0)
    for layer in layers:
        if layer:
            shift = (tallest - layer[-1].y - layer[-1].height / 2) / 2
            for place in layer:
                place.y += shift
    for sweep in range(2 * SWEEPS):
        forwards = sweep % 2 == 0
        for layer in layers if forwards else reversed(layers):
            wanted = []
            for place in layer:
                near = place.before if forwards else place.after
                near = near or (place.after if forwards else place.before)
                wanted.append(sum(item.y for item in near) / len(near) if near else place.y)
            _settle(layer, wanted)


def _settle(layer: list[_Place], wanted: list[float]) -> None:
    """The places at the heights that they want, moved apart as little as it takes: groups that collide share the difference."""
    groups: list[tuple[list[int], float]] = []  # members, and the height of the first one
    offsets: dict[int, float] = {}
    for index in range(len(layer)):
        members, top = [index], wanted[index]
        offsets[index] = 0.0
        while groups and groups[-1][1] + offsets[groups[-1][0][-1]] + _apart(layer, groups[-1][0][-1]) > top:
            before, _ = groups.pop()
            base = offsets[before[-1]] + _apart(layer, before[-1])
            for member in members:
                offsets[member] += base
            members = before + members
            top = sum(wanted[member] - offsets[member] for member in members) / len(members)
        groups.append((members, top))
    for members, top in groups:
        for member in members:
            layer[member].y = top + offsets[member]


def _apart(layer: list[_Place], index: int) -> float:
    """How far the middle of the next place must be from that of this one."""
    this, following = layer[index], layer[index + 1]
    return (this.height + following.height) / 2 + (NODE_GAP if this.height > THIN and following.height > THIN else NODE_GAP / 2)


def _measured(
    graph: Graph, places: dict[Key, _Place], chains: list[tuple[Edge, list[_Place], _Place | None]], layers: list[list[_Place]],
    backwards: set[Edge], labels: dict[Edge, Size],
) -> Layout:  # fmt: skip
    widths = [max((place.width for place in layer), default=0.0) for layer in layers]
    middles, x = [], MARGIN
    for index, width in enumerate(widths):
        middles.append(x + width / 2)
        used = any(place.width for place in layers[index])
        x += width + (LAYER_GAP if used or index % 2 == 0 else 0)
    lowest = min((place.y - place.height / 2 for layer in layers for place in layer), default=0.0)
    for layer in layers:
        for place in layer:
            place.y += MARGIN - lowest
    height = max((place.y + place.height / 2 for layer in layers for place in layer), default=0.0) + MARGIN
    boxes = {key: Box(middles[place.layer], place.y, place.width, place.height) for key, place in places.items()}
    routes = []
    for edge, chain, label in chains:
        closing = edge in backwards
        first, last = chain[0], chain[-1]
        low = 0.25 if closing else 0.0
        begin, end = first.y + low * first.height, last.y + low * last.height
        points = [(middles[first.layer] + half, begin) for half in (first.width / 2, widths[first.layer] / 2)]
        for place in chain[1:-1]:
            half = widths[place.layer] / 2  # level all the way past the layer, so as to touch none of its nodes
            middle = middles[place.layer]
            points += [(middle - half, place.y), (middle + half, place.y)] if half else [(middle, place.y)]
        points += [(middles[last.layer] - half, end) for half in (widths[last.layer] / 2, last.width / 2)]
        points = [point for point, before in zip(points, [None, *points], strict=False) if point != before]
        where = Box(middles[label.layer], label.y, label.width, label.height) if label is not None else None
        routes.append(EdgeRoute(edge, tuple(reversed(points)) if closing else tuple(points), where, closing))
    for edge in graph.edges:
        if edge.source == edge.target:
            routes.append(_loop(edge, boxes[edge.source], labels.get(edge)))
            height = max(height, boxes[edge.source].y + boxes[edge.source].height / 2 + 3 * MARGIN)
    return Layout(boxes, tuple(routes), x - LAYER_GAP + MARGIN, height)


def _loop(edge: Edge, box: Box, size: Size | None) -> EdgeRoute:
    """An edge from a node to itself, below it."""
    low, left, right = box.y + box.height / 2, box.x - box.width / 4, box.x + box.width / 4
    points = ((right, low), (right, low + MARGIN), (left, low + MARGIN), (left, low))
    label = Box(box.x, low + MARGIN + size[1] / 2 + 3, *size) if size else None
    return EdgeRoute(edge, points, label, True)

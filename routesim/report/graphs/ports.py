"""Edges that meet at one side of a node, parted: each begins or ends at a height of its own, in the order of where they lead."""

from collections import defaultdict

from routesim.graph.layout import EdgeRoute, Layout
from routesim.graph.model import Key

GAP = 9.0  # between two edges, where the node is high enough
FREE = 7.0  # at the upper and the lower end of a side

Point = tuple[float, float]
End = tuple[int, bool]  # the number of a route; whether it is the route's end


def parted(layout: Layout) -> Layout:
    """The same layout with the ends of edges moved along the sides of their nodes."""
    points = [list(route.points) for route in layout.routes]
    sides: dict[tuple[Key, bool], list[End]] = defaultdict(list)
    for number, route in enumerate(layout.routes):
        if route.edge.source == route.edge.target:
            continue
        for key, last in ((route.edge.source, False), (route.edge.target, True)):
            sides[key, _ordered(points[number], last)[0][0] > layout.nodes[key].x].append((number, last))
    for (key, _), ends in sides.items():
        if len(ends) < 2:
            continue
        box = layout.nodes[key]
        gap = min(GAP, (box.height - 2 * FREE) / (len(ends) - 1))
        ends.sort(key=lambda end: _leads_to(_ordered(layout.routes[end[0]].points, end[1])))
        for place, (number, last) in enumerate(ends):
            _move(points[number], last, box.y + (place - (len(ends) - 1) / 2) * gap)
    return layout._replace(routes=tuple(_with(route, moved) for route, moved in zip(layout.routes, points, strict=True)))


def _with(route: EdgeRoute, points: list[Point]) -> EdgeRoute:
    return route._replace(points=tuple(points))


def _ordered(points: list[Point] | tuple[Point, ...], last: bool) -> list[Point]:
    """As seen from the node."""
    return list(reversed(points)) if last else list(points)


def _leads_to(points: list[Point]) -> float:
    """The height of the first point that is no longer beside the node."""
    first = points[0][1]
    return next((y for _, y in points if abs(y - first) > 0.5), first)


def _move(points: list[Point], last: bool, y: float) -> None:
    """An end, with the level piece that leads past the other nodes of its layer."""
    order = range(len(points) - 1, -1, -1) if last else range(len(points))
    first = points[order[0]][1]
    for at in order[: min(2, len(points) - 1)]:  # never the other end
        if abs(points[at][1] - first) > 0.5:
            break
        points[at] = points[at][0], y

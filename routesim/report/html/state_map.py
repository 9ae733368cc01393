"""The states of an exploration drawn: a column a depth, the way to what is broken numbered in the middle. Of many states each
depth is one box with its counts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from routesim.explore import PropertyVerdict
from routesim.explore.answer import Explored
from routesim.explore.mapped import BrokenStates, StateMap
from routesim.named_tuples import NamedTuple
from routesim.report.html.markup import Markup, element, joined
from routesim.text import so_many

ROW, WAY_ROW = 15, 30  # of a state, and of one that has a number
COLUMN, WIDE_COLUMN = 76, 112  # the latter where the name of a failure needs it
LETTER = 7.2  # width of one, of 12 pixels
LEFT, TOP, BOTTOM = 88, 46, 30
DOT, NUMBERED = 4.5, 11
BOX, LOWEST = 190, 26  # the highest box of many states, and the lowest


class MapSpot(NamedTuple):
    x: float
    y: float


def state_map(found: Explored) -> Markup | None:
    """The drawing with what its signs mean; None: there is none, as of random walks."""
    if found.map is None or not found.map.failures:
        return None
    names = {asked.name if not asked.name.startswith(("expect", "never")) else "" for asked in found.asked}
    broken = [each for each in found.map.broken if each.name in names or each.name.startswith(("expect", "never"))]
    examples = {asked.name: asked for asked in found.asked if asked.example is not None}
    drawing = _drawn(found, found.map, broken, examples) if found.map.depths else _folded(found, found.map, broken, examples)
    return joined([_legend(found, folded=not found.map.depths, broken=bool(broken)), drawing])


def _legend(found: Explored, *, folded: bool, broken: bool) -> Markup:
    def item(kind: str, text: str) -> Markup:
        sample = element("line", x1=2, y1=8, x2=26, y2=8) if "edge" in kind else element("circle", cx=14, cy=8, r=5)
        return element(
            "li", element("svg", sample, viewBox="0 0 28 16", width=28, height=16, class_=kind, aria_hidden="true"), text
        )

    items = [] if folded else [item("state", "state"), item("state end", "all is over"), item("edge failing", "failure")]
    if broken:
        items.append(item("state broken", "broken from here on" if folded else "broken here"))
        items.append(item("edge way", "the shortest way there"))
    kept = "" if found.complete else " so far"
    boxes = "; as high as a box are its states" if folded else ""
    counts = f"{so_many(found.states, found.counted)}{kept}, {so_many(found.tried, 'moves')}"
    told = f"{counts}, from left to right by the number of moves{boxes}"
    return element("div", element("p", told), element("ul", *items), class_="map-legend")


def _frame(width: float, height: float, parts: Iterable[Markup], label: str) -> Markup:
    svg = element(
        "svg", *parts, viewBox=f"0 0 {round(width)} {round(height)}", width=round(width), height=round(height),
        class_="map-of-states", role="img", aria_label=label,
    )  # fmt: skip
    return element(
        "div", svg, class_="drawing", tabindex=0, role="group", aria_label="Map of the states, scrolls; plus and minus zoom"
    )


def _text(at: MapSpot, text: str, kind: str, anchor: str = "middle") -> Markup:
    return element("text", text, x=round(at.x, 1), y=round(at.y, 1), class_=kind, text_anchor=anchor)


def _column_width(examples: dict[str, PropertyVerdict]) -> float:
    longest = max((len(name) for asked in examples.values() for name in _failure_names(asked)), default=0)
    return WIDE_COLUMN if longest * LETTER > COLUMN - 2 * NUMBERED else COLUMN


def _failure_names(asked: PropertyVerdict) -> list[str]:
    """Of each move on the way the failure that it is, "": none."""
    return [move.failure for move in asked.example.moves] if asked.example is not None else []


# Each state by itself ------------------------------------------------------------------------------------------------


def _drawn(found: Explored, states: StateMap, broken: Sequence[BrokenStates], examples: dict[str, PropertyVerdict]) -> Markup:
    spots, height = _placed(states, broken, _column_width(examples))
    deepest = max(states.depths)
    on_way = {state for each in broken for state in each.way}
    bad = {state for each in broken for state in each.states}
    plain = [state for state in range(len(states.depths)) if state not in on_way]
    ways = {pair for each in broken for pair in pairwise(each.way)}
    parts = [
        element(
            "path", d=_lines(spots, [edge[:2] for edge in states.edges if not edge[2] and edge[:2] not in ways]), class_="edge"
        ),
        element(
            "path",
            d=_lines(spots, [edge[:2] for edge in states.edges if edge[2] and edge[:2] not in ways]),
            class_="edge failing",
        ),
        element(
            "path", d=_dots(spots, [state for state in plain if state not in bad and state not in states.ends]), class_="states"
        ),
        element(
            "path", d=_dots(spots, [state for state in plain if state in states.ends and state not in bad]), class_="states ends"
        ),
        element("path", d=_dots(spots, [state for state in plain if state in bad]), class_="states broken"),
    ]
    counts = [states.depths.count(depth) for depth in range(deepest + 1)]
    width = max(spot.x for spot in spots.values())
    parts += _ruler([spots[states.depths.index(depth)].x for depth in range(deepest + 1)], counts, height)
    for each in broken:
        parts += _way([spots[state] for state in each.way], each, examples.get(each.name))
    return _frame(width + LEFT / 2, height, parts, f"{len(states.depths):,} states by the number of moves")


def _ruler(columns: Sequence[float], counts: Sequence[int], height: float) -> list[Markup]:
    parts = [
        _text(MapSpot(LEFT - 32, 18), "moves", "ruler", "end"),
        _text(MapSpot(LEFT - 32, height - 10), "states", "ruler", "end"),
    ]
    for depth, (x, count) in enumerate(zip(columns, counts, strict=True)):
        parts += [_text(MapSpot(x, 18), f"{depth:,}", "ruler"), _text(MapSpot(x, height - 10), f"{count:,}", "ruler")]
    return parts


def _way(spots: Sequence[MapSpot], broken: BrokenStates, asked: PropertyVerdict | None) -> list[Markup]:
    """Its line, the failures on it by name, and its states with their numbers."""
    failures = _failure_names(asked) if asked is not None else []
    words = asked.example.words if asked is not None and asked.example is not None else ()
    parts = []
    for number, (here, there) in enumerate(pairwise(spots)):
        failure = failures[number] if number < len(failures) else ""
        line = {"x1": here.x, "y1": here.y, "x2": there.x, "y2": there.y}
        parts.append(element("line", class_=f"edge way{' failing' if failure else ''}", **line))
        if failure:
            middle = MapSpot((here.x + there.x) / 2, (here.y + there.y) / 2 - 8)
            parts.append(_text(middle, failure, "failure"))
    for number, spot in enumerate(spots):
        last = number == len(spots) - 1
        told = f"broken: {broken.name}" if last else f"after {number} moves" if number else "the beginning"
        said = words[number - 1] if 0 < number <= len(words) else ""
        title = element("title", f"{told}{': ' if said else ''}{said}")
        circle = element("circle", cx=spot.x, cy=spot.y, r=NUMBERED)
        number_of = _text(MapSpot(spot.x, spot.y + 4.2), str(number), "number")
        parts.append(element("g", title, circle, number_of, class_=f"state numbered{' broken' if last else ''}"))
    return parts


def _lines(spots: dict[int, MapSpot], edges: Iterable[tuple[int, int]]) -> str:
    """Straight to what lies deeper; around what lies between, back or beside."""
    found = []
    for source, target in edges:
        here, there = spots[source], spots[target]
        if there.x > here.x:
            found.append(f"M{here.x:g} {here.y:g}L{there.x:g} {there.y:g}")
        else:
            middle, bend = (here.x + there.x) / 2 + (20 if here.x == there.x else 0), max(here.y, there.y) + 16
            found.append(f"M{here.x:g} {here.y:g}Q{middle:g} {bend:g} {there.x:g} {there.y:g}")
    return "".join(found)


def _dots(spots: dict[int, MapSpot], states: Iterable[int]) -> str:
    """Lines without length: their ends are round."""
    return "".join(f"M{spots[state].x:g} {spots[state].y:g}h0" for state in states)


def _placed(states: StateMap, broken: Sequence[BrokenStates], column: float) -> tuple[dict[int, MapSpot], float]:
    """The way in the middle, the others on both sides of it, each near to those that it comes from; and how high it all is."""
    numbered = {state for each in broken for state in each.way}
    first = {state: place for place, each in enumerate(reversed(broken)) for state in each.way}
    columns: dict[int, list[int]] = defaultdict(list)
    for state, depth in enumerate(states.depths):
        columns[depth].append(state)
    before: dict[int, list[int]] = defaultdict(list)
    for source, target, _ in states.edges:
        if states.depths[source] < states.depths[target]:
            before[target].append(source)
    y: dict[int, float] = {}
    for depth in sorted(columns):
        near = {
            state: sum(y[each] for each in before[state]) / len(before[state]) if before[state] else 0.0
            for state in columns[depth]
        }
        ordered = sorted(columns[depth], key=lambda state: (near[state], state))
        main = max((state for state in ordered if state in first), key=first.__getitem__, default=None)
        if main is not None:
            ordered.remove(main)
            ordered.insert(len(ordered) // 2, main)
        heights = [WAY_ROW if state in numbered else ROW for state in ordered]
        middle = len(ordered) // 2 if main is None else ordered.index(main)
        at = -sum(heights[:middle]) - heights[middle] / 2 if main is not None else -sum(heights) / 2
        for state, high in zip(ordered, heights, strict=True):
            y[state] = at + high / 2
            at += high
    top, bottom = min(y.values()) - WAY_ROW, max(y.values()) + WAY_ROW
    spots = {
        state: MapSpot(LEFT + depth * column, round(y[state] - top + TOP - 20, 1)) for state, depth in enumerate(states.depths)
    }
    return spots, bottom - top + TOP - 20 + BOTTOM


# A box a depth -------------------------------------------------------------------------------------------------------


def _folded(found: Explored, states: StateMap, broken: Sequence[BrokenStates], examples: dict[str, PropertyVerdict]) -> Markup:
    column = WIDE_COLUMN
    most = max(count for count, _ in found.by_depth)
    middle = TOP + BOX / 2 + 10
    height = TOP + BOX + 64 + BOTTOM
    parts, columns = [], []
    for depth, (count, _) in enumerate(found.by_depth):
        x = LEFT + 20 + depth * column
        columns.append(x)
        high = LOWEST + (BOX - LOWEST) * count / most
        bad = sum(each.counts[depth] for each in broken if depth < len(each.counts))
        box = {"x": round(x - 34), "width": 68, "rx": 8}
        parts.append(element("rect", y=round(middle - high / 2, 1), height=round(high, 1), class_="depth", **box))
        if bad:
            share = max(4.0, high * min(bad / count, 1))
            parts.append(
                element("rect", y=round(middle + high / 2 - share, 1), height=round(share, 1), class_="depth broken", **box)
            )
            parts.append(_text(MapSpot(x, middle + BOX / 2 + 22), f"{bad:,} broken", "failure"))
        if depth < len(states.failures) and states.failures[depth]:
            text = f"{states.failures[depth]:,} failure{'s' * (states.failures[depth] > 1)}"
            parts.append(_text(MapSpot(x + column / 2, middle + BOX / 2 + 40), text, "ruler"))
    parts = [element("line", x1=columns[0], y1=middle, x2=columns[-1], y2=middle, class_="edge"), *parts]
    parts += _ruler(columns, [count for count, _ in found.by_depth], height)
    for number, each in enumerate(broken):
        y = middle - (len(broken) - 1) * 14 + number * 28
        parts += _way([MapSpot(columns[depth], y) for depth in range(len(each.way))], each, examples.get(each.name))
    return _frame(columns[-1] + LEFT + 20, height, parts, f"{found.states:,} states by the number of moves")

"""Plots of what changes step by step, as SVG: axes with units, a line's name at its end, a legend, and a cursor for the page."""

import math
from collections.abc import Callable, Sequence

from routesim.durations import UNIT_NAMES, UNITS_MS
from routesim.named_tuples import NamedTuple
from routesim.report.html.markup import Markup, element, joined
from routesim.text import shortened

WIDTH, HEIGHT = 640.0, 250.0  # pixels: a plot is never drawn smaller, so that it can be read
LEFT, RIGHT, TOP, BOTTOM = 52.0, 156.0, 26.0, 44.0
MAX_LINES = 6  # so many can be told apart; what is lower is summed up in one more
MAX_POINTS = 1200  # a line; more than that cannot be seen
LABEL_GAP, LABEL_COLUMNS = 14.0, 20
DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 2", "1 3", "12 4")
Point = tuple[int, int]


class Series(NamedTuple):
    """A value from each of these instants on."""

    name: str
    points: Sequence[Point]

    def peak(self) -> int:
        return max((value for _, value in self.points), default=0)


class Axis(NamedTuple):
    """What runs from left to right: from 0 to `end`; `shown` writes a tick."""

    title: str
    end: int
    kind: str  # time or event: what the page's cursor follows
    ticks: Sequence[int]
    shown: Callable[[int], str]


def time_axis(end_ms: int) -> Axis:
    unit = next((unit for unit, least in _LEAST.items() if end_ms >= least * UNITS_MS[unit]), "ms")
    size = UNITS_MS[unit]
    ticks = [round(tick * size) for tick in _ticks(end_ms / size) if size > 1 or tick == int(tick)]
    return Axis(f"virtual time ({UNIT_NAMES[unit]})", end_ms, "time", ticks, lambda ms: f"{ms / size:g}")


_LEAST = {"d": 2, "h": 3, "m": 4, "s": 1}  # of a unit, for an axis in it


def event_axis(count: int) -> Axis:
    """For what happens at one instant."""
    return Axis("event", max(count, 1), "event", [round(tick) for tick in _ticks(max(count, 1)) if tick == int(tick)], str)


def _ticks(end: float, most: int = 8) -> list[float]:
    """Round numbers from 0 to the end, at most so many steps."""
    if end <= 0:
        return [0.0]
    size = 10.0 ** math.floor(math.log10(end)) / 10
    step = next(size * factor for factor in (1, 2, 5, 10, 20, 50) if end / (size * factor) <= most)
    return [round(step * number, 9) for number in range(int(end / step + 1e-9) + 1)]


def plot(title: str, unit: str, series: Sequence[Series], axis: Axis) -> Markup:
    """One plot with its legend. Lines that stay at 0 are not drawn; the legend counts them."""
    lines = sorted((item for item in series if item.peak()), key=lambda item: -item.peak())
    flat = len(series) - len(lines)
    if len(lines) > MAX_LINES:
        rest = lines[MAX_LINES:]
        lines = [*lines[:MAX_LINES], Series(f"{len(rest):,} others together", _sum([item.points for item in rest]))]
    heading = element("h4", title)
    if not lines:
        empty = "Always 0." if axis.kind == "event" else "0 at the end of every instant."
        return element("figure", heading, element("p", empty, class_="quiet"), class_="plot")
    top = max(item.peak() for item in lines)
    ticks = [round(tick) for tick in _ticks(top, 5) if tick == int(tick)]
    if ticks[-1] < top:
        ticks.append(ticks[-1] + (ticks[1] if len(ticks) > 1 else 1))
    frame = _Frame(axis, ticks[-1])
    summary = "; ".join(f"{item.name}: up to {item.peak():,}, {item.points[-1][1]:,} at the end" for item in lines)
    svg = element(
        "svg", *_grid(frame, ticks, unit), *_lines(frame, lines), *_names(frame, lines), _cursor(frame),
        class_="chart", viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}", role="img", aria_label=f"{title} over {axis.title}. {summary}",
        data_axis=axis.kind, data_end=axis.end, data_left=LEFT, data_width=WIDTH - LEFT - RIGHT,
    )  # fmt: skip
    scrolling = element("div", svg, class_="scrolls", tabindex=0, role="group", aria_label=f"{title}, scrolls sideways")
    return element("figure", heading, scrolling, _legend(lines, flat), class_="plot")


class _Frame(NamedTuple):
    axis: Axis
    top: int

    def x(self, at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at / self.axis.end if self.axis.end else 0)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / (self.top or 1)


def _grid(frame: _Frame, ticks: Sequence[int], unit: str) -> list[Markup]:
    parts = []
    right, low = WIDTH - RIGHT, HEIGHT - BOTTOM
    for tick in ticks:
        y = frame.y(tick)
        parts.append(element("path", class_="grid", d=f"M{LEFT:.0f} {y:.1f} H{right:.0f}"))
        parts.append(element("text", f"{tick:,}", class_="tick", x=LEFT - 8, y=round(y + 4, 1), text_anchor="end"))
    for tick in frame.axis.ticks:
        x = round(frame.x(tick), 1)
        parts.append(element("path", class_="grid", d=f"M{x} {low:.0f} v5"))
        parts.append(element("text", frame.axis.shown(tick), class_="tick", x=x, y=low + 18, text_anchor="middle"))
    middle = round((LEFT + right) / 2, 1)
    parts.append(element("text", frame.axis.title, class_="axis", x=middle, y=HEIGHT - 6, text_anchor="middle"))
    parts.append(element("text", unit, class_="axis", x=2, y=12))
    return parts


def _lines(frame: _Frame, lines: Sequence[Series]) -> list[Markup]:
    parts = []
    for number, item in reversed(list(enumerate(lines))):
        path: list[str] = []
        before = "", ""
        for at, value in _thinned(item.points, frame.axis.end):
            here = f"{frame.x(at):.1f}", f"{frame.y(value):.1f}"
            if not path:
                path.append(f"M{here[0]} {here[1]}")
            else:
                path.append(f"H{here[0]}" * (here[0] != before[0]) + f"V{here[1]}" * (here[1] != before[1]))
            before = here
        path.append(f"H{WIDTH - RIGHT:.1f}")
        parts.append(element(
            "path", class_=f"line s{number}", d="".join(path), stroke_dasharray=DASHES[number % len(DASHES)] or None
        ))  # fmt: skip
    return parts


def _thinned(points: Sequence[Point], end: int) -> Sequence[Point]:
    """At most about `MAX_POINTS`: of those that fall together the lowest, the highest and the last."""
    if len(points) <= MAX_POINTS:
        return points
    found: list[Point] = []
    bucket: list[Point] = []
    slots = MAX_POINTS // 3
    slot = -1
    for point in points:
        here = point[0] * slots // max(end, 1)
        if here != slot and bucket:
            found += _extremes(bucket)
            bucket = []
        slot = here
        bucket.append(point)
    return [*found, *_extremes(bucket)]


def _extremes(bucket: Sequence[Point]) -> list[Point]:
    at = bucket[0][0]
    values = dict.fromkeys((min(item[1] for item in bucket), max(item[1] for item in bucket), bucket[-1][1]))
    return [(at, value) for value in values]


def _names(frame: _Frame, lines: Sequence[Series]) -> list[Markup]:
    """Each line's name and last value at its end, moved apart where lines end together."""
    wanted = sorted((frame.y(item.points[-1][1]), number) for number, item in enumerate(lines))
    placed: list[tuple[float, int]] = []
    for y, number in wanted:
        placed.append((max(y, placed[-1][0] + LABEL_GAP) if placed else y, number))
    over = placed[-1][0] - (HEIGHT - BOTTOM + 4)
    if over > 0:
        low = HEIGHT - BOTTOM + 4
        moved: list[tuple[float, int]] = []
        for y, number in reversed(placed):
            low = min(y, low)
            moved.append((low, number))
            low -= LABEL_GAP
        placed = moved
    x = WIDTH - RIGHT
    parts = []
    for y, number in placed:
        item = lines[number]
        end = frame.y(item.points[-1][1])
        parts.append(element("path", class_=f"lead s{number}", d=f"M{x:.0f} {end:.1f}L{x + 8:.0f} {y:.1f}"))
        text = f"{shortened(item.name, LABEL_COLUMNS - 4)} {item.points[-1][1]:,}"
        parts.append(element("text", text, class_=f"name s{number}", x=x + 11, y=round(y + 4, 1)))
    return parts


def _cursor(frame: _Frame) -> Markup:
    return element("path", class_="cursor", d=f"M{LEFT:.0f} {TOP - 6:.0f}V{HEIGHT - BOTTOM:.0f}")


def _legend(lines: Sequence[Series], flat: int) -> Markup:
    items = []
    for number, item in enumerate(lines):
        sample = element(
            "svg", element("path", class_=f"line s{number}", d="M0 6H28", stroke_dasharray=DASHES[number % len(DASHES)] or None),
            viewBox="0 0 28 12", width=28, height=12, aria_hidden="true",
        )  # fmt: skip
        items.append(element("li", sample, item.name, element("small", f"up to {item.peak():,}")))
    if flat:
        items.append(element("li", f"{flat:,} more always 0" if lines else "", class_="quiet"))
    return element("figcaption", element("ul", joined(items), class_="legend"))


def _sum(all_points: Sequence[Sequence[Point]]) -> list[Point]:
    changes: dict[int, int] = {}
    for points in all_points:
        before = 0
        for at, value in points:
            changes[at] = changes.get(at, 0) + value - before
            before = value
    total, found = 0, []
    for at in sorted(changes):
        total += changes[at]
        found.append((at, total))
    return found

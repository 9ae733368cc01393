"""Who ran what when: a row for each child process of Celery's workers, a bar for each run, and how it ended; as an SVG."""

from collections import Counter
from collections.abc import Sequence

from routesim.durations import duration_text
from routesim.report.html.markup import Markup, element
from routesim.report.html.plots import LEFT, WIDTH, Axis
from routesim.report.plot import MEANINGS, UNICODE
from routesim.run.folds.monitoring import TaskRun
from routesim.text import shortened, visible, width

NAMES = 120.0  # pixels for what the rows are called
RIGHT, TOP, LANE, BAR, BOTTOM = 20.0, 8.0, 30.0, 20.0, 44.0
COLUMN = 7.2  # how wide a column of text is at most
MAX_LANES, MAX_RUNS = 40, 2_000
TONES = {"success": "good", "failure": "bad", "lost": "bad", "ignored": "plain", "running": "plain"}


def timeline(runs: Sequence[TaskRun], axis: Axis) -> Markup | None:
    """None where no task ever ran. Bars are painted by how their runs ended; of what did not simply succeed there is a sign."""
    if not runs:
        return None
    lanes = list(dict.fromkeys(sorted((run.worker, run.child) for run in runs)))
    drawn = lanes[:MAX_LANES]
    place = {lane: number for number, lane in enumerate(drawn)}
    shown = [run for run in runs if (run.worker, run.child) in place][:MAX_RUNS]
    height = TOP + LANE * len(drawn) + BOTTOM
    svg = element(
        "svg", *_grid(axis, height), *_names(drawn), *(_bar(run, place[run.worker, run.child], axis) for run in shown),
        _cursor(height), class_="chart lanes", viewBox=f"0 0 {WIDTH:.0f} {height:.0f}", role="img",
        aria_label=f"Runs of tasks in child processes over {axis.title}. {_summary(runs)}", data_axis="time", data_end=axis.end,
        data_left=LEFT + NAMES, data_width=_room(),
    )  # fmt: skip
    left_out = _left_out(len(lanes) - len(drawn), len(runs) - len(shown) if len(lanes) == len(drawn) else 0)
    return element(
        "figure", element("h4", "Runs in child processes"),
        element("div", svg, class_="scrolls", tabindex=0, role="group", aria_label="Runs in child processes, scrolls sideways"),
        element("figcaption", element("ul", *_legend(shown), class_="legend")),
        element("p", left_out, class_="quiet") if left_out else None, class_="plot timeline",
    )  # fmt: skip


def _room() -> float:
    return WIDTH - LEFT - NAMES - RIGHT


def _x(at_ms: int, axis: Axis) -> float:
    return LEFT + NAMES + (_room() * at_ms / axis.end if axis.end else 0)


def _grid(axis: Axis, height: float) -> list[Markup]:
    low = height - BOTTOM
    parts = []
    for tick in axis.ticks:
        x = round(_x(tick, axis), 1)
        parts.append(element("path", class_="grid", d=f"M{x} {TOP:.0f} V{low + 5:.0f}"))
        parts.append(element("text", axis.shown(tick), class_="tick", x=x, y=low + 18, text_anchor="middle"))
    middle = round(LEFT + NAMES + _room() / 2, 1)
    return [*parts, element("text", axis.title, class_="axis", x=middle, y=height - 6, text_anchor="middle")]


def _names(lanes: Sequence[tuple[str, int]]) -> list[Markup]:
    parts = []
    before = None
    for number, (worker, child) in enumerate(lanes):
        y = TOP + LANE * number + LANE / 2 + 4
        room = int((LEFT + NAMES - 70) / COLUMN)
        if worker != before:
            name = element("title", visible(worker)), shortened(visible(worker), room)
            parts.append(element("text", *name, class_="lane", x=2, y=round(y, 1)))
        before = worker
        parts.append(element("text", f"child {child}", class_="tick", x=LEFT + NAMES - 8, y=round(y, 1), text_anchor="end"))
    return parts


def _bar(run: TaskRun, lane: int, axis: Axis) -> Markup:
    begin, end = _x(run.began_ms, axis), _x(axis.end if run.ended_ms is None else run.ended_ms, axis)
    y = TOP + LANE * lane + (LANE - BAR) / 2
    wide = max(end - begin - 1, 3.0)
    tone = TONES.get(run.ends, "notice")
    bar = element("rect", x=round(begin, 1), y=round(y, 1), width=round(wide, 1), height=BAR, rx=3)
    sign = "" if run.ends == "success" else UNICODE.ends[run.ends]
    room = int((wide - 10 - 16 * bool(sign)) / COLUMN)
    label = shortened(visible(run.task), room) if room > 3 else ""
    texts = [element("text", label, x=round(begin + 6, 1), y=round(y + 14, 1))] if width(label) > 1 else []
    if sign:  # beside a bar that has no room for it
        x, anchor = (end - 6, "end") if wide > 22 else (begin + wide + 2, "start")
        texts.append(element("text", sign, class_="end", x=round(x, 1), y=round(y + 14.5, 1), text_anchor=anchor))
    told = f"{run.task}: {run.name} in child {run.child} of {run.worker}, {_when(run)}, {MEANINGS.get(run.ends, run.ends)}"
    return element("g", element("title", told), bar, *texts, class_=f"run-bar {tone}", data_task=visible(run.task))


def _when(run: TaskRun) -> str:
    since = f"from {duration_text(run.began_ms)}"
    return since if run.ended_ms is None else f"{since} to {duration_text(run.ended_ms)}"


def _cursor(height: float) -> Markup:
    return element("path", class_="cursor", d=f"M{LEFT + NAMES:.0f} {TOP - 4:.0f}V{height - BOTTOM:.0f}")


def _summary(runs: Sequence[TaskRun]) -> str:
    counts = Counter(MEANINGS.get(run.ends, run.ends) for run in runs)
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _legend(runs: Sequence[TaskRun]) -> list[Markup]:
    items = []
    for ends, count in Counter(run.ends for run in runs).items():
        sign = element(
            "b", "■" if ends == "success" else UNICODE.ends[ends], class_=TONES.get(ends, "notice"), aria_hidden="true"
        )
        items.append(element("li", sign, MEANINGS.get(ends, ends), element("small", f"{count:,}")))
    return items


def _left_out(lanes: int, runs: int) -> str:
    if lanes:
        return f"{lanes:,} more child processes are left out here; all tasks are in the table below."
    return f"The first {MAX_RUNS:,} runs; {runs:,} more are left out here." if runs else ""

"""The panels of a run's page. A new one is a function from the run to markup, and a row in `PANELS`."""

from collections.abc import Callable

from routesim.broker.ledger import COPIES_IN, COPIES_OUT, PUBLISHES
from routesim.named_tuples import NamedTuple
from routesim.report.html.markup import Markup, element, icon, joined
from routesim.report.html.plots import Axis, Series, event_axis, plot, time_axis
from routesim.report.html.story import Story
from routesim.report.html.tables import table
from routesim.report.html.topology_panel import drawings
from routesim.report.html.trace import trace_list
from routesim.report.html.workers import workers_and_tasks
from routesim.report.summary.summary import section
from routesim.text import visible


class Panel(NamedTuple):
    """`draw` returns None where there is nothing to show; a text is the key of the section of the summary that is shown as it is.
    `kept`: only where everything of the run was remembered. `place` is its class in the page's grid."""

    title: str
    place: str
    draw: Callable[[Story], Markup | None] | str
    kept: bool = True


def topology(story: Story) -> Markup | None:
    if not story.graph.nodes:
        return None
    body = element(
        "div", *drawings(story), class_="drawing", tabindex=0, role="group", aria_label="Topology, scrolls; plus and minus zoom"
    )
    followed = element("div", class_="followed", role="status", hidden=True)
    notes = []
    if story.graph.left_out:
        queues, lone = story.graph.left_out - story.graph.lone, story.graph.lone
        leading = "exchange that leads" if lone == 1 else "exchanges that lead"
        rest = f" and {lone:,} {leading} only there," if lone else ""
        text = f"{queues:,} queues in which no message ever was, and which nobody consumes,{rest} are left out here."
        notes.append(element("p", text, class_="quiet left-out-note"))
    if story.live:
        text = "A real broker tells its clients what they hold, not what waits in its queues: that is known at the end only."
        notes.append(element("p", text, class_="quiet"))
    return joined([_tools(story), *notes, body, followed])


def _tools(story: Story) -> Markup:
    """What changes the drawing: only where there are scripts."""
    switches = []
    if any(item.every and not item.celery for item in story.drawings):
        switches.append(_switch("show-every", "All, each by itself"))
    if any(item.celery for item in story.drawings):
        switches.append(_switch("show-stage", "Celery's own"))
    return element("div", *switches, zooms(), class_="tools live-only", hidden=True)


def zooms() -> Markup:
    """The buttons that enlarge a drawing."""
    buttons = [
        element("button", icon(way), type="button", class_=name, aria_label=text, title=text, aria_pressed=pressed)
        for way, name, text, pressed in _ZOOMS
    ]
    return element("span", *buttons, class_="zooms")


_ZOOMS = (
    ("M3 7h10v2H3z", "zoom-out", "Smaller (-)", None),
    ("M7 3h2v4h4v2H9v4H7V9H3V7h4z", "zoom-in", "Larger (+)", None),
    ("M8 2a6 6 0 1 0 6 6h-2a4 4 0 1 1-4-4v3l5-4-5-4z", "zoom-fit", "As it was (0)", None),
    ("M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z", "enlarge", "The whole window (Esc leaves it)", "false"),
)


def _switch(name: str, text: str) -> Markup:
    return element("label", element("input", type="checkbox", class_=name), " ", text, class_="switch")


def trace(story: Story) -> Markup | None:
    box = element("input", type="search", class_="filter", placeholder="text, message, queue or consumer", autocomplete="off")
    clear = element("button", "clear", type="button", class_="clear", hidden=True)
    found = element("output", class_="matches")
    stage = sum(moment.stage for moment in story.moments)
    switch = _switch("show-stage", f"Celery's own ({stage:,})") if stage else None
    search = element("div", element("label", "Filter ", box), clear, found, switch, class_="search live-only", hidden=True)
    return joined([search, trace_list(story)])


def failures(story: Story) -> Markup | None:
    shown = section(story.result, "failures")
    if not shown.rows:
        return None
    there = element("button", "Show the moment", type="button", class_="to-opening live-only", hidden=True)
    return joined([table(shown), *([there] if story.kept and story.graph.nodes else [])])


def over_time(story: Story) -> Markup | None:
    """How deep the queues were; event by event where the whole run is one instant."""
    ready, unacked, axis = _depth_series(story)
    if not ready:
        return None
    plots = [] if story.live else [plot("Ready messages", "messages", ready, axis)]
    plots.append(plot("Unacked messages (in flight)", "messages", unacked, axis))
    note = element("p", "The whole run is one instant: event by event.", class_="quiet") if axis.kind == "event" else None
    return joined([part for part in (note, element("div", *plots, class_="plots")) if part is not None])


def _depth_series(story: Story) -> tuple[list[Series], list[Series], Axis]:
    if story.result.clock_ms:
        found = [(visible(name), points) for name, points in story.depths.points()]
        ready = [Series(name, [(item.at_ms, item.ready) for item in points]) for name, points in found]
        unacked = [Series(name, [(item.at_ms, item.unacked) for item in points]) for name, points in found]
        return ready, unacked, time_axis(story.result.clock_ms)
    names = [name for name, _ in story.depths.points()]
    columns: tuple[list[Series], list[Series]] = ([], [])
    for name in names:
        changes = [(number, moment.depths[name]) for number, moment in enumerate(story.moments) if name in moment.depths]
        for index, column in enumerate(columns):
            column.append(Series(visible(name), [(0, 0), *((number, depth[index]) for number, depth in changes)]))
    return *columns, event_axis(len(story.moments) - 1)


def ledger(story: Story) -> Markup | None:
    """Both sides of each equation, with their sums."""
    result = story.result
    rows = section(result, "ledger").rows
    if result.real is not None:
        return joined([element("p", row[0].text) for row in rows])
    sentences = [element("p", row[0].text, class_=row[0].tone) for row in rows if "=" not in row[0].text]
    counts = result.counts()
    sides = [_balance("Publishes", counts, ("published",), PUBLISHES)]
    if any(counts[name] for name in COPIES_IN):
        sides.append(_balance("Copies in queues", counts, COPIES_IN, COPIES_OUT))
    return joined([*sides, *sentences])


def _balance(title: str, counts: dict[str, int], left: tuple[str, ...], right: tuple[str, ...]) -> Markup:
    whole, parts = sum(counts[name] for name in left), sum(counts[name] for name in right)
    even = whole == parts

    def side(names: tuple[str, ...], total: int, word: str) -> Markup:
        rows = [_line(name.replace("_", " "), counts[name]) for name in names if counts[name]]
        return element("table", element("tbody", *rows), element("tfoot", _line(word, total)), class_="side")

    sign = element("span", "=" if even else "≠", class_=f"equals {'good' if even else 'bad'}")
    caption = element(
        "h4", title, " ", element("span", "✔ balances" if even else "✘ does not balance", class_="good" if even else "bad")
    )
    return element(
        "div", caption, element("div", side(left, whole, "in"), sign, side(right, parts, "out"), class_="sides"), class_="balance"
    )


def _line(name: str, count: int) -> Markup:
    return element("tr", element("th", name, scope="row"), element("td", f"{count:,}"))


PANELS: tuple[Panel, ...] = (
    Panel("Failures", "wide failures", failures, kept=False),
    Panel("Left undone", "wide", "undone"),
    Panel("Topology", "topology", topology),
    Panel("Trace", "trace-panel", trace),
    Panel("Queues over time", "wide", over_time),
    Panel("Workers and tasks", "wide", workers_and_tasks),
    Panel("Expectations", "half", "expectations", kept=False),
    Panel("Ledger", "half", ledger),
    Panel("Queues at the end", "half", "queues"),
    Panel("Consumers", "half", "consumers"),
    Panel("Errors", "half", "errors", kept=False),
    Panel("Messages", "half", "messages"),
    Panel("Bindings that no message matched", "half", "unmatched-bindings"),
)


def panels(story: Story) -> list[Markup]:
    found = []
    for panel in PANELS:
        body = _body(panel, story) if story.kept or not panel.kept else None
        if body is not None:
            found.append(
                element("section", element("h3", panel.title), body, class_=f"panel {panel.place}", aria_label=panel.title)
            )
    return found


def _body(panel: Panel, story: Story) -> Markup | None:
    if not isinstance(panel.draw, str):
        return panel.draw(story)
    shown = section(story.result, panel.draw)
    return table(shown) if shown.rows else None

"""The trace as a list: one item a moment, in the words of the trace on a terminal."""

from routesim.durations import seconds
from routesim.report.html.markup import Markup, element
from routesim.report.html.moments import Frame
from routesim.report.html.story import Story
from routesim.report.trace.rows import COLUMNS
from routesim.report.trace.trace import DEEPEST
from routesim.scenario import Scenario

PART = 200  # items; a browser lays out only the parts that are seen


def trace_list(story: Story) -> Markup:
    items = []
    last_ms = -1
    end = len(story.moments) - 1
    for number, moment in enumerate(story.moments):
        if number == end and story.left_out:
            items.append(_left_out(story))
        items.append(_item(moment, story.scenario, repeats=moment.at_ms == last_ms))
        last_ms = moment.at_ms
    parts = [element("ol", *items[start : start + PART]) for start in range(0, len(items), PART)]
    long = " long" if len(parts) > 1 else ""
    return element("div", *parts, class_=f"trace{long}", tabindex=0, role="group", aria_label="Trace, one item an event")


def _left_out(story: Story) -> Markup:
    text = f"{story.left_out:,} more events are left out here. Queues, consumers, ledger and plots are of the whole run."
    return element("li", text, class_="left-out")


def _item(moment: Frame, scenario: Scenario, *, repeats: bool) -> Markup:
    time = element("time", seconds(moment.at_ms), class_="again" if repeats else None)
    if moment.row is None:
        if moment.step < 0:
            return element("li", *_apart([time, element("b", moment.text)]), class_="at edge-of-run")
        step = scenario.steps[moment.step]
        where = element("small", f"line {step.line}") if step.line else None
        parts = [time, element("b", f"step {moment.step + 1}"), element("span", moment.text), where]
        return element("li", *_apart(parts), class_="at step")
    row = moment.row
    texts = [element(column.element, text) if text else None for column, text in zip(COLUMNS, row.texts, strict=True)]
    stage = " stage" if moment.stage else ""
    return element("li", *_apart([time, *texts]), class_=f"at {row.tone} d{min(row.depth, DEEPEST)}{stage}")


def _apart(parts: list[Markup | None]) -> list[Markup]:
    """With spaces between them, where a line may be broken."""
    there = [part for part in parts if part is not None]
    return [there[0], *(Markup(f" {part}") for part in there[1:])]

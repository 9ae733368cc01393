"""What `explore` found as a page: the verdict and a map of the states, then the run of each counterexample."""

from collections.abc import Iterator
from typing import IO

from routesim.durations import duration_text
from routesim.explore import BROKEN, UNDECIDED, VACUOUS, Exploration, PropertyVerdict, replayed, retold_scenario
from routesim.report.formats.html import HtmlReport
from routesim.report.html.markup import Markup, element
from routesim.report.html.page import escaped_for, frame, run_of
from routesim.report.html.panels import zooms
from routesim.report.html.state_map import state_map
from routesim.report.html.story import Recorder
from routesim.report.results.explored import Explorations, covered, moments_told, races_told, sum_of, told
from routesim.report.style import OutputStyle
from routesim.text import encoding_of, so_many

SIGNS = {BROKEN: "✘", UNDECIDED: "?", VACUOUS: "-"}
BAR = 280  # the longest bar of the map, in pixels


def write(out: IO[str], found: Explorations, style: OutputStyle) -> None:
    """One page for all of them. That of one scenario opens with its verdict, not with a list."""
    encoding = encoding_of(out)
    articles = [HtmlReport.refused(suite, encoding) for suite in found.refused]
    alone = len(found.found) == 1 and not found.refused
    for number, item in enumerate(found.found, 1):
        shown = [(asked, f"{number}-{place}-{asked.name}") for place, asked in enumerate(item.explored.asked, 1)]
        articles.append(f"{_article(item, shown, opens=alone)}\n")
        articles += [_run(item, asked, slug) for asked, slug in shown if asked.verdict == BROKEN and asked.example is not None]
    before, after = frame(len(articles))
    out.write(before)
    for article in articles:
        out.write(escaped_for(article, encoding))
    out.write(after)


def _run(item: Exploration, asked: PropertyVerdict, slug: str) -> str:
    """The counterexample as `run` repeats it."""
    recorder = Recorder(retold_scenario(item, asked))
    return run_of(recorder.finished(replayed(item, asked, recorder.hear), kept=True), slug)


def _article(item: Exploration, shown: list[tuple[PropertyVerdict, str]], *, opens: bool) -> Markup:
    right = item.as_said and item.explored.complete
    word, tone = ("✔ OK", "good") if right else ("✘ BROKEN", "bad") if not item.as_said else ("NOT COMPLETE", "bad")
    verdict = element("strong", word, class_=f"verdict {tone}")
    head = element(
        "header",
        element("h2", item.name, " ", verdict),
        element("p", f"{sum_of(item)}; {covered(item.explored)}"),
        class_="run-head",
    )
    why = None if right else sum_of(item)
    left = element("ul", *(element("li", text) for text in item.left_out))
    panels = (
        element("section", element("h3", "Properties"), *(_property(item, asked, slug) for asked, slug in shown), class_="panel"),
        *_map(item),
        element("section", element("h3", "Not explored"), left, class_="panel"),
    )
    return element(
        "article", head, element("div", *panels, class_="panels"), class_="run explored", aria_label=item.name,
        data_verdict="ok" if right else "failed", data_file=item.file, data_why=why, data_opens=opens,
    )  # fmt: skip


def _property(item: Exploration, asked: PropertyVerdict, slug: str) -> Markup:
    """Its verdict, and what is to be told of its counterexample."""
    broken = asked.verdict == BROKEN
    foretold = broken and asked.name in item.breaks
    sign = "!" if foretold else SIGNS.get(asked.verdict, "✔")
    note = {UNDECIDED: " (not decided)", VACUOUS: " (vacuous: no state has asked it)"}.get(asked.verdict, "")
    head = element("h4", f"{sign} {asked.name}", class_="notice" if foretold else "bad" if broken else None)
    return element(
        "div",
        head,
        element("p", asked.sentence + note),
        *(each for each in (_told(asked, slug) if broken else ()) if each is not None),
        class_="property",
    )


def _told(asked: PropertyVerdict, slug: str) -> Iterator[Markup | None]:
    watch = () if asked.example is None else (" ", element("a", "See it happen", href=f"#{slug}"))
    yield element("p", told(asked), ".", *watch)
    yield _course(asked)
    if asked.moments is not None:
        yield element("p", moments_told(asked))
    if races_told(asked):
        yield element("p", races_told(asked))
    for cure in asked.cures:
        costs = f"; it costs: {cure.costs}" if cure.costs else ""
        yield element("p", f"Tried, and then it holds: {cure.change}{costs}.")


def _course(asked: PropertyVerdict) -> Markup | None:
    """Each thing that happens in the counterexample, by the numbers of the map."""
    example = asked.example
    if example is None or not example.moves:
        return None
    rows = []
    for at_ms, move, words in zip(example.times, example.moves, example.words, strict=True):
        mark = element("strong", "FAILURE", class_="bad") if move.failure else None
        time = element("span", duration_text(at_ms), class_="quiet")
        rows.append(element("li", time, " ", mark, " " if mark else None, words, class_="failing" if mark else None))
    return element("ol", *rows, class_="course")


def _map(item: Exploration) -> Iterator[Markup]:
    """The states drawn; of courses of events how many there are with so many failures."""
    found = item.explored
    drawn = state_map(found)
    if drawn is not None:
        tools = element("div", zooms(), class_="tools live-only", hidden=True)
        yield element("section", element("h3", "Map of the states"), tools, drawn, class_="panel states")
    elif found.by_depth:
        yield element("section", element("h3", f"{found.counted} by failures"), _counts(item), class_="panel half")


def _counts(item: Exploration) -> Markup:
    most = max((states for states, _ in item.explored.by_depth), default=1)
    rows = [
        element(
            "tr", element("th", str(depth), scope="row"), element("td", f"{states:,}", class_="number"),
            element("td", f"{broken:,}" if broken else "", class_="number"),
            element("td", _bar(states, broken, most), class_="bar"),
        )
        for depth, (states, broken) in enumerate(item.explored.by_depth)
    ]  # fmt: skip
    names = (("failures", None), ("states", "number"), ("broken", "number"), ("", None))
    head = element("tr", *(element("th", name, scope="col", class_=kind) for name, kind in names))
    caption = element("caption", so_many(item.explored.states, item.explored.counted))
    return element("table", caption, element("thead", head), element("tbody", *rows))


def _bar(states: int, broken: int, most: int) -> Markup:
    """As long as there are states, and so far of another colour as they are broken."""
    long, bad = (round(BAR * count / most, 1) for count in (states, broken))
    parts = [element("rect", width=long, height=10, rx=2)]
    parts += [element("rect", width=bad, height=10, rx=2, class_="bad")] if broken else []
    return element("svg", *parts, viewBox=f"0 0 {BAR} 10", preserveAspectRatio="none", aria_hidden="true")

"""What `explore` found as a page: the verdict and a map of the states, then the run of each counterexample."""

from typing import IO

from routesim.explore import BROKEN, Exploration, PropertyVerdict, replayed, retold_scenario
from routesim.report.formats.html import HtmlReport
from routesim.report.html.markup import Markup, element
from routesim.report.html.page import escaped_for, frame, run_of
from routesim.report.html.story import Recorder
from routesim.report.results.explored import Explorations, sum_of, told
from routesim.report.style import OutputStyle
from routesim.text import encoding_of


def write(out: IO[str], found: Explorations, style: OutputStyle) -> None:
    """One page for all of them."""
    encoding = encoding_of(out)
    articles = [HtmlReport.refused(suite, encoding) for suite in found.refused]
    for item in found.found:
        articles.append(f"{_article(item)}\n")
        articles += [_run(item, asked) for asked in item.explored.broken if asked.example is not None]
    before, after = frame(len(articles))
    out.write(before)
    for article in articles:
        out.write(escaped_for(article, encoding))
    out.write(after)


def _run(item: Exploration, asked: PropertyVerdict) -> str:
    """The counterexample as `run` repeats it."""
    recorder = Recorder(retold_scenario(item, asked))
    return run_of(recorder.finished(replayed(item, asked, recorder.hear), kept=True))


def _article(item: Exploration) -> Markup:
    right = item.as_said and item.explored.complete
    word, tone = ("✔ OK", "good") if right else ("✘ BROKEN", "bad") if not item.as_said else ("NOT COMPLETE", "bad")
    verdict = element("strong", word, class_=f"verdict {tone}")
    head = element("header", element("h2", item.name, " ", verdict), element("p", sum_of(item)), class_="run-head")
    why = None if right else sum_of(item)
    left = element("p", f"Not explored: {'; '.join(item.left_out)}.")
    return element(
        "article", head, _properties(item), _map(item), left, class_="run", aria_label=item.name,
        data_verdict="ok" if right else "failed", data_file=item.file, data_why=why,
    )  # fmt: skip


def _properties(item: Exploration) -> Markup:
    rows = []
    for asked in item.explored.asked:
        said = told(asked) if asked.verdict == BROKEN else asked.verdict
        harmless = "" if asked.moments is None else f"{asked.moments[0]:,} of {asked.moments[1]:,}"
        cures = "; ".join(cure.change + (f" (costs: {cure.costs})" if cure.costs else "") for cure in asked.cures)
        cells = (asked.name, asked.sentence, said, harmless, cures)
        rows.append(element("tr", *(element("td", text) for text in cells)))
    names = ("property", "", "verdict", "harmless moments of the same failure", "tried, and then it holds")
    head = element("tr", *(element("th", name, scope="col") for name in names))
    return element("section", element("h3", "Properties"), element("table", element("thead", head), element("tbody", *rows)))


def _map(item: Exploration) -> Markup:
    """How many states there are after so many moves."""
    rows = [
        element(
            "tr",
            element("th", str(depth), scope="row"),
            element("td", f"{states:,}"),
            element("td", f"{broken:,}" if broken else ""),
        )
        for depth, (states, broken) in enumerate(item.explored.by_depth)
    ]
    head = element("tr", *(element("th", name, scope="col") for name in ("moves", "states", "of them broken")))
    caption = element("caption", f"{item.explored.states:,} {item.explored.counted}")
    body = element("table", caption, element("thead", head), element("tbody", *rows))
    return element("section", element("h3", "Map of the states"), body)

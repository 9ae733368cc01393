"""A page to look at and to play: what stands in it is made in `report/html`."""

from collections.abc import Sequence
from typing import IO

from routesim.report.formats.diagnostics import full
from routesim.report.formats.reports import RunReport
from routesim.report.html.markup import Markup, element
from routesim.report.html.page import escaped_for, frame, run_of
from routesim.report.html.story import Recorder
from routesim.report.results import Suite
from routesim.report.style import OutputStyle
from routesim.run import Result
from routesim.scenario import Scenario
from routesim.text import encoding_of


class HtmlReport(RunReport):
    needs_records = shows_refused = True

    def __init__(self, out: IO[str], scenario: Scenario, style: OutputStyle) -> None:
        super().__init__(out, scenario, style)
        self.recorder = Recorder(scenario)
        self.listen = None if style.quiet else self.recorder.hear

    def finish(self, result: Result) -> None:
        story = self.recorder.finished(result, kept=not self.style.quiet)
        self.out.write(escaped_for(run_of(story), encoding_of(self.out)))

    @classmethod
    def frame(cls, count: int) -> tuple[str, str]:
        return frame(count)

    @classmethod
    def renewed_page(cls, articles: Sequence[str]) -> str:
        """The page of several reports, for a server that renews it."""
        before, after = frame(len(articles), renewed=True)
        return "".join((before, *articles, after))

    @classmethod
    def refused(cls, suite: Suite, encoding: str) -> str:
        """An article as of a run, with the diagnostics in place of its panels."""
        verdict = element("strong", "✘ REFUSED", class_="verdict bad")
        problems = [element("pre", *_lines(full(item, colour=False)), tabindex=0) for item in suite.problems()]
        head = element("header", element("h2", suite.name, " ", verdict), class_="run-head")
        why = next((item.message for item in suite.problems()), None)
        body = element(
            "article",
            head,
            *problems,
            class_="run",
            aria_label=suite.name,
            data_verdict="refused",
            data_file=suite.name,
            data_why=why,
        )
        return escaped_for(f"{body}\n", encoding)


def _lines(text: str) -> list[str]:
    """Line breaks are no control characters here."""
    return [part for line in text.rstrip("\n").split("\n") for part in (line, Markup("\n"))]

"""`routesim run --watch --format html`: the page of the scenarios, renewed in the browser at every save."""

from collections.abc import Iterable
from io import StringIO

from routesim.cli.shared.exits import UsageError
from routesim.control.renewed import RenewedPage
from routesim.diagnostics import Diagnostic
from routesim.report.formats.html import HtmlReport
from routesim.report.results.findings import refused
from routesim.report.style import OutputStyle
from routesim.scenario import Scenario


class WatchPages:
    """What each file's part of the page is. Raises `UsageError` where no port is free."""

    def __init__(self) -> None:
        try:
            self.page = RenewedPage()
        except OSError as problem:
            raise UsageError(f"the page cannot be served: {problem.strerror or problem}") from None
        self.parts: dict[str, StringIO] = {}

    def report(self, path: str, scenario: Scenario) -> HtmlReport:
        """What hears a run, and is finished after it."""
        out = self.parts[path] = StringIO()
        return HtmlReport(out, scenario, OutputStyle(colour=True, columns=None, quiet=False))

    def refused(self, path: str, problems: list[Diagnostic]) -> None:
        self.parts[path] = StringIO(HtmlReport.refused(refused(path, problems), "utf-8"))

    def show(self, paths: Iterable[str]) -> None:
        """All have been run: this is the page now."""
        self.page.renew(HtmlReport.renewed_page([self.parts[path].getvalue() for path in paths]))

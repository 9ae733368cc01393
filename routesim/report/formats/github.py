"""Workflow commands of GitHub Actions: an annotation at the line of each failure."""

from collections.abc import Iterable

from routesim.diagnostics import Diagnostic
from routesim.explain.failures import failures
from routesim.report.summary.summary import verdict
from routesim.run import Result
from routesim.text import visible

STDIN = "<stdin>"


def annotations(result: Result) -> list[str]:
    """A line for each failure, and the verdict."""
    lines = []
    for failure in failures(result):
        title = f"{result.scenario.name}: {failure.expected}"
        message = [f"found {failure.found}"] + ([f"because {failure.why}"] if failure.why else [])
        lines.append(_command("error", failure.file, failure.line, 0, title, message))
    # The runner still obeys commands of the old form, ##[…], anywhere in a line.
    return [*lines, verdict(result).text.replace("##[", "#\\x23[")]


def of_diagnostics(problems: Iterable[Diagnostic]) -> list[str]:
    """The same for what is wrong with a scenario itself."""
    lines = []
    for item in problems:
        file, line, column = item.place[:3] if item.place is not None else ("", 0, 0)
        lines.append(_command(item.severity, file, line, column, item.code, [item.message, *([item.cure] if item.cure else [])]))
    return lines


def _command(severity: str, file: str, line: int, column: int, title: str, message: list[str]) -> str:
    properties = {"file": "" if file == STDIN else file, "line": str(line or ""), "col": str(column or ""), "title": title}
    shown = ",".join(f"{name}={_property(visible(value))}" for name, value in properties.items() if value)
    text = "%0A".join(_message(visible(part)) for part in message)
    return f"::{severity} {shown}::{text}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")

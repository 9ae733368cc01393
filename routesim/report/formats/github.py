"""Workflow commands of GitHub Actions: an annotation at the line of each result."""

from routesim.diagnostics import ERROR, NOTE, WARNING, Diagnostic
from routesim.report.formats.reports import SuiteReport
from routesim.report.results import Suite
from routesim.text import fitted, visible

STDIN = "<stdin>"
COMMANDS = {ERROR: "error", WARNING: "warning", NOTE: "notice"}


class GitHub(SuiteReport):
    @classmethod
    def suite(cls, suite: Suite, encoding: str) -> str:
        """A line for each result, and the verdict where there is one."""
        by_line = sorted(suite.problems(), key=lambda item: (item.code == "end", item.place.line if item.place else 0))
        lines = [annotation(item, suite) for item in by_line]
        # The runner still obeys commands of the old form, ##[…], anywhere in a line.
        lines += [suite.verdict.replace("##[", "#\\x23[")] if suite.verdict else []
        return "".join(fitted(line, encoding) + "\n" for line in lines)


def annotation(item: Diagnostic, suite: Suite) -> str:
    if item.expected or item.found or item.why:
        title = f"{suite.name}: {item.message}"
        facts = (("expected ", item.expected), ("found ", item.found), ("because ", item.why))
    else:
        title = item.code
        sentence = item.witness.sentence if item.witness else ""
        facts = (("", item.message), ("", item.cure), ("Witness: ", sentence))
    file, line, column = item.place[:3] if item.place is not None else ("", 0, 0)
    properties = {"file": "" if file == STDIN else file, "line": str(line or ""), "col": str(column or ""), "title": title}
    shown = ",".join(f"{name}={_property(visible(value))}" for name, value in properties.items() if value)
    text = "%0A".join(_message(visible(name + text)) for name, text in facts if text)
    return f"::{COMMANDS[item.severity]} {shown}::{text}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")

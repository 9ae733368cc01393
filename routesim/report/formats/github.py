"""Workflow commands of GitHub Actions: an annotation at the line of each result."""

from collections.abc import Iterator
from typing import Any, TextIO

from routesim.diagnostics import ERROR, NOTE, WARNING, Diagnostic
from routesim.report.formats.reports import SuiteReport
from routesim.report.results import Suite
from routesim.text import fitted, visible

RENAMED = "what lies in the old one stays there, and consumers have to follow"
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


# `diff` -----------------------------------------------------------------------------------------------------------------


def write_difference(out: TextIO, answer: Any, style: Any) -> None:
    """What changes for messages, and what RabbitMQ does not let be changed in place, each at the line where it stands."""
    file = "" if answer.data["new"] == STDIN else answer.data["new"]
    encoding = getattr(out, "encoding", None) or "utf-8"
    for vhost in answer.data["vhosts"]:
        where = f" in vhost '{vhost['vhost']}'" if len(answer.data["vhosts"]) > 1 else ""
        for command, title, text, at in _changes(vhost):
            place = at if at is not None and at["file"] != STDIN and at["line"] else {"file": file, "line": "", "column": ""}
            properties = {
                "file": place["file"], "line": str(place["line"]), "col": str(place["column"] or ""), "title": title + where,
            }  # fmt: skip
            shown = ",".join(f"{name}={_property(visible(value))}" for name, value in properties.items() if value)
            out.write(fitted(f"::{command} {shown}::{_message(visible(text))}", encoding) + "\n")
    out.write(fitted(visible(answer.headline).replace("##[", "#\\x23["), encoding) + "\n")


def _changes(vhost: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    for item in vhost["routing"]:
        lost = sorted(set(item["before"]) - set(item["after"]))
        before, after = ", ".join(item["before"]) or "no queue", ", ".join(item["after"]) or "no queue"
        key = f"key {item['key']}" if item["key"] else "the empty key"
        where = f"exchange '{item['exchange']}'" if item["exchange"] else "the default exchange"
        title = "messages lost" if not item["after"] else "messages reach other queues"
        yield "warning" if lost else "notice", title, f"{where}, {key}: {before} before, {after} now", item["at"]
    for item in vhost["chance"]:
        yield "notice", "messages reach other queues", f"exchange '{item['exchange']}': {item['text']}", item["at"]
    for item in vhost["renamed"]:
        yield "notice", "renamed", f"{item['kind']} '{item['old']}' is now '{item['new']}': {RENAMED}", item["at"]
    for item in vhost["settings"]:
        text = f"{item['kind']} '{item['name']}': {item['setting']} was {_value(item['before'])}, is {_value(item['after'])}"
        yield "notice", "in force", text, item["at"]
    for item in vhost["refused"]:
        yield "warning", "cannot be redeclared in place", f"{item['kind']} '{item['name']}': {item['text']}", item["at"]
    for item in vhost["removed"]:
        yield "warning", "gone", f"{item['kind']} '{item['name']}'", item["at"]
    for item in vhost["added"]:
        yield "notice", "new", f"{item['kind']} '{item['name']}'", item["at"]


def _value(value: Any) -> str:
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

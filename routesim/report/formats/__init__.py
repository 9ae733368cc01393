"""One file a format. `FORMATS` is all there is to know of which there are, and what each can show."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from routesim.report.formats.reports import RunReport

# What can be shown. RUN: a run as it goes on, by a subclass of `RunReport`. All others at once, by a function of the stream,
# what is to be shown and the style: SEEDS a `SeedsReport`, CHECK `Findings`, VERIFY `Verdicts`, EXPLORE
# `Explorations`, ANSWER an `Answer`, MONITOR a `MonitorView`, COMPARE a `Comparison`; GRAPH a `Graph` and to
# which depth; DIFF the `Answer` of `diff`.
RUN, SEEDS, CHECK, VERIFY, ANSWER, GRAPH, MONITOR, COMPARE, EXPLORE, DIFF = (
    "run", "seeds", "check", "verify", "answer", "graph", "monitor", "compare", "explore", "diff"
)  # fmt: skip

# Format -> what it can show -> what writes it: a module of `report`, and a name in it. They are imported when they are used.
FORMATS: dict[str, dict[str, str]] = {
    "table": {
        RUN: "formats.table:TableReport", SEEDS: "answers.sweep:write", CHECK: "formats.table:write_findings",
        VERIFY: "formats.plain:write_verdicts", ANSWER: "answers.explanation:write_table",
        DIFF: "answers.explanation:write_table", MONITOR: "answers.monitor:write_table",
        COMPARE: "answers.tasks_compared:write", EXPLORE: "formats.explored:write",
    },
    "plain": {
        RUN: "formats.plain:PlainReport", SEEDS: "answers.sweep:write", CHECK: "formats.plain:write_findings",
        VERIFY: "formats.plain:write_verdicts", ANSWER: "answers.explanation:write_plain",
        DIFF: "answers.explanation:write_plain", MONITOR: "answers.monitor:write_plain",
        COMPARE: "answers.tasks_compared:write", EXPLORE: "formats.explored:write",
    },
    "tree": {GRAPH: "graphs.tree:write_tree"},
    "mermaid": {GRAPH: "graphs.languages:write_mermaid"},
    "dot": {GRAPH: "graphs.languages:write_dot"},
    "json": {
        RUN: "formats.json:JsonReport", SEEDS: "answers.sweep:write_json", CHECK: "formats.json:write",
        VERIFY: "formats.json:write", ANSWER: "formats.json:write",
        DIFF: "formats.json:write", MONITOR: "answers.monitor_json:write_json",
        COMPARE: "answers.tasks_compared:write_json", GRAPH: "graphs.languages:write_graph_json",
        EXPLORE: "formats.json:write",
    },
    "svg": {ANSWER: "answers.explanation:write_svg", DIFF: "answers.explanation:write_svg", GRAPH: "graphs.svg:write_svg"},
    "ndjson": {RUN: "formats.ndjson:NdjsonReport"},
    "junit": {
        RUN: "formats.junit:JUnit", CHECK: "formats.junit:JUnit.write", VERIFY: "formats.junit:JUnit.write",
        EXPLORE: "formats.junit:JUnit.write",
    },
    "github": {RUN: "formats.github:GitHub", CHECK: "formats.github:GitHub.write", DIFF: "formats.github:write_difference"},
    "tap": {RUN: "formats.tap:Tap"},
    "sarif": {CHECK: "formats.sarif:write"},
    "html": {RUN: "formats.html:HtmlReport", EXPLORE: "html.exploration:write"},
}  # fmt: skip

# The format that a file's ending means, where none is asked for. PICTURES: their files hold nothing else.
ENDINGS = {
    ".html": "html", ".htm": "html", ".svg": "svg", ".mmd": "mermaid", ".json": "json", ".xml": "junit", ".dot": "dot",
    ".ndjson": "ndjson", ".jsonl": "ndjson", ".sarif": "sarif", ".tap": "tap",
}  # fmt: skip
PICTURES = ("html", "svg", "mermaid")
NO_FORMATS = (".png", ".pdf", ".jpg", ".jpeg", ".gif")  # of files that are no text; whoever writes them means a picture


def formats_of(shown: str) -> tuple[str, ...]:
    """The names of the formats that can show it."""
    return tuple(name for name, writers in FORMATS.items() if shown in writers)


def writer_of(format: str, shown: str) -> Any:
    """What writes it in that format, which `formats_of` has named."""
    module, _, names = FORMATS[format][shown].partition(":")
    found: Any = import_module(f"routesim.report.{module}")
    for name in names.split("."):
        found = getattr(found, name)
    return found


def run_report(format: str) -> "type[RunReport]":
    """What reports a run in that format."""
    found: type[RunReport] = writer_of(format, RUN)
    return found

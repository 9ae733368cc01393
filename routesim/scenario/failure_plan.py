"""A plan of failures for a server: a YAML file of its own, by the names of the table of failures."""

from collections.abc import Mapping as AnyMapping
from typing import Any

from routesim.diagnostics import Invalid
from routesim.failure_kinds import BROKER, FAILURES, OPTIONS, OVERFLOWS
from routesim.named_tuples import NamedTuple
from routesim.scenario.format.kinds import Boolean, Choice, Duration, Integer, Kind, Number, Reader, TextKind, Unreadable
from routesim.scenario.format.shapes import Field, Fields, ListOf, Shape
from routesim.scenario.yaml.parsing import parse
from routesim.scenario.yaml.source import read_source


class Planned(NamedTuple):
    """A failure, once `at_ms` or again and again `every_ms`, each time with the probability `chance`; what lasts is over after
    `for_ms`, None: never. `line`: where it stands; the rest is what is ordered."""

    failure: str
    target: str | None
    vhost: str | None
    ends: bool
    options: AnyMapping[str, Any]
    at_ms: int | None
    every_ms: int | None
    chance: float
    for_ms: int | None
    line: int


class FailurePlan(NamedTuple):
    file: str
    seed: int
    failures: tuple[Planned, ...]


KINDS: dict[str, Kind] = {
    "after": Integer(1), "at_ack": Integer(1), "code": Integer(200, 599), "text": TextKind(), "by": Duration(),
    "overflow": Choice(*OVERFLOWS),
}  # fmt: skip
PLANNED = Shape("a planned failure", {
    "fail": Field(Choice(*FAILURES), "the failure", required=True),
    "target": Field(TextKind(), "the connection, channel, consumer or queue that it befalls; '*' is all of them"),
    "vhost": Field(TextKind(), "where; default: anywhere"),
    "at": Field(Duration(), "when, from the start of the server"),
    "every": Field(Duration(), "again and again"),
    "chance": Field(Number(0, 1), "how probable it is each time, from 0 to 1; default: certain"),
    "for": Field(Duration(), "of what lasts: so long"),
    "ends": Field(Boolean(), "what lasts is over"),
    **{name: Field(KINDS[name], about) for name, about in OPTIONS.items()},
}, page="serve#time-failures-and-snapshots-from-any-language")  # fmt: skip
PLAN = Shape("a plan of failures", {
    "seed": Field(Integer(), "what `chance` draws from; default 0"),
    "failures": Field(ListOf(PLANNED), "the failures", required=True),
}, page="serve#time-failures-and-snapshots-from-any-language")  # fmt: skip


def load_plan(path: str, stdin: bytes | None = None) -> FailurePlan:
    """The plan in a file (`-`: in `stdin`). Raises `Invalid` with every error."""
    source = read_source(path, stdin)
    node = parse(source)
    if node is None:
        raise source.fail("empty-file", "there is nothing in this file", 1, 1, cure="a plan has `failures:`, a list")
    reader = Reader(source)
    try:
        fields = PLAN.read(reader, node)
    except Unreadable:
        fields = Fields()
    planned = [_planned(reader, each) for each in fields.get("failures", []) if "fail" in each]
    if reader.failed:
        raise Invalid(reader.diagnostics)
    return FailurePlan(source.file, int(fields.get("seed", 0)), tuple(planned))


def _planned(reader: Reader, fields: Fields) -> Planned:
    name, node = str(fields["fail"]), fields.node
    failure = FAILURES[name]
    if ("at" in node) == ("every" in node):
        reader.error("missing-key", f"{name} needs either at or every", node, "at: 5s, once; every: 10s, again and again")
    if fields.get("every") == 0:
        reader.error("wrong-value", "every: 0 would never end", node)
    if failure.befalls == BROKER and "target" in fields:
        reader.error("wrong-value", f"{name} befalls the broker, and takes no target", node)
    if failure.befalls != BROKER and "target" not in fields:
        reader.error("missing-key", f"{name} befalls a {failure.befalls}", node, "target: its name, or '*' for all of them")
    if not failure.lasts and ("for" in fields or "ends" in fields):
        reader.error("wrong-value", f"{name} does not last", node, "leave out for and ends")
    if "by" in failure.options and "by" not in fields and not fields.get("ends"):
        reader.error("missing-key", f"{name} needs 'by'", node, "how late, such as 200ms")
    for option in OPTIONS:
        if option in fields and option not in failure.options:
            reader.error("unknown-key", f"{name} takes no '{option}'", node, f"it takes {', '.join(failure.options) or 'none'}")
    options = {option: _plain(fields[option]) for option in failure.options if option in fields}
    return Planned(
        name, _text(fields, "target"), _text(fields, "vhost"), fields.get("ends", False), options, fields.get("at"),
        fields.get("every"), float(fields.get("chance", 1)), fields.get("for"), node.line,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _text(fields: Fields, name: str) -> str | None:
    return str(fields[name]) if name in fields else None

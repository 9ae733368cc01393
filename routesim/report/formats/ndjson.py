"""Events as lines of JSON, written as they come: how each kind is written is worked out once, from its fields."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from json.encoder import encode_basestring_ascii as quoted
from typing import IO, Any

from routesim.events import EVENTS, Alternate, Path
from routesim.model import Binding
from routesim.report.formats.reports import RunReport
from routesim.report.results import Suite
from routesim.report.results.findings import finding_object
from routesim.report.style import OutputStyle
from routesim.report.trace.filtering import RowFilter
from routesim.run import Result
from routesim.run.batches import (
    Batch,
    BatchListener,
    BatchRows,
    Columns,
    Placeholder,
    Prepared,
    hole,
    line_function,
    prepared,
)
from routesim.run.rounds_text import rounds_of_text
from routesim.scenario import Scenario
from routesim.values import plain

REMEMBERED_PATHS = 4096
_PATHS: dict[int, tuple[Path, str]] = {}


class NdjsonReport(RunReport):
    """A line for each event, or for each reason why a file cannot be used."""

    shows_refused = True

    def __init__(self, out: IO[str], scenario: Scenario, style: OutputStyle) -> None:
        super().__init__(out, scenario, style)
        self.listen = None if style.quiet else Lines(out.write) if style.rows is None else self._chosen(style.rows)

    def finish(self, result: Result) -> None:
        """Everything has been written."""

    def _chosen(self, rows: RowFilter) -> Callable[[Any], None]:
        """The numbers of the lines are those that they would have among all."""
        lines = Lines(self.out.write)

        def listen(event: Any) -> None:
            if rows.shows(event):
                lines(event)
            else:
                lines.seq += 1

        return listen

    @classmethod
    def refused(cls, suite: Suite, encoding: str) -> str:
        lines = [{"event": "refused_file", **finding_object(case)} for case in suite.cases if case.problem is not None]
        return "".join(json.dumps(line) + "\n" for line in lines)


class Lines(BatchListener):
    """Events to lines of JSON, numbered from 1, each handed to `write` as it comes."""

    def __init__(self, write: Callable[[str], object], end: str = "\n") -> None:
        self.write = write
        self.end = end
        self.seq = 0

    def __call__(self, event: Any) -> None:
        self.seq = seq = self.seq + 1
        self.write(_line_of(type(event))(seq, event) + self.end)  # type: ignore[arg-type]

    def prepare(self, batch: Sequence[Any]) -> Prepared:
        text = "".join(_prepared_line(event, index, self.end) for index, event in enumerate(batch, 1))
        return prepared(self, self.write, text, Batch(batch))

    def emit_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        for text in rounds_of_text(self.seq, times, parts, quoted):
            self.write(text)
        self.seq += times * sum(len(rows.numbers) for rows, _ in parts)


@cache
def _line_of(kind: type) -> Callable[[int, Any], str]:
    """A function that writes the events of one class."""
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    values = [hole(_EXPRESSIONS[kind.__annotations__[field]].format(field)) for field in fields]
    return line_function(", ".join(fields), _line(kind, hole("seq"), values), _SCOPE)


def _prepared_line(event: Any, index: int, end: str) -> str:
    kind = type(event)
    annotations = kind.__annotations__
    values = [
        hole(value.variable) if isinstance(value, Placeholder) else _writer(annotations[field])(value)
        for field, value in zip(kind._fields, event, strict=True)
    ]
    return _line(kind, hole(f"seq + {index}"), values) + end


@cache
def _writer(annotation: Any) -> Callable[[Any], str]:
    """A function that writes a value of that annotation."""
    function: Callable[[Any], str] = eval(f"lambda value: str({_EXPRESSIONS[annotation].format('value')})", _SCOPE)
    return function


def _line(kind: type, seq: str, values: Sequence[str]) -> str:
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
    rest = "".join(f', "{field}": {value}' for field, value in zip(fields[1:], values[1:], strict=True))
    return f'{{"seq": {seq}, "at_ms": {values[0]}, "event": "{EVENTS[kind]}"{rest}}}'


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _flag(value: bool | None) -> str:
    return "null" if value is None else "true" if value else "false"


def _path(path: Path) -> str:
    known = _PATHS.get(id(path))  # a remembered route has the same path each time
    if known is None or known[0] is not path:
        if len(_PATHS) >= REMEMBERED_PATHS:
            _PATHS.clear()
        known = _PATHS[id(path)] = (path, f"[{', '.join(_hop(hop) for hop in path)}]")
    return known[1]


def _hop(hop: Binding | Alternate) -> str:
    if isinstance(hop, Alternate):
        return f'{{"source": {quoted(hop.source)}, "alternate_exchange": {quoted(hop.destination)}}}'
    return _binding(hop)


def _binding(binding: Binding) -> str:
    text = (
        f'{{"source": {quoted(binding.source)}, "destination": {quoted(binding.destination)}, '
        f'"destination_type": "{binding.destination_type}", "routing_key": {quoted(binding.routing_key)}'
    )
    if binding.arguments:
        text += f', "arguments": {json.dumps(plain(binding.arguments))}'
    return text + "}"


def _texts(values: tuple[str, ...]) -> str:
    return f"[{', '.join(quoted(value) for value in values)}]"


_SCOPE: dict[str, Any] = {
    function.__name__: function for function in (_text, _number, _flag, _path, _binding, _texts)
} | {"_quoted": quoted}  # fmt: skip
# How a field of that annotation is written.
_EXPRESSIONS: dict[Any, str] = {
    str: "_quoted({})", str | None: "_text({})", int: "{}", int | None: "_number({})", bool: "_flag({})",
    bool | None: "_flag({})", Path: "_path({})", Binding: "_binding({})", tuple[str, ...]: "_texts({})",
}  # fmt: skip

"""Events that come again and again, alike but for a few values: what a listener may be prepared for.

`run/express` prepares batches, a format (`report/formats/ndjson`) writes one by a function that is made for it, and many that
come one after the other, over and over, as one text. Who wants events as they are has them made of a `Batch`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, overload

from routesim.named_tuples import NamedTuple


class Placeholder(NamedTuple):
    """Stands in an event for what differs from batch to batch: the n-th copy, the n-th delivery tag."""

    name: str
    number: int | None = None

    @property
    def variable(self) -> str:
        return self.name if self.number is None else f"{self.name}{self.number}"


TEXTS = frozenset({"message", "next_message"})  # the others are numbers
AT: Any = Placeholder("at_ms")
MESSAGE: Any = Placeholder("message")
NEXT_MESSAGE: Any = Placeholder("next_message")
NEXT_COPY: Any = Placeholder("next_copy")
NEXT_TAG: Any = Placeholder("next_tag")
# (at_ms, message, number of its first copy, delivery tag of each copy ..., then the same of a second message)
Emit = Callable[..., None]


class Numbered(Sequence[str]):
    """Texts that begin alike and end with numbers at equal steps: the ids of a step's messages."""

    __slots__ = ("numbers", "prefix")

    def __init__(self, prefix: str, numbers: range) -> None:
        self.prefix = prefix
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[str]:
        return map(f"{self.prefix.replace('{', '{{').replace('}', '}}')}{{}}".format, self.numbers)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> "Numbered": ...
    def __getitem__(self, at: int | slice) -> "str | Numbered":
        if isinstance(at, slice):
            return Numbered(self.prefix, self.numbers[at])
        return f"{self.prefix}{self.numbers[at]}"


# Of each placeholder's variable, its values in batch after batch; a number alone stands for the same in every batch. What grows
# by the same step each time is best a range, or `Numbered`.
Columns = Mapping[str, Sequence[Any] | int]


class Batch:
    """Events with placeholders. `names`: the variables of these, of the copies but the first, in the order in which `Emit` takes
    their values."""

    def __init__(self, events: Sequence[Any], names: tuple[str, ...] | None = None) -> None:
        self.events = tuple(events)
        self.names = self._variables() if names is None else names
        self._fill: Callable[..., tuple[Any, ...]] | None = None
        self._of: dict[frozenset[type], Batch] = {}

    def _variables(self) -> tuple[str, ...]:
        found = {value for event in self.events for value in event if isinstance(value, Placeholder)}
        tags = [tag(number) for number in range(sum(item.name == "tag" for item in found))]
        second = [item for item in (NEXT_MESSAGE, NEXT_COPY, NEXT_TAG) if item in found]
        return tuple(item.variable for item in (AT, MESSAGE, copy(0), *tags, *second))

    def of(self, kinds: frozenset[type]) -> "Batch":
        """Its events of these classes, made of the same values."""
        if kinds not in self._of:
            self._of[kinds] = Batch([event for event in self.events if type(event) in kinds], self.names)
        return self._of[kinds]

    def fill(self, *values: Any) -> tuple[Any, ...]:
        """Its events with these values of `names`."""
        fill = self._fill
        if fill is None:
            fill = self._fill = self._filler()
        return fill(*values)

    def _filler(self) -> Callable[..., tuple[Any, ...]]:
        scope: dict[str, Any] = {"make": tuple.__new__}
        made_of = []
        for event in self.events:
            kind = f"value{len(scope)}"
            scope[kind] = type(event)
            parts = []
            for value in event:
                if isinstance(value, Placeholder):
                    parts.append(f"copy0 + {value.number}" if value.name == "copy" and value.number else value.variable)
                else:
                    parts.append(name := f"value{len(scope)}")
                    scope[name] = value
            made_of.append(f"make({kind}, ({', '.join(parts)},)), ")
        return made(f"def fill({', '.join(self.names)}):\n    return ({''.join(made_of)})", "fill", scope)


class BatchRows(NamedTuple):
    """A batch as a text cut where its values go: `pieces` has "" there, `holes` which variable's value that is, and `numbers`
    the places of its `lines`' numbers."""

    pieces: tuple[str, ...]
    holes: tuple[tuple[int, str], ...]
    numbers: tuple[int, ...]
    batch: Batch


class Prepared(NamedTuple):
    """A batch that can be emitted by itself, or with others (`BatchListener.emit_rounds`)."""

    emit: Emit
    rows: BatchRows


def copy(number: int) -> Any:
    return Placeholder("copy", number)


def tag(number: int) -> Any:
    return Placeholder("tag", number)


def _silent(*values: Any) -> None:
    pass


SILENT = Prepared(_silent, BatchRows((), (), (), Batch(())))  # nobody listens


class BatchListener:
    """A listener that can be prepared for batches. `few`: less than so many that come one after the other are emitted one by one:
    to lay out a text for them takes longer."""

    few = 64

    def __call__(self, event: Any) -> None:
        raise NotImplementedError

    def prepare(self, batch: Sequence[Any]) -> Prepared:
        """The `emit` takes the values of the placeholders, just as if the listener were called with one event after the other."""
        raise NotImplementedError

    def emit_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        """Of so many rounds each consists of these batches, one after the other; the columns have a value for each round."""
        raise NotImplementedError


def in_turn(columns: Sequence[Iterable[Any]]) -> Iterable[Any]:
    """One of each, round after round."""
    return columns[0] if len(columns) == 1 else chain.from_iterable(zip(*columns, strict=True))


def values_of(columns: Columns, name: str, times: int) -> Sequence[Any]:
    """Of a placeholder's variable, its value in each of so many batches."""
    column = columns[name]
    return [column] * times if isinstance(column, int) else column


def rounds_from(
    begin: int, parts: Sequence[tuple[BatchRows, Columns]], end: int | None = None
) -> list[tuple[BatchRows, Columns]]:
    """Those of `emit_rounds` from one on, up to another."""

    def some(columns: Columns) -> Columns:
        return {name: column if isinstance(column, int) else column[begin:end] for name, column in columns.items()}

    return [(rows, some(columns)) for rows, columns in parts]


def replayed(times: int, parts: Sequence[tuple[BatchRows, Columns]], kinds: frozenset[type] | None = None) -> Iterator[Any]:
    """The events of `emit_rounds` one after the other; `kinds`: those of these classes."""
    batches = [rows.batch if kinds is None else rows.batch.of(kinds) for rows, _ in parts]
    found = [
        (batch, zip(*(values_of(columns, name, times) for name in batch.names), strict=True))
        for batch, (_, columns) in zip(batches, parts, strict=True)
        if batch.events
    ]
    for _ in range(times if found else 0):
        for batch, values in found:
            yield from batch.fill(*next(values))


# Functions made for a batch -------------------------------------------------------------------------------------------

OPEN, CLOSE = "\0", "\1"  # stand around what an f-string is to evaluate


def hole(expression: str) -> str:
    return f"{OPEN}{expression}{CLOSE}"


def made(source: str, name: str, scope: Mapping[str, Any]) -> Callable[..., Any]:
    """The function of that name, which the source defines."""
    names = dict(scope)
    exec(source, names)
    function: Callable[..., Any] = names[name]
    return function


def line_function(parameters: str, text: str, scope: Mapping[str, Any]) -> Callable[..., str]:
    """`text`, its holes filled, as a function of (seq, event)."""
    text = text.replace("{", "{{").replace("}", "}}").replace(OPEN, "{").replace(CLOSE, "}")
    return made(f"def line(seq, event):\n    {parameters}, = event\n    return f{text!r}", "line", scope)


def prepared(lines: Any, write: Callable[[str], object], text: str, batch: Batch) -> Prepared:
    """Of a batch as lines of text, with holes for the placeholders' variables and for `seq`, which `lines` counts."""
    first, *rest = text.split(OPEN)
    expressions, constants = zip(*(part.split(CLOSE, 1) for part in rest), strict=True)
    pieces = [first]
    for constant in constants:
        pieces += ["", constant]
    holes = [(1 + 2 * index, name) for index, name in enumerate(expressions)]
    rows = BatchRows(
        tuple(pieces), tuple(item for item in holes if not item[1].startswith("seq")),
        tuple(place for place, name in holes if name.startswith("seq")), batch,
    )  # fmt: skip
    return Prepared(_maker(expressions, len(batch.events))(lines, write, first, *constants), rows)


@cache
def _maker(expressions: tuple[str, ...], count: int) -> Callable[..., Any]:
    """Makes functions that write lines with these expressions between any constant parts."""
    from json.encoder import encode_basestring_ascii as quoted  # not every run writes events

    copies = sorted({name for name in expressions if name.startswith("copy")})
    tags = sorted({name for name in expressions if name.startswith("tag")}, key=lambda name: int(name[3:]))
    second = "next_message" in expressions
    parts = [f"part{index}" for index in range(len(expressions) + 1)]
    text = "{part0}" + "".join(f"{{{name}}}{{{part}}}" for name, part in zip(expressions, parts[1:], strict=True))
    source = f"""
def make(lines, write, {", ".join(parts)}):
    def emit(at_ms, message, copy{"".join(f", {name}" for name in tags)}{", next_message, next_copy, next_tag" * second}):
        seq = lines.seq
        lines.seq = seq + {count}
        at_ms, message = str(at_ms), quoted(message)
        {"next_message = quoted(next_message)" if second else ""}
        {"; ".join(f"{name} = str(copy + {name[4:]})" for name in copies)}
        {"; ".join(f"{name} = str({name})" for name in tags)}
        write(f"{text}")
    return emit
"""
    return made(source, "make", {"quoted": quoted})

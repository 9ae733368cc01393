"""Events that come again and again, alike but for a few values: what a listener may be prepared for.

`run/express` prepares batches, a format (`report/formats/ndjson`) writes one by a function that is made for it, and many that
come one after the other, over and over, as one text.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

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


# Of each placeholder's variable, its values in batch after batch.
Columns = Mapping[str, Sequence[Any]]


class BatchRows(NamedTuple):
    """A batch as a text cut where its values go: `pieces` has "" there, `holes` which variable's value that is, and `numbers`
    the places of its `lines`' numbers."""

    pieces: tuple[str, ...]
    holes: tuple[tuple[int, str], ...]
    numbers: tuple[int, ...]


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


SILENT = Prepared(_silent, BatchRows((), (), ()))  # nobody listens


class BatchListener:
    """A listener that can be prepared for batches."""

    def __call__(self, event: Any) -> None:
        raise NotImplementedError

    def prepare(self, batch: Sequence[Any]) -> Prepared:
        """The `emit` takes the values of the placeholders, just as if the listener were called with one event after the other."""
        raise NotImplementedError

    def emit_rounds(self, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> None:
        """Of so many rounds each consists of these batches, one after the other; the columns have a value for each round."""
        raise NotImplementedError


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


def prepared(lines: Any, write: Callable[[str], object], text: str, count: int) -> Prepared:
    """Of so many lines of text, with holes for the placeholders' variables and for `seq`, which `lines` counts."""
    first, *rest = text.split(OPEN)
    expressions, constants = zip(*(part.split(CLOSE, 1) for part in rest), strict=True)
    pieces = [first]
    for constant in constants:
        pieces += ["", constant]
    holes = [(1 + 2 * index, name) for index, name in enumerate(expressions)]
    rows = BatchRows(
        tuple(pieces), tuple(item for item in holes if not item[1].startswith("seq")),
        tuple(place for place, name in holes if name.startswith("seq")),
    )  # fmt: skip
    return Prepared(_maker(expressions, count)(lines, write, first, *constants), rows)


def rounds_of_text(seq: int, times: int, parts: Sequence[tuple[BatchRows, Columns]]) -> str:
    """The text of `emit_rounds`, the first line of which has the number `seq` + 1.

    A column goes into the list of all pieces as one slice, and all its numbers are turned into text by one call: that takes
    little more than half the instructions of filling in one round after the other.
    """
    from json.encoder import encode_basestring_ascii as quoted  # not every run writes events

    width, count = sum(len(rows.pieces) for rows, _ in parts), sum(len(rows.numbers) for rows, _ in parts)
    pieces: list[str] = [piece for rows, _ in parts for piece in rows.pieces] * times
    numbers = list(map(str, range(seq + 1, seq + 1 + count * times)))
    begin = line = 0
    shown: dict[int, list[str]] = {}  # by the identity of a column
    for rows, columns in parts:
        for place in rows.numbers:
            pieces[begin + place :: width] = numbers[line::count]
            line += 1
        for place, name in rows.holes:
            column = columns[name]
            texts = shown.get(id(column))
            if texts is None:
                texts = shown[id(column)] = list(map(quoted if name in TEXTS else str, column))
            pieces[begin + place :: width] = texts
        begin += len(rows.pieces)
    return "".join(pieces)


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

"""Events that come again and again, alike but for a few values: what a listener may be prepared for.

`run/express` prepares batches, a format (`report/formats/ndjson`) writes each of them by a function that is made for it.
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


AT: Any = Placeholder("at_ms")
MESSAGE: Any = Placeholder("message")
NEXT_MESSAGE: Any = Placeholder("next_message")
NEXT_COPY: Any = Placeholder("next_copy")
NEXT_TAG: Any = Placeholder("next_tag")
# (at_ms, message, number of its first copy, delivery tag of each copy ..., then the same of a second message)
Emit = Callable[..., None]


def copy(number: int) -> Any:
    return Placeholder("copy", number)


def tag(number: int) -> Any:
    return Placeholder("tag", number)


def silent(*values: Any) -> None:
    """Nobody listens."""


class BatchListener:
    """A listener that can be prepared for batches."""

    def __call__(self, event: Any) -> None:
        raise NotImplementedError

    def prepare(self, batch: Sequence[Any]) -> Emit:
        """A function that takes the values of the placeholders, just as if the listener were called with one event after the
        other."""
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


def emitter(lines: Any, write: Callable[[str], object], text: str, count: int) -> Emit:
    """A function that writes the batch: one formatted text, one write. `text` has holes for the placeholders' variables and
    for `seq`, which `lines` counts."""
    first, *rest = text.split(OPEN)
    expressions, constants = zip(*(part.split(CLOSE, 1) for part in rest), strict=True)
    emit: Emit = _maker(expressions, count)(lines, write, first, *constants)
    return emit


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

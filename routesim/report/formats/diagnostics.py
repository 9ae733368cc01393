"""One result as text: the place, the line with a caret under it, the cure and the witness; or all in one line."""

from typing import IO

from routesim.diagnostics import ERROR, Diagnostic, Place
from routesim.text import cut, encoding_of, fitted, so_many, visible, width, wrapped

COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "note": "\x1b[1;36m"}
BOLD, RESET = "\x1b[1m", "\x1b[0m"
WIDEST_LINE = 200
LONGEST_TEXT = 1_000
CONTEXT = 60  # of an over-long line, how much is shown before the place


def write(out: IO[str], diagnostics: list[Diagnostic], *, colour: bool, plain: bool = False, columns: int | None = None) -> None:
    """`columns`: of the terminal that it is for; None: as wide as it gets."""
    encoding = encoding_of(out)
    for item in diagnostics:
        text = one_line(item) if plain else full(item, colour=colour, encoding=encoding, columns=columns)
        out.write(fitted(text, encoding) + "\n")
    errors = sum(item.severity == ERROR for item in diagnostics)
    if errors and not plain:
        out.write(f"{so_many(errors, 'errors')}.\n")


def _clipped(text: str) -> str:
    """A message or a cure, at a bearable length: names in it may be of any."""
    return cut(visible(text), LONGEST_TEXT)


def one_line(item: Diagnostic) -> str:
    """`file:line:column: error[code] message; cure; witness: …`."""
    parts = [f"{item.severity}[{item.code}] {_clipped(item.message)}"]
    parts += [_clipped(item.cure)] if item.cure else []
    parts += [f"witness: {visible(item.witness.sentence)}"] if item.witness is not None else []
    where = _where(item)
    return f"{where}: {'; '.join(parts)}" if where else "; ".join(parts)


def failure_lines(item: Diagnostic) -> list[str]:
    """A comparison that failed: where, and what was expected; indented, what was found and why."""
    where = _where(item)
    facts = [("expected", item.expected), ("found", item.found), ("because", item.why), ("help", item.cure)]
    shown = [(name, text) for name, text in facts if text]
    columns = max([len("because"), *(len(name) for name, _ in shown)]) + 2
    head = f"{where}: {visible(item.message)}" if where else visible(item.message)
    return [head, *(f"  {name:<{columns}}{visible(text)}" for name, text in shown)]


def _where(item: Diagnostic) -> str:
    """`file:line:column`, as much of it as is known."""
    if item.place is None:
        return ""
    known = [str(number) for number in (item.place.line, item.place.column) if number] if item.place.line else []
    return ":".join([visible(item.place.file), *known])


def full(item: Diagnostic, *, colour: bool, encoding: str = "utf-8", columns: int | None = None) -> str:
    """Several lines, wrapped within the columns of a terminal. The caret stands right also where the encoding makes a line
    longer."""
    mark = COLOURS[item.severity] if colour else ""
    bold, reset = (BOLD, RESET) if colour else ("", "")
    head = f"{item.severity}[{item.code}]"
    first, *more = _within(f"{head}: {_clipped(item.message)}", 0, columns)
    lines = [f"{mark}{head}{reset}{bold}{first.removeprefix(head)}{reset}", *(f"{bold}{line}{reset}" for line in more)]
    place = item.place
    gutter = " " * (len(str(place.line)) + 1) if place else " "
    if place is not None:
        lines.append(f"{gutter}--> {_where(item)}")
        if item.source.strip() and place.line:
            source, column = _around(item.source, place, columns - len(gutter) - 3 if columns is not None else WIDEST_LINE)
            before = fitted(visible(source[: column - 1].replace("\t", " ")), encoding)
            shown = before + visible(source[column - 1 :].replace("\t", " "))
            marked = fitted(visible(source[column - 1 : column - 1 + place.width]), encoding)
            lines += [
                f"{gutter}|",
                f"{place.line} | {shown.rstrip()}",
                f"{gutter}| {' ' * width(before)}{mark}{'^' * max(1, width(marked))}{reset}",
            ]
    if item.cure:
        lines += _within(f"{gutter}= help: {_clipped(item.cure)}", len(gutter) + 2, columns)
    if item.witness is not None:
        lines += _within(f"{gutter}= witness: {visible(item.witness.sentence)}", len(gutter) + 2, columns)
    return "\n".join(lines) + "\n"


def _within(text: str, indent: int, columns: int | None) -> list[str]:
    """The text in lines of so many columns, the second and all others indented a little further than `indent`."""
    if columns is None or width(text) < columns:
        return [text]
    lead = len(text) - len(text.lstrip())
    first, *rest = wrapped(text.lstrip(), columns - 1 - max(lead, indent + 2))
    return [" " * lead + first, *(" " * (indent + 2) + line for line in rest)]


def _around(source: str, place: Place, widest: int) -> tuple[str, int]:
    """A line of bearable length around the place, and the place's column in it."""
    source, widest = source.rstrip(), max(widest, 20)
    if width(source) <= widest:
        return source, place.column
    start = max(0, min(place.column - 1 - min(CONTEXT, widest // 3), len(source) - widest))
    return source[start : start + widest], place.column - start

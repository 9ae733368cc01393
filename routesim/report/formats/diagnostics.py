"""Diagnostics as text: the place, the line with a caret under it, and the cure; or one line each."""

from typing import IO

from routesim.diagnostics import Diagnostic
from routesim.text import cut, encoding_of, fitted, visible, width

COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "note": "\x1b[1;36m"}
BOLD, RESET = "\x1b[1m", "\x1b[0m"
WIDEST_LINE = 200
LONGEST_TEXT = 1_000
CONTEXT = 60  # of an over-long line, how much is shown before the place


def write(out: IO[str], diagnostics: list[Diagnostic], *, colour: bool, plain: bool = False) -> None:
    encoding = encoding_of(out)
    for item in diagnostics:
        text = one_line(item) if plain else full(item, colour=colour, encoding=encoding)
        out.write(fitted(text, encoding) + "\n")
    errors = sum(item.severity == "error" for item in diagnostics)
    if errors and not plain:
        out.write(f"{errors} error{'s' if errors > 1 else ''}.\n")


def _said(text: str) -> str:
    """A message or a cure, at a bearable length: names in it may be of any."""
    return cut(visible(text), LONGEST_TEXT)


def one_line(item: Diagnostic) -> str:
    """`file:line:column: error[code] message; cure`."""
    cure = f"; {_said(item.cure)}" if item.cure else ""
    where = _where(item)
    return f"{where + ': ' if where else ''}{item.severity}[{item.code}] {_said(item.message)}{cure}"


def _where(item: Diagnostic) -> str:
    """`file:line:column`, as much of it as is known."""
    if item.place is None:
        return ""
    file = visible(item.place.file)
    return f"{file}:{item.place.line}:{item.place.column}" if item.place.line else file


def full(item: Diagnostic, *, colour: bool, encoding: str = "utf-8") -> str:
    """Several lines. The caret stands right also where the encoding makes a line longer."""
    mark = COLOURS[item.severity] if colour else ""
    bold, reset = (BOLD, RESET) if colour else ("", "")
    lines = [f"{mark}{item.severity}[{item.code}]{reset}{bold}: {_said(item.message)}{reset}"]
    place = item.place
    gutter = " " * (len(str(place.line)) + 1) if place else " "
    if place is not None:
        lines.append(f"{gutter}--> {_where(item)}")
        if item.source.strip() and place.line:
            source, column = _clipped(item.source, place.column)
            before = fitted(visible(source[: column - 1].replace("\t", " ")), encoding)
            shown = before + visible(source[column - 1 :].replace("\t", " "))
            marked = fitted(visible(source[column - 1 : column - 1 + place.width]), encoding)
            lines += [
                f"{gutter}|",
                f"{place.line} | {shown.rstrip()}",
                f"{gutter}| {' ' * width(before)}{mark}{'^' * max(1, width(marked))}{reset}",
            ]
    if item.cure:
        lines.append(f"{gutter}= help: {_said(item.cure)}")
    return "\n".join(lines) + "\n"


def _clipped(source: str, column: int) -> tuple[str, int]:
    """A line of bearable length around the column, and the column in it."""
    if len(source) <= WIDEST_LINE:
        return source, column
    start = max(0, column - 1 - CONTEXT)
    return source[start : start + WIDEST_LINE], column - start

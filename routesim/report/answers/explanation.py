"""Answers of `explain` and other questions, for people: as tables, as plain text, as a picture."""

from typing import IO, Any

from routesim.explain.answer import Answer
from routesim.report.formats.plain import section_lines
from routesim.report.style import OutputStyle
from routesim.tables import Section
from routesim.text import encoding_of, fitted, visible, wrapped

COLUMNS = 80  # where nobody says how many
PICTURED = 110  # of a picture at most, for a terminal is no measure of where it will hang


def write_table(out: IO[str], answer: Answer, style: OutputStyle) -> None:
    """For a terminal: nothing wider than it, nothing lost."""
    from routesim.report.rich_tables import console

    columns = style.columns or COLUMNS
    _draw(console(out, colour=style.colour, columns=columns), answer, columns, encoding_of(out))


def write_svg(out: IO[str], answer: Answer, style: OutputStyle) -> None:
    """A picture of the table, for documents; it refers to nothing outside itself."""
    from routesim.report.pictures import recording, svg_of

    columns = PICTURED
    screen = recording(columns)
    _draw(screen, answer, columns, "utf-8")
    out.write(svg_of(screen) + "\n")


def _draw(screen: Any, answer: Answer, columns: int, encoding: str) -> None:
    from routesim.report.rich_tables import drawn, sentence

    for line in wrapped(visible(answer.headline), columns - 1):
        screen.print(sentence(fitted(line, encoding), bold=True))
    for section in answer.sections:
        screen.print()
        screen.print(drawn(_shown(section), encoding, columns))
    for hint in answer.hints:
        first, *rest = wrapped(visible(hint), columns - 7)
        screen.print(sentence(fitted(f"hint: {first}", encoding)))
        for line in rest:
            screen.print(sentence(fitted(f"      {line}", encoding)))


def write_plain(out: IO[str], answer: Answer, style: OutputStyle) -> None:
    """For a pipe: aligned, nothing wrapped."""
    encoding = encoding_of(out)
    out.write(fitted(visible(answer.headline), encoding) + "\n")
    for section in answer.sections:
        out.write("\n")
        for line in section_lines(_shown(section), colour=style.colour):
            out.write(fitted(line, encoding) + "\n")
    if answer.hints:
        out.write("\n")
    for hint in answer.hints:
        out.write(fitted(f"hint: {visible(hint)}", encoding) + "\n")


def _shown(section: Section) -> Section:
    rows = [tuple(cell._replace(text=visible(cell.text)) for cell in row) for row in section.rows]
    return section._replace(title=visible(section.title), columns=tuple(visible(name) for name in section.columns), rows=rows)

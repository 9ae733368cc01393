"""Markdown on a terminal: headings, tables and lists drawn within its width, code as it is."""

from typing import IO, ClassVar

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableElement
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from routesim.report.rich_tables import console
from routesim.report.style import OutputStyle
from routesim.text import encoding_of, fitted

COLUMNS = 80
WIDEST = 110  # longer lines of prose are hard to read
STYLES = {1: "bold underline", 2: "bold", 3: "bold", 4: "italic"}


class _Heading(Heading):
    """On the left, and without a box."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.text.plain, style=STYLES.get(int(self.tag[1:]), ""))


class _Code(CodeBlock):
    """A line stays a line, so that it can be copied; the terminal folds what is longer than it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = Text("\n".join(f"  {line}" for line in str(self.text).rstrip().splitlines()), style="cyan")
        text.no_wrap, text.overflow = True, "ignore"
        yield text


class _Table(TableElement):
    """With a head only where there is something in it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heads = [cell.content for cell in self.header.row.cells] if self.header and self.header.row else []
        table = Table(
            box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim",
            show_header=any(head.plain for head in heads),
        )  # fmt: skip
        for head in heads:
            table.add_column(head)
        for row in self.body.rows if self.body else ():
            table.add_row(*(cell.content for cell in row.cells))
        yield table


class _Page(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements, "heading_open": _Heading, "fence": _Code, "code_block": _Code, "table_open": _Table,
    }  # fmt: skip


THEME = Theme({"markdown.code": "cyan", "markdown.item.bullet": "dim", "markdown.item.number": "dim"})


def write(out: IO[str], text: str, style: OutputStyle) -> None:
    """`text` is Markdown without links and pictures."""
    screen = console(out, colour=style.colour, columns=min(style.columns or COLUMNS, WIDEST))
    screen.push_theme(THEME)
    screen.print(_Page(fitted(text, encoding_of(out)), hyperlinks=False), crop=False)

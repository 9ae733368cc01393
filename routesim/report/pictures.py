"""What a console has printed as an SVG: on paper, light or dark as its reader prefers, and as large as what stands on it."""

import re
from io import StringIO
from math import ceil

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from routesim.text import width

PAPER, DARK_PAPER = "#ffffff", "#161d26"
# The library's own measures of a letter, and how large it is here, in pixels: 14 are read everywhere.
COLUMN, LINE, LETTER, SIZE = 12.2, 24.4, 20, 14
MARGIN = 24
# Separate parts of what the library makes.
STYLES, MATRIX = "\x01", "\x02"
FORM = "{styles}" + STYLES + "{backgrounds}{matrix}" + MATRIX


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _theme(paper: str, ink: str, red: str, green: str, yellow: str) -> TerminalTheme:
    """The colours that `STYLES` of the tables name, the others ink."""
    colours = [_rgb(colour) for colour in (ink, red, green, yellow, ink, ink, ink, ink)]
    return TerminalTheme(_rgb(paper), _rgb(ink), colours, colours)


LIGHT = _theme(PAPER, "#0f172a", "#b91c1c", "#15803d", "#a16207")
DARK = _theme(DARK_PAPER, "#e8edf3", "#ff8680", "#53d49c", "#f0b64a")


def recording(columns: int) -> Console:
    """A console that remembers, for `svg_of`."""
    return Console(
        record=True, width=columns, file=StringIO(), color_system="standard", force_terminal=True, highlight=False, markup=False,
        emoji=False, _environ={},
    )  # fmt: skip


def svg_of(screen: Console) -> str:
    """What was printed, as an SVG that refers to nothing elsewhere, with the colours of both papers."""
    lines = screen.export_text(clear=False).splitlines()
    light, matrix = _parts(screen, LIGHT)
    dark, _ = _parts(screen, DARK)
    wide = ceil(max(map(width, lines), default=1) * COLUMN) + 2 * MARGIN
    high = ceil(len(lines) * LINE) + 2 * MARGIN
    scale = SIZE / LETTER
    size = f'width="{wide * scale:g}" height="{high * scale:g}" viewBox="0 0 {wide} {high}"'
    return f"""<svg xmlns="http://www.w3.org/2000/svg" {size}>
<style>
.matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {LETTER}px; }}
.paper {{ fill: {PAPER}; }}
{light}
@media (prefers-color-scheme: dark) {{
.paper {{ fill: {DARK_PAPER}; }}
{dark}
}}
</style>
<rect class="paper" width="{wide}" height="{high}" rx="8"/>
<g class="matrix" transform="translate({MARGIN}, {MARGIN - 4})">
{matrix}
</g>
</svg>"""


def _parts(screen: Console, theme: TerminalTheme) -> tuple[str, str]:
    """The rules of the letters' classes, and the letters; each row's clipping left out, for nothing is wider than its place."""
    svg = screen.export_svg(title="", theme=theme, clear=False, code_format=FORM, unique_id="routesim")
    styles, _, rest = svg.partition(STYLES)
    matrix = re.sub(r' clip-path="[^"]*"', "", rest.partition(MATRIX)[0])
    # Ends of lines are texts too; a picture has no use for them.
    matrix = re.sub(r"<text [^>]*>\s*</text>", "", matrix)
    return styles, matrix.replace("</text><text", "</text>\n<text")

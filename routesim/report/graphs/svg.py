"""A topology as an SVG of its own making: it refers to nothing outside itself and can go straight onto a slide."""

from collections.abc import Collection, Mapping
from importlib.resources import files
from itertools import pairwise
from typing import IO
from xml.sax.saxutils import escape

from routesim.graph import DEFAULT_KEY
from routesim.graph.layout import MARGIN, Box, EdgeRoute, Layout, Size, laid_out
from routesim.graph.model import (
    ALTERNATE,
    BINDING,
    CONSUMER,
    CONSUMES,
    DEAD_LETTER,
    EXCHANGE,
    MISSING,
    PUBLISHES,
    QUEUE,
    Edge,
    Graph,
    Key,
    Node,
    together,
)
from routesim.named_tuples import NamedTuple
from routesim.report.graphs.ports import parted
from routesim.text import cut, shortened, visible, width

NAME_SIZE, SMALL_SIZE = 14, 12  # pixels, where the drawing is as large as it says: nothing smaller can be read everywhere
NAME_COLUMN, SMALL_COLUMN = 7.9, 6.8  # how wide a column of either size of text is at most
NODE_HEIGHT, LOW_NODE_HEIGHT, LABEL_HEIGHT = 46.0, 32.0, 18.0
LONGEST_NAME, LONGEST_LABEL = 34, 36
TITLE_HEIGHT, LEGEND_HEIGHT = 34.0, 30.0
HELD_WIDTH, HELD_HEIGHT, SIGNS_HEIGHT = 156.0, 18.0, 34.0
MAX_SIGNS, SIGN = 12, 8.0
QUOTES = {'"': "&quot;"}
INK, FAINT, TAKEN, LOST = "#0f172a", "#64748b", "#16a34a", "#dc2626"
FILLS = {
    EXCHANGE: ("#ede9fe", "#7c3aed"),
    QUEUE: ("#fef3c7", "#d97706"),
    CONSUMER: ("#dcfce7", "#15803d"),
    MISSING: ("#fee2e2", LOST),
}
UNUSED = "unused"
BY_NAME = "by-name"  # the look of a binding of the default exchange, which nobody made
STROKES = {
    BINDING: "#64748b", CONSUMES: "#15803d", DEAD_LETTER: "#b91c1c", ALTERNATE: "#0369a1", PUBLISHES: "#15803d",
    BY_NAME: "#64748b", UNUSED: "#94a3b8",
}  # fmt: skip
DASHES = {DEAD_LETTER: "6 4", ALTERNATE: "2 4", PUBLISHES: "8 3 2 3", BY_NAME: "1 4 6 4"}
LEGEND = (
    (BINDING, "binding"),
    (BY_NAME, "by the queue's name"),
    (DEAD_LETTER, "dead letters"),
    (ALTERNATE, "alternate exchange"),
    (CONSUMES, "consumer"),
    (PUBLISHES, "consumer publishes"),
    (UNUSED, "no message went here"),
)


class NodeContents(NamedTuple):
    """What a node holds at one moment: in words, and as a row of signs."""

    text: str
    ready: int = 0
    unacked: int = 0


def write_svg(out: IO[str], graph: Graph, *, colour: bool, depth: int | None) -> None:
    out.write("\n".join(_drawn(graph, _laid_out(graph, {}))) + "\n")


def part_of_a_page(graph: Graph, held: Mapping[Key, NodeContents], unused: Collection[Edge] = ()) -> str:
    """The drawing alone, for a page that has `arrowheads` once and paints by class. Nodes come in the order of the graph,
    an edge has its number as `data-edge`. A node that holds something has a line of text and `MAX_SIGNS` signs for it,
    of the classes `ready`, `unacked` or none. `unused`: edges that no message went along, of that class."""
    layout = _laid_out(graph, held)
    kinds = _kinds(graph, any_unused=bool(unused))
    width, height = max(layout.width, _legend_width(kinds) + 2 * MARGIN), layout.height + LEGEND_HEIGHT * bool(kinds)
    cropped = 1.6 * MARGIN  # a page has margins of its own
    lines = [
        f'<svg class="topology" width="{width - cropped:.0f}" height="{height:.0f}" role="img" '
        f'viewBox="{cropped / 2:.0f} 0 {width - cropped:.0f} {height:.0f}" '
        f'aria-label="{escape(visible(graph.title), QUOTES)}: {len(graph.nodes)} nodes, {len(graph.edges)} edges">',
        *_body(graph, layout, held, unused),
        *_legend(kinds, height - 12),
        "</svg>",
    ]
    return "\n".join(lines)


def arrowheads() -> list[str]:
    return ["<defs>", *(_arrowhead(kind, stroke) for kind, stroke in (*STROKES.items(), ("taken", TAKEN))), "</defs>"]


def _laid_out(graph: Graph, held: Mapping[Key, NodeContents]) -> Layout:
    sizes = {key: _node_size(node, held.get(key)) for key, node in graph.nodes.items()}
    labels = {edge: _label_size(edge) for edge in graph.edges if _label(edge)}
    return parted(laid_out(graph, sizes, labels))


def _label(edge: Edge) -> str:
    text = visible(together(edge.caption))
    if len(edge.caption) == 1:  # of one long key the end tells as much as the beginning
        return shortened(text, LONGEST_LABEL)
    return cut(text, LONGEST_LABEL)


def _shown_name(node: Node) -> str:
    """Of a long name the end tells as much as the beginning, of a group's too: it begins with how many they are."""
    return shortened(visible(node.name), LONGEST_NAME)


def _node_size(node: Node, held: NodeContents | None) -> Size:
    name, detail = _shown_name(node), cut(visible(node.detail), LONGEST_NAME + 8)
    text = max(width(name) * NAME_COLUMN, width(detail) * SMALL_COLUMN)
    height = NODE_HEIGHT if detail else LOW_NODE_HEIGHT
    if held is None:
        return max(70.0, text + 28), height
    return max(HELD_WIDTH, text + 28), height + (SIGNS_HEIGHT if node.key.kind == QUEUE else HELD_HEIGHT)


def _label_size(edge: Edge) -> Size:
    return width(_label(edge)) * SMALL_COLUMN + 12, LABEL_HEIGHT


def _kinds(graph: Graph, *, any_unused: bool = False) -> list[tuple[str, str]]:
    there = {_kind(edge) for edge in graph.edges} | ({UNUSED} if any_unused else set())
    return [item for item in LEGEND if item[0] in there]


def _kind(edge: Edge) -> str:
    """The kind of an edge as it looks."""
    return BY_NAME if edge.kind == BINDING and edge.source == DEFAULT_KEY else edge.kind


def _legend_width(kinds: list[tuple[str, str]]) -> float:
    return sum(width(text) * SMALL_COLUMN + 62 for _, text in kinds)


def _drawn(graph: Graph, layout: Layout) -> list[str]:
    kinds = _kinds(graph)
    title = cut(visible(graph.title), 70)
    total_width = max(layout.width, _legend_width(kinds) + 2 * MARGIN, width(title) * 9.5 + 2 * MARGIN, 200.0)
    total_height = layout.height + TITLE_HEIGHT + LEGEND_HEIGHT
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total_width:.0f}" height="{total_height:.0f}" '
        f'viewBox="0 0 {total_width:.0f} {total_height:.0f}" font-family="Inter, Segoe UI, Helvetica, Arial, sans-serif">',
        f"<title>{escape(visible(graph.title))}</title>",
        f"<style>\n{_on_dark_paper()}</style>",
        *arrowheads(),
        '<rect class="paper" width="100%" height="100%" fill="#ffffff"/>',
        f'<text class="name" x="{MARGIN}" y="30" font-size="17" font-weight="600" fill="{INK}">{escape(title)}</text>',
        f'<g transform="translate(0 {TITLE_HEIGHT})">',
        *_body(graph, layout, {}, ()),
        "</g>",
        *_legend(kinds, total_height - 16),
        "</svg>",
    ]


def _on_dark_paper() -> str:
    """What is painted otherwise where dark is preferred."""
    return files("routesim.report.graphs").joinpath("dark.css").read_text(encoding="ascii")


def _body(graph: Graph, layout: Layout, held: Mapping[Key, NodeContents], unused: Collection[Edge]) -> list[str]:
    numbers = {edge: number for number, edge in enumerate(graph.edges)}
    return [
        *(
            _path(route, numbers[route.edge], unused=route.edge in unused)
            for route in sorted(layout.routes, key=lambda route: route.edge.taken)
        ),
        *(
            _text_of(route, numbers[route.edge], unused=route.edge in unused)
            for route in layout.routes
            if route.label is not None
        ),
        *(_node(graph.nodes[key], layout.nodes[key], held.get(key)) for key in graph.nodes),
    ]


def _arrowhead(kind: str, stroke: str) -> str:
    return (
        f'<marker id="head-{kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="11" markerHeight="11" '
        'markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0.8 L10 5 L0 9.2 z" fill="{stroke}"/></marker>'
    )


def _look(edge: Edge) -> tuple[str, str]:
    """The attributes of an edge's line, and the name of its arrowhead."""
    kind = _kind(edge)
    stroke, name = (TAKEN, "taken") if edge.taken else (STROKES[kind], kind)
    dashes = f' stroke-dasharray="{DASHES[kind]}"' if kind in DASHES else ""
    return f'fill="none" stroke="{stroke}" stroke-width="{3 if edge.taken else 1.6}"{dashes}', name


def _path(route: EdgeRoute, number: int, *, unused: bool) -> str:
    look, head = _look(route.edge)
    first, *_ = route.points
    parts = [f"M{first[0]:.1f} {first[1]:.1f}"]
    if route.edge.source == route.edge.target:
        parts += [f"L{x:.1f} {y:.1f}" for x, y in route.points[1:]]
    else:
        for (x, y), (to_x, to_y) in pairwise(route.points):
            middle = (x + to_x) / 2
            straight = abs(y - to_y) < 0.5
            parts.append(
                f"L{to_x:.1f} {to_y:.1f}" if straight else f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
            )
    title = escape(visible(f"{route.edge.source.name} → {route.edge.target.name}: {together(route.edge.labels, 20)}"))
    return (
        f'<path class="edge {_kind(route.edge)}{" unused" * unused}{" taken" * route.edge.taken}" data-edge="{number}" '
        f'd="{" ".join(parts)}" {look} '
        f'marker-end="url(#head-{head})">'
        f"<title>{title}</title></path>"
    )


def _text_of(route: EdgeRoute, number: int, *, unused: bool) -> str:
    box, edge = route.label, route.edge
    assert box is not None
    fill = TAKEN if edge.taken else STROKES[edge.kind]
    full = escape(visible(together(edge.labels, 50)))
    return (
        f'<g class="label {edge.kind}{" unused" * unused}{" taken" * edge.taken}" data-of="{number}"><title>{full}</title>'
        f'<rect x="{box.x - box.width / 2:.1f}" '
        f'y="{box.y - box.height / 2:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="4" fill="#ffffff"/>'
        f'<text x="{box.x:.1f}" y="{box.y + 4:.1f}" font-size="{SMALL_SIZE}" text-anchor="middle" fill="{fill}">'
        f"{escape(_label(edge))}</text></g>"
    )


def _node(node: Node, box: Box, held: NodeContents | None) -> str:
    fill, stroke = FILLS[node.key.kind]
    if node.taken:
        stroke = TAKEN
    round_by = {EXCHANGE: 6.0, QUEUE: 3.0, CONSUMER: box.height / 2, MISSING: 3.0}[node.key.kind]
    dashes = ' stroke-dasharray="5 4"' if node.key.kind == MISSING else ""
    x, y = box.x - box.width / 2, box.y - box.height / 2
    full = escape(visible(f"{node.key.kind} {', '.join(node.members[:100]) or node.name}: {node.detail}"))
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{round_by}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="{2.6 if node.taken else 1.4}"{dashes}/>'
    )
    below = 0.0 if held is None else SIGNS_HEIGHT if node.key.kind == QUEUE else HELD_HEIGHT
    bars = "".join(  # a queue looks like one
        f'<path d="M{x + box.width - 5 * number:.1f} {y + 5:.1f} v{box.height - 10 - below:.1f}" stroke="{stroke}" '
        'opacity="0.45"/>'
        for number in (1, 2)
        if node.key.kind == QUEUE
    )
    top = box.y - below / 2
    low = top + 5 if not node.detail else top - 3
    text = f'<text class="name" x="{box.x:.1f}" y="{low:.1f}" font-size="{NAME_SIZE}" font-weight="600" text-anchor="middle" '
    text += f'fill="{INK}">{escape(_shown_name(node))}</text>'
    if node.detail:
        text += f'<text class="detail" x="{box.x:.1f}" y="{top + 14:.1f}" font-size="{SMALL_SIZE}" text-anchor="middle" '
        text += f'fill="{FAINT}">{escape(cut(visible(node.detail), LONGEST_NAME + 8))}</text>'
    if held is not None:
        text += _holding(node, box, held)
    return f'<g class="node {node.key.kind}{" taken" * node.taken}"><title>{full}</title>{shape}{bars}{text}</g>'


def _holding(node: Node, box: Box, held: NodeContents) -> str:
    """The line of what a node holds and, in a queue, the row of signs below it."""
    low = box.y + box.height / 2
    line = low - (20.0 if node.key.kind == QUEUE else 9.0)
    text = f'<text class="held" x="{box.x:.1f}" y="{line:.1f}" font-size="{SMALL_SIZE}" text-anchor="middle" fill="{INK}">'
    text += f"{escape(visible(held.text))}</text>"
    if node.key.kind != QUEUE:
        return text
    x, signs = box.x - MAX_SIGNS * (SIGN + 2) / 2 + 1, []
    for number in range(MAX_SIGNS):
        state = " unacked" if number < held.unacked else " ready" if number < held.unacked + held.ready else ""
        signs.append(
            f'<rect class="sign{state}" x="{x + number * (SIGN + 2):.1f}" y="{low - 14:.1f}" width="{SIGN:.0f}" '
            f'height="{SIGN:.0f}" rx="2"/>'
        )
    return text + "".join(signs)


def _legend(kinds: list[tuple[str, str]], y: float) -> list[str]:
    lines, x = [], MARGIN
    for kind, text in kinds:
        look, head = _look(Edge(Key("", ""), Key("", ""), kind))
        lines.append(f'<path class="sample {kind}" d="M{x:.0f} {y - 4:.0f} h30" {look} marker-end="url(#head-{head})"/>')
        lines.append(f'<text class="detail" x="{x + 38:.0f}" y="{y:.0f}" font-size="{SMALL_SIZE}" fill="{FAINT}">{text}</text>')
        x += width(text) * SMALL_COLUMN + 62
    return lines

"""A topology as a tree of lines: for a terminal or a pipe, nothing installed."""

from typing import IO

from routesim.graph.model import (
    ALTERNATE,
    BINDING,
    CONSUMER,
    CONSUMES,
    DEAD_LETTER,
    MISSING,
    PUBLISHES,
    Edge,
    Graph,
    Key,
    together,
)
from routesim.report.trace.trace import ANSI, RESET
from routesim.tables import BAD, GOOD, HIT, NOTICE, PLAIN
from routesim.text import encoding_of, fitted, visible

WORDS = {ALTERNATE: "alternate exchange", DEAD_LETTER: "dead letters", CONSUMES: "consumer", PUBLISHES: "publishes"}
TONES = {ALTERNATE: NOTICE, DEAD_LETTER: NOTICE}


def write_tree(out: IO[str], graph: Graph, *, colour: bool, depth: int | None) -> None:
    """`depth`: so many steps from each root; None: all. What has been shown is not unfolded again."""
    drawing = _Tree(graph, colour, depth)
    for root in graph.roots():
        drawing.root(root)
    if graph.left_out:
        drawing.lines.append(f"({graph.left_out:,} more nodes are further away)")
    encoding = encoding_of(out)
    for line in drawing.lines or ["nothing is declared"]:
        out.write(fitted(line, encoding) + "\n")


class _Tree:
    def __init__(self, graph: Graph, colour: bool, depth: int | None) -> None:
        self.graph, self.colour, self.depth = graph, colour, depth
        self.lines: list[str] = []
        self.shown: set[Key] = set()
        self.following: dict[Key, list[Edge]] = {}
        for edge in graph.edges:
            self.following.setdefault(edge.source, []).append(edge)

    def root(self, key: Key) -> None:
        self.lines.append(self._node(key))
        self._below(key)

    def _below(self, start: Key) -> None:
        """Depth first, without recursion: a chain of exchanges may be of any length."""
        todo = [(edge, "", last, 1) for edge, last in self._edges(start)][::-1]
        self.shown.add(start)
        while todo:
            edge, indent, last, level = todo.pop()
            again = edge.target in self.shown
            has_more = bool(self.following.get(edge.target))
            cut = not again and has_more and self.depth is not None and level >= self.depth
            note = " (see above)" if again and has_more else " …" if cut else ""
            self.lines.append(indent + self._edge(edge, last) + self._node(edge.target, plain=edge.kind == CONSUMES) + note)
            if not again and not cut:
                self.shown.add(edge.target)
                deeper = indent + ("   " if last else "│  ")
                todo += [(below, deeper, final, level + 1) for below, final in self._edges(edge.target)][::-1]

    def _edges(self, key: Key) -> list[tuple[Edge, bool]]:
        edges = self.following.get(key, [])
        return [(edge, index == len(edges) - 1) for index, edge in enumerate(edges)]

    def _edge(self, edge: Edge, last: bool) -> str:
        joint = ("└" if last else "├") + ("─ " if edge.kind in (BINDING, CONSUMES) else "· ")
        words = visible(together(edge.labels)) if edge.kind == BINDING else WORDS[edge.kind]
        if edge.kind == DEAD_LETTER and edge.labels[0] != WORDS[DEAD_LETTER]:
            words = visible(edge.labels[0])
        arrow = " " if edge.kind == CONSUMES else " → "
        mark = f"{HIT} " if edge.taken else ""
        tone = GOOD if edge.taken else TONES.get(edge.kind, PLAIN)
        return joint + self._painted(f"{mark}{words}{arrow}", tone)

    def _node(self, key: Key, *, plain: bool = False) -> str:
        node = self.graph.nodes[key]
        kind = "" if plain or key.kind in (MISSING, CONSUMER) or node.members else f"{key.kind} "
        name = self._painted(visible(node.name), GOOD if node.taken else BAD if key.kind == MISSING else PLAIN)
        return f"{kind}{name}" + (f" ({visible(node.detail)})" if node.detail else "")

    def _painted(self, text: str, tone: str) -> str:
        return f"{ANSI[tone]}{text}{RESET}" if self.colour and tone != PLAIN else text

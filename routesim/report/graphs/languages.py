"""A topology in the languages of other drawing programs: Mermaid, Graphviz's dot, and JSON for scripts."""

from typing import IO, Any

from routesim.graph.model import BINDING, CONSUMER, CONSUMES, EXCHANGE, MISSING, QUEUE, Edge, Graph, Node, together
from routesim.report.formats.json import envelope
from routesim.text import cut, encoding_of, fitted, shortened, visible

LONGEST = 40
PLAIN_MARKS = " .,-_:/()="
MERMAID_SHAPES = {EXCHANGE: ('{{"', '"}}'), QUEUE: ('[("', '")]'), CONSUMER: ('(["', '"])'), MISSING: ('["', '"]')}
DOT_SHAPES = {
    EXCHANGE: 'shape=hexagon, fillcolor="#ede9fe"', QUEUE: 'shape=cylinder, fillcolor="#fef3c7"',
    CONSUMER: 'shape=ellipse, fillcolor="#dcfce7"', MISSING: 'shape=box, fillcolor="#fee2e2", style="filled,dashed"',
}  # fmt: skip
TAKEN = "#16a34a"


def write_mermaid(out: IO[str], graph: Graph, *, colour: bool, depth: int | None) -> None:
    ids = {key: f"n{number}" for number, key in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for key, node in graph.nodes.items():
        before, after = MERMAID_SHAPES[key.kind]
        text = _mermaid(_name(node)) + (f"<br/>{_mermaid(node.detail)}" if node.detail else "")
        lines.append(f"  {ids[key]}{before}{text}{after}")
    for edge in graph.edges:
        arrow = "-->" if edge.kind in (BINDING, CONSUMES) else "-.->"
        label = _mermaid(cut(visible(together(edge.caption)), LONGEST))
        lines.append(f"  {ids[edge.source]} {arrow}" + (f'|"{label}"| ' if label else " ") + ids[edge.target])
    for kind, fill in ((EXCHANGE, "#ede9fe"), (QUEUE, "#fef3c7"), (CONSUMER, "#dcfce7"), (MISSING, "#fee2e2")):
        members = [ids[key] for key in graph.nodes if key.kind == kind]
        if members:
            lines.append(f"  classDef {kind} fill:{fill},stroke:#475569,color:#0f172a")
            lines.append(f"  class {','.join(members)} {kind}")
    taken = [str(index) for index, edge in enumerate(graph.edges) if edge.taken]
    if taken:
        lines.append(f"  linkStyle {','.join(taken)} stroke:{TAKEN},stroke-width:3px")
    out.write("\n".join(lines) + "\n")


def _name(node: Node) -> str:
    """Cut in the middle: of a long name the end tells as much as the beginning."""
    return shortened(visible(node.name), LONGEST)


def _mermaid(text: str) -> str:
    """Everything that could mean something to Mermaid, to HTML or to Markdown as a numbered character."""
    return "".join(each if each.isalnum() or each in PLAIN_MARKS else f"#{ord(each)};" for each in visible(text))


def write_dot(out: IO[str], graph: Graph, *, colour: bool, depth: int | None) -> None:
    ids = {key: f"n{number}" for number, key in enumerate(graph.nodes)}
    lines = [
        f"digraph {_quoted(graph.title)} {{", "  rankdir=LR;",
        '  node [style=filled, fontname="Helvetica", color="#475569"];', '  edge [fontname="Helvetica", color="#475569"];',
    ]  # fmt: skip
    for key, node in graph.nodes.items():
        text = _quoted(_name(node), *([node.detail] if node.detail else []))
        mark = f', color="{TAKEN}", penwidth=2.5' if node.taken else ""
        lines.append(f"  {ids[key]} [label={text}, tooltip={_quoted(node.name)}, {DOT_SHAPES[key.kind]}{mark}];")
    for edge in graph.edges:
        lines.append(f"  {ids[edge.source]} -> {ids[edge.target]} [{_dot_edge(edge)}];")
    encoding = encoding_of(out)
    out.write(fitted("\n".join([*lines, "}"]), encoding) + "\n")


def _dot_edge(edge: Edge) -> str:
    parts = [f"label={_quoted(cut(visible(together(edge.caption)), LONGEST))}"]
    if edge.kind not in (BINDING, CONSUMES):
        parts.append("style=dashed")
    if edge.taken:
        parts.append(f'color="{TAKEN}", penwidth=2.5')
    return ", ".join(parts)


def _quoted(*texts: str) -> str:
    """Each text on a line of its own."""
    lines = [visible(text).replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '"' + "\\n".join(lines) + '"'


def write_graph_json(out: IO[str], graph: Graph, *, colour: bool, depth: int | None) -> None:
    data: dict[str, Any] = {"scenario": graph.title, **_as_data(graph)}
    if graph.vhosts:
        data["vhosts"] = [{"vhost": name, **_as_data(each)} for name, each in graph.vhosts]
    out.write(envelope(data) + "\n")


def _as_data(graph: Graph) -> dict[str, Any]:
    nodes = [
        {"kind": key.kind, "name": node.name, "detail": node.detail, "taken": node.taken, "members": list(node.members)}
        for key, node in graph.nodes.items()
    ]  # fmt: skip
    edges = [
        {
            "source": edge.source._asdict(), "target": edge.target._asdict(), "kind": edge.kind, "labels": list(edge.labels),
            "taken": edge.taken,
        }
        for edge in graph.edges
    ]  # fmt: skip
    return {"nodes": nodes, "edges": edges, "left_out": graph.left_out}

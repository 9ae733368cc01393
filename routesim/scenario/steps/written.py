"""A step in one line, as it is shown wherever it is carried out: in traces, reports, the step mode and messages about it."""

from routesim.scenario.yaml.nodes import Mapping, Node, Text
from routesim.text import cut

TEXT_WIDTH = 100


def step_text(verb: str, node: Node) -> str:
    """As it might be written."""
    return cut(f"{verb} {_flow(node)}".strip(), TEXT_WIDTH)


def _flow(node: Node, room: int = TEXT_WIDTH) -> str:
    if isinstance(node, Text):
        shown = str(node)[:room]
        return f'"{shown}"' if not node.plain and (not shown or shown != shown.strip()) else shown
    parts: list[str] = []
    for item in node:
        if room <= 0:
            break
        part = f"{item}: {_flow(node[item], room)}" if isinstance(node, Mapping) else _flow(item, room)
        parts.append(part)
        room -= len(part) + 2
    return "{" + ", ".join(parts) + "}" if isinstance(node, Mapping) else "[" + ", ".join(parts) + "]"

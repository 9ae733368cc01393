"""The formats of a topology's picture. A new one is a function and a row here."""

from collections.abc import Callable

from routesim.report.graphs.languages import write_dot, write_graph_json, write_mermaid
from routesim.report.graphs.svg import write_svg
from routesim.report.graphs.tree import write_tree

GRAPH_FORMATS: dict[str, Callable[..., None]] = {
    "tree": write_tree,
    "mermaid": write_mermaid,
    "dot": write_dot,
    "svg": write_svg,
    "json": write_graph_json,
}

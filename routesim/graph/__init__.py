"""A topology as a picture: nodes and edges as values, made readable, and laid out. `report` draws them."""

from routesim.graph.build import graph_now, graph_of, taken_by_message, taken_by_publish
from routesim.graph.model import Edge, Graph, Key, Node, together
from routesim.graph.paths import DEFAULT_KEY, EdgeKey, EventEdges
from routesim.graph.simplify import collapsed, focused, shared, side_by_side, without_idle

__all__ = [
    "DEFAULT_KEY", "Edge", "Graph", "Key", "Node", "EdgeKey", "EventEdges", "collapsed", "focused", "graph_now", "graph_of",
    "side_by_side",
    "shared", "taken_by_message", "taken_by_publish", "together", "without_idle",
]  # fmt: skip

"""The drawings of one topology: what a reader sees first, and with what is folded away there."""

from collections.abc import Container
from itertools import product
from typing import NamedTuple

from routesim.graph import Graph, Key, collapsed, without_idle
from routesim.report.trace.filtering import of_workers

MOST_DRAWN = 300  # nodes, in a drawing that folds nothing


class Picture(NamedTuple):
    """`every`: each queue by itself, also where no message ever was. `celery`: with the exchanges, queues and consumers by which
    workers talk to each other."""

    graph: Graph
    every: bool
    celery: bool


def drawings_of(whole: Graph, used: Container[str] | None, *, of_celery: bool) -> list[Picture]:
    """Of the four drawings those that differ; the first folds all that can be folded. `used`: the queues in which a message
    ever was; None: nobody knows."""
    own = {key for key in whole.nodes if of_workers(key.name)} if of_celery else set()
    found: list[Picture] = []
    for celery, every in product((False, True), repeat=2):
        graph = whole if celery else without(whole, own)
        if every and len(graph.nodes) > MOST_DRAWN:
            continue
        if not every:
            graph = collapsed(graph if used is None else without_idle(graph, used))
        if all(known.graph.nodes.keys() != graph.nodes.keys() for known in found):
            found.append(Picture(graph, every, celery))
    return found


def without(graph: Graph, hidden: set[Key]) -> Graph:
    """What is left without these nodes; never nothing."""
    nodes = {key: node for key, node in graph.nodes.items() if key not in hidden}
    if not hidden or not nodes:
        return graph
    edges = tuple(edge for edge in graph.edges if edge.source in nodes and edge.target in nodes)
    return graph._replace(nodes=nodes, edges=edges)

"""The drawings of one topology: what a reader sees first, and with what is folded away there."""

from collections.abc import Container
from itertools import product

from routesim.graph import Graph, Key, collapsed, without_idle
from routesim.graph.model import CONSUMER, CONSUMES, Edge
from routesim.graph.simplify import LARGE
from routesim.named_tuples import NamedTuple
from routesim.report.trace.filtering import of_workers

MOST_DRAWN = 300  # nodes, in a drawing that folds nothing


class Picture(NamedTuple):
    """`every`: each queue and consumer by itself, also where no message ever was. `celery`: with the exchanges, queues and
    consumers by which workers talk to each other. `inside`: consumers that are drawn within the node of their queue."""

    graph: Graph
    every: bool
    celery: bool
    inside: dict[Key, Key]


def drawings_of(whole: Graph, used: Container[Key] | None, *, of_celery: bool) -> list[Picture]:
    """Of the four drawings those that differ; the first folds all that can be folded. `used`: the queues in which a message
    ever was, the exchanges that it came to; None: nobody knows."""
    own = {key for key in whole.nodes if of_workers(key.name)} if of_celery else set()
    found: list[Picture] = []
    for celery, every in product((False, True), repeat=2):
        graph = whole if celery else without(whole, own)
        if every and len(graph.nodes) > MOST_DRAWN:
            continue
        inside: dict[Key, Key] = {}
        if not every:
            large = len(graph.nodes) > LARGE
            graph = graph if used is None else without_idle(graph, used)
            if large:
                graph, inside = _within_queues(graph)
            graph = collapsed(graph)
        if all(known.graph.nodes.keys() != graph.nodes.keys() for known in found):
            found.append(Picture(graph, every, celery, inside))
    return found


def _within_queues(graph: Graph) -> tuple[Graph, dict[Key, Key]]:
    """The graph with each consumer that does nothing but consume from one queue in that queue's node; and in which."""
    around: dict[Key, list[Edge]] = {key: [] for key in graph.nodes if key.kind == CONSUMER}
    for edge in graph.edges:
        for key in {edge.source, edge.target} & around.keys():
            around[key].append(edge)
    inside = {key: edges[0].source for key, edges in around.items() if len(edges) == 1 and edges[0].kind == CONSUMES}
    names: dict[Key, list[str]] = {}
    for key, queue in inside.items():
        names.setdefault(queue, []).append(key.name)
    smaller = without(graph, set(inside))
    nodes = dict(smaller.nodes)
    for queue, consumers in names.items():
        told = f"to {consumers[0]}" if len(consumers) == 1 else f"to {len(consumers)} consumers"
        nodes[queue] = nodes[queue]._replace(detail=f"{nodes[queue].detail} {told}")
    return smaller._replace(nodes=nodes), inside


def without(graph: Graph, hidden: set[Key]) -> Graph:
    """What is left without these nodes; never nothing."""
    nodes = {key: node for key, node in graph.nodes.items() if key not in hidden}
    if not hidden or not nodes:
        return graph
    edges = tuple(edge for edge in graph.edges if edge.source in nodes and edge.target in nodes)
    return graph._replace(nodes=nodes, edges=edges)

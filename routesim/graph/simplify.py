"""Large topologies made readable: one exchange or queue with its surroundings, and groups of nodes that are alike."""

from collections.abc import Container, Mapping, Sequence
from itertools import takewhile

from routesim.diagnostics import did_you_mean
from routesim.explain.answer import CannotExplain
from routesim.graph.model import CONSUMES, EXCHANGE, QUEUE, Edge, Graph, Key, Node

LARGEST_GROUP = 6  # nodes that are alike and still drawn one by one
NAMED = 3
SEPARATORS = ".-_:/"  # between the words of a name
LARGE = 40  # nodes, from which on what nothing goes through is only in the way


def focused(graph: Graph, name: str, depth: int) -> Graph:
    """What is at most `depth` edges away from the exchanges, queues and consumers of that name. Raises `CannotExplain`."""
    inside = {key for key in graph.nodes if key.name == name}
    if not inside:
        hint = did_you_mean(name, {key.name for key in graph.nodes})
        raise CannotExplain(f"nothing is named '{name}'" + (f"; {hint}" if hint else ""))
    for _ in range(depth):
        inside |= {
            key for edge in graph.edges if edge.source in inside or edge.target in inside for key in (edge.source, edge.target)
        }
    nodes = {key: node for key, node in graph.nodes.items() if key in inside}
    edges = tuple(edge for edge in graph.edges if edge.source in inside and edge.target in inside)
    return Graph(graph.title, nodes, edges, len(graph.nodes) - len(nodes))


def collapsed(graph: Graph, opened: Container[str] = ()) -> Graph:
    """Queues with the same neighbours, and nothing of their own to show, become one node: how many, and what their names share.

    `opened`: a group stays apart that has a queue of such a name; `*` is every group.
    """
    around: dict[Key, set[tuple[str, Key, str]]] = {key: set() for key in graph.nodes}
    for edge in graph.edges:
        around[edge.source].add(("to", edge.target, edge.kind))
        around[edge.target].add(("from", edge.source, edge.kind))
    groups: dict[tuple[object, ...], list[Key]] = {}
    for key, node in graph.nodes.items():
        if key.kind == QUEUE and not node.taken:
            groups.setdefault((node.detail, frozenset(around[key])), []).append(key)
    renamed: dict[Key, Key] = {}
    nodes: dict[Key, Node] = {}
    for keys in groups.values():
        if len(keys) > LARGEST_GROUP and "*" not in opened and not any(key.name in opened for key in keys):
            names = tuple(key.name for key in keys)
            group = Key(QUEUE, f"{len(names):,} queues: {shared(names) or ', '.join(names[:NAMED]) + ' …'}")
            if group in nodes:  # others whose names share as much
                group = Key(QUEUE, f"{group.name} ({names[0]} …)")
            nodes[group] = graph.nodes[keys[0]]._replace(key=group, members=names)
            renamed.update(dict.fromkeys(keys, group))
    if not renamed:
        return graph
    kept = {key: node for key, node in graph.nodes.items() if key not in renamed}
    merged: dict[tuple[Key, Key, str], Edge] = {}
    for edge in graph.edges:
        moved = edge._replace(source=renamed.get(edge.source, edge.source), target=renamed.get(edge.target, edge.target))
        mark = (moved.source, moved.target, moved.kind)
        known = merged.get(mark)
        if known is None:
            merged[mark] = moved
        else:
            merged[mark] = known._replace(labels=(*known.labels, *moved.labels), taken=known.taken or moved.taken)
    edges = tuple(edge._replace(labels=tuple(dict.fromkeys(edge.labels))) for edge in merged.values())
    return graph._replace(nodes={**kept, **nodes}, edges=edges)


def shared(names: Sequence[str]) -> str:
    """How all names begin and end, `km.stage.*.dlq`; empty where they share no whole word."""
    first, last = min(names), max(names)
    head = _alike(first, last)
    head = head[: max((head.rfind(mark) + 1 for mark in SEPARATORS), default=0)]
    rest = [name[len(head) :][::-1] for name in names]
    tail = _alike(min(rest), max(rest))[::-1]
    begins = [tail.find(mark) for mark in SEPARATORS if mark in tail]
    tail = tail[min(begins) :] if begins else ""
    return f"{head}*{tail}" if head or tail else ""


def _alike(one: str, other: str) -> str:
    """How both begin."""
    return "".join(first for first, second in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def side_by_side(title: str, graphs: Mapping[str, Graph]) -> Graph:
    """Virtual hosts beside each other: each name with its virtual host before it, and nothing between them."""
    nodes: dict[Key, Node] = {}
    edges: list[Edge] = []
    for vhost, graph in graphs.items():
        keys = {key: Key(key.kind, f"{vhost}: {key.name}") for key in graph.nodes}
        nodes.update({keys[key]: node._replace(key=keys[key]) for key, node in graph.nodes.items()})
        edges += [edge._replace(source=keys[edge.source], target=keys[edge.target]) for edge in graph.edges]
    return Graph(title, nodes, tuple(edges), sum(graph.left_out for graph in graphs.values()))


def without_idle(graph: Graph, used: Container[Key]) -> Graph:
    """A large topology without the queues that are not `used` and that nobody consumes, without the exchanges that are not `used`
    and then stand alone, and with each long row of exchanges that then only hand on to the next one drawn as one node: what is
    left of a ladder of delays is the way that was taken."""
    if len(graph.nodes) <= LARGE:
        return graph
    consumed = {edge.source for edge in graph.edges if edge.kind == CONSUMES}
    nodes = {key: node for key, node in graph.nodes.items() if key.kind != QUEUE or key in used or key in consumed}
    edges = tuple(edge for edge in graph.edges if edge.source in nodes and edge.target in nodes)
    joined = {key for edge in graph.edges for key in (edge.source, edge.target)}
    joined -= {key for edge in edges for key in (edge.source, edge.target)}
    lone = {key for key in joined & nodes.keys() if key.kind == EXCHANGE and key not in used}
    if lone == nodes.keys():  # better they than nothing
        lone = set()
    nodes = {key: node for key, node in nodes.items() if key not in lone}
    left = Graph(graph.title, nodes, edges, graph.left_out + len(graph.nodes) - len(nodes), len(lone))
    return _rows_joined(left)


def _rows_joined(graph: Graph) -> Graph:
    before: dict[Key, set[Key]] = {key: set() for key in graph.nodes}
    after: dict[Key, set[Key]] = {key: set() for key in graph.nodes}
    for edge in graph.edges:
        before[edge.target].add(edge.source)
        after[edge.source].add(edge.target)
    inside = [key for key in graph.nodes if key.kind == EXCHANGE and len(before[key]) == 1 and len(after[key]) == 1]
    following = {key: next(iter(after[key])) for key in inside}
    firsts = [key for key in inside if not before[key] & following.keys()]
    groups: dict[Key, tuple[Key, ...]] = {}
    for first in firsts:
        row = [first]
        while following[row[-1]] in following:
            row.append(following[row[-1]])
        if len(row) > LARGEST_GROUP:
            groups[Key(EXCHANGE, f"{row[0].name} and {len(row) - 1:,} more")] = tuple(row)
    renamed = {key: group for group, row in groups.items() for key in row}
    nodes: dict[Key, Node] = {}
    for key, node in graph.nodes.items():
        group = renamed.get(key, key)
        if group != key:
            nodes[group] = Node(group, "exchanges, each to the next", members=tuple(item.name for item in groups[group]))
        else:
            nodes[key] = node
    edges = []
    for edge in graph.edges:
        moved = edge._replace(source=renamed.get(edge.source, edge.source), target=renamed.get(edge.target, edge.target))
        if moved.source != moved.target or edge.source == edge.target:  # from one member to the next there is nothing to draw
            edges.append(moved)
    return graph._replace(nodes=nodes, edges=tuple(edges))

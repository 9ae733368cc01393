"""What the page shows of a virtual host: the drawing of its topology, what queues and consumers hold, who is connected."""

from collections.abc import Iterable, Mapping
from typing import Any

from routesim.broker import counts
from routesim.graph import DEFAULT_KEY, EdgeKey, Graph, Key, collapsed, graph_now
from routesim.graph.model import BINDING, CONSUMER, QUEUE
from routesim.named_tuples import NamedTuple
from routesim.report.graphs.svg import NodeContents, part_of_a_page
from routesim.report.html.markup import Markup
from routesim.serve.connection import RUNNING
from routesim.serve.server import Server
from routesim.serve.vhosts import Vhost
from routesim.text import visible

SHOWN_IDS = 2
MOST_NODES = 150  # of a drawing: more of them are told as a number


class DrawnVhost(NamedTuple):
    """`nodes`: for each node its kind and the names that it stands for; `edges`: the numbers of both ends and the kind."""

    svg: Markup | None
    nodes: list[Any]
    edges: list[Any]
    left_out: int


def drawing(vhost: Vhost) -> DrawnVhost:
    """By the default exchange only what is in a queue that nothing is bound to."""
    broker = vhost.broker
    bound = {item.destination for state in broker.exchanges.values() for item in state.bindings.values()}
    by_default: set[EdgeKey] = {(DEFAULT_KEY, Key(QUEUE, name), BINDING) for name in broker.queues if name not in bound}
    graph = collapsed(graph_now(broker, vhost.name, by_default))
    if not graph.nodes or len(graph.nodes) > MOST_NODES:
        return DrawnVhost(None, [], [], len(graph.nodes))
    graph = graph._replace(
        nodes={key: node._replace(taken=False) for key, node in graph.nodes.items()},
        edges=tuple(edge._replace(taken=False) for edge in graph.edges),
    )
    numbers = {key: number for number, key in enumerate(graph.nodes)}
    return DrawnVhost(
        Markup(part_of_a_page(graph, dict(_contents(vhost, graph)))),
        [[key.kind, *(node.members or (key.name,))] for key, node in graph.nodes.items()],
        [[numbers[edge.source], numbers[edge.target], edge.kind] for edge in graph.edges],
        0,
    )


def _contents(vhost: Vhost, graph: Graph) -> Iterable[tuple[Key, NodeContents]]:
    held = holdings(vhost, (key.name for key in graph.nodes if key.kind == CONSUMER))
    for key, node in graph.nodes.items():
        if key.kind == QUEUE:
            depths = depths_of(vhost, node.members or (key.name,)).values()
            ready, unacked = sum(depth[0] for depth in depths), sum(depth[1] for depth in depths)
            yield key, NodeContents(f"{ready:,} ready · {unacked:,} unacked", ready, unacked)
        elif key.kind == CONSUMER:
            yield key, NodeContents(f"holds {held[key.name]}" if held.get(key.name) else "idle")


def depths_of(vhost: Vhost, queues: Iterable[str]) -> dict[str, tuple[int, int]]:
    """What is ready and unacked in each of those that there are."""
    found = ((name, vhost.broker.queues.get(name)) for name in queues)
    return {name: (queue.ready_count(), queue.unacked) for name, queue in found if queue is not None}


def holdings(vhost: Vhost, consumers: Iterable[str]) -> dict[str, str]:
    """What each has been sent and not answered, in a few words."""
    wanted = set(consumers)
    held: dict[str, list[str]] = {name: [] for name in wanted}
    if wanted:
        for channel in vhost.broker.channels.values():
            for item in channel.outstanding():
                if item.subscription is not None and item.subscription.name in wanted:
                    held[item.subscription.name].append(item.copy.message)
    return {name: _named(messages) for name, messages in held.items()}


def _named(messages: list[str]) -> str:
    if not messages:
        return ""
    return visible(", ".join(messages)) if len(messages) <= SHOWN_IDS else f"{len(messages):,} messages"


def connections(server: Server, vhost: Vhost) -> list[dict[str, Any]]:
    found = [each for each in server.connections_of(vhost) if each.state == RUNNING]
    return [
        {"name": each.name, "user": each.user, "channels": len(each.channels)}
        for each in sorted(found, key=lambda each: each.name)
    ]


def ledger(vhost: Vhost) -> Mapping[str, int]:
    """How all publishes and copies ended; what is nowhere is left out."""
    return {name: count for name, count in counts(vhost.broker).items() if count}

"""A topology as nodes and edges: values that every drawing starts from."""

from routesim.named_tuples import NamedTuple

EXCHANGE, QUEUE, CONSUMER, MISSING = "exchange", "queue", "consumer", "missing"
BINDING, ALTERNATE, DEAD_LETTER, CONSUMES, PUBLISHES = "binding", "alternate", "dead-letter", "consumes", "publishes"


class Key(NamedTuple):
    """What a node stands for."""

    kind: str
    name: str


class Node(NamedTuple):
    """`detail` says in a few words what it is; `members` are the names that one node of a group stands for."""

    key: Key
    detail: str = ""
    taken: bool = False
    members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.key.name


class Edge(NamedTuple):
    """All bindings between two nodes, or another way between them; `labels` are the keys, or the cause."""

    source: Key
    target: Key
    kind: str = BINDING
    labels: tuple[str, ...] = ()
    taken: bool = False

    @property
    def caption(self) -> tuple[str, ...]:
        """The labels that are worth a place in a drawing: not that of a lone binding without a key."""
        return self.labels if any(self.labels) else ()


class Graph(NamedTuple):
    """Edges lead to nodes of this graph only. `left_out`: how many nodes a focus hides; `lone`: how many of them are exchanges
    of which all that is around them is hidden. `vhosts`: where a program reads it, the graphs of all virtual hosts of the file,
    each by itself."""

    title: str
    nodes: dict[Key, Node]
    edges: tuple[Edge, ...]
    left_out: int = 0
    lone: int = 0
    vhosts: tuple[tuple[str, "Graph"], ...] = ()

    def from_(self, key: Key) -> list[Edge]:
        return [edge for edge in self.edges if edge.source == key]

    def roots(self) -> list[Key]:
        """Where a reader begins: what nothing leads to, and one node of every circle that nothing else leads into."""
        entered = {edge.target for edge in self.edges if edge.target != edge.source}
        following: dict[Key, list[Key]] = {}
        for edge in self.edges:
            following.setdefault(edge.source, []).append(edge.target)
        found: list[Key] = []
        seen: set[Key] = set()
        for key in [*(key for key in self.nodes if key not in entered), *self.nodes]:
            if key in seen:
                continue
            found.append(key)
            todo = [key]
            while todo:
                current = todo.pop()
                if current not in seen:
                    seen.add(current)
                    todo += following.get(current, [])
        return found


def together(labels: tuple[str, ...], most: int = 3) -> str:
    """Several keys in one line; an empty key is shown as `""`."""
    shown = ", ".join(label or '""' for label in labels[:most])
    return f"{shown}, … {len(labels) - most:,} more" if len(labels) > most else shown

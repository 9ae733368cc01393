"""Names that are easily taken for each other."""

from collections.abc import Iterator

from routesim.check.finding import Problem
from routesim.check.topology.checked_topology import CheckedTopology


def names_alike(topology: CheckedTopology) -> Iterator[Problem]:
    kinds = {"exchange": [name for name, _ in topology.exchanges()], "queue": list(topology.broker.queues)}
    for kind, names in kinds.items():
        seen: dict[str, str] = {}
        for name in names:
            plain = name.strip().casefold()
            first = seen.setdefault(plain, name)
            if first != name:
                how = "in a blank at an end" if first.strip() == name.strip() else "in small and capital letters"
                text = f"{kind}s '{first}' and '{name}' differ only {how}: to RabbitMQ they are two"
                yield Problem(text, topology.subject(kind, name), ("name",), "give them names that nobody takes for each other")
            elif name != name.strip():
                text = f"the name of {kind} '{name}' has a blank at an end, which most who write it leave out"
                yield Problem(text, topology.subject(kind, name), ("name",), "take the blank out")

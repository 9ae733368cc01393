"""By which exchanges and keys a queue is reached."""

from routesim.broker import Broker
from routesim.explain.answer import quoted
from routesim.explain.routes.types import shown_table
from routesim.model import Binding
from routesim.tables import QUIET, Cell, Section

SHOWN = "…"


def reaching(broker: Broker, name: str) -> list[tuple[str, tuple[Binding, ...]]]:
    """Every chain of bindings that ends in the queue, with the exchange at which it begins."""
    found: list[tuple[str, tuple[Binding, ...]]] = []
    todo: list[tuple[tuple[str, str], tuple[Binding, ...]]] = [(("queue", name), ())]
    while todo:
        end, path = todo.pop(0)
        for binding in broker.incoming.to(*end):
            if any(binding.source == hop.source for hop in path):
                continue
            longer = (binding, *path)
            found.append((binding.source, longer))
            if len(longer) < 6:
                todo.append((("exchange", binding.source), longer))
    return found


def routes_section(found: list[tuple[str, tuple[Binding, ...]]]) -> Section:
    rows = [(Cell("(default)"), Cell("its name"), Cell(""))]
    for start, path in found[:50]:
        keys = " then ".join(quoted(hop.routing_key) if not hop.arguments else shown_table(hop.arguments) for hop in path)
        way = " → ".join(hop.destination for hop in path)
        rows.append((Cell(start), Cell(keys), Cell(way if len(path) > 1 else "", QUIET)))
    if len(found) > 50:
        rows.append((Cell(SHOWN), Cell(f"{len(found) - 50} more"), Cell("")))
    return Section("What can reach it", ("exchange", "binding key", "through"), rows)

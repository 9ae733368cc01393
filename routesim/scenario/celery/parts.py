"""Parts of the plain sections that a `celery:` section is expanded into."""

from typing import Any

from routesim.model import Binding, Exchange, Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario.celery.nodes import made
from routesim.scenario.format.kinds import Reader
from routesim.scenario.topology_data import binding_form, exchange_form, queue_form
from routesim.scenario.yaml.nodes import Mapping, Node, Text


class ExpandedItem(NamedTuple):
    """An item of a section; `name` is None in a list. `comment` says in the written form what it is."""

    section: str
    name: Text | None
    node: Node
    comment: str = ""


class AppTopology:
    """What the section declares at the top, each thing once. Two that differ get a warning: RabbitMQ will refuse the second."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.parts: list[ExpandedItem] = []
        self.exchanges: dict[str, Exchange] = {}
        self.queues: dict[str, Queue] = {}
        self.bindings: list[Binding] = []

    def add(self, what: Exchange | Queue | Binding, at: Node, comment: str, channel: str | None = None) -> None:
        """`channel`: whose connection an exclusive queue belongs to."""
        if isinstance(what, Binding):
            if what not in self.bindings:
                self.bindings.append(what)
                self.parts.append(part_of(what, at, comment))
            return
        known: Any = self.exchanges if isinstance(what, Exchange) else self.queues
        if what.name not in known:
            known[what.name] = what
            self.parts.append(part_of(what, at, comment, channel))
        elif known[what.name] != what:
            self._differ("exchange" if isinstance(what, Exchange) else "queue", what.name, at)

    def _differ(self, what: str, name: str, at: Node) -> None:
        problem = f"{what} '{name}' is declared twice, and differently: whoever comes second is answered 406, and exits"
        self.reader.warning("refused", problem, at, "give both apps the same settings for it")


def part_of(what: Exchange | Queue | Binding, at: Node, comment: str = "", channel: str | None = None) -> ExpandedItem:
    if isinstance(what, Binding):
        return ExpandedItem("bindings", None, made(binding_form(what), at), comment)
    if isinstance(what, Exchange):
        return ExpandedItem("exchanges", made(what.name, at), made(exchange_form(what), at), comment)
    form = queue_form(what)
    if what.exclusive and channel is not None:
        form = {**form, "channel": channel}
    return ExpandedItem("queues", made(what.name, at), made(form, at), comment)


def declared(parts: list[ExpandedItem], at: Node) -> Node:
    """A `declare` step of these parts."""
    step: Node = made({"declare": sections_of(parts, at)}, at)
    return step


def sections_of(parts: list[ExpandedItem], at: Node) -> Mapping:
    """The parts as a mapping of sections."""
    sections: Mapping = made({}, at)
    for part in parts:
        if part.name is None:
            sections.setdefault(made(part.section, at), made([], at)).append(part.node)
        else:
            sections.setdefault(made(part.section, at), made({}, at))[part.name] = part.node
    return sections

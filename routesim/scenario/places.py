"""Where in its files a scenario declares what: for findings that are made after loading."""

from typing import Any

from routesim import steps
from routesim.diagnostics import Place
from routesim.named_tuples import NamedTuple
from routesim.scenario.definitions.list_form import Path
from routesim.scenario.sections.declarations import Declarations, Declared, Included
from routesim.scenario.sections.declared_checks import child
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text
from routesim.scenario.yaml.source import Source

# Sections in which names are keys.
NAMED = {steps.DeclareExchange: "exchanges", steps.DeclareQueue: "queues", steps.Consume: "consumers"}


class Spot(NamedTuple):
    """A place, the text of its line, and the text of the line on which the whole item begins."""

    place: Place
    line: str
    first_line: str


class Places:
    """Answers for the declarations and steps of one scenario; looked up only when asked for."""

    def __init__(self, source: Source, root: Mapping | None, declarations: Declarations) -> None:
        self.source = source
        self.root = root
        self.declared_items = declarations.items
        self.items: dict[int, Declared] | None = None  # once one is asked for
        self.included = declarations.included
        self.bindings: dict[int, tuple[Included, Path]] | None = None  # of definitions files, once one is asked for
        own = [included for included in declarations.included if included.source is source or root is None]
        self.vhosts: tuple[str, ...] = own[0].found.vhosts if own else ()  # of a file of definitions that is read by itself

    def declared(self, step: steps.Step, *inner: str) -> Spot:
        """The declaration (the very step of `Scenario.declarations`), or the part of it that `inner` leads to."""
        if self.items is None:
            self.items = {id(item.step): item for item in self.declared_items}
        item = self.items.get(id(step)) or Declared(step, None, self._bound(step))
        inner = inner or (("routing_key",) if isinstance(step, steps.Bind) else ("name",))
        if item.path is not None:
            included, path = item.path
            return self._spot(included.source, included.place((*path, *inner)), included.place(path)[0])
        whole: Any = self._key(step) or item.node
        return self._spot(self.source, _at(_part(item.node, inner) or whole), whole.line)

    def _bound(self, step: steps.Step) -> tuple[Included, Path]:
        """Where a binding of a definitions file stands."""
        assert isinstance(step, steps.Bind)
        if self.bindings is None:
            self.bindings = {
                id(binding): (included, path) for included in self.included for path, binding in included.found.bindings
            }
        return self.bindings[id(step.binding)]

    def step(self, index: int) -> Spot:
        """The step of that index."""
        node = child(self.root, "steps")
        item: Any = node[index] if isinstance(node, Sequence) and index < len(node) else node
        return self._spot(self.source, _at(item), item.line)

    def consumer(self, name: str) -> Spot:
        """A consumer, also one that is not started; a worker, or one of its consumers."""
        node = self._named("consumers", name) or self._worker(name) or child(self.root, "steps")
        return self._spot(self.source, _at(node), node.line)

    def task(self, name: str) -> Spot:
        """What says how a task runs."""
        node = self._named("tasks", name) or child(self.root, "tasks")
        return self._spot(self.source, _at(node), node.line)

    def _worker(self, name: str) -> Any:
        found = child(self.root, "workers")
        if not isinstance(found, Mapping):
            return None
        parts = name.split(":")
        names = {":".join(parts[:number]) for number in range(1, len(parts) + 1)} & found.keys()
        if len(names) > 1:
            return next(key for key in found if key in names)
        return found.key(names.pop()) if names else None

    def whole(self) -> Spot:
        """The file, for what has no better place."""
        return self._spot(self.source, (1, 1, 1), 1)

    def _key(self, step: steps.Step) -> Any:
        section = NAMED.get(type(step))
        if section is None:
            return None
        declared: Any = step[-1]
        return self._named(section, declared.name)

    def _named(self, section: str, name: str) -> Any:
        found = child(self.root, section)
        return found.key(name) if isinstance(found, Mapping) else None

    @staticmethod
    def _spot(source: Source, at: tuple[int, int, int], first_line: int) -> Spot:
        line, column, width = at
        return Spot(Place(source.file, line, column, max(1, width)), source.line(line), source.line(first_line))


def _at(node: Any) -> tuple[int, int, int]:
    return node.line, node.column, node.width


def _part(node: Node | None, inner: tuple[str, ...]) -> Any:
    """A field's value; of a table in a field (arguments, definition) the key."""
    if len(inner) == 1:
        found = child(node, *inner)
        return found if isinstance(found, Text) else None
    table = child(node, *inner[:-1])
    return table.key(inner[-1]) if isinstance(table, Mapping) else None

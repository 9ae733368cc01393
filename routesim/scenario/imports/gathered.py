"""What the files of one program declare, virtual host by virtual host, and all that there is to say of them."""

from collections.abc import Iterator

from routesim.broker.records import PREDECLARED
from routesim.diagnostics import Diagnostic, did_you_mean
from routesim.model import Binding, Exchange, Policy, Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario.definitions.reading import Definitions
from routesim.scenario.imports.documents import Document, documents_of
from routesim.scenario.imports.items import Item
from routesim.scenario.imports.notes import Notes
from routesim.scenario.imports.sight import ForeignKind, reader_of
from routesim.scenario.yaml.source import Source
from routesim.values import table_identity

Thing = Exchange | Queue | Binding | Policy


class Gathering(NamedTuple):
    """`item`: where it is declared; its arguments stand below it."""

    vhost: str
    thing: Thing
    item: Item


class DocumentPart(NamedTuple):
    """What one document declares, for `Declarations.include`."""

    found: Definitions
    document: Document


class Gathered(Notes):
    """`queue_types`: the default of a virtual host. `more_vhosts`: those that are named, and of which nothing else is said.
    `brokers`: whose all this is, where the files say it."""

    def __init__(self, kind: ForeignKind) -> None:
        super().__init__()
        self.kind = kind
        self.things: list[Gathering] = []
        self.queue_types: dict[str, str] = {}
        self.more_vhosts: list[str] = []
        self.brokers: dict[str, None] = {}
        self.first: Document | None = None

    def declare(self, vhost: str, thing: Thing, item: Item) -> None:
        """`item`: where it is declared; its arguments, pattern and definition stand below it, for what is wrong with them."""
        self.things.append(Gathering(vhost, thing, item))

    def all_diagnostics(self) -> list[Diagnostic]:
        """What is wrong, that nothing is declared at all included."""
        if self.things or self.failed or self.first is None:
            return self.diagnostics
        cure = f"left out: {self.left_out[0]}" if self.left_out else ""
        nothing = self.first.source.diagnostic("error", "empty-file", "nothing of a topology is declared here", 1, 1, 1, cure)
        return [*self.diagnostics, nothing]

    # What comes of it ------------------------------------------------------------------------------------------------

    @property
    def vhosts(self) -> tuple[str, ...]:
        """Those in which something is declared, in the order of the files."""
        return tuple(dict.fromkeys(found.vhost for found in self.things))

    def chosen_vhost(self) -> str:
        """The one that is meant where none is asked for: `/`, or the only one."""
        vhosts = self.vhosts or tuple(self.more_vhosts)
        return vhosts[0] if len(vhosts) == 1 else "/"

    def parts(self, vhost: str) -> list[DocumentPart]:
        """What is declared in a virtual host, document by document; what cannot hold is noted."""
        all_here = [found for found in self.things if found.vhost == vhost]
        declared = list(self._once(found for found in all_here if not isinstance(found.thing, Binding)))
        bindings = (found for found in all_here if isinstance(found.thing, Binding))
        here = [*declared, *self._bound(bindings, declared)]
        by_document: dict[int, list[Gathering]] = {}
        for found in here:
            by_document.setdefault(id(found.item.document), []).append(found)
        vhosts = self.vhosts
        return [DocumentPart(self._definitions(vhost, part, vhosts), part[0].item.document) for part in by_document.values()]

    def _definitions(self, vhost: str, here: list[Gathering], vhosts: tuple[str, ...]) -> Definitions:
        def of(kind: type) -> list[tuple[tuple[str | int, ...], object]]:
            return [(found.item.path, found.thing) for found in here if isinstance(found.thing, kind)]

        return Definitions(of(Exchange), of(Queue), of(Binding), of(Policy), None, self.queue_types.get(vhost), (), vhosts)  # type: ignore[arg-type]

    def _once(self, here: Iterator[Gathering]) -> Iterator[Gathering]:
        """Each thing once; one that is declared again with other properties is refused by RabbitMQ."""
        first: dict[tuple[str, str], Gathering] = {}
        for found in here:
            thing = found.thing
            if not isinstance(thing, Exchange | Queue):
                yield found
                continue
            known = first.setdefault((type(thing).__name__, thing.name), found)
            if known is found:
                yield found
            elif _properties(thing) != _properties(known.thing):
                what = type(thing).__name__.lower()
                text = f"{what} '{thing.name}' is declared with other properties at {known.item.place()}"
                found.item.error(
                    "refused", f"{text}: RabbitMQ refuses the second with PRECONDITION_FAILED", "declare it the same way"
                )

    def _bound(self, here: Iterator[Gathering], declared: list[Gathering]) -> Iterator[Gathering]:
        """The bindings whose ends are there."""
        exchanges = {item.name for item in PREDECLARED} | {
            each.thing.name for each in declared if isinstance(each.thing, Exchange)
        }
        queues = {each.thing.name for each in declared if isinstance(each.thing, Queue)}
        for found in here:
            binding = found.thing
            assert isinstance(binding, Binding)
            ends = [("exchange", binding.source, exchanges)]
            ends.append(
                (binding.destination_type, binding.destination, queues if binding.destination_type == "queue" else exchanges)
            )
            missing = next(((what, name, known) for what, name, known in ends if name not in known), None)
            if missing is None:
                yield found
                continue
            what, name, known = missing
            if self.kind.all_declared:
                found.item.error(f"unknown-{what}", f"no {what} '{name}' is declared", did_you_mean(name, known))
            else:
                text = f"a binding of '{binding.destination}' to '{binding.source}': no {what} '{name}' is declared here"
                cure = did_you_mean(name, known)
                found.item.leave_out(f"{text}; {cure}" if cure else text, matters=True)


def gathered_from(kind: ForeignKind, sources: list[Source]) -> Gathered:
    """What the texts declare; what is wrong in them is in its `diagnostics`. Raises `Invalid` where one cannot be read at all."""
    gathered, read = Gathered(kind), reader_of(kind)
    documents = [document for source in sources for document in documents_of(source)]
    gathered.first = documents[0]
    for document in documents:
        read(gathered, Item(gathered, document, document.data))
    return gathered


def _properties(thing: Thing) -> tuple[object, ...]:
    rest = tuple(value for name, value in thing._asdict().items() if name != "arguments")
    return (*rest, table_identity(thing.arguments if isinstance(thing, Exchange | Queue) else {}))

"""What a child process has seen a program declare, as a topology."""

from typing import Any

from routesim.celery_app.asking import AppAnswer, asked
from routesim.celery_app.programs import child
from routesim.model import Binding, Exchange, Queue
from routesim.named_tuples import NamedTuple
from routesim.scenario.definitions.importing import Imported
from routesim.scenario.imports.documents import Document
from routesim.scenario.imports.gathered import Gathered
from routesim.scenario.imports.importing import topology_in
from routesim.scenario.imports.items import Item
from routesim.scenario.imports.sight import ForeignKind
from routesim.scenario.yaml.source import QuietSource


class Library(NamedTuple):
    """`name`: as `routesim import` has it. `called`: as its people write it. `rest`: what of such a program is no topology."""

    name: str
    called: str
    rest: str


LIBRARIES = {
    library.name: library
    for library in (
        Library(
            "faststream", "FastStream", "subscribers: their queues are here; that they take messages is written as consumers"
        ),
        Library("kombu", "kombu", ""),
    )
}


def asked_of(library: Library, app: str, *, python: str, directory: str, timeout_s: float) -> AppAnswer:
    """As `asking.asked`, of the program `app`."""
    return asked(app, {}, python=python, directory=directory, timeout_s=timeout_s, parts=child.files(library.name))


def topology_of_answer(
    library: Library, app: str, answer: dict[str, Any], vhost: str | None = None, *, rabbitmq: str | None = None
) -> Imported:
    """What the program declares. Raises `Invalid` with what RabbitMQ would refuse of it."""
    kind = ForeignKind(library.name, f"a program of {library.called}", "", "", "")
    source = QuietSource(app, "")
    gathered = Gathered(kind)
    document = _Program(source, answer)
    gathered.first = document
    whole = Item(gathered, document, answer)
    own = answer["vhost"] or "/"
    things = [(_thing(thing), index) for index, thing in enumerate(answer["things"])]
    for thing, index in sorted(things, key=lambda each: repr(each[0])):  # FastStream starts its subscribers in no fixed order
        gathered.declare(own, thing, whole.get("things", index))
    for note in answer["notes"]:
        gathered.leave_out(note)
    if answer["consumed"] and library.rest:
        gathered.leave_out(f"{len(answer['consumed'])} {library.rest}")
    return topology_in(gathered, source, vhost, rabbitmq=rabbitmq)


def _thing(thing: dict[str, Any]) -> Exchange | Queue | Binding:
    values = {key: value for key, value in thing.items() if key != "what"}
    if thing["what"] == "exchange":
        values.pop("exclusive", None)
        return Exchange(**values)
    if thing["what"] == "queue":
        values.pop("internal", None)
        return Queue(**values)
    return Binding(**values)


class _Program(Document):
    """What has no places: it came out of a program that ran."""

    def place(self, path: tuple[str | int, ...]) -> tuple[int, int, int]:
        return 0, 0, 1

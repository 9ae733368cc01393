"""What runs in the interpreter that has FastStream or kombu: imports a module, and lets the library declare what is in it.

What the library asks of its channel is written down instead of sent; nothing is connected. Arguments as for the other child,
beside which it runs: it needs the standard library and the one library that it is about.
Of the broker's address only the virtual host leaves it.
"""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from routesim.celery_app.child import (
    MADE_UP,
    NAMES_SHOWN,
    CannotLoad,
    answered,
    caller,
    is_missing,
    last_line,
    modules_near,
    plain,
)

DEEPEST_IN_A_MODULE = 3  # queues in lists in mappings
SERVER_NAMED = "(server-named)"  # what a library gets to know of a queue whose name the broker makes up
NAMES_OF_THE_BROKER = re.compile(r"amq\.")


class DeclarationLog:
    """What a library asks of its channel. `vhost`: of the address that it would have connected to."""

    def __init__(self) -> None:
        self.things: list[dict[str, Any]] = []
        self.consumed: list[str] = []
        self.vhost: str | None = None
        self.notes: list[str] = []
        self.runs = False

    def exchange(self, name: str, kind: Any, options: Mapping[str, Any], *, passive: bool) -> None:
        if not name or NAMES_OF_THE_BROKER.match(name):
            return
        if passive:
            self.note(f"exchange {name}: it is expected to be there, and not declared")
            return
        self.things.append(
            {"what": "exchange", "name": name, "type": str(getattr(kind, "value", kind) or "direct"), **self.options(options)}
        )

    def queue(self, name: str, options: Mapping[str, Any], *, passive: bool) -> None:
        if name == SERVER_NAMED:
            self.note("a queue without a name: the broker makes one up")
        elif MADE_UP.search(name):
            self.note(f"a queue whose name each process makes up ({MADE_UP.sub('…', name)})")
        elif NAMES_OF_THE_BROKER.match(name):
            return
        elif passive:
            self.note(f"queue {name}: it is expected to be there, and not declared")
        else:
            self.things.append({"what": "queue", "name": name, **self.options(options)})

    def options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        flags = {
            key: bool(options[key]) for key in ("durable", "exclusive", "auto_delete", "internal") if options.get(key) is not None
        }
        return {**flags, "arguments": self.arguments(options.get("arguments"))}

    def bind(self, source: str, destination: str, kind: str, key: Any, arguments: Any) -> None:
        if source and destination != SERVER_NAMED and not MADE_UP.search(destination):
            self.things.append(
                {
                    "what": "binding", "source": source, "destination": destination, "destination_type": kind,
                    "routing_key": str(key or ""), "arguments": self.arguments(arguments),
                }
            )  # fmt: skip

    def arguments(self, arguments: Any) -> dict[str, Any]:
        found = {str(key): plain(value) for key, value in dict(arguments or {}).items()}
        for key in [key for key, value in found.items() if value is None]:
            self.note(f"argument {key}: a value that cannot be written down")
            del found[key]
        return found

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def refuse_unless_it_runs(self) -> None:
        if not self.runs:
            raise CannotLoad({"error": "connects", "place": caller()})


# aio-pika, as far as FastStream asks it -------------------------------------------------------------------------------


class Anything:
    """Whatever is asked of it beside what is written down does nothing."""

    is_closed = False

    def __getattr__(self, name: str) -> Any:
        async def nothing(*arguments: Any, **options: Any) -> Any:
            return self

        if name.startswith("__"):
            raise AttributeError(name)
        return nothing


class SeenExchange(Anything):
    def __init__(self, recording: DeclarationLog, name: str) -> None:
        self.recording = recording
        self.name = name

    async def bind(self, exchange: Any, routing_key: str = "", arguments: Any = None, **options: Any) -> None:
        self.recording.bind(getattr(exchange, "name", str(exchange)), self.name, "exchange", routing_key, arguments)


class SeenQueue(Anything):
    def __init__(self, recording: DeclarationLog, name: str, channel: Any) -> None:
        self.recording = recording
        self.name = name
        self.channel = channel

    async def bind(self, exchange: Any, routing_key: str | None = None, arguments: Any = None, **options: Any) -> None:
        key = self.name if routing_key is None else routing_key
        self.recording.bind(getattr(exchange, "name", str(exchange)), self.name, "queue", key, arguments)

    async def consume(self, *arguments: Any, **options: Any) -> str:
        self.recording.consumed.append(self.name)
        return "tag"


class SeenChannel(Anything):
    def __init__(self, recording: DeclarationLog) -> None:
        self.recording = recording
        self.default_exchange = SeenExchange(recording, "")

    async def declare_exchange(self, name: str, type: Any = "direct", *, passive: bool = False, **options: Any) -> SeenExchange:
        self.recording.exchange(name, type, options, passive=passive)
        return SeenExchange(self.recording, name)

    async def declare_queue(self, name: str | None = None, *, passive: bool = False, **options: Any) -> SeenQueue:
        self.recording.queue(name or SERVER_NAMED, options, passive=passive)
        return SeenQueue(self.recording, name or SERVER_NAMED, self)


class SeenConnection(Anything):
    def __init__(self, recording: DeclarationLog) -> None:
        self.recording = recording
        self.close_callbacks: set[Any] = set()
        self.reconnect_callbacks: set[Any] = set()

    async def channel(self, *arguments: Any, **options: Any) -> SeenChannel:
        return SeenChannel(self.recording)


def faststream(name: str) -> dict[str, Any]:
    recording = DeclarationLog()

    async def connect(url: Any = None, **options: Any) -> SeenConnection:
        recording.refuse_unless_it_runs()
        path = urlsplit(str(url)).path if url is not None else ""
        recording.vhost = unquote(path[1:]) or str(options.get("virtualhost") or "/")
        return SeenConnection(recording)

    def prepare() -> None:
        importlib.import_module("aio_pika").connect_robust = connect  # type: ignore[attr-defined]
        importlib.import_module("faststream.rabbit")

    module, attribute = module_of(name, ("faststream", "aio_pika"), prepare)
    kind = importlib.import_module("faststream.rabbit").RabbitBroker
    app = chosen(module, attribute, lambda value: broker_of(value, kind) is not None, "FastStream app with a RabbitBroker")
    broker = broker_of(app, kind)
    assert broker is not None
    recording.runs = True
    asyncio.run(broker.start())
    hooks = [key for key in ("_on_startup_calling", "_after_startup_calling") if getattr(app, key, None)]
    if hooks:
        recording.note("what hooks of the app's start declare: no hook is run")
    return reply("faststream", recording)


def broker_of(value: Any, kind: type) -> Any:
    """The broker that a value is or has: a FastStream app's, a router's of FastAPI."""
    if isinstance(value, type):
        return None
    if isinstance(value, kind):
        return value
    for key in ("broker", "_broker"):
        found = vars_of(value).get(key) or plain_attribute(value, key)
        if isinstance(found, kind):
            return found
    return None


def vars_of(value: Any) -> Mapping[str, Any]:
    return vars(value) if hasattr(value, "__dict__") else {}


def plain_attribute(value: Any, key: str) -> Any:
    """An attribute of what FastStream itself defines; nobody else's properties are called."""
    return getattr(value, key, None) if type(value).__module__.partition(".")[0] == "faststream" else None


# kombu ---------------------------------------------------------------------------------------------------------------


class KombuChannel:
    """A channel of py-amqp, as far as kombu's entities ask it when they are declared."""

    is_open = True

    def __init__(self, recording: DeclarationLog, to_arguments: Any) -> None:
        self.recording = recording
        self.prepare_queue_arguments = to_arguments

    def exchange_declare(self, exchange: str, type: str, passive: bool = False, **options: Any) -> None:
        self.recording.exchange(exchange, type, options, passive=passive)

    def queue_declare(self, queue: str, passive: bool = False, **options: Any) -> tuple[str, int, int]:
        self.recording.queue(queue or SERVER_NAMED, options, passive=passive)
        return queue or SERVER_NAMED, 0, 0

    def queue_bind(self, queue: str, exchange: str, routing_key: str = "", arguments: Any = None, **options: Any) -> None:
        self.recording.bind(exchange, queue, "queue", routing_key, arguments)

    def exchange_bind(self, destination: str, source: str, routing_key: str = "", arguments: Any = None, **options: Any) -> None:
        self.recording.bind(source, destination, "exchange", routing_key, arguments)


def kombu(name: str) -> dict[str, Any]:
    recording = DeclarationLog()

    def refuse(connection: Any, *arguments: Any, **options: Any) -> None:
        raise CannotLoad({"error": "connects", "place": caller()})

    def prepare() -> None:
        importlib.import_module("kombu").Connection._establish_connection = refuse

    module, attribute = module_of(name, ("kombu",), prepare)
    library = importlib.import_module("kombu")
    mixin = importlib.import_module("kombu.mixins").ConsumerMixin
    kinds = (library.Exchange, library.Queue, library.Consumer)
    values = {attribute: attribute_of(module, attribute)} if attribute else vars(module)
    channel = KombuChannel(recording, importlib.import_module("kombu.transport.base").to_rabbitmq_queue_arguments)
    seen: list[Any] = []
    for key, value in values.items():
        if key.startswith("__"):
            continue
        if isinstance(value, library.Connection):
            recording.vhost = value.virtual_host or "/"
        if isinstance(value, type) and issubclass(value, mixin) and value.__module__ == module.__name__:
            recording.note(f"what the consumers of {key} declare: get_consumers is code")
        for each in entities(value, kinds, 0):
            if not any(each is other for other in seen):
                seen.append(each)
    if not seen:
        kind = type(values[attribute]).__name__ if attribute else None
        raise CannotLoad(no_program(module, attribute, kind, [], "exchange, queue or consumer of kombu"))
    for entity in seen:
        for each in entity.queues if isinstance(entity, library.Consumer) else (entity,):
            each(channel).declare()
    return reply("kombu", recording)


def entities(value: Any, kinds: tuple[type, ...], depth: int) -> Iterator[Any]:
    if isinstance(value, kinds):
        yield value
    elif depth < DEEPEST_IN_A_MODULE:
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple, set, frozenset)) else ()
        for each in inside:
            yield from entities(each, kinds, depth + 1)


# What both have in common --------------------------------------------------------------------------------------------


def module_of(name: str, libraries: tuple[str, ...], prepare: Any) -> tuple[Any, str]:
    """The module, with the library made ready before it is imported, and what is named behind the colon."""
    # `-c` puts the working directory before everything, where a file may have the library's name.
    here = os.path.realpath(".")
    sys.path[:] = [each for each in sys.path if each and os.path.realpath(each) != here]
    try:
        for library in libraries:
            importlib.import_module(library)
        prepare()
    except ImportError as problem:
        answer = {"error": "no-library", "library": libraries[0], "python": sys.executable, "text": last_line(problem)}
        raise CannotLoad(answer) from None
    sys.path.insert(0, os.getcwd())
    module, _, attribute = name.partition(":")
    try:
        return importlib.import_module(module), attribute
    except ModuleNotFoundError as problem:
        if not is_missing(name, problem):
            raise
        known = modules_near(problem.name or module)
        raise CannotLoad({"error": "no-module", "module": problem.name, "known": known}) from None


def attribute_of(module: Any, attribute: str) -> Any:
    value = module
    for part in attribute.split("."):
        if part not in vars_of(value):
            answer = {
                "error": "no-app",
                "module": module.__name__,
                "attribute": attribute,
                "apps": [],
                "wanted": "attribute of that name",
            }
            raise CannotLoad({**answer, "names": sorted(vars(module))[:NAMES_SHOWN], "modules": []})
        value = vars_of(value)[part]
    return value


def chosen(module: Any, attribute: str, fits: Any, wanted: str) -> Any:
    """The one value of the module that fits, or the one that is named."""
    fitting = {key: value for key, value in vars(module).items() if not key.startswith("__") and fits(value)}
    if attribute:
        value = attribute_of(module, attribute)
        if fits(value):
            return value
        kind = type(value).__name__
    else:
        apps = {key: value for key, value in fitting.items() if type(value).__name__ == "FastStream"} or fitting
        different = {id(value): value for value in apps.values()}
        if len(different) == 1:
            return next(iter(different.values()))
        kind = None
    raise CannotLoad(no_program(module, attribute, kind, sorted(fitting), wanted))


def no_program(module: Any, attribute: str, kind: str | None, apps: list[str], wanted: str) -> dict[str, Any]:
    """That the module has not what is wanted, and what it has."""
    return {
        "error": "no-app", "module": module.__name__, "attribute": attribute, "kind": kind, "apps": apps, "wanted": wanted,
        "names": sorted(key for key in vars(module) if not key.startswith("__"))[:NAMES_SHOWN],
        "modules": modules_near(f"{module.__name__}.any") if hasattr(module, "__path__") else [],
    }  # fmt: skip


def reply(library: str, recording: DeclarationLog) -> dict[str, Any]:
    version = importlib.import_module("importlib.metadata").version(library)
    return {
        "library": library, "version": version, "vhost": recording.vhost, "things": recording.things, "notes": recording.notes,
        "consumed": list(dict.fromkeys(recording.consumed)),
    }  # fmt: skip


PROGRAMS = {"faststream": faststream, "kombu": kombu}


def run(target: str, name: str, wanted: str, seconds: str) -> None:
    faulthandler.dump_traceback_later(float(seconds))
    answered(target, lambda: PROGRAMS[json.loads(wanted)["library"][0]](name))
    # Threads that the program has started, and what it has registered for the end, are no concern of ours.
    os._exit(0)

"""A FastStream app: its broker starts, with aio-pika as far as FastStream asks it replaced."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any
from urllib.parse import unquote, urlsplit

from routesim.celery_app.child.answering import answered
from routesim.celery_app.programs.child.choosing import chosen, module_of, reply, vars_of
from routesim.celery_app.programs.child.declaration_log import SERVER_NAMED, DeclarationLog

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


def plain_attribute(value: Any, key: str) -> Any:
    """An attribute of what FastStream itself defines; nobody else's properties are called."""
    return getattr(value, key, None) if type(value).__module__.partition(".")[0] == "faststream" else None


def run(target: str, name: str, wanted: str, seconds: str) -> None:
    answered(target, seconds, lambda: faststream(name))

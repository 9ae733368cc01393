"""A module of kombu's exchanges, queues and consumers: each is declared on a channel that writes it down."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from routesim.celery_app.child.answering import CannotLoad, answered
from routesim.celery_app.child.finding_modules import refuse
from routesim.celery_app.programs.child.choosing import attribute_of, module_of, no_program, reply
from routesim.celery_app.programs.child.declaration_log import SERVER_NAMED, DeclarationLog

DEEPEST_IN_A_MODULE = 3  # queues in lists in mappings


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


def run(target: str, name: str, wanted: str, seconds: str) -> None:
    answered(target, seconds, lambda: kombu(name))

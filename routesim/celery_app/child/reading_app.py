"""All that is read of an app.

No password leaves it: of addresses only the kind and the virtual host, of other settings only what was asked for.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import weakref
from collections.abc import Container, Iterator, Mapping
from typing import Any

from routesim.celery_app.child.answering import answered
from routesim.celery_app.child.app_queues import queue_of
from routesim.celery_app.child.app_routes import asked, routes
from routesim.celery_app.child.app_tasks import entry_of, task_of
from routesim.celery_app.child.finding_app import found
from routesim.celery_app.child.plain_values import differs, plain

CLASSES = ("amqp_cls", "control_cls", "events_cls")  # those of an app that say what is declared and sent


def read(app: Any, wanted: Mapping[str, Container[str]]) -> dict[str, Any]:
    """`wanted`: names of settings, and of the broker's options, by their kind. Others may be secrets."""
    app.loader.import_default_modules()
    app.finalize()
    defaults = importlib.import_module("celery.app.defaults").DEFAULTS
    options = app.conf.broker_transport_options or {}
    notes: list[str] = []
    changed = {key: value for key, value in settings(app, defaults) if differs(value, defaults[key])}
    tasks = {name: task for name, task in sorted(app.tasks.items()) if not name.startswith("celery.")}
    return {
        "celery": importlib.import_module("celery").__version__,
        "kombu": importlib.import_module("kombu").__version__,
        "main": app.main,
        "zone": str(app.timezone) if app.conf.timezone else None,
        "broker": broker(app),
        "results": kind_of_address(app.conf.result_backend),
        "settings": {key: plain(value) for key, value in changed.items() if key in wanted["settings"]},
        "transport_options": {key: plain(value) for key, value in options.items() if key in wanted["transport_options"]},
        "others": sorted(key for key in changed if key not in wanted["settings"]),
        "other_transport_options": sorted(str(key) for key in options if key not in wanted["transport_options"]),
        "queues": [queue_of(each) for each in app.amqp.queues.consume_from.values()] if app.conf.task_queues else None,
        "routes": list(routes(app)),
        "asked": asked(app, tasks, notes),
        "tasks": {name: task_of(task, app, defaults) for name, task in tasks.items()},
        "beat": {str(name): entry_of(entry) for name, entry in (app.conf.beat_schedule or {}).items()},
        "bootsteps": sorted({name_of(step) for steps in app.steps.values() for step in steps if is_foreign(step)}),
        "receivers": dict(receivers()),
        "classes": sorted(
            str(value) for key in CLASSES if isinstance(value := getattr(app, key, None), (str, type)) and is_foreign(value)
        ),
        "notes": notes,
    }


def receivers() -> Iterator[tuple[str, list[str]]]:
    """By signal, what is connected to it that is not Celery's own. Signals of logging have nothing to do with messages."""
    for name, signal in sorted(vars(importlib.import_module("celery.signals")).items()):
        if not hasattr(signal, "receivers") or "log" in name:
            continue
        found = [each() if isinstance(each, weakref.ReferenceType) else each for _, each in signal.receivers or ()]
        names = sorted({name_of(each) for each in found if each is not None and is_foreign(each)})
        if names:
            yield name, names


def is_foreign(thing: Any) -> bool:
    module = thing if isinstance(thing, str) else str(getattr(thing, "__module__", ""))
    return not module.startswith(("celery.", "kombu.")) and module != "celery"


def name_of(thing: Any) -> str:
    module, name = getattr(thing, "__module__", "?"), getattr(thing, "__qualname__", type(thing).__name__)
    return str(name) if name.startswith(f"{module}.") else f"{module}.{name}"  # a bootstep's has it already


def settings(app: Any, defaults: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in sorted(defaults):
        with contextlib.suppress(Exception):  # a setting that cannot be read stands for its default
            yield key, app.conf[key]


def broker(app: Any) -> dict[str, Any]:
    """The kind of the broker and the virtual host, without the rest of its address."""
    try:
        connection = app.connection_for_write()
        return {"kind": str(connection.transport_cls or "amqp"), "vhost": connection.virtual_host}
    except Exception:  # its client is not installed, say
        return {"kind": kind_of_address(app.conf.broker_url) or "amqp", "vhost": None}


def kind_of_address(address: Any) -> str | None:
    if isinstance(address, (list, tuple)):
        address = address[0] if address else None
    if address is None:
        return None
    return address.partition(":")[0] if isinstance(address, str) else type(address).__name__


def run(target: str, name: str, wanted: str, seconds: str) -> None:
    answered(target, seconds, lambda: read(found(name), json.loads(wanted)))

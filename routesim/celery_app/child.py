"""What runs in the interpreter that has Celery: imports an app, and writes what is set there as JSON into a file.

It needs the standard library and Celery alone (routesim is not installed there), it is given to the interpreter as text,
and it opens no connection. Arguments: the file to write to, the app as `celery -A` takes it, what to read, as JSON, the
seconds after which to print where it hangs.
No password leaves it: of addresses only the kind and the virtual host, of other settings only what was asked for.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import pkgutil
import re
import sys
import traceback
import weakref
from collections.abc import Callable, Container, Iterator, Mapping
from datetime import timedelta
from typing import Any

NAMES_SHOWN = 40
MADE_UP = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
DEEPEST = 8
TASK_OPTIONS = ("queue", "exchange", "routing_key", "expires", "delivery_mode", "max_retries", "default_retry_delay")
PLAIN_TASK = {"max_retries": 3, "default_retry_delay": 180}
LIMITS = {"time_limit": "task_time_limit", "soft_time_limit": "task_soft_time_limit"}  # before 5.1 not in from_config
CLASSES = ("amqp_cls", "control_cls", "events_cls")  # those of an app that say what is declared and sent
RETRYING = {"retry_backoff": False, "retry_backoff_max": 600, "retry_jitter": True}


class CannotLoad(Exception):
    """Why nothing could be read; its only argument is what the caller gets to know."""


# Finding the app -------------------------------------------------------------------------------------------------------


def main(target: str, name: str, wanted: Mapping[str, Container[str]]) -> None:
    answered(target, lambda: read(found(name), wanted))


def answered(target: str, ask: Callable[[], dict[str, Any]]) -> None:
    """Write what is answered, or why nothing is, into the file."""
    try:
        answer = ask()
    except CannotLoad as refusal:
        answer = refusal.args[0]
    except BaseException as problem:
        answer = failure(problem)
    part = target + ".part"
    with open(part, "w", encoding="utf-8") as out:
        json.dump(answer, out)
    os.replace(part, target)


def found(name: str) -> Any:
    """The app that `celery -A name` would take."""
    # `-c` puts the working directory before everything, where a celery.py would be taken for Celery itself.
    here = os.path.realpath(".")
    sys.path[:] = [each for each in sys.path if each and os.path.realpath(each) != here]
    try:
        importlib.import_module("celery")
        utils, kombu = importlib.import_module("celery.app.utils"), importlib.import_module("kombu")
    except ImportError as problem:
        raise CannotLoad({"error": "no-celery", "python": sys.executable, "text": last_line(problem)}) from None
    sys.path.insert(0, os.getcwd())
    kombu.Connection._establish_connection = refuse
    try:
        app = utils.find_app(name)
    except AttributeError as problem:
        if place_of(problem) is not None:
            raise
        raise CannotLoad(no_app(name)) from None
    except ModuleNotFoundError as problem:
        if problem.name == name and ":" in name:  # the attribute is missing; then it is tried as a module
            raise CannotLoad(no_app(name)) from None
        if is_missing(name, problem):
            known = modules_near(problem.name or name)
            raise CannotLoad({"error": "no-module", "module": problem.name, "known": known}) from None
        raise
    if not isinstance(app, importlib.import_module("celery").Celery):
        raise CannotLoad({**no_app(name), "kind": type(app).__name__})
    return app


def refuse(connection: Any, *arguments: Any, **named: Any) -> None:
    raise CannotLoad({"error": "connects", "place": caller()})


def caller() -> list[Any] | None:
    frames = [frame for frame in traceback.extract_stack() if is_own(frame.filename)]
    return [relative(frames[-1].filename), frames[-1].lineno] if frames else None


def is_missing(name: str, problem: ModuleNotFoundError) -> bool:
    """Whether it is the app's own module that there is not, and not one that it imports."""
    module = name.partition(":")[0]
    wanted = problem.name or ""
    return place_of(problem) is None and (module == wanted or module.startswith(wanted + "."))


def modules_near(module: str) -> list[str]:
    """The names that the module could have had."""
    package, _, _ = module.rpartition(".")
    try:
        paths = list(importlib.import_module(package).__path__) if package else [os.getcwd()]
    except BaseException:
        paths = [os.getcwd()]
    prefix = package + "." if package else ""
    return sorted(prefix + each.name for each in pkgutil.iter_modules(paths))[:1000]


def no_app(name: str) -> dict[str, Any]:
    """What there is in the module instead of an app. Raises what its `celery` module raises, which hides behind that."""
    module_name, _, attribute = name.partition(":")
    module = sys.modules.get(module_name)
    if module is None and "." in module_name:
        module_name, _, attribute = module_name.rpartition(".")
        module = sys.modules.get(module_name)
    if not attribute and hasattr(module, "__path__"):
        beside = module_name + ".celery"
        try:
            importlib.import_module(beside)
        except ModuleNotFoundError as problem:
            if problem.name != beside:
                raise
    celery = importlib.import_module("celery").Celery
    values = {} if module is None else {key: value for key, value in vars(module).items() if not key.startswith("__")}
    return {
        "error": "no-app", "module": module_name, "attribute": attribute,
        "apps": [key for key, value in values.items() if isinstance(value, celery)],
        "names": sorted(values)[:NAMES_SHOWN],
        "modules": modules_near(f"{module_name}.any") if hasattr(module, "__path__") else [],
    }  # fmt: skip


# What went wrong -------------------------------------------------------------------------------------------------------


def failure(problem: BaseException) -> dict[str, Any]:
    if isinstance(problem, SystemExit):
        return {"error": "exits", "text": repr(problem.code), "place": place_of(problem)}
    text = "".join(traceback.format_exception(type(problem), problem, problem.__traceback__))
    return {"error": "raises", "text": last_line(problem), "place": place_of(problem), "traceback": text,
            "missing": problem.name if isinstance(problem, ModuleNotFoundError) else None}  # fmt: skip


def last_line(problem: BaseException) -> str:
    lines = traceback.format_exception_only(type(problem), problem)
    return " ".join(lines[-1].split())


def place_of(problem: BaseException) -> list[Any] | None:
    """The last place in the app's own code that the exception came through, or where its syntax is wrong."""
    if isinstance(problem, SyntaxError) and problem.filename:
        return [relative(problem.filename), problem.lineno or 1]
    frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if is_own(frame.filename)]
    return [relative(frames[-1].filename), frames[-1].lineno] if frames else None


def is_own(file: str) -> bool:
    """Whether a file is of the project: below the working directory, and not of an environment that lies there."""
    return (
        os.path.isabs(file) and not relative(file).startswith("..") and "site-packages" not in file and "lib/python" not in file
    )


def relative(file: str) -> str:
    with contextlib.suppress(ValueError):  # on another drive
        return os.path.relpath(file)
    return file


# What is read ----------------------------------------------------------------------------------------------------------


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


def differs(value: Any, default: Any) -> bool:
    try:
        return bool(value != default)
    except Exception:
        return True


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


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON has it: durations in seconds, queues and exchanges by their names, what else there is as nothing."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping) and depth < DEEPEST:
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and depth < DEEPEST:
        return [plain(item, depth + 1) for item in value]
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else None


# Queues ----------------------------------------------------------------------------------------------------------------


def queue_of(queue: Any) -> dict[str, Any]:
    base = importlib.import_module("kombu.transport.base")
    limits = {
        key: getattr(queue, key, None) for key in ("expires", "message_ttl", "max_length", "max_length_bytes", "max_priority")
    }
    arguments = base.to_rabbitmq_queue_arguments(queue.queue_arguments or {}, **limits)
    # One whose name is not made up is a queue that all workers share.
    broadcast = isinstance(queue, importlib.import_module("kombu.common").Broadcast) and MADE_UP.search(queue.name)
    return {
        "name": queue.name,
        "alias": queue.alias,
        "broadcast": bool(broadcast),
        "exchange": exchange_of(queue.exchange),
        "routing_key": queue.routing_key or "",
        "arguments": plain(arguments),
        "binding_arguments": plain(queue.binding_arguments or {}),
        "consumer_arguments": plain(queue.consumer_arguments or {}),
        "durable": bool(queue.durable),
        "exclusive": bool(queue.exclusive),
        "auto_delete": bool(queue.auto_delete),
        "no_ack": bool(queue.no_ack),
        "no_declare": bool(queue.no_declare),
        "bindings": sorted(
            (
                {
                    "exchange": exchange_of(each.exchange),
                    "routing_key": each.routing_key or "",
                    "arguments": plain(each.arguments or {}),
                }
                for each in queue.bindings
                if each.exchange is not None and each.exchange.name  # on the default exchange every queue is bound
            ),
            key=lambda each: (each["exchange"]["name"], each["routing_key"]),
        ),
    }  # fmt: skip


def exchange_of(exchange: Any) -> dict[str, Any]:
    if exchange is None:
        return {
            "name": "",
            "type": "direct",
            "durable": True,
            "auto_delete": False,
            "arguments": {},
            "no_declare": False,
            "delivery_mode": None,
        }
    return {
        "name": exchange.name or "", "type": exchange.type, "durable": bool(exchange.durable),
        "auto_delete": bool(exchange.auto_delete), "arguments": plain(exchange.arguments or {}),
        "no_declare": bool(getattr(exchange, "no_declare", False)),
        "delivery_mode": plain(getattr(exchange, "delivery_mode", None)),
    }  # fmt: skip


# Routes ----------------------------------------------------------------------------------------------------------------


def routers(app: Any) -> list[Any]:
    given = app.conf.task_routes
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def routes(app: Any) -> Iterator[dict[str, Any]]:
    """Each router: its entries in order, and what of it only code can answer: a function, regular expressions."""
    for router in routers(app):
        if not isinstance(router, (Mapping, list, tuple)):
            name = router if isinstance(router, str) else getattr(router, "__qualname__", type(router).__name__)
            yield {"entries": [], "code": [str(name)]}
            continue
        pairs = list(router.items() if isinstance(router, Mapping) else router)
        yield {
            "entries": [[str(key), route_of(value)] for key, value in pairs if not hasattr(key, "pattern")],
            "code": [str(key.pattern) for key, _ in pairs if hasattr(key, "pattern")],
        }


def route_of(route: Any) -> dict[str, Any]:
    try:
        given = dict(route)
    except (ValueError, TypeError):
        given = {"queue": route}
    return {str(key): plain(value) for key, value in given.items()}


def asked(app: Any, tasks: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """What all the routers say of each task."""
    router = app.amqp.Router()
    answers: dict[str, Any] = {}
    if not routers(app):
        return answers
    for name, task in tasks.items():
        try:
            route = router.lookup_route(name, (), {}, {}, task)
        except Exception as problem:
            notes.append(f"the route of {name}: its router raised {last_line(problem)}")
            continue
        if route is not None:
            answers[name] = route_of(route)
    return answers


# Tasks and schedules ---------------------------------------------------------------------------------------------------


def task_of(task: Any, app: Any, defaults: Container[str]) -> dict[str, Any]:
    """The options that the task has of its own."""
    options = {}
    for key in TASK_OPTIONS:
        options[key] = getattr(task, key, None), PLAIN_TASK.get(key)
    both = app.conf.task_acks_on_failure_or_timeout
    for key, setting in {**LIMITS, **dict(task.from_config)}.items():
        common = app.conf[setting] if setting in defaults else None
        if key in ("acks_on_failure", "acks_on_timeout") and common is None:
            common = both
        options[key] = getattr(task, key, None), common
    found = {key: plain(value) for key, (value, default) in options.items() if differs(value, default)}
    if getattr(task, "autoretry_for", ()):
        found["autoretry"] = True
        retry = dict(getattr(task, "retry_kwargs", None) or {})
        found.update({key: plain(retry[key]) for key in ("max_retries", "countdown") if key in retry})
        for key, default in RETRYING.items():
            value = getattr(task, key, default)
            if differs(value, default):
                found[key] = plain(value)
    return found


def entry_of(entry: Any) -> dict[str, Any]:
    entry = entry if isinstance(entry, Mapping) else vars(entry)
    options, schedule = entry.get("options") or {}, entry.get("schedule")
    return {
        "task": plain(entry.get("task")),
        "options": plain(dict(options)),
        "arguments": [key for key in ("args", "kwargs") if entry.get(key)],
        "relative": bool(getattr(schedule, "relative", entry.get("relative"))),
        **schedule_of(schedule),
    }


def schedule_of(schedule: Any) -> dict[str, Any]:
    if isinstance(schedule, bool):
        return {"other": "bool"}
    if isinstance(schedule, (int, float)):
        return {"every": float(schedule)}
    if isinstance(schedule, timedelta):
        return {"every": schedule.total_seconds()}
    schedules = importlib.import_module("celery.schedules")
    if isinstance(schedule, schedules.crontab):
        return {"crontab": crontab_of(schedule)}
    if type(schedule) is schedules.schedule:
        return {"every": schedule.run_every.total_seconds()}
    return {"other": type(schedule).__name__}


def crontab_of(schedule: Any) -> str:
    """Minute, hour, day of the month, month, day of the week: numbers and stars alone, as every crontab has them."""
    fields = (
        (schedule.minute, range(60)), (schedule.hour, range(24)), (schedule.day_of_month, range(1, 32)),
        (schedule.month_of_year, range(1, 13)), (schedule.day_of_week, range(7)),
    )  # fmt: skip
    return " ".join(field_of(sorted(values), list(every)) for values, every in fields)


def field_of(values: list[int], every: list[int]) -> str:
    if values == every:
        return "*"
    if len(values) == 1:
        return str(values[0])
    step = values[1] - values[0]
    if step > 1 and values == every[::step]:
        return f"*/{step}"
    if len(values) > 2 and values == list(range(values[0], values[-1] + 1)):
        return f"{values[0]}-{values[-1]}"
    return ",".join(map(str, values))


if __name__ == "__main__":
    faulthandler.dump_traceback_later(float(sys.argv[4]))
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
    # Threads that the app has started, and what it has registered for the end, are no concern of ours.
    os._exit(0)

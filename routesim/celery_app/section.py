"""What a child process has read of an app, as the sections of a scenario, and as sentences what could not be carried over."""

from collections.abc import Container, Iterable, Iterator
from typing import Any, NamedTuple

from routesim.celery.settings import SETTINGS, WITHOUT_MEANING
from routesim.scenario.left_out import named
from routesim.scenario.writing import scalar

AMQP = frozenset({"amqp", "amqps", "pyamqp", "py-amqp", "librabbitmq", "confirm"})
REDIS = frozenset({"redis", "rediss", "sentinel"})
# Settings that are read in ways of their own.
ELSEWHERE = frozenset({"task_queues", "task_routes", "result_backend", "broker_transport_options"})
READ = SETTINGS.keys() - ELSEWHERE
# What these say is in the scenario in another form.
CARRIED = ELSEWHERE | {
    "beat_schedule", "broker_url", "broker_read_url", "broker_write_url", "broker_transport", "broker_host", "broker_vhost",
    "imports", "include", "task_annotations", "timezone",
}  # fmt: skip
SURPRISING = {
    "task_always_eager": "the caller runs every task itself and sends nothing; here they are sent",
    "worker_deduplicate_successful_tasks": "not simulated; a task that is delivered again runs again",
    "worker_disable_prefetch": "not simulated",
}
ROUTING = ("queue", "exchange", "routing_key", "priority")
ROUTE_OPTIONS = frozenset({*ROUTING, "delivery_mode"})
ENTRY_OPTIONS = frozenset({*ROUTING, "expires"})
TASK_OPTIONS = frozenset({
    *ROUTING, "expires", "countdown", "autoretry", "default_retry_delay", "max_retries", "time_limit", "soft_time_limit",
    "acks_late", "acks_on_failure", "acks_on_timeout", "acks_on_failure_or_timeout", "reject_on_worker_lost",
    "retry_on_worker_lost", "rate_limit", "ignore_result",
})  # fmt: skip
MOST_RETRIES = 1_000_000
DELIVERY_MODES = {"transient": 1, "persistent": 2}
MOST_CALLS = 20
DEFAULT_APP = "app"


class Section(NamedTuple):
    """`data`: sections in the order in which they are written; `steps`: examples, each of one key; `left_out`: sentences."""

    data: dict[str, Any]
    steps: list[dict[str, Any]]
    left_out: tuple[str, ...]


def section_of(answer: dict[str, Any], workers: int) -> Section:
    """The scenario's sections of what `child.read` has answered, with so many workers."""
    app = answer["main"] if answer["main"] not in (None, "", "__main__") else DEFAULT_APP
    celery: dict[str, Any] = {"apps": {app: _app(answer)}}
    celery["workers"] = {f"w{number}": {} for number in range(1, workers + 1)}
    celery["tasks"] = {name: _task(options) for name, options in answer["tasks"].items()}
    schedule = {name: _entry(entry) for name, entry in answer["beat"].items() if "other" not in entry}
    if schedule:
        celery["beats"] = {"beat": {"schedule": schedule}}
    data = {**_broker(answer), **_beside(answer), "celery": {key: value for key, value in celery.items() if value}}
    steps: list[dict[str, Any]] = [{"call": {"task": name}} for name in list(answer["tasks"])[:MOST_CALLS]]
    return Section(data, [*steps, {"wait": "1m"}] if steps or schedule else [], tuple(_left_out(answer)))


# What is carried over ----------------------------------------------------------------------------------------------------


def _broker(answer: dict[str, Any]) -> dict[str, Any]:
    broker, options = answer["broker"], answer["transport_options"]
    if broker["kind"] in REDIS:
        limit = options.get("visibility_timeout")
        return {"broker": {"kind": "redis", **({} if limit is None else {"visibility_timeout": _seconds(limit)})}}
    return {"vhost": broker["vhost"]} if broker["kind"] in AMQP and broker["vhost"] not in (None, "", "/") else {}


def _app(answer: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in answer["settings"].items() if value != SETTINGS[name].default}
    if "task_default_delivery_mode" in found:
        mode = found["task_default_delivery_mode"]
        found["task_default_delivery_mode"] = DELIVERY_MODES.get(mode, mode)
    if answer["results"] == "rpc":
        found["result_backend"] = "rpc://"
    if answer["transport_options"]:
        found["broker_transport_options"] = answer["transport_options"]
    if answer["queues"] is not None:
        found["task_queues"] = {_name(queue): _queue(queue) for queue in answer["queues"]}
    routes = _routes(answer)
    if routes:
        found["task_routes"] = routes[0] if len(routes) == 1 else routes
    return found


def _name(queue: dict[str, Any]) -> str:
    """A Broadcast is known by its alias: each worker has a queue of its own, with a name of its own."""
    return str(queue["alias"] if queue["broadcast"] and queue["alias"] else queue["name"])


def _queue(queue: dict[str, Any]) -> dict[str, Any]:
    exchange, name = queue["exchange"], _name(queue)
    if queue["broadcast"]:
        head = {"broadcast": True, **({"exchange": exchange["name"]} if exchange["name"] != name else {})}
    else:
        head = {"exchange": exchange["name"], "exchange_type": exchange["type"], "routing_key": queue["routing_key"]}
    # What is said of the queue holds for its exchange where nothing else is said of that.
    defaults = {
        "durable": (queue["durable"], True),
        "auto_delete": (queue["auto_delete"], queue["broadcast"]),
        "exclusive": (queue["exclusive"], False),
        "exchange_durable": (exchange["durable"], queue["durable"]),
        "exchange_auto_delete": (exchange["auto_delete"], queue["auto_delete"] and not queue["broadcast"]),
        "exchange_arguments": (exchange["arguments"], {}),
        "queue_arguments": (queue["arguments"], {}),
        "binding_arguments": (queue["binding_arguments"], {}),
    }
    return {**head, **{key: value for key, (value, default) in defaults.items() if value != default}}


def _beside(answer: dict[str, Any]) -> dict[str, Any]:
    """What a queue's `bindings` need, which a setting has no words for: declared for everybody, before anybody starts."""
    exchanges: dict[str, Any] = {}
    queues: dict[str, Any] = {}
    bindings: list[Any] = []
    for queue in answer["queues"] or ():
        for binding in queue["bindings"]:
            exchange = binding["exchange"]
            flags = {"durable": (exchange["durable"], True), "auto_delete": (exchange["auto_delete"], False)}
            options = {key: value for key, (value, default) in flags.items() if value != default}
            exchanges[exchange["name"]] = {"type": exchange["type"], **options} if options else exchange["type"]
            flags = {key: (queue[key], key == "durable") for key in ("durable", "auto_delete", "exclusive")}
            options = {key: value for key, (value, default) in flags.items() if value != default}
            queues[queue["name"]] = {**options, **({"arguments": queue["arguments"]} if queue["arguments"] else {})}
            key = {"routing_key": binding["routing_key"]} if binding["routing_key"] else {}
            bindings.append({
                "source": exchange["name"], "destination": queue["name"], **key,
                **({"arguments": binding["arguments"]} if binding["arguments"] else {}),
            })  # fmt: skip
    return {"exchanges": exchanges, "queues": queues, "bindings": bindings} if bindings else {}


def _routes(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The routers in their order; before them, where one of them is code, what they all said of each task."""
    written = [_first(router["entries"]) for router in answer["routes"]]
    if any(router["code"] for router in answer["routes"]):
        written.insert(0, answer["asked"])
    return [{name: _route(route) for name, route in router.items()} for router in written if router]


def _first(entries: Iterable[list[Any]]) -> dict[str, Any]:
    """Of several patterns that are the same text the first decides; of several names the last."""
    found: dict[str, Any] = {}
    for name, route in entries:
        if name not in found or "*" not in name:
            found[name] = route
    return found


def _route(route: dict[str, Any]) -> Any:
    options = _only(ROUTE_OPTIONS, route)
    if "delivery_mode" in options:
        options["delivery_mode"] = DELIVERY_MODES.get(options["delivery_mode"], options["delivery_mode"])
    return options["queue"] if options.keys() == {"queue"} else options


def _only(known: Container[str], options: dict[str, Any]) -> dict[str, Any]:
    """Those of the options that the format has, and that say something."""
    return {key: value for key, value in options.items() if key in known and value is not None}


def _task(options: dict[str, Any]) -> dict[str, Any]:
    found = _only(TASK_OPTIONS, options)
    return {**found, "max_retries": MOST_RETRIES} if options.get("max_retries", 0) is None else found


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    when = {"crontab": entry["crontab"]} if "crontab" in entry else {"every": _seconds(entry["every"])}
    return {"task": entry["task"], **when, **_only(ENTRY_OPTIONS, entry["options"])}


def _seconds(seconds: float) -> str:
    """A duration as the format has it."""
    return f"{round(seconds)}s" if seconds == round(seconds) else f"{round(seconds * 1000)}ms"


# What is not -------------------------------------------------------------------------------------------------------------


def _left_out(answer: dict[str, Any]) -> Iterator[str]:
    yield from _places(answer)
    yield from _routing(answer)
    yield from _queues(answer)
    yield from _schedules(answer)
    yield from _settings(answer)
    yield from _tasks(answer)
    yield from answer["notes"]


def _places(answer: dict[str, Any]) -> Iterator[str]:
    kind = answer["broker"]["kind"]
    if kind not in AMQP | REDIS:
        yield f"broker {scalar(kind)}: not simulated; the scenario runs on RabbitMQ"
    if answer["results"] not in (None, "rpc", "disabled"):
        yield f"result_backend {scalar(answer['results'])}: only results that travel through the broker (rpc://) are simulated"
    if answer["other_transport_options"]:
        yield f"broker_transport_options {named(answer['other_transport_options'])}: not simulated"


def _routing(answer: dict[str, Any]) -> Iterator[str]:
    for code in (code for router in answer["routes"] for code in router["code"]):
        yield f"router {scalar(code)}: it was asked for each task of the app, and its answers are written as routes"
    routes = [route for router in answer["routes"] for _, route in router["entries"]]
    yield from _unknown("routes", ROUTE_OPTIONS, [*routes, *answer["asked"].values()])


def _unknown(where: str, known: Container[str], all_options: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What the options say that the format has no word for."""
    strange = {key for options in all_options for key in options if key not in known}
    if strange:
        yield f"{', '.join(sorted(strange))} in {where}: not simulated"


def _tasks(answer: dict[str, Any]) -> Iterator[str]:
    tasks = answer["tasks"]
    yield from _unknown("tasks", TASK_OPTIONS, tasks.values())
    endless = [name for name, options in tasks.items() if options.get("max_retries", 0) is None]
    if endless:
        yield f"no end of retries of {named(endless)}: here there are {MOST_RETRIES:,}"
    if len(tasks) > MOST_CALLS:
        yield f"example steps for {len(tasks) - MOST_CALLS} more tasks"


def _queues(answer: dict[str, Any]) -> Iterator[str]:
    for queue in answer["queues"] or ():
        for key, why in (("consumer_arguments", "its consumers have none here"), ("no_declare", "it is declared all the same")):
            if queue[key]:
                yield f"{key} of the queue {scalar(_name(queue))}: {why}"


def _schedules(answer: dict[str, Any]) -> Iterator[str]:
    yield from _unknown("schedules", ENTRY_OPTIONS, (entry["options"] for entry in answer["beat"].values()))
    for name, entry in answer["beat"].items():
        if "other" in entry:
            yield f"beat_schedule {scalar(name)}: a schedule of type {scalar(entry['other'])} follows no fixed times"
    if answer["timezone"] not in ("UTC", "Etc/UTC") and any("crontab" in entry for entry in answer["beat"].values()):
        yield f"timezone {scalar(answer['timezone'])}: the times of crontab are taken for UTC"


def _settings(answer: dict[str, Any]) -> Iterator[str]:
    if "worker_concurrency" not in answer["settings"]:
        yield "worker_concurrency is not set: Celery starts a process for each processor, here it is one"
    others = [name for name in answer["others"] if name not in CARRIED]
    yield from (f"{name}: {SURPRISING[name]}" for name in others if name in SURPRISING)
    silent = [name for name in others if name in WITHOUT_MEANING and name not in SURPRISING]
    if silent:
        yield f"{', '.join(silent)}: without a meaning for routing"
    unknown = [name for name in others if name not in WITHOUT_MEANING]
    if unknown:
        yield f"{', '.join(unknown)}: not known to routesim"

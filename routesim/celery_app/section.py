"""What a child process has read of an app, as the sections of a scenario, and as sentences what could not be carried over."""

from collections.abc import Iterable, Iterator
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
CALL_OPTIONS = ("queue", "exchange", "routing_key", "priority", "expires", "countdown", "delivery_mode")
DURATIONS = ("default_retry_delay", "countdown", "time_limit", "soft_time_limit", "expires", "retry_backoff_max")
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
        return {"broker": {"kind": "redis", **{key: options[key] for key in ("visibility_timeout",) if key in options}}}
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
            bindings.append({
                "source": exchange["name"], "destination": queue["name"], "routing_key": binding["routing_key"],
                **({"arguments": binding["arguments"]} if binding["arguments"] else {}),
            })  # fmt: skip
    return {"exchanges": exchanges, "queues": queues, "bindings": bindings} if bindings else {}


def _routes(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The routers in their order; before them, where one of them is code, what they all said of each task."""
    written = [dict(_first(router["entries"])) for router in answer["routes"] if router["entries"] is not None]
    if len(written) < len(answer["routes"]):
        written.insert(0, dict(answer["asked"]))
    return [{name: _route(route) for name, route in router.items()} for router in written if router]


def _first(entries: Iterable[list[Any]]) -> dict[str, Any]:
    """Of several patterns that are the same text the first decides; of several names the last."""
    found: dict[str, Any] = {}
    for name, route in entries:
        if name not in found or "*" not in name:
            found[name] = route
    return found


def _route(route: dict[str, Any]) -> Any:
    options = _known(route)
    return options["queue"] if options.keys() == {"queue"} else options


def _known(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a call that say where and how it is published."""
    return {key: value for key, value in options.items() if key in CALL_OPTIONS and value is not None}


def _task(options: dict[str, Any]) -> dict[str, Any]:
    return {key: _seconds(value) if key in DURATIONS and value is not None else value for key, value in options.items()}


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    when = {"crontab": entry["crontab"]} if "crontab" in entry else {"every": _seconds(entry["every"])}
    return {"task": entry["task"], **when, **_known(entry["options"])}


def _seconds(seconds: float) -> str:
    """A duration as the format has it."""
    return f"{round(seconds)}s" if seconds == round(seconds) else f"{round(seconds * 1000)}ms"


# What is not -------------------------------------------------------------------------------------------------------------


def _left_out(answer: dict[str, Any]) -> Iterator[str]:
    kind = answer["broker"]["kind"]
    if kind not in AMQP | REDIS:
        yield f"broker {scalar(kind)}: not simulated; the scenario runs on RabbitMQ"
    if answer["results"] not in (None, "rpc", "disabled"):
        yield f"result_backend {scalar(answer['results'])}: only results that travel through the broker (rpc://) are simulated"
    for router in answer["routes"]:
        if router["entries"] is None:
            yield f"router {scalar(router['name'])}: it was asked for each task of the app, and the answers are written as routes"
    for name, entry in answer["beat"].items():
        if "other" in entry:
            yield f"beat_schedule {scalar(name)}: a schedule of type {scalar(entry['other'])} follows no fixed times"
    if answer["timezone"] not in ("UTC", "Etc/UTC") and any("crontab" in entry for entry in answer["beat"].values()):
        yield f"timezone {scalar(answer['timezone'])}: the times of crontab are taken for UTC"
    if len(answer["tasks"]) > MOST_CALLS:
        yield f"example steps for {len(answer['tasks']) - MOST_CALLS} more tasks"
    others = [name for name in answer["others"] if name not in CARRIED]
    yield from (f"{name}: {SURPRISING[name]}" for name in others if name in SURPRISING)
    silent = [name for name in others if name in WITHOUT_MEANING and name not in SURPRISING]
    if silent:
        yield f"{', '.join(silent)}: without a meaning for routing"
    unknown = [name for name in others if name not in WITHOUT_MEANING]
    if unknown:
        yield f"{', '.join(unknown)}: not known to routesim"
    for queue in answer["queues"] or ():
        for key, why in (("consumer_arguments", "consumers have none here"), ("no_declare", "it is declared all the same")):
            if queue[key]:
                yield f"{key} of the queue {scalar(_name(queue))}: {why}"
    if answer["other_transport_options"]:
        yield f"broker_transport_options {named(answer['other_transport_options'])}: not simulated"
    yield from answer["notes"]

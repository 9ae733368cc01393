"""What a child process has read of an app, as the sections of a scenario."""

from collections.abc import Container, Iterable
from typing import Any

from routesim.celery.settings import HARMLESS, SETTINGS, default_of
from routesim.celery.transport_options import TRANSPORT_OPTIONS
from routesim.celery.versions import NEWEST, celery_rules, known_version
from routesim.celery_app.left_out import AMQP, ELSEWHERE, MAX_CALLS, REDIS, left_out, unsimulated
from routesim.celery_app.task_queues import Destinations, beside, destinations_of, queue_name, queue_options
from routesim.celery_app.values import delivery_mode, named_entries, setting
from routesim.durations import written_duration
from routesim.named_tuples import NamedTuple
from routesim.scenario.celery.celery_format import ENTRY, TASK
from routesim.scenario.celery.setting_format import ROUTE_OPTIONS
from routesim.scenario.yaml.writing import Bare, scalar

READ_SETTINGS = {name for name, setting in SETTINGS.items() if setting.effect != HARMLESS and setting.imported} - ELSEWHERE
DEFAULT_APP = "app"
BEFORE_4_3 = "4.2"  # RabbitMQ 4.3 refuses what workers up to Celery 5.6 declare (rules/celery#2.4)

READ = {
    "settings": READ_SETTINGS,
    "transport_options": {name for name, row in TRANSPORT_OPTIONS.items() if row.effect != HARMLESS},
}


class CelerySection(NamedTuple):
    """`data`: sections in their order; `steps`: examples, each of one key; `left_out`: what is not there and why, sentences.

    `unsimulated`: what of it would change the outcome. `needs_rabbitmq`: the newest RabbitMQ whose rules let its workers start,
    where it is not the newest of all. `celery`: the version that was found.
    """

    data: dict[str, Any]
    steps: list[dict[str, Any]]
    left_out: tuple[str, ...]
    unsimulated: tuple[str, ...] = ()
    needs_rabbitmq: str | None = None
    celery: str = ""


def section_of(answer: dict[str, Any], workers: int) -> CelerySection:
    """The scenario's sections of what the child has read (`child/reading_app.py`), with so many workers."""
    app = answer["main"] if answer["main"] not in (None, "", "__main__") else DEFAULT_APP
    queues = answer["queues"] or ()
    destinations = destinations_of(queues)
    celery: dict[str, Any] = {**_version(answer), "apps": {app: _app(answer, destinations)}}
    celery["workers"] = {f"w{number}": {} for number in range(1, workers + 1)}
    celery["tasks"] = {name: destinations.in_scenario_words(_task(options)) for name, options in answer["tasks"].items()}
    schedule = {name: _entry(entry, destinations) for name, entry in named_entries(answer["beat"]) if "other" not in entry}
    if schedule:
        celery["beats"] = {"beat": {"schedule": schedule}}
    data = {**_broker(answer), **beside(queues), "celery": {key: value for key, value in celery.items() if value}}
    steps: list[dict[str, Any]] = [{"call": {"task": name}} for name in list(answer["tasks"])[:MAX_CALLS]]
    steps += [{"wait": Bare("1m")}] if steps or schedule else []
    return CelerySection(
        data,
        steps,
        tuple(left_out(answer)),
        tuple(unsimulated(answer)),
        _rabbitmq(answer),
        known_version(answer["celery"]) or scalar(answer["celery"]),
    )


# What is carried over ----------------------------------------------------------------------------------------------------


def _version(answer: dict[str, Any]) -> dict[str, Any]:
    """The version of Celery whose ways are known, where it is not the newest."""
    found = known_version(answer["celery"])
    return {} if found in (None, NEWEST) else {"version": found}


def _rabbitmq(answer: dict[str, Any]) -> str | None:
    version = known_version(answer["celery"])
    starts = version is None or celery_rules(version).exclusive_inboxes or answer["broker"]["kind"] in REDIS
    return None if starts else BEFORE_4_3


def _broker(answer: dict[str, Any]) -> dict[str, Any]:
    broker = answer["broker"]
    if broker["kind"] in REDIS:
        return {"broker": {"kind": "redis"}}
    return {"vhost": broker["vhost"]} if broker["kind"] in AMQP and broker["vhost"] not in (None, "", "/") else {}


def _app(answer: dict[str, Any], destinations: Destinations) -> dict[str, Any]:
    found = {name: setting(name, value) for name, value in answer["settings"].items()}
    found = {name: value for name, value in found.items() if value is not None and value != default_of(name)}
    if answer["zone"] is not None:
        found["timezone"] = answer["zone"]
    if answer["results"] not in (None, "disabled"):
        found["result_backend"] = f"{answer['results']}://"  # which kind decides about chords; where it is does not
    options = {name: value for name, value in answer["transport_options"].items() if value is not None}
    if options:
        found["broker_transport_options"] = options
    if answer["queues"] is not None:
        found["task_queues"] = {queue_name(queue): queue_options(queue) for queue in answer["queues"]}
    routes = _routes(answer, destinations)
    if routes:
        found["task_routes"] = routes[0] if len(routes) == 1 else routes
    return found


def _routes(answer: dict[str, Any], destinations: Destinations) -> list[dict[str, Any]]:
    """The routers in their order; before them, where one of them is code, what they all said of each task."""
    written = [_first(router["entries"]) for router in answer["routes"]]
    if any(router["code"] for router in answer["routes"]):
        written.insert(0, answer["asked"])
    given = [{name: _route(destinations.in_scenario_words(route)) for name, route in router.items()} for router in written]
    return [router for router in ({name: route for name, route in each.items() if route} for each in given) if router]


def _first(entries: Iterable[list[Any]]) -> dict[str, Any]:
    """Of several patterns that are the same text the first decides; of several names the last."""
    found: dict[str, Any] = {}
    for name, route in entries:
        if name not in found or "*" not in name:
            found[name] = route
    return found


def _route(route: dict[str, Any]) -> Any:
    options = _only(ROUTE_OPTIONS.fields, route)
    if "delivery_mode" in options:
        options["delivery_mode"] = delivery_mode(options["delivery_mode"])
    return options["queue"] if options.keys() == {"queue"} else options


def _only(known: Container[str], options: dict[str, Any]) -> dict[str, Any]:
    """Those of the options that the format has, and that say something."""
    return {key: value for key, value in options.items() if key in known and value is not None}


def _task(options: dict[str, Any]) -> dict[str, Any]:
    found = _only(TASK.fields, options)
    if "delivery_mode" in found:
        found["delivery_mode"] = delivery_mode(found["delivery_mode"])
    return {**found, "max_retries": Bare("none")} if options.get("max_retries", 0) is None else found


def _entry(entry: dict[str, Any], destinations: Destinations) -> dict[str, Any]:
    when = {"crontab": entry["crontab"]} if "crontab" in entry else {"every": _seconds(entry["every"])}
    return {"task": entry["task"], **when, **_only(ENTRY.fields, destinations.in_scenario_words(entry["options"]))}


def _seconds(seconds: float) -> Bare:
    """A duration as the format has it."""
    return Bare(written_duration(round(seconds * 1000)))

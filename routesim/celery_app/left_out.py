"""What of an app could not be carried over into a scenario, and why."""

from collections.abc import Container, Iterable, Iterator
from typing import Any

from routesim.celery.settings import HARMLESS, MATTERS, SETTINGS, CelerySettings, default_of, what_matters
from routesim.celery.transport_options import TRANSPORT_OPTIONS
from routesim.celery.transport_options import what_matters as options_that_matter
from routesim.celery.versions import NEWEST, celery_rules, known_version
from routesim.celery_app.task_queues import queue_name
from routesim.celery_app.values import named_entries, setting
from routesim.scenario.celery.celery_format import ENTRY, TASK
from routesim.scenario.celery.setting_format import ROUTE_OPTIONS
from routesim.scenario.definitions.left_out import named
from routesim.scenario.yaml.writing import scalar

AMQP = frozenset({"amqp", "amqps", "pyamqp", "py-amqp", "librabbitmq", "confirm"})
REDIS = frozenset({"redis", "rediss", "sentinel"})
# Settings that are read in ways of their own.
ELSEWHERE = frozenset({
    "task_queues", "task_routes", "result_backend", "broker_transport_options", "task_annotations", "timezone",
})  # fmt: skip
# What these say is in the scenario in another form.
CARRIED = ELSEWHERE | {
    "beat_schedule", "broker_url", "broker_read_url", "broker_write_url", "broker_transport", "broker_host", "broker_vhost",
    "imports", "include",
}  # fmt: skip
MAX_CALLS = 20
KNOWS_RABBITMQ_4 = "5.7"  # of kombu (rules/celery#2.4)
MATTERING = {"countdown", "eta", "delivery_mode", "link", "link_error"}  # of the options of a schedule's entry
SHORTEST_ROUNDED_S = 60  # a `relative` interval below it is not rounded (celery/utils/time.py: delta_resolution)


def left_out(answer: dict[str, Any]) -> Iterator[str]:
    """One sentence for everything that the app says and the scenario does not, with the reason."""
    yield from _places(answer)
    yield from _routing(answer)
    yield from _queues(answer)
    yield from _code(answer)
    yield from _schedules(answer)
    yield from _settings(answer)
    yield from _tasks(answer)
    yield from answer["notes"]


def _places(answer: dict[str, Any]) -> Iterator[str]:
    if known_version(answer["celery"]) is None:
        yield f"Celery {scalar(answer['celery'])}: not known; the scenario has the ways of {NEWEST}"
    kind = answer["broker"]["kind"]
    if kind not in AMQP | REDIS:
        yield f"broker {scalar(kind)}: not simulated; the scenario runs on RabbitMQ"
    unknown = [name for name in answer["other_transport_options"] if name not in TRANSPORT_OPTIONS]
    if unknown:
        yield f"broker_transport_options {named(unknown)}: not known to routesim"


def _routing(answer: dict[str, Any]) -> Iterator[str]:
    for code in (code for router in answer["routes"] for code in router["code"]):
        yield f"router {scalar(code)}: it was asked for each task of the app, and its answers are written as routes"
    routes = [route for router in answer["routes"] for _, route in router["entries"]]
    yield from _unknown("routes", ROUTE_OPTIONS.fields, [*routes, *answer["asked"].values()])


def _code(answer: dict[str, Any]) -> Iterator[str]:
    """Code of the app that may declare, consume or publish what no setting says."""
    for signal, names in answer["receivers"].items():
        yield f"{named(names)} on {signal}: what it declares, publishes and changes is not here"
    for name in answer["classes"]:
        yield f"{scalar(name)} in place of Celery's own class: what it declares and sends otherwise is not here"


def _unknown(where: str, known: Container[str], all_options: Iterable[dict[str, Any]]) -> Iterator[str]:
    """What the options say that the format has no word for."""
    strange = {key for options in all_options for key in options if key not in known}
    if strange:
        yield f"{', '.join(sorted(strange))} in {where}: not simulated"


def _tasks(answer: dict[str, Any]) -> Iterator[str]:
    tasks = answer["tasks"]
    yield from _unknown("tasks", TASK.fields, tasks.values())
    if len(tasks) > MAX_CALLS:
        yield f"example steps for {len(tasks) - MAX_CALLS} more tasks"


def _queues(answer: dict[str, Any]) -> Iterator[str]:
    for queue in answer["queues"] or ():
        if queue["no_declare"]:
            yield f"no_declare of the queue {scalar(queue_name(queue))}: it is declared all the same"


def _schedules(answer: dict[str, Any]) -> Iterator[str]:
    yield from _unknown("schedules", {*ENTRY.fields, *MATTERING}, (entry["options"] for entry in answer["beat"].values()))
    for name, entry in named_entries(answer["beat"]):
        if "other" in entry:
            yield f"beat_schedule {scalar(name)}: a schedule of type {scalar(entry['other'])} follows no fixed times"
        elif entry["relative"] and entry.get("every", 0) >= SHORTEST_ROUNDED_S:
            yield f"relative of beat_schedule {scalar(name)}: Celery rounds its times to whole minutes, hours or days, not here"
        if entry["arguments"]:
            given = " and ".join(entry["arguments"])
            yield f"{given} of beat_schedule {scalar(name)}: they are not read, its messages carry none here"


def _settings(answer: dict[str, Any]) -> Iterator[str]:
    if "worker_concurrency" not in answer["settings"]:
        yield "worker_concurrency is not set: Celery starts a process for each processor, here it is one"
    for name, value in answer["settings"].items():
        if setting(name, value) is None and value != default_of(name) and SETTINGS[name].effect != MATTERS:
            yield f"{name} is {scalar(str(value))}: not simulated; Celery's default stands here"
    yield from unsimulated(answer)
    others = [name for name in answer["others"] if name not in CARRIED]
    silent = [name for name in others if name in SETTINGS and SETTINGS[name].effect == HARMLESS]
    if silent:
        yield f"{', '.join(silent)}: without a meaning for messages"
    unknown = [name for name in others if name not in SETTINGS]
    if unknown:
        yield f"{', '.join(unknown)}: not known to routesim"


def _limits_channels(answer: dict[str, Any]) -> bool:
    """Its kombu does not know RabbitMQ 4, as that of its Celery is taken to do."""
    version = known_version(answer["celery"])
    if version is None or celery_rules(version).limits_channels:
        return False
    return _minor(answer["kombu"]) < _minor(KNOWS_RABBITMQ_4)


def _minor(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2] if part.isdecimal()]


def _bootsteps(answer: dict[str, Any]) -> Iterator[str]:
    """They are code; a dead-letter exchange that no queue says is theirs, most likely."""
    declared = {""} | {each["exchange"]["name"] for queue in answer["queues"] or () for each in (queue, *queue["bindings"])}
    for step in answer["bootsteps"]:
        yield f"bootstep {scalar(step)} is not simulated: what it declares, consumes and publishes is not here"
    for queue in answer["queues"] or () if answer["bootsteps"] else ():
        dead = queue["arguments"].get("x-dead-letter-exchange")
        if dead is not None and dead not in declared and not dead.startswith("amq."):
            said = f"queue {scalar(queue_name(queue))} dead-letters to exchange {scalar(dead)}, which no task queue declares"
            yield f"{said}: where a bootstep does, write that, and what is bound, under `exchanges:`, `queues:` and `bindings:`"


def unsimulated(answer: dict[str, Any]) -> Iterator[str]:
    """One sentence for each setting that would change the outcome, and is not simulated."""
    if answer["broker"]["kind"] in AMQP and _limits_channels(answer):
        said = "on RabbitMQ 4.0 and later its workers limit their channel, here each consumer, as with kombu"
        yield f"kombu {scalar(answer['kombu'])} is not simulated: {said} {KNOWS_RABBITMQ_4}"
    yield from _bootsteps(answer)
    given = {key for entry in answer["beat"].values() for key, value in entry["options"].items() if value is not None}
    if given & MATTERING:
        yield f"{named(sorted(given & MATTERING))} in schedules: not simulated"
    settings = CelerySettings({**answer["settings"], "result_backend": answer["results"]})
    redis = answer["broker"]["kind"] in REDIS
    for name, option in options_that_matter(answer["transport_options"], redis=redis).items():
        yield f"{name} in broker_transport_options is not simulated: {option.meaning}"
    found = what_matters(settings, redis=redis)
    found |= {name: SETTINGS[name] for name in answer["others"] if name in SETTINGS and SETTINGS[name].effect == MATTERS}
    yield from (f"{name} is not simulated: {setting.meaning}" for name, setting in found.items() if name not in CARRIED)

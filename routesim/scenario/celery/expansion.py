"""The `celery:` section and its steps, expanded into the plain sections of a scenario before anything else is read.

What is made stands where that stands from which it comes: an error about it points into the celery section.
"""

import contextlib
from typing import Any

from routesim.diagnostics import Invalid
from routesim.named_tuples import NamedTuple
from routesim.scenario.celery.apps import Apps
from routesim.scenario.celery.beats import schedule_beats, starts_of
from routesim.scenario.celery.calls import Calls
from routesim.scenario.celery.celery_format import CELERY
from routesim.scenario.celery.celery_steps import VERBS, CelerySteps
from routesim.scenario.celery.celery_tasks import TasksSection
from routesim.scenario.celery.inbox_cures import inbox_cures
from routesim.scenario.celery.nodes import copied, made
from routesim.scenario.celery.parts import ExpandedItem
from routesim.scenario.celery.timeline import MadeStep, Timeline, horizon_of
from routesim.scenario.celery.transport import redis_settings, with_settings
from routesim.scenario.definitions.list_form import section_in_list_form
from routesim.scenario.format import whole
from routesim.scenario.format.kinds import Kind, Reader, Unreadable, is_null
from routesim.scenario.format.shapes import Fields, ListOf
from routesim.scenario.format.workers import RUN
from routesim.scenario.sections import values_of
from routesim.scenario.sections.declarations import Declarations
from routesim.scenario.sections.declared_checks import child
from routesim.scenario.sections.names import Names
from routesim.scenario.steps.steps_section import StepsSection as PlainSteps
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence
from routesim.versions import NEWEST, UnknownVersion, rules

SECTIONS = ("exchanges", "queues", "bindings", "channels", "consumers", "tasks", "workers")


class Expanded(NamedTuple):
    """The plain scenario, and of what it was made, in order, for writing it down with comments."""

    root: Mapping
    parts: list[ExpandedItem]
    steps: list[MadeStep]
    ignored: dict[str, list[str]]  # app -> its settings that mean nothing here
    on_redis: dict[str, Any] = {}  # settings of the broker that the apps give for Redis
    routed: dict[str, str] = {}  # id of a task -> why it goes where it goes
    cures: dict[str, str] = {}  # queue -> what helps where RabbitMQ refuses it


def expand(reader: Reader, root: Mapping, version: str | None = None) -> Expanded:
    """Raises `Invalid` with every error in the section, in its steps and in the form of the rest.

    `version` is the RabbitMQ by whose rules it runs, where that is not what the scenario says.
    """
    try:
        found = _expand(reader, root, version)
    except Unreadable:
        found = Expanded(_without(root), [], [], {})
    if reader.failed:
        _read_the_rest(reader, root)
        raise Invalid(reader.diagnostics)
    return found


def _expand(reader: Reader, root: Mapping, version: str | None) -> Expanded:
    if "celery" not in root:
        raise _without_apps(reader, root["steps"])
    fields: Fields = CELERY.read(reader, root["celery"])
    starts = starts_of(reader, fields)
    redis = child(root, "broker", "kind") == "redis"
    apps = Apps(reader, fields, rules(version or _version(root)), redis=redis)
    on_redis = redis_settings(apps, root, redis=redis)
    _know_plain(apps, root)
    apps.add_workers()
    flower = apps.add_flower()
    tasks = TasksSection(apps)
    calls = Calls(apps, tasks, starts)
    timeline = Timeline(horizon_of(root))
    steps = CelerySteps(apps, tasks, calls, flower, timeline)
    steps.flower_begins()
    schedule_beats(apps, calls, timeline, starts, root.get("steps"))
    steps.read(root.get("steps"), root.get("until"))
    sending = steps.something_follows or tasks.calls_something()
    parts = _grouped([*apps.topology.parts, *calls.parts, *steps.parts, *tasks.parts(sending=sending)])
    if sending:
        apps.give_workers_their_app()
    merged = _merged(reader, root, apps, parts, timeline.steps)
    if redis:
        with_settings(merged, on_redis, root["celery"])
    cures = inbox_cures(apps.workers.values(), flower)
    return Expanded(merged, parts, timeline.steps, apps.ignored, on_redis, calls.routed, cures)


def _without_apps(reader: Reader, steps: Sequence) -> Unreadable:
    """Steps of Celery's where there is no app; what else is wrong with them is reported too."""
    for step in steps:
        for verb in [key for key in step if key in VERBS] if isinstance(step, Mapping) else ():
            reader.error("no-celery", f"{verb} needs a celery section", verb, "add `celery: {apps: {shop: }}`")
            with contextlib.suppress(Unreadable):
                VERBS[verb].kind.read(reader, step[verb])
    return Unreadable()


def _grouped(parts: list[ExpandedItem]) -> list[ExpandedItem]:
    """What has one comment together, in the order in which each comment comes first."""
    order: dict[str, int] = {}
    for part in parts:
        order.setdefault(part.comment, len(order))
    return sorted(parts, key=lambda part: order[part.comment])


def _version(root: Mapping) -> str:
    given = root.get("rabbitmq")
    try:
        return rules(str(given)).version if given is not None else NEWEST
    except UnknownVersion:
        return NEWEST  # reported by whoever reads it


def _know_plain(apps: Apps, root: Mapping) -> None:
    """Exchanges, queues and tasks of the plain sections, as far as they can be read."""
    quiet = Reader(apps.reader.source)
    for name, options in _read(quiet, root, "exchanges").items():
        apps.plain_exchanges[str(name)] = values_of.exchange(name, options)
    for name, options in _read(quiet, root, "queues").items():
        apps.plain_queues[str(name)] = values_of.queue(name, options)
    plain = root.get("tasks")
    apps.plain_tasks.update(str(name) for name in (plain if isinstance(plain, Mapping) else ()))


def _read(reader: Reader, root: Mapping, section: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = whole.SCENARIO.fields[section].kind.read(reader, root[section]) if section in root else {}
    except Unreadable:
        return {}
    return found


# Into the scenario ---------------------------------------------------------------------------------------------------


def _without(root: Mapping) -> Mapping:
    plain = copied(root)
    plain.pop("celery", None)
    return plain


def _merged(reader: Reader, root: Mapping, apps: Apps, parts: list[ExpandedItem], steps: list[MadeStep]) -> Mapping:
    plain, at = _without(root), root["celery"]
    for section in SECTIONS:
        items = [part for part in parts if part.section == section]
        if items:
            _merge(reader, plain, section, items, apps, at)
    given = root.get("steps")
    if isinstance(given, Sequence) or (steps and (given is None or is_null(given))):
        listed: Any = made([], at if given is None else given)
        listed.extend(step.node for step in steps)
        _put(plain, "steps", listed, at)
    return plain


def _put(plain: Mapping, section: str, node: Node, at: Node) -> None:
    if section in plain:
        plain[section] = node
    else:
        plain[made(section, at)] = node


def _merge(reader: Reader, plain: Mapping, section: str, items: list[ExpandedItem], apps: Apps, at: Node) -> None:
    given = plain.get(section)
    if isinstance(given, Sequence) and section != "bindings":
        reader.error(
            "celery-beside-list", f"beside a celery section, {section} must be a mapping", given,
            "put the list into a file under `definitions:`"
        )  # fmt: skip
        return
    if given is not None and not is_null(given) and not isinstance(given, Sequence if section == "bindings" else Mapping):
        return  # it is none of the sort, which whoever reads it reports
    if section == "bindings":
        listed: Any = made([], given or at)
        listed.extend(given if isinstance(given, Sequence) else ())
        listed.extend(part.node for part in items)
        _put(plain, section, listed, at)
        return
    mapping: Any = made({}, given or at)
    mapping.update(given if isinstance(given, Mapping) else {})
    for part in items:
        assert part.name is not None
        if part.name not in mapping:
            mapping[part.name] = part.node
        elif not _same(section, str(part.name), apps):
            _declared_twice(reader, section, part, mapping)
    _put(plain, section, mapping, at)


def _same(section: str, name: str, apps: Apps) -> bool:
    """The plain section declares the very thing, or says more of a channel."""
    if section == "exchanges":
        return apps.plain_exchanges.get(name) == apps.topology.exchanges.get(name)
    if section == "queues":
        return apps.plain_queues.get(name) == apps.topology.queues.get(name)
    return section == "channels"


def _declared_twice(reader: Reader, section: str, part: ExpandedItem, mapping: Mapping) -> None:
    first = next(key for key in mapping if key == part.name)
    what = section.removesuffix("s")
    assert part.name is not None
    if section in ("exchanges", "queues"):
        problem = f"{what} '{part.name}' is already there, in another way: RabbitMQ answers 406 to a worker, which then exits"
        cure = f"take it out at line {first.line}, or declare it as Celery does"
        reader.warning("refused", problem, part.name, cure)
        return
    problem, cure = f"{what} '{part.name}' is also under `{section}:`", f"rename one; the other is at line {first.line}"
    reader.error("duplicate-name", problem, part.name, cure)


def _read_the_rest(reader: Reader, root: Mapping) -> None:
    """The form of the plain sections, so that their errors are reported as well; names may be Celery's and are left out."""
    tasks = child(root, "celery", "tasks")
    for task in tasks.values() if isinstance(tasks, Mapping) else ():
        rules = child(task, "runs")
        for rule in rules if isinstance(rules, Sequence) else ():
            with contextlib.suppress(Unreadable):
                RUN.read(reader, rule)
    steps = root.get("steps")
    if isinstance(steps, Sequence):  # what is reported twice of one place is shown once
        names = Names(reader)
        PlainSteps(reader, names, Declarations(reader, names)).read(steps)
    elif steps is not None:
        with contextlib.suppress(Unreadable):
            ListOf(whole.StepList()).read(reader, steps)
    for name, node in root.items():
        field = whole.SCENARIO.fields.get(name)
        if field is None:
            whole.SCENARIO.unknown(reader, name)
        kind: Kind | None = field.kind if field is not None and name not in ("celery", "steps") else None
        if kind is not None and not section_in_list_form(name, node):
            with contextlib.suppress(Unreadable):
                kind.read(reader, node)

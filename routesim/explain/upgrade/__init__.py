"""One file under two versions of RabbitMQ: what is refused, what behaves differently, what `check` finds under one of them alone,
and which rules that differ touch what it declares."""

from collections.abc import Sequence
from typing import Any

from routesim.broker import counts
from routesim.diagnostics import ERROR, WARNING, Diagnostic
from routesim.explain.answer import Answer
from routesim.explain.upgrade.behaviour import Change, changed, refused_steps, retry_loops
from routesim.explain.upgrade.in_force import RuleBehind, SettingInForce, settings_in_force
from routesim.explain.upgrade.refusals import RefusedObject, import_stops, refusals, refused_declarations
from routesim.explain.upgrade.touching import TouchingRule, touching
from routesim.named_tuples import NamedTuple
from routesim.queues.settings import Origin
from routesim.run import Runner
from routesim.scenario import Places, Scenario
from routesim.scenario.engines import topology
from routesim.tables import BAD, GOOD, NOTICE, QUIET, Cell, Section

BUDGET_EVENTS = 20_000  # an endless loop is as endless after so many
MAX_OBJECTS = 5
MAX_CURES = 4
OF_VERSIONS = ("version-refuses", "version-will-refuse", "refused", "known-bug")  # findings that only repeat what is told here


class UpgradeSide(NamedTuple):
    """A vhost of a file under one version. `findings`: those of `check` there. `whole`: the file is a definitions file, which is
    imported as a whole."""

    scenario: Scenario
    places: Places | None = None
    findings: Sequence[Diagnostic] = ()
    whole: bool = False


class Upgraded(NamedTuple):
    """What differs in one vhost."""

    old: Scenario
    new: Scenario
    changes: list[Change]
    settings: list[SettingInForce]
    touched: list[TouchingRule]
    bugs: dict[str, Diagnostic]
    refused: list[RefusedObject]
    told: list[Diagnostic]
    lost: int
    stops: str = ""


def explain_upgrade(pairs: Sequence[tuple[UpgradeSide, UpgradeSide]]) -> Answer:
    """Each vhost of a file, loaded under the rules of either version. Status 1 when anything changes."""
    found = [_upgraded(*pair) for pair in pairs]
    several = len(found) > 1
    whole = pairs[0][1].whole
    if whole:
        stops = import_stops({item.new.vhost: item.refused for item in found})
        found = [item._replace(stops=stops.get(item.new.vhost, "")) for item in found]
    sections, lines = [], []
    for item in found:
        lines.append(f"vhost {item.new.vhost}: {_headline(item)}" if whole else _headline(item))
        sections += _sections(item, f"vhost {item.new.vhost}: " if several else "")
    old, new = found[0].old.rabbitmq, found[0].new.rabbitmq
    more = f", {len(found)} vhosts" if several else ""
    hints = (*_cures(found, whole=whole), f"routesim versions --rabbitmq {old}..{new} lists every rule that differs.")
    yes = not any(item.changes or item.settings for item in found)
    between = ", " if whole and not several else ": "
    return Answer(f"{found[0].new.name}{more}{between}{'; '.join(lines)}", tuple(sections), hints, _data(found), yes=yes)


def _upgraded(before: UpgradeSide, after: UpgradeSide) -> Upgraded:
    old, new = before.scenario, after.scenario
    runs = [Runner(scenario, max_events=BUDGET_EVENTS).run() for scenario in (old, new)]
    refused = [refusals(side.scenario, side.places) for side in (before, after)]
    changes = refused_declarations(*refused)
    changes += refused_steps(runs[0], runs[1], {item.text for side in refused for item in side})
    changes += changed(runs[0], runs[1])
    changes += retry_loops(old, new)
    changes += _found_by_check(before.findings, after.findings)
    bugs = {item.message: item for item in (*old.warnings, *new.warnings) if item.code == "known-bug"}
    told = [item for item in new.warnings if item.code == "refused" and item not in old.warnings]
    redis = old.settings.kind == "redis"
    settings, touched = [], []
    if not redis:
        there = [(scenario, topology(scenario)) for scenario in (old, new)]
        settings = settings_in_force(there[0], there[1], refused[1])
        touched = touching(*there[0], old.rabbitmq, new.rabbitmq)
    return Upgraded(
        old, new, _caused(changes, refused[1]), settings, touched, bugs, refused[1], told, counts(runs[1].broker)["lost"]
    )


def _found_by_check(before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> list[Change]:
    """Errors and warnings of `check` that only one version has."""

    def keyed(findings: Sequence[Diagnostic]) -> dict[tuple[str, str], Diagnostic]:
        return {
            (item.code, item.message): item
            for item in findings
            if item.severity in (ERROR, WARNING) and item.code not in OF_VERSIONS
        }

    old, new = keyed(before), keyed(after)
    gone = {_check(item): item.message for key, item in old.items() if key not in new}
    fresh = [(_check(item), item.message) for key, item in new.items() if key not in old]
    changes = [Change(what, gone.pop(what, "not found"), message) for what, message in fresh]
    return [*changes, *(Change(what, message, "not found") for what, message in gone.items())]


def _check(item: Diagnostic) -> str:
    line = f" line {item.place.line}" if item.place is not None and item.place.line else ""
    return f"check: {item.severity}[{item.code}]{line}"


def _caused(changes: list[Change], refused: list[RefusedObject]) -> list[Change]:
    """Each consequence right below its cause: what a refused queue holds, and who consumes it, is no difference of its own."""
    labels = {(item.kind, item.name): item.label for item in refused}
    shown = {change.what for change in changes}
    linked = [
        change._replace(because=label)
        if not change.because and (label := labels.get(change.about, "")) in shown and label != change.what
        else change
        for change in changes
    ]
    found: list[Change] = []
    for change in linked:
        if change.because not in shown:
            found.append(change._replace(because=""))
            found += [other for other in linked if other.because == change.what]
    return found


# Shown ---------------------------------------------------------------------------------------------------------------


def _headline(item: Upgraded) -> str:
    between = f"RabbitMQ {item.old.rabbitmq} and {item.new.rabbitmq}"
    causes = [change for change in item.changes if not change.because]
    settings = len(item.settings)
    differ = f"{settings} setting{' in force differs' if settings == 1 else 's in force differ'}" if settings else ""
    if causes:
        more = len(item.changes) - len(causes)
        follow = f", with {more} consequence{'s' if more > 1 else ''}" if more else ""
        plural = "" if len(causes) == 1 else "s"
        return f"{len(causes)} difference{plural} between {between}{follow}" + (f"; {differ}" if differ else "")
    if differ:
        return f"{differ} between {between}"
    one = len(item.touched) == 1
    touched = (
        f"; {len(item.touched)} {'rule that differs touches' if one else 'rules that differ touch'} it" if item.touched else ""
    )
    return f"nothing changes from RabbitMQ {item.old.rabbitmq} to {item.new.rabbitmq}{touched}"


def _cures(found: list[Upgraded], *, whole: bool) -> list[str]:
    """What helps against what is refused, each cure once, with the objects that it helps."""
    helped: dict[str, list[str]] = {}
    for item in found:
        where = f" of vhost {item.new.vhost}" if whole else ""
        for told in item.told:
            if told.cure:
                objects = _refused_by(told, item)
                helped.setdefault(told.cure, []).extend(f"{other.kind} {other.name}{where}" for other in objects)
    return [
        f"against {f'the refusal of {_some(list(dict.fromkeys(names)))}' if names else 'what is refused'}: {cure}"
        for cure, names in [*helped.items()][:MAX_CURES]
    ]


def _refused_by(told: Diagnostic, item: Upgraded) -> list[RefusedObject]:
    """The objects that are refused in these words; queues of a worker have a cure of their own."""
    cures = item.new.cures
    return [
        other for other in item.refused
        if other.text in told.message and cures.get(other.name if other.kind == "queue" else "", told.cure) == told.cure
        and (other.name in cures) == (told.cure in cures.values())
    ]  # fmt: skip


def _sections(item: Upgraded, prefix: str) -> list[Section]:
    versions = (f"RabbitMQ {item.old.rabbitmq}", f"RabbitMQ {item.new.rabbitmq}")
    sections = []
    if item.changes:
        rows = [
            (Cell(f"  ↳ {change.what}" if change.because else change.what), Cell(change.before), Cell(change.after, BAD))
            for change in item.changes
        ]
        sections.append(Section(f"{prefix}What changes", ("what", *versions), rows))
    else:
        sections.append(Section(prefix.rstrip(": "), (), [(Cell(f"lost {item.lost} copies under either", GOOD),)]))
    if item.settings:
        sections.append(Section(f"{prefix}Settings in force", ("setting", *versions, "of", "what it does"), _in_force(item)))
    if item.stops:
        sections.append(Section(f"{prefix}Import", (), [(Cell(item.stops, NOTICE),)]))
    if item.touched:
        touched = [
            (Cell(rule.what), Cell(f"{rule.before} → {rule.after}"), Cell(_some(rule.objects)), Cell(rule.source, QUIET))
            for rule in item.touched
        ]
        sections.append(
            Section(f"{prefix}Rules that differ and touch this file", ("rule", "values", "touches", "source"), touched)
        )
    if item.bugs:
        bugs = [(Cell(bug.message), Cell(bug.cure)) for bug in item.bugs.values()]
        sections.append(Section(f"{prefix}Known bugs, not simulated", ("bug", "until"), bugs))
    return sections


def _in_force(item: Upgraded) -> list[tuple[Cell, ...]]:
    """Below each cause the settings that it changes."""
    rows: list[tuple[Cell, ...]] = []
    cause: RuleBehind | None = None
    for setting in item.settings:
        if setting.cause != cause:
            cause = setting.cause
            rows.append((Cell(cause.text), Cell(""), Cell(""), Cell(""), Cell(cause.source, QUIET)))
        rows.append(
            (
                Cell(f"  {setting.key}"), Cell(_origin(setting.before)), Cell(_origin(setting.after), NOTICE),
                Cell(_some(setting.objects)), Cell(setting.does),
            )
        )  # fmt: skip
    return rows


def _origin(origin: Origin) -> str:
    if not origin.source:
        return "not set"
    return f"{'none' if origin.value == '' else origin.value} ({origin.source})"


def _some(objects: Sequence[str]) -> str:
    more = f" and {len(objects) - MAX_OBJECTS} more" if len(objects) > MAX_OBJECTS else ""
    return ", ".join(objects[:MAX_OBJECTS]) + more


def _data(found: list[Upgraded]) -> dict[str, Any]:
    """All vhosts together; each item says of which it is where there are several."""

    def of(item: Upgraded) -> dict[str, str]:
        return {"vhost": item.new.vhost} if len(found) > 1 else {}

    return {
        "scenario": found[0].new.name, "from": found[0].old.rabbitmq, "to": found[0].new.rabbitmq,
        "vhosts": [item.new.vhost for item in found],
        "refused": [
            {"message": told.message, "line": told.place.line if told.place else None, **of(item)}
            for item in found
            for told in item.told
        ],
        "known_bugs": [
            {"message": bug.message, "cure": bug.cure, **of(item)} for item in found for bug in item.bugs.values()
        ],
        "changes": [
            {
                "what": change.what, "before": change.before, "after": change.after, "because": change.because or None,
                **of(item),
            }
            for item in found
            for change in item.changes
        ],
        "settings_in_force": [
            {
                "setting": setting.key, "before": _origin_data(setting.before), "after": _origin_data(setting.after),
                "of": list(setting.objects), "does": setting.does or None,
                "cause": {"text": setting.cause.text, "rule": setting.cause.name or None, "source": setting.cause.source or None},
                **of(item),
            }
            for item in found
            for setting in item.settings
        ],
        "import_stops": [{"told": item.stops, **of(item)} for item in found if item.stops],
        "rules": [
            {
                "name": rule.name, "what": rule.what, "before": rule.before, "after": rule.after,
                "touches": list(rule.objects), "source": rule.source, **of(item),
            }
            for item in found
            for rule in item.touched
        ],
    }  # fmt: skip


def _origin_data(origin: Origin) -> dict[str, Any] | None:
    return {"value": origin.value, "from": origin.source} if origin.source else None


__all__ = ["UpgradeSide", "explain_upgrade"]

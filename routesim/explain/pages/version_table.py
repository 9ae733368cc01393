"""The table of what differs between RabbitMQ's versions, as an answer."""

from typing import Any

from routesim.broker.policies import POLICY_KEYS
from routesim.explain.answer import Answer
from routesim.queues.arguments import ARGUMENTS
from routesim.tables import QUIET, Cell, Section
from routesim.versions import DIFFERENCES, HELD_AGAINST, NEWEST, NEWEST_PATCH, VersionDifference, numbers, value_in


def explain_versions(old: str | None = None, new: str | None = None) -> Answer:
    """Every known version and every named difference; with `old` and `new` only what differs between these two."""
    known = [(Cell(minor), Cell(patch), Cell(_held_against(minor))) for minor, patch in NEWEST_PATCH.items()]
    rows, data = [], []
    for name, difference in differences().items():
        if old and new:
            before, after = value_in(difference, old), value_in(difference, new)
            if before == after:
                continue
            values = f"{shown(before)} → {shown(after)}"
        else:
            steps = [f"{since}: {shown(value)}" for since, value in difference.then]
            values = "; ".join([f"3.10: {shown(difference.first)}", *steps])
        rows.append((Cell(difference.what), Cell(values), Cell(difference.source, QUIET)))
        data.append({
            "name": name, "what": difference.what, "first": plain(difference.first),
            "then": [{"since": since, "value": plain(value)} for since, value in difference.then], "source": difference.source,
        })  # fmt: skip
    headline = f"RabbitMQ {', '.join(NEWEST_PATCH)} are known; {NEWEST} is the default"
    title = "What differs"
    if old and new:
        headline, title = f"From RabbitMQ {old} to {new} {len(rows)} rules differ", f"From {old} to {new}"
    sections = [Section(title, ("rule", "values", "source"), rows)]
    if not (old and new):
        sections.insert(0, Section("Versions", ("version", "means", "how it is known"), known))
    profiles = [
        {"version": minor, "patch": patch, "checked_live": minor in HELD_AGAINST, **_broker_of(minor)}
        for minor, patch in NEWEST_PATCH.items()
    ]
    return Answer(headline, tuple(sections), (), {"versions": profiles, "differences": data})


def _held_against(minor: str) -> str:
    held = HELD_AGAINST.get(minor)
    return f"proven live: {held.runs} recorded runs of a {held.broker}" if held else "read: its source and release notes"


def _broker_of(minor: str) -> dict[str, Any]:
    held = HELD_AGAINST.get(minor)
    return {"broker": held.broker, "recorded_runs": held.runs} if held else {}


def differences() -> dict[str, VersionDifference]:
    """The named differences, and what the tables of queue arguments and policy keys say of versions themselves."""
    keys = POLICY_KEYS.items()
    later = {
        "negative_delivery_limit_policy": {
            "operator_keys_added": _added(
                "keys that an operator policy may set beside the first ones", "rules/routing#O11",
                [(row.operator, key) for key, row in keys if row.operator],
            ),
            "policy_keys_added": _added(
                "policy keys that were not there before", "rules/routing#O10",
                [(row.since, key) for key, row in keys if row.since],
            ),
        },
        "max_age_without_digit_crashes": {
            "arguments_added": _added(
                "queue arguments that a type understands beside the first ones", "rules/queues#1.11",
                [(since, (kind, name)) for name, row in ARGUMENTS.items() for kind, since in row.types.items() if since],
            ),
        },
    }  # fmt: skip
    found: dict[str, VersionDifference] = {}
    for name, difference in DIFFERENCES.items():
        found |= {name: difference, **later.get(name, {})}
    return found


def _added(what: str, source: str, items: list[tuple[str, Any]]) -> VersionDifference:
    """Of (version, what it adds): all that there is since each of the versions."""
    items = sorted(items, key=lambda item: numbers(item[0]))
    since = dict.fromkeys(version for version, _ in items)
    steps = [(version, tuple(name for added, name in items if numbers(added) <= numbers(version))) for version in since]
    return VersionDifference(what, (), tuple(steps), source)


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(" ".join(item) if isinstance(item, tuple) else str(item) for item in value) or "none"
    return str(value)


def plain(value: Any) -> Any:
    return [plain(item) for item in value] if isinstance(value, tuple) else value

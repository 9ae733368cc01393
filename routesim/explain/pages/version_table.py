"""The table of what differs between RabbitMQ's versions, as an answer."""

from typing import Any

from routesim.explain.answer import Answer
from routesim.tables import QUIET, Cell, Section
from routesim.versions import CHECKED_LIVE, DIFFERENCES, NEWEST, NEWEST_PATCH, rules


def explain_versions(old: str | None = None, new: str | None = None) -> Answer:
    """Every known version and every named difference; with `old` and `new` only what differs between these two."""
    known = [
        (
            Cell(minor),
            Cell(patch),
            Cell("runs recorded of a broker" if minor in CHECKED_LIVE else "its source, release notes"),
        )
        for minor, patch in NEWEST_PATCH.items()
    ]
    before, after = rules(old) if old else None, rules(new) if new else None
    rows, data = [], []
    for name, difference in DIFFERENCES.items():
        if before is not None and after is not None:
            if getattr(before, name) == getattr(after, name):
                continue
            values = f"{shown(getattr(before, name))} → {shown(getattr(after, name))}"
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
        sections.insert(0, Section("Versions", ("version", "means", "checked against"), known))
    profiles = [
        {"version": minor, "patch": patch, "checked_live": minor in CHECKED_LIVE} for minor, patch in NEWEST_PATCH.items()
    ]
    return Answer(headline, tuple(sections), (), {"versions": profiles, "differences": data})


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

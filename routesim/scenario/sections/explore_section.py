"""The section `explore` as a value."""

from routesim.scenario.format.shapes import Fields
from routesim.scenario.scenario import ExploreSection


def explore_section(fields: Fields) -> ExploreSection:
    """Only what is written is set."""
    failures = fields.get("failures")
    return ExploreSection(
        failures if isinstance(failures, int) else None,
        tuple((str(kind), number) for kind, number in failures.items()) if isinstance(failures, dict) else None,
        _names(fields, "properties"), str(fields["expect"]) if "expect" in fields else None,
        str(fields.get("timing", "earliest")) == "any", fields.get("retry", False), fields.get("max_states"),
        _names(fields, "breaks") or (), fields.get("most_ready"), fields.get("races", False),
    )  # fmt: skip


def _names(fields: Fields, key: str) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(str(name) for name in fields[key])) if key in fields else None

"""Which deprecated features a real broker takes (`GET /api/deprecated-features`), and whether a scenario says otherwise."""

from collections.abc import Mapping

from routesim.rabbitmq.http.management import Management, ManagementError
from routesim.versions import Rules, rules
from routesim.versions.deprecated import FEATURES, permitting


def permitted_features(management: Management, version: str) -> dict[str, bool]:
    """By name, of those that change something here. Before 4.1.8 a broker does not tell what its configuration says of them, and
    before 3.13 it knows none: there the version's default stands. `version`: a profile."""
    own = rules(version)
    found = {name: not getattr(own, feature.rule) for name, feature in FEATURES.items() if feature.rule is not None}
    try:
        answer = management.call("GET", "deprecated-features")
    except ManagementError:
        return found
    for item in answer if isinstance(answer, list) else ():
        if isinstance(item, dict) and item.get("name") in found and "state" in item:
            found[item["name"]] = item["state"] == "permitted"
    return found


def to_permit(features: Mapping[str, bool], version: str) -> tuple[str, ...]:
    """What a scenario has to permit so that it has the rules of that broker."""
    return tuple(name for name, permitted in features.items() if permitted and _denies(rules(version), name))


def features_unlike(permit: tuple[str, ...], version: str, features: Mapping[str, bool]) -> str | None:
    """In which feature a scenario with this `permit` and the broker differ, and what to do; None: in none."""
    simulated = permitting(rules(version), permit)
    for name, permitted in features.items():
        if permitted and _denies(simulated, name):
            return f"the broker permits {name}, and the file does not: add it to `broker: {{permit: …}}`, or take that out"
        if not permitted and not _denies(simulated, name):
            setting = f"deprecated_features.permit.{name}"
            if _denies(rules(version), name):
                return f"the broker denies {name}, which the file permits: take it out, or set {setting} = true there"
            return f"the broker denies {name}, which RabbitMQ {version} permits: its configuration has {setting} = false"
    return None


def _denies(rules: Rules, name: str) -> bool:
    rule = FEATURES[name].rule
    return rule is not None and bool(getattr(rules, rule))

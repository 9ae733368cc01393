"""What apps say of their transport (`broker_transport_options`), as settings of the scenario's broker."""

from typing import Any

from routesim.celery.transport_options import on_redis, what_matters
from routesim.durations import written_duration
from routesim.scenario.celery.apps import Apps
from routesim.scenario.celery.nodes import copied, key_of, made
from routesim.scenario.format.kinds import is_null
from routesim.scenario.yaml.nodes import Mapping, Node

OPTIONS = "broker_transport_options"


def redis_settings(apps: Apps, root: Mapping, *, redis: bool) -> dict[str, Any]:
    """The fields of `broker` that the apps' options are, where the broker is Redis; times in ms. The section's own win.

    Two apps that differ are told apart only by a warning: there is one broker, and any worker's timer gives back.
    """
    given, found = root.get("broker"), dict[str, Any]()
    for app in apps.apps.values():
        options = app.settings[OPTIONS]
        at = key_of(app.node, OPTIONS)
        for name, option in what_matters(options, redis=redis).items():
            said = f"{name} in {OPTIONS} is not simulated: {option.meaning}"
            apps.reader.warning("not-simulated", said, key_of(options.node, name), "take it out where that makes no difference")
        for field, value in on_redis(options).items():
            if isinstance(given, Mapping) and field in given:
                continue
            if found.setdefault(field, value) != value and redis:
                said = f"{field} differs between the apps, and here it is one for all: that of the first app"
                apps.reader.warning("not-simulated", said, at, "say under `broker:` which one holds")
    return found


def with_settings(plain: Mapping, settings: dict[str, Any], at: Node) -> None:
    """The settings in the section `broker` of the plain scenario."""
    if not settings:
        return
    broker = copied(plain["broker"]) if not is_null(plain["broker"]) else made({}, at)
    for field, value in settings.items():
        is_time = field in ("visibility_timeout", "restore_every")
        broker[made(field, at)] = made(written_duration(value) if is_time else value, at)
    plain["broker"] = broker

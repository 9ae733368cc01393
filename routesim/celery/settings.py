"""The settings of one app, with Celery's defaults."""

from collections.abc import Mapping
from typing import Any

from routesim.celery.setting_table import HARMLESS, MATTERS, NO_ZONE, REDIS, RPC, SETTINGS, SIMULATED, CelerySetting
from routesim.celery.versions import EXCLUSIVE, CeleryRules, celery_rules

# Defaults that are not Celery's: it starts a process for each processor.
OURS: dict[str, Any] = {"worker_concurrency": 1}


class CelerySettings(dict[str, Any]):
    """The settings of one app as it gives them; what it does not give is the default of
    that version of Celery. Times are in ms."""

    def __init__(self, given: Mapping[str, Any] = {}, rules: CeleryRules | None = None) -> None:
        super().__init__(given)
        self.rules = rules or celery_rules()

    def __missing__(self, name: str) -> Any:
        setting = SETTINGS[name]
        if name in OURS:
            return OURS[name]
        if name in EXCLUSIVE:
            return self.rules.exclusive_inboxes
        return setting.default * 1000 if setting.kind == "seconds" and setting.default is not None else setting.default

    @property
    def default_exchange(self) -> str:
        return str(self["task_default_exchange"] or self["task_default_queue"])

    @property
    def default_routing_key(self) -> str:
        return str(self["task_default_routing_key"] or self["task_default_queue"])

    @property
    def sends_results(self) -> bool:
        """Results are messages: rpc://."""
        return str(self["result_backend"] or "").startswith("rpc")

    @property
    def keeps_results(self) -> bool:
        """In a backend that can be asked for them again."""
        return bool(self["result_backend"]) and not self.sends_results

    @property
    def confirms(self) -> bool:
        return bool(self["broker_transport_options"].get("confirm_publish", False))

    @property
    def acks_on_failure(self) -> bool:
        given = self["task_acks_on_failure"]
        return bool(self["task_acks_on_failure_or_timeout"] if given is None else given)

    @property
    def acks_on_timeout(self) -> bool:
        given = self["task_acks_on_timeout"]
        return bool(self["task_acks_on_failure_or_timeout"] if given is None else given)


def default_of(name: str) -> Any:
    """What holds where an app does not give the setting; times in seconds."""
    return OURS.get(name, SETTINGS[name].default)


def what_matters(settings: CelerySettings, *, redis: bool) -> dict[str, CelerySetting]:
    """Of the settings that an app gives, those that would change the outcome if they were simulated, and are not refused."""
    return {
        name: SETTINGS[name] for name, value in settings.items()
        if SETTINGS[name].effect == MATTERS and not SETTINGS[name].refused and value != SETTINGS[name].default
        and _acts(SETTINGS[name], settings, redis=redis)
    }  # fmt: skip


def _acts(setting: CelerySetting, settings: CelerySettings, *, redis: bool) -> bool:
    needed = {RPC: settings.sends_results, REDIS: redis, NO_ZONE: settings["timezone"] is None}
    return needed.get(setting.where, True)


__all__ = [
    "HARMLESS",
    "MATTERS",
    "OURS",
    "SETTINGS",
    "SIMULATED",
    "CelerySetting",
    "CelerySettings",
    "default_of",
    "what_matters",
]

"""Tasks of a `celery:` section as the plain section `tasks`: their options with those of their app."""

from typing import Any

from routesim.celery.messages import Call, task
from routesim.celery.queues import QueueNotFound
from routesim.celery.routes import routed, target
from routesim.celery.settings import CelerySettings
from routesim.celery.versions import OPTIONS_SINCE
from routesim.durations import written_duration
from routesim.scenario.celery.annotations import annotated
from routesim.scenario.celery.app_workers import App
from routesim.scenario.celery.apps import Apps, options_of
from routesim.scenario.celery.nodes import key_of, made
from routesim.scenario.celery.parts import ExpandedItem
from routesim.scenario.format.shapes import Fields
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text

ROUTING = ("queue", "exchange", "routing_key", "priority")


class TasksSection:
    """What a task is, by name; `rules` are put before those of a task by calls that commit late."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.known: dict[str, tuple[App, Fields]] = {}
        self.nodes: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, list[dict[str, Any]]] = {}
        section = apps.fields.node.get("tasks")
        for name, given in apps.fields.get("tasks", {}).items():
            app = apps.app_of(given, key_of(section, name))
            if app is not None:
                said = self._without_later(annotated(str(name), given, app, key_of(section, name)))
                self.known[str(name)] = app, said

    def _without_later(self, given: Fields) -> Fields:
        """The options that this version of Celery knows."""
        later = [key for key in given if not self.apps.rules.knows(OPTIONS_SINCE.get(str(key)))]
        if not later:
            return given
        for key in later:
            self.apps.tell_of_version(key_of(given.node, key), key, OPTIONS_SINCE[key])
        known = Fields({key: value for key, value in given.items() if key not in later})
        known.node = given.node
        return known

    def options(self, name: str, app: App) -> dict[str, Any]:
        """The options that a task brings to every call of it."""
        given = self.known[name][1] if name in self.known else Fields()
        options = {key: str(given[key]) if isinstance(given[key], Text) else given[key] for key in ROUTING if key in given}
        if app.settings["task_default_priority"] is not None:
            options.setdefault("priority", app.settings["task_default_priority"])
        return options

    def parts(self) -> list[ExpandedItem]:
        section = self.apps.fields.node.get("tasks")
        found = []
        for name, (app, given) in self.known.items():
            at = key_of(section, name)
            key = made(name, at)
            assert isinstance(key, Text)
            found.append(ExpandedItem("tasks", key, made(self._fields(name, app, given, at), at), f"app {app.name}: tasks"))
        return found

    def _fields(self, name: str, app: App, given: Fields, at: Node) -> dict[str, Any]:
        node = given.node if isinstance(given.node, Mapping) else {}
        fields: dict[str, Any] = {key: node[key] for key in ("takes", "max_retries", "retry_headers") if key in node}
        fields |= self._ending(given)
        for limit in ("time_limit", "soft_time_limit"):
            ms = given.get(limit, app.settings[f"task_{limit}"])
            if ms is not None:
                fields[limit] = written_duration(ms)
        fields |= acknowledging(given, app.settings)
        rate = given.get("rate_limit", app.settings["task_default_rate_limit"])
        if rate is not None and not app.settings["worker_disable_rate_limits"]:
            fields["rate_limit"] = node["rate_limit"] if "rate_limit" in given else app.node["task_default_rate_limit"]
        if given.get("ignore_result", app.settings["task_ignore_result"]):
            fields["ignore_result"] = True
        if "calls" in given:
            fields["publish"] = self._subtasks(name, app, given)
        rules = [*self.rules.get(name, ()), *self._rules(given)]
        if rules:
            fields["runs"] = rules
        return fields

    def _ending(self, given: Fields) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        ends = str(given.get("ends", "success"))
        if ends == "exception" and given.get("autoretry"):
            ends = "retry"
        if ends != "success":
            fields["ends"] = ends
        delay = given.get("countdown", given.get("default_retry_delay"))
        if delay is not None:
            fields["countdown"] = written_duration(delay)
        return fields

    def _rules(self, given: Fields) -> list[Node]:
        """The rules as they are written; with autoretry an exception in one of them is a retry as well."""
        written = given.get("runs")
        if not isinstance(written, Sequence):
            return []
        rules = list(written)
        if not given.get("autoretry"):
            return rules
        return [
            made({**rule, "ends": made("retry", rule["ends"])}, rule)
            if isinstance(rule, Mapping) and rule.get("ends") == "exception" else rule
            for rule in rules
        ]  # fmt: skip

    def _subtasks(self, parent: str, app: App, given: Fields) -> list[dict[str, Any]]:
        """What the body calls: published by the worker's own process, so that nothing is declared before."""
        found = []
        for wanted in given["calls"]:
            if "task" not in wanted:
                continue
            name = str(wanted["task"])
            options = {**self.options(name, app), **options_of({key: wanted[key] for key in ROUTING if key in wanted})}
            try:
                to = target(routed(name, options, app.routes, app.queues, app.settings), None, app.queues, app.settings)
            except QueueNotFound as problem:
                self.apps.reader.error(
                    "celery-raises", f"Celery raises QueueNotFound: app {app.name} has no queue '{problem}'", wanted["task"]
                )
                continue
            call = Call(name, "", parent, "", tuple(wanted.get("args", ())), wanted.get("kwargs", {}))
            fields = task(call, to.exchange, to.routing_key, priority=to.priority, delivery_mode=to.delivery_mode, sent_ms=0)
            # Its id is made when it is sent; the parent's own id is what the parent's message carries as correlation_id.
            for key in ("id", "correlation_id", "reply_to"):
                del fields[key]
            del fields["headers"]["id"]
            fields["headers"] |= {"root_id": "$correlation_id", "parent_id": "$correlation_id"}
            if "count" in wanted:
                fields["count"] = wanted["count"]
            found.append(fields)
        return found


def acknowledging(given: Fields, settings: CelerySettings) -> dict[str, Any]:
    """When a task is acknowledged, and with late acknowledgement what becomes of one that did not end well."""
    if not given.get("acks_late", settings["task_acks_late"]):
        # Without effect, as in Celery; `check` says so of a task that asks for it itself.
        return {"on_worker_lost": "requeue"} if given.get("reject_on_worker_lost") else {}
    both = given.get("acks_on_failure_or_timeout")
    on_failure = given.get("acks_on_failure", settings.acks_on_failure if both is None else both)
    on_timeout = given.get("acks_on_timeout", settings.acks_on_timeout if both is None else both)
    fields = {"acks": "late"}
    if not on_failure:
        fields["on_failure"] = "reject"
    if not on_timeout:
        fields["on_timeout"] = "requeue"
    if given.get("retry_on_worker_lost", settings["task_retry_on_worker_lost"]):
        fields["on_worker_lost"] = "retry"
    elif given.get("reject_on_worker_lost", settings["task_reject_on_worker_lost"]):
        fields["on_worker_lost"] = "requeue"
    return fields

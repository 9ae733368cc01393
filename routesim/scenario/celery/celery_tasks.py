"""Tasks of a `celery:` section as the plain section `tasks`: their options with those of their app."""

from collections.abc import Callable, Iterator
from collections.abc import Mapping as AnyMapping
from typing import Any

from routesim.celery.backends import POLLS, REFUSES, chord_support, why_refused
from routesim.celery.canvas.calling import TaskCall
from routesim.celery.canvas.composing import has_chord, signatures_of
from routesim.celery.canvas.signatures import Canvas, Options
from routesim.celery.queues import QueueNotFound
from routesim.celery.sending import Sender, WrongTime, send
from routesim.celery.settings import CelerySettings
from routesim.celery.versions import OPTIONS_SINCE
from routesim.durations import written_duration
from routesim.scenario.celery.annotations import annotated
from routesim.scenario.celery.app_workers import App
from routesim.scenario.celery.apps import RETRY_DELAY_MS, Apps
from routesim.scenario.celery.nodes import key_of, made
from routesim.scenario.celery.parts import ExpandedItem
from routesim.scenario.format.canvases import DELIVERY_MODE, ROUTING
from routesim.scenario.format.shapes import Fields
from routesim.scenario.sections.canvases import members_of, seconds
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text

COPIED = ("takes", "max_retries", "retry_headers", "returns", "errback", "calls")
LIMITS = ("time_limit", "soft_time_limit")


class OptionsOfTasks(AnyMapping[str, Options]):
    """What each known task brings to every call that one app makes, found when the first one is made: of many apps and tasks,
    each app calls few."""

    def __init__(self, known: dict[str, tuple[App, Fields]], options: Callable[[Fields], Options]) -> None:
        self.known, self.options = known, options
        self.found: dict[str, Options] = {}

    def __getitem__(self, name: str) -> Options:
        found = self.found.get(name)
        if found is None:
            found = self.found[name] = self.options(self.known[name][1])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


class TasksSection:
    """What a task is, by name; `rules` are put before those of a task by calls that commit late."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.known: dict[str, tuple[App, Fields]] = {}
        self.nodes: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.senders: dict[str, Sender] = {}
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

    def sender(self, app: App) -> Sender:
        """The app as one that sends, with what each task that it knows brings to every call."""
        found = self.senders.get(app.name)
        if found is None:
            options = OptionsOfTasks(self.known, lambda given: self._options(given, app))
            found = self.senders[app.name] = Sender(app.settings, app.queues, app.routes, options, self._options(Fields(), app))
        return found

    def _options(self, given: Fields, app: App) -> Options:
        options = self._own_options(given, app)
        if "expires" in options:
            options["expires"] = seconds(options["expires"])
        for limit in LIMITS:
            ms = given.get(limit, app.settings[f"task_{limit}"])
            if ms is not None:
                options[limit] = seconds(ms)
        options["ignore_result"] = given.get("ignore_result", app.settings["task_ignore_result"])
        return options

    @staticmethod
    def _own_options(given: Fields, app: App) -> Options:
        """Those that its row in the plain section has under `options`."""
        keys = [key for key in (*ROUTING, *DELIVERY_MODE, "expires") if key in given]
        options = {key: str(given[key]) if isinstance(given[key], Text) else given[key] for key in keys}
        if app.settings["task_default_priority"] is not None:
            options.setdefault("priority", app.settings["task_default_priority"])
        return options

    def calls_something(self) -> bool:
        """Whether a body calls a task, in some run at least."""
        return any(
            "calls" in given or any(isinstance(rule, Mapping) and "calls" in rule for rule in given.get("runs") or ())
            for _, given in self.known.values()
        )

    def check_chords(self, canvas: Canvas, app: App, at: Node) -> None:
        """Whether the app's result backend can do what a chord needs."""
        support = chord_support(app.settings)
        if not has_chord(canvas) or support not in (POLLS, REFUSES):
            return
        cure = "set result_backend to redis://…; a group with a task behind it in a chain is a chord, too"
        if support == REFUSES:
            said = f"Celery raises {why_refused(app.settings)}"
            raise self.apps.reader.error("celery-raises", said, at, cure)
        said = (
            "chords are simulated with a result backend that counts, such as redis://: with this one a task celery.chord_unlock "
            "asks again and again whether the header has ended"
        )
        raise self.apps.reader.error("not-simulated", said, at, cure)

    def parts(self, *, sending: bool) -> list[ExpandedItem]:
        """`sending`: workers send tasks by themselves, so that all is said of how they are called."""
        section = self.apps.fields.node.get("tasks")
        found = []
        for name, (app, given) in self.known.items():
            at = key_of(section, name)
            key = made(name, at)
            assert isinstance(key, Text)
            fields = self._fields(name, app, given)
            self._check_calls(app, given)
            options = self._own_options(given, app) if sending else {}
            if options:
                if "expires" in options:
                    options["expires"] = written_duration(options["expires"])
                fields["options"] = options
            found.append(ExpandedItem("tasks", key, made(fields, at), f"app {app.name}: tasks"))
        return found

    def _fields(self, name: str, app: App, given: Fields) -> dict[str, Any]:
        node = given.node if isinstance(given.node, Mapping) else {}
        fields: dict[str, Any] = {key: node[key] for key in COPIED if key in node}
        fields |= self._ending(given)
        for limit in LIMITS:
            ms = given.get(limit, app.settings[f"task_{limit}"])
            if ms is not None:
                fields[limit] = written_duration(ms)
        fields |= acknowledging(given, app.settings)
        rate = given.get("rate_limit", app.settings["task_default_rate_limit"])
        if rate is not None and not app.settings["worker_disable_rate_limits"]:
            fields["rate_limit"] = node["rate_limit"] if "rate_limit" in given else app.node["task_default_rate_limit"]
        if given.get("ignore_result", app.settings["task_ignore_result"]):
            fields["ignore_result"] = True
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
        return {**fields, **_backoff(given)}

    def _rules(self, given: Fields) -> list[Node]:
        """The rules as they are written; with autoretry an exception in one of them is a retry as well."""
        written = given.get("runs")
        if not isinstance(written, Sequence):
            return []
        rules = list(written)
        if not given.get("autoretry"):
            return rules
        return [_retrying(rule, given) if isinstance(rule, Mapping) else rule for rule in rules]

    def _check_calls(self, app: App, given: Fields) -> None:
        """What Celery would raise in the body is said at once."""
        for wanted in given.get("calls", ()):
            at = wanted if isinstance(wanted, Text) else wanted.node
            for canvas in members_of([wanted]):
                self.check_chords(canvas, app, at)
                for signature in signatures_of(canvas):
                    call = TaskCall(signature.task, (), {}, signature.options)
                    try:
                        send(self.sender(app), call, "", by="", reply_to="", now=0)
                    except QueueNotFound as problem:
                        said = f"Celery raises QueueNotFound: app {app.name} has no queue '{problem}'"
                        self.apps.reader.error("celery-raises", said, at)
                    except WrongTime as problem:
                        said = f"expected a time such as 2026-01-01T00:00:30, found '{problem}'"
                        self.apps.reader.error("wrong-time", said, at, "for a time from now on, write `countdown`")
                    except ValueError as problem:
                        said = f"Celery raises ValueError: {problem}: native delayed delivery counts whole seconds"
                        self.apps.reader.error("celery-raises", said, at, "wait at least a second, or not at all")


def _backoff(given: Fields) -> dict[str, Any]:
    """Delays that double with each retry: those of autoretry alone have them (celery/app/autoretry.py)."""
    first = given.get("retry_backoff")
    if not first or not given.get("autoretry"):
        return {}
    fields: dict[str, Any] = {"backoff": written_duration(1000 if first is True else max(1, first // 1000) * 1000)}
    if "retry_backoff_max" in given:
        fields["backoff_max"] = written_duration(given["retry_backoff_max"])
    if not given.get("retry_jitter", True):
        fields["jitter"] = False
    return fields


def _retrying(rule: Mapping, given: Fields) -> Node:
    """A rule of a task with autoretry: what is an exception is a retry; what asks for a retry itself has the plain delay."""
    found: Node = rule
    if rule.get("ends") == "exception":
        found = made({**rule, "ends": made("retry", rule["ends"])}, rule)
    elif rule.get("ends") == "retry" and "countdown" not in rule and _backoff(given):
        delay = given.get("countdown", given.get("default_retry_delay", RETRY_DELAY_MS))
        found = made({**rule, "countdown": written_duration(delay)}, rule)
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

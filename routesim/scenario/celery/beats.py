"""The beats of a `celery:` section: when each is there, what each entry of its schedule sends, and when."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any

from routesim.celery.epoch import EPOCH, moment_of
from routesim.celery.schedules import BadCrontab, CrontabIn, Endless, Every, crontab, crontab_of, due_times
from routesim.diagnostics import did_you_mean
from routesim.durations import duration_text, parse_duration
from routesim.scenario.celery.app_workers import App
from routesim.scenario.celery.apps import Apps
from routesim.scenario.celery.calls import Calls, Producer
from routesim.scenario.celery.celery_format import MOST_ALIKE
from routesim.scenario.celery.nodes import key_of
from routesim.scenario.celery.timeline import PING_MS, Timeline
from routesim.scenario.format.counts import Seconds
from routesim.scenario.format.kinds import Reader, Unreadable
from routesim.scenario.format.shapes import Fields
from routesim.scenario.steps.written import step_text
from routesim.scenario.yaml.nodes import Mapping, Node, Sequence, Text

WHEN = ("every", "crontab", "schedule")
Runs = list[tuple[int, int]]  # from when to when (ms) a beat is there


def schedule_beats(apps: Apps, calls: Calls, timeline: Timeline, starts: datetime, steps: Any) -> None:
    """What the beats send as long as the scenario lasts; to be called before the first step. `starts`: the time at virtual 0;
    `steps`: nodes, of which those count that stop and start beats."""
    section = apps.fields.node.get("beats")
    sent: dict[Any, str] = {}
    stopped = _stops_and_starts(apps.reader, apps.fields.get("beats", {}), steps)
    for name, given in apps.fields.get("beats", {}).items():
        at = key_of(section, name)
        app = apps.app_of(given, at)
        if app is None:
            continue
        if timeline.lasts <= 0:
            apps.reader.error(
                "endless-beat", "a beat never ends: how long does this scenario last?", at,
                "say `until: 60s`, or wait in the steps",
            )  # fmt: skip
            continue
        beat = calls.beat(str(name), app, at)
        runs = _runs(given.get("start", True), stopped.get(str(name), []), timeline.lasts)
        for entry, fields in given.get("schedule", {}).items():
            try:
                found = _Entry(calls, timeline, beat, str(entry), fields, starts)
                moments = found.send(runs)
            except Unreadable:
                continue
            for what in found.sends(moments):
                other = sent.setdefault(what, beat.name)
                if other != beat.name:
                    _tell_of_two(apps.reader, other, beat.name, fields)
                    break


def _tell_of_two(reader: Reader, first: str, second: str, fields: Fields) -> None:
    said = f"{first} and {second} both send {fields['task']} when it is due: it is sent twice, for beats know no lock"
    reader.finding("beat-twice", said, fields["task"], "let one beat run, or give each entry to one of them")


def _stops_and_starts(reader: Reader, beats: dict[str, Any], steps: Any) -> dict[str, list[int]]:
    """By beat, at which instants of the scenario (ms) a step stops or starts it, in turns."""
    found: dict[str, list[int]] = {}
    there = {str(name): given.get("start", True) for name, given in beats.items()}
    for now, step in _moments_of(Reader(reader.source), steps):
        given = step.get("beat")
        if not isinstance(given, Mapping) or "name" not in given or given.get("do") not in ("stop", "start"):
            continue
        name, starts = str(given["name"]), given["do"] == "start"
        if name not in there:
            reader.error("unknown-beat", f"no beat '{name}' is among the beats", given["name"], did_you_mean(name, there))
        elif there[name] == starts:
            state = "there already" if starts else "not there: it has been stopped before, or never started"
            reader.error("wrong-value", f"{name} is {state}", given["do"], "take this step out")
        else:
            there[name] = starts
            found.setdefault(name, []).append(now)
    return found


def _moments_of(reader: Reader, steps: Any) -> Iterator[tuple[int, Mapping]]:
    """Each step with the instant (ms) at which it is done. Time goes on in a wait, and in a ping, which waits for answers."""
    now = 0
    for step in steps if isinstance(steps, Sequence) else ():
        if not isinstance(step, Mapping):
            continue
        yield now, step
        waited, control = step.get("wait"), step.get("control")
        if isinstance(waited, Text):
            now += parse_duration(waited) or 0
        elif isinstance(control, Mapping) and control.get("do") == "ping":
            with suppress(Unreadable):  # what cannot be read is told by whoever sends the ping
                now += Seconds().read(reader, control["timeout"]) if "timeout" in control else PING_MS


def _runs(there: bool, changes: list[int], lasts: int) -> Runs:
    instants = [0, *changes] if there else list(changes)
    ends = [*instants[1::2], lasts] if len(instants) % 2 else instants[1::2]
    return list(zip(instants[::2], ends, strict=True))


class _Entry:
    """An entry of a schedule."""

    def __init__(self, calls: Calls, timeline: Timeline, beat: Producer, name: str, fields: Fields, starts: datetime) -> None:
        self.calls, self.timeline, self.beat, self.name, self.fields, self.starts = calls, timeline, beat, name, fields, starts
        self.reader, self.at = calls.reader, fields.node

    def send(self, runs: Runs) -> list[int]:
        """When it is sent (ms). Raises `Unreadable`."""
        if "task" not in self.fields:
            raise Unreadable
        if sum(key in self.at for key in WHEN) != 1:
            raise self.reader.error("missing-key", f"when? '{self.name}' needs one of every, crontab and schedule", self.at)
        moments = self._moments(runs)
        if not moments:
            self.reader.warning(
                "never-due",
                f"'{self.name}' is not due before this scenario ends, {duration_text(self.timeline.lasts)} after it begins",
                self.at, "say a later `until`, or another time with `starts`",
            )  # fmt: skip
            return []
        ids = [f"{self.beat.name}-{self.name}-{number}" for number in range(1, len(moments) + 1)]
        sent = self.calls.sent(self.beat, self._call(), moments, ids, self.at)
        self.timeline.text = step_text(f"{self.beat.name}: {self.name}", self.at)
        said = f"{self.beat.name}: {self.name}, {len(moments)} time{'s' if len(moments) > 1 else ''} until the end"
        self.timeline.send(self.beat, sent, said, self.at)
        return moments

    def _call(self) -> Fields:
        """The entry as a call. beat marks what it sends (celery/beat.py:Scheduler.apply_async)."""
        if not self.calls.apps.rules.marks_beats:
            return self.fields
        call = Fields({**self.fields, "headers": {**self.fields.get("headers", {}), "celery_beat_task": True}})
        call.node = self.fields.node
        return call

    def sends(self, moments: list[int]) -> Iterator[tuple[int, str, str]]:
        """What two beats must not both send: a task with the same arguments at the same instant."""
        arguments = repr((self.fields.get("args"), self.fields.get("kwargs")))
        for moment in moments:
            yield moment, str(self.fields["task"]), arguments

    def _moments(self, runs: Runs) -> list[int]:
        """When it is sent (ms); one more than there may be where there are too many, however far the end is."""
        schedule = self._schedule(self.beat.app)
        deadline = self.beat.app.settings["beat_cron_starting_deadline"]
        last = self._last_run()
        try:
            there = [(self._instant(began), self._instant(ended)) for began, ended in runs]
        except OverflowError:
            raise self.reader.error(
                "too-large",
                f"{duration_text(self.timeline.lasts)} after {self.starts:%Y-%m-%d} is beyond the year 9999", self._when(),
                "say an earlier `starts`, or a shorter `until`",
            ) from None  # fmt: skip
        due = due_times(schedule, there, last, None if deadline is None else timedelta(milliseconds=deadline))
        try:
            return [(moment - self.starts) // timedelta(milliseconds=1) for moment in islice(due, MOST_ALIKE + 1)]
        except Endless:
            raise self.reader.error(
                "endless-beat", f"'{self.name}' is sent without end: beat starts in the hour that the clocks repeat",
                self._when(),
                "start beat an hour later, or set the timezone to UTC",
            ) from None  # fmt: skip

    def _when(self) -> Node:
        found: Node = next(self.at[key] for key in WHEN if key in self.at)
        return found

    def _instant(self, ms: int) -> datetime:
        return self.starts + timedelta(milliseconds=ms)

    def _last_run(self) -> datetime | None:
        given = self.fields.get("last_run_at")
        return None if given is None else time_of(self.reader, given)

    def _schedule(self, app: App) -> Every | CrontabIn:
        zone: tzinfo = app.settings["timezone"] or UTC
        given = next((self.fields[key] for key in WHEN if key in self.fields), None)
        if given is None:
            raise Unreadable
        if isinstance(given, int):
            if given == 0:
                raise self.reader.error("endless-beat", "an interval takes time", self._when())
            return Every(timedelta(milliseconds=given))
        try:
            if isinstance(given, Text):
                return CrontabIn(crontab(str(given)), zone)
            return CrontabIn(crontab_of({str(key): str(value) for key, value in given.items()}), zone)
        except BadCrontab as problem:
            raise self.reader.error("wrong-crontab", str(problem), self._when()) from None


def starts_of(reader: Reader, fields: Fields) -> datetime:
    """The time (UTC) at virtual 0."""
    given = fields.get("starts")
    return EPOCH if given is None else time_of(reader, given) or EPOCH


def time_of(reader: Reader, given: Text) -> datetime | None:
    moment = moment_of(str(given))
    if moment is None:
        reader.error("wrong-time", f"expected a time such as 2026-01-01 00:00:00, found '{given}'", given)
    return moment

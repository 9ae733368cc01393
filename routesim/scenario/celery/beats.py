"""The beats of a `celery:` section: what each entry of a schedule sends, and when."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from routesim.celery.epoch import EPOCH, moment_of
from routesim.celery.schedules import BadCrontab, crontab, crontab_of, ticks
from routesim.durations import duration_text
from routesim.scenario.celery.apps import Apps
from routesim.scenario.celery.calls import MOST, Calls, Producer
from routesim.scenario.celery.nodes import key_of
from routesim.scenario.celery.timeline import Timeline
from routesim.scenario.format.kinds import Reader, Unreadable
from routesim.scenario.format.shapes import Fields
from routesim.scenario.yaml.nodes import Text


def schedule_beats(apps: Apps, calls: Calls, timeline: Timeline, starts: datetime) -> None:
    """What the beats send as long as the scenario lasts; to be called before the first step. `starts`: the time at virtual 0."""
    horizon = timeline.lasts
    section = apps.fields.node.get("beats")
    for name, given in apps.fields.get("beats", {}).items():
        at = key_of(section, name)
        app = apps.app_of(given, at)
        if app is None:
            continue
        if horizon <= 0:
            apps.reader.error(
                "endless-beat", "a beat never ends: how long does this scenario last?", at,
                "say `until: 60s`, or wait in the steps",
            )  # fmt: skip
            continue
        beat = calls.beat(str(name), app, at)
        for entry, fields in given.get("schedule", {}).items():
            try:
                _entry(calls, timeline, beat, str(entry), fields, starts)
            except Unreadable:
                continue


def _entry(calls: Calls, timeline: Timeline, beat: Producer, entry: str, fields: Fields, starts: datetime) -> None:
    at, reader, horizon = fields.node, calls.reader, timeline.lasts
    if "task" not in fields:
        raise Unreadable
    if ("every" in at) == ("crontab" in at):
        raise reader.error("missing-key", f"when? '{entry}' needs either every or crontab", at)
    moments = list(islice(_due(reader, fields, horizon, starts), MOST + 1))  # more are refused, however far the end is
    if not moments:
        reader.warning(
            "never-due", f"'{entry}' is not due before this scenario ends, {duration_text(horizon)} after it begins", at,
            "say a later `until`, or another time with `starts`",
        )  # fmt: skip
        return
    ids = [f"{beat.name}-{entry}-{number}" for number in range(1, len(moments) + 1)]
    sent = calls.sent(beat, fields, moments, ids, at)
    said = f"{beat.name}: {entry}, {len(moments)} time{'s' if len(moments) > 1 else ''} until the end"
    timeline.send(beat, sent, said, at)


def _due(reader: Reader, fields: Fields, horizon: int, starts: datetime) -> Iterable[int]:
    if "every" in fields:
        every = fields["every"]
        if every == 0:
            raise reader.error("endless-beat", "an interval takes time", key_of(fields.node, "every"))
        return range(every, horizon + 1, every)
    if "crontab" not in fields:
        raise Unreadable
    given = fields["crontab"]
    try:
        schedule = crontab(str(given)) if isinstance(given, Text) else crontab_of({str(k): str(v) for k, v in given.items()})
    except BadCrontab as problem:
        raise reader.error("wrong-crontab", str(problem), fields.node["crontab"]) from None
    try:
        end = starts + timedelta(milliseconds=horizon)
    except OverflowError:
        raise reader.error(
            "too-large", f"{duration_text(horizon)} after {starts:%Y-%m-%d} is beyond the year 9999", fields.node["crontab"],
            "say an earlier `starts`, or a shorter `until`",
        ) from None  # fmt: skip
    return ((when - starts) // timedelta(milliseconds=1) for when in ticks(schedule, starts, end))


def starts_of(reader: Reader, fields: Fields) -> datetime:
    """The time (UTC) at virtual 0."""
    given = fields.get("starts")
    if given is None:
        return EPOCH
    moment = moment_of(str(given))
    if moment is None:
        reader.error("wrong-time", f"expected a time such as 2026-01-01 00:00:00, found '{given}'", given)
    return moment or EPOCH

"""Celery's rules, asked of Celery itself where it answers without a broker."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.app.defaults import DEFAULTS
from celery.schedules import crontab as celery_crontab
from celery.signals import before_task_publish
from hypothesis import given, settings
from hypothesis import strategies as st
from kombu import Exchange as KombuExchange
from kombu import Queue as KombuQueue
from kombu.common import Broadcast
from kombu.transport.native_delayed_delivery import calculate_routing_key

from routesim.celery import delays, messages, schedules
from routesim.celery.epoch import EPOCH, iso, ms_of
from routesim.celery.queues import QueueNotFound, Queues
from routesim.celery.routes import routed, routes_of, target
from routesim.celery.settings import HARMLESS, MATTERS, OURS, SETTINGS, SIMULATED, CelerySettings, default_of

# Settings ------------------------------------------------------------------------------------------------------------


def test_every_setting_of_celery_is_known() -> None:
    assert SETTINGS.keys() == DEFAULTS.keys()


def test_what_a_setting_is_to_the_simulation_is_complete() -> None:
    for name, setting in SETTINGS.items():
        assert setting.effect in (SIMULATED, HARMLESS, MATTERS), name
        assert bool(setting.kind) == (setting.effect == SIMULATED or setting.refused), name
        assert setting.meaning, name


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_defaults_are_celerys(name: str) -> None:
    theirs = DEFAULTS[name]
    if isinstance(theirs, timedelta):
        theirs = theirs.total_seconds()
    assert SETTINGS[name].default == theirs
    assert name in OURS or default_of(name) == theirs


def test_names_follow_the_default_queue() -> None:
    for given_ in ({}, {"task_default_queue": "jobs"}, {"task_default_exchange": "x", "task_default_routing_key": "k"}):
        ours, theirs = CelerySettings(given_), Celery(set_as_current=False).conf
        theirs.update(given_)
        assert ours.default_exchange == theirs.task_default_exchange
        assert ours.default_routing_key == theirs.task_default_routing_key


# Queues and routes ---------------------------------------------------------------------------------------------------

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "another default": {"task_default_queue": "jobs", "task_default_exchange_type": "topic"},
    "quorum by default": {"task_default_queue_type": "quorum", "task_queue_max_priority": None},
    "two queues": {"task_default_queue": "default", "task_queues": {"default": {}, "mail": {"exchange": "mail", "routing_key": "mail"}}},
    "topic": {
        "task_default_queue": "orders",
        "task_queues": {
            "orders": {"exchange": "orders", "exchange_type": "topic", "queue_arguments": {"x-queue-type": "quorum"}},
            "legacy": {"exchange": "legacy", "routing_key": "old", "durable": False},
        },
    },
    "priorities": {"task_queue_max_priority": 10, "task_queues": {"celery": {}, "low": {"queue_arguments": {"x-max-priority": 3}}}},
    "missing ones are topic": {"task_create_missing_queue_exchange_type": "topic", "task_create_missing_queue_type": "quorum"},
    "nothing is created": {"task_create_missing_queues": False, "task_queues": {"celery": {}, "mail": {"binding_key": "letters"}}},
    "split options": {"task_queues": {"celery": {"exchange": "x", "exchange_durable": False, "queue_auto_delete": True, "max_length": 5}}},
}  # fmt: skip
ROUTES: dict[str, Any] = {
    "none": None,
    "by name": {"mail.send": "mail"},
    "globs in order": {"mail.*": "mail", "mail.s*": {"queue": "fast"}, "*": "rest"},
    "exact before globs": {"*": "rest", "mail.send": {"queue": "mail", "priority": 7}},
    "key instead": {"mail.*": {"exchange": "mail", "routing_key": "letters"}},
    "tables": [{"img.*": "images"}, {"mail.*": {"queue": "mail", "routing_key": "by.route"}}],
}
CALLS: list[dict[str, Any]] = [
    {}, {"queue": "mail"}, {"queue": "typo"}, {"priority": 3}, {"queue": "mail", "priority": 3}, {"routing_key": "k"},
    {"exchange": "x", "routing_key": "k"}, {"exchange": "x"}, {"queue": "orders", "routing_key": "own"}, {"queue": "typo", "exchange": "x"},
]  # fmt: skip


def celery_app(configuration: dict[str, Any], routes: Any) -> Celery:
    app = Celery("shop", broker="memory://", set_as_current=False)
    app.conf.update(configuration, task_routes=routes, task_publish_retry=False)
    return app


def sent_by_celery(app: Celery, call: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What Celery is about to publish."""
    caught: dict[str, Any] = {}

    def catch(**told: Any) -> None:
        caught.update(told)

    @app.task(name="mail.send", shared=False)
    def send(*args: Any, **kwargs: Any) -> None: ...

    published: dict[str, Any] = {}

    class Stop(Exception):
        pass

    before_task_publish.connect(catch, weak=False, dispatch_uid="catch")
    try:
        with app.producer_or_acquire(None) as producer:
            original = producer._publish

            def publish(body: Any, priority: Any, *rest: Any, **more: Any) -> None:
                published["priority"] = priority
                raise Stop

            producer._publish = publish
            try:
                send.apply_async(producer=producer, **call, **options)
            except Stop:
                pass
            finally:
                producer._publish = original
    finally:
        before_task_publish.disconnect(dispatch_uid="catch")
    return {**caught, **published}


@pytest.mark.parametrize("routes", ROUTES, ids=str)
@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_a_task_goes_where_celery_sends_it(configuration: str, routes: str) -> None:
    given_ = CONFIGURATIONS[configuration]
    table = ROUTES[routes]
    ours = routes_of(table)
    for call in CALLS:
        conf = CelerySettings(given_)
        queues = Queues(conf)
        app = celery_app(given_, table)
        try:
            found = target(routed("mail.send", dict(call), ours, queues, conf), None, queues, conf)
        except QueueNotFound:
            with pytest.raises(Exception, match=r"missing from task_queues|'celery'|KeyError"):
                sent_by_celery(app, call)
            continue
        theirs = sent_by_celery(app, call)
        exchange = theirs["exchange"]
        exchange = getattr(exchange, "name", exchange)
        assert (found.exchange, found.routing_key) == (exchange, theirs["routing_key"] or ""), call
        declares = [found.declares.name] if found.declares else []
        assert declares == [queue.name for queue in theirs["declare"] or ()], call
        assert found.priority == theirs["priority"], call


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=str)
def test_queues_are_declared_as_celery_declares_them(configuration: str) -> None:
    given_ = CONFIGURATIONS[configuration]
    app, ours = celery_app(given_, None), Queues(CelerySettings(given_))
    names = list(app.amqp.queues)
    assert [queue.name for queue in ours] == names
    if given_.get("task_create_missing_queues", True):
        names.append("typo")
    for name in names:
        theirs: KombuQueue = app.amqp.queues[name]
        found = ours[name]
        assert (found.exchange.name, found.exchange.type) == (theirs.exchange.name, theirs.exchange.type), name
        assert (found.exchange.durable, found.exchange.auto_delete) == (theirs.exchange.durable, theirs.exchange.auto_delete), (
            name
        )
        assert (found.routing_key, found.durable, found.auto_delete) == (
            theirs.routing_key,
            theirs.durable,
            theirs.auto_delete,
        ), name
        limits = {"x-max-length": theirs.max_length} if theirs.max_length else {}
        assert found.arguments == {**(theirs.queue_arguments or {}), **limits}, name


def test_a_broadcast_is_a_fanout_exchange_with_a_queue_of_each_worker() -> None:
    app = celery_app({"task_queues": [KombuQueue("celery"), Broadcast("bc")]}, None)
    ours = Queues(CelerySettings({"task_queues": {"celery": {}, "bc": {"broadcast": True}}}))["bc"]
    theirs = app.amqp.queues["bc"]
    assert (ours.exchange.name, ours.exchange.type, ours.exchange.durable) == (
        "bc",
        theirs.exchange.type,
        theirs.exchange.durable,
    )
    assert (ours.durable, ours.auto_delete, ours.routing_key) == (theirs.durable, theirs.auto_delete, theirs.routing_key)
    assert {ours.queue("w1").name, ours.queue("w2").name} == {"bcast.bc.w1", "bcast.bc.w2"}
    published = sent_by_celery(app, {"queue": "bc"})
    assert (published["exchange"], published["routing_key"], published["declare"]) == ("bc", "celery", None)


def test_a_worker_of_worker_direct_has_the_queue_of_celery() -> None:
    from celery.utils.nodenames import worker_direct

    theirs, ours = worker_direct("w1"), Queues(CelerySettings()).direct_to("w1")
    assert (ours.name, ours.exchange.name, ours.exchange.type, ours.routing_key) == (
        theirs.name, theirs.exchange.name, theirs.exchange.type, theirs.routing_key
    )  # fmt: skip


# Delays --------------------------------------------------------------------------------------------------------------


@given(st.integers(1, delays.LONGEST_S), st.sampled_from(["orders", "a.b", "1.0", "0." * 28 + "orders"]))
def test_the_key_of_a_delay_is_kombus(seconds: int, key: str) -> None:
    assert delays.delayed_key(seconds, delays.own_key(key)) == calculate_routing_key(seconds, key)


@pytest.mark.parametrize("countdown", [None, 0, 5, 1.7, 0.5])
@pytest.mark.parametrize("kind", ["topic", "direct", "fanout"])
@pytest.mark.parametrize("quorum", [True, False])
def test_a_countdown_goes_where_celery_sends_it(countdown: float | None, kind: str, quorum: bool, monkeypatch: Any) -> None:
    """sequences 12, 15 and 16"""
    arguments = {"x-queue-type": "quorum"} if quorum else {}
    configuration = {
        "task_default_queue": "orders",
        "task_queues": {"orders": {"exchange": "orders", "exchange_type": kind, "queue_arguments": arguments}},
    }
    app, conf = celery_app(configuration, None), CelerySettings(configuration)
    monkeypatch.setattr("celery.app.base.detect_quorum_queues", lambda *_: (quorum, "orders"))
    queues = Queues(conf)
    options = routed("mail.send", {}, [], queues, conf)
    if quorum and kind != "direct" and countdown == 0.5:
        with pytest.raises(ValueError, match="countdown must be a positive number"):
            sent_by_celery(app, {"countdown": countdown})
        with pytest.raises(ValueError, match="countdown must be a positive number"):
            target(options, countdown, queues, conf)
        return
    found, theirs = target(options, countdown, queues, conf), sent_by_celery(app, {"countdown": countdown})
    exchange = theirs["exchange"].name if isinstance(theirs["exchange"], KombuExchange) else theirs["exchange"]
    assert (found.exchange, found.routing_key) == (exchange, theirs["routing_key"])
    assert (found.declares is None) == (not theirs["declare"])


# Messages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {}, {"args": [1, "two"], "kwargs": {"three": [3.5, None, True]}}, {"expires": 5}, {"time_limit": 20, "soft_time_limit": 10},
        {"ignore_result": True}, {"args": [{"a": "its"}]},
    ],
    ids=str,
)  # fmt: skip
def test_a_task_is_a_message_of_protocol_2(options: dict[str, Any], monkeypatch: Any) -> None:
    app = celery_app({}, None)
    monkeypatch.setattr(app, "now", lambda: EPOCH)
    theirs = sent_by_celery(app, {}, task_id="t1", reply_to="web.oid", **{**options, "args": tuple(options.get("args", ()))})
    expires = options.get("expires")
    call = messages.Call(
        "mail.send", "t1", "web", "web.oid", tuple(options.get("args", ())), options.get("kwargs", {}), None,
        None if expires is None else expires * 1000, options.get("time_limit"), options.get("soft_time_limit"),
        options.get("ignore_result", False),
    )  # fmt: skip
    ours = messages.task(call, theirs["exchange"], theirs["routing_key"], priority=0, delivery_mode=2, sent_ms=0)
    headers = dict(theirs["headers"])
    assert headers.pop("origin").startswith("gen")
    assert {name: value for name, value in ours["headers"].items() if name != "origin"} == headers
    assert json.loads(ours["body"]) == json.loads(json.dumps(theirs["body"]))
    assert (ours["correlation_id"], ours["reply_to"]) == (
        theirs["properties"]["correlation_id"],
        theirs["properties"]["reply_to"],
    )
    expiration = theirs["properties"].get("expiration")
    assert ours.get("expiration") == (None if expiration is None else str(int(float(expiration) * 1000)))


def test_an_eta_is_an_iso_text() -> None:
    theirs = sent_by_celery(celery_app({}, None), {"eta": EPOCH + timedelta(seconds=10)})
    call = messages.Call("mail.send", "t1", "web", "web.oid", eta_ms=10_000)
    assert messages.task_headers(call)["eta"] == theirs["headers"]["eta"] == "2026-01-01T00:00:10+00:00"


@given(st.integers(0, 10**12))
def test_a_time_is_read_back(ms: int) -> None:
    assert ms_of(iso(ms)) == ms


def test_what_has_expired_expires_at_once() -> None:
    call = messages.Call("a", "t1", "web", "web.oid", expires_ms=5)
    assert messages.task(call, "", "a", priority=0, delivery_mode=2, sent_ms=9)["expiration"] == "0"


# Schedules -----------------------------------------------------------------------------------------------------------

PARTS = {
    "minute": ["*", "0", "*/15", "1,13,30-45,50-59/2", "55-5", "*/59"],
    "hour": ["*", "3", "*/3", "0,8-17/2", "22-2", "*/5"],
    "day_of_month": ["*", "1", "31", "2-30/2", "1-7,15-21", "29"],
    "month_of_year": ["*", "2", "*/3", "jan", "nov-feb", "2-12/2", "june,july"],
    "day_of_week": ["*", "0", "mon-fri", "sat,sun", "*/2", "fri-mon", "sunday", "6-1"],
}


def parts() -> Any:
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in PARTS.items()})


@given(parts())
@settings(max_examples=200, deadline=None)
def test_a_crontab_means_the_numbers_that_celery_takes_it_for(fields: dict[str, str]) -> None:
    try:
        theirs = celery_crontab(**fields)
    except ValueError:
        with pytest.raises(schedules.BadCrontab):
            schedules.crontab_of(fields)
        return
    ours = schedules.crontab_of(fields)
    assert {name: set(numbers) for name, numbers in ours._asdict().items()} == {
        name: set(getattr(theirs, name)) for name in PARTS
    }
    assert schedules.crontab(" ".join(fields[name] for name in schedules.FIELDS)) == ours


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo")
SPRING, AUTUMN = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)


class Beat:
    """Celery's own schedule as `celery beat` asks it: whenever it is due, and else when it says when to ask again."""

    def __init__(self, schedule: Any, started: datetime, zone: str) -> None:
        self.schedule, self.now, self.last, self.zone = schedule, started, started.astimezone(ZoneInfo(zone)), ZoneInfo(zone)
        schedule.nowfun = lambda: self.now.astimezone(self.zone)

    def sent(self, ended: datetime, most: int) -> list[datetime]:
        found: list[datetime] = []
        while self.now <= ended and len(found) < most:
            due, rest = self.schedule.is_due(self.last)
            if due:
                found.append(self.now)
                self.last = self.now.astimezone(self.zone)
            else:
                self.now += timedelta(seconds=rest)
        return found


def _crontab_of_celery(fields: dict[str, str], zone: str, deadline: int | None = None) -> Any:
    app = Celery(set_as_current=False, broker="memory://")
    app.conf.timezone, app.conf.beat_cron_starting_deadline = zone, deadline
    return celery_crontab(**fields, app=app)


@given(parts(), st.integers(0, 10**9), st.sampled_from(ZONES))
@settings(max_examples=60, deadline=None)
def test_a_crontab_is_due_when_celery_says(fields: dict[str, str], offset_s: int, zone: str) -> None:
    start = EPOCH + timedelta(seconds=offset_s)
    end = start + timedelta(days=400)
    try:
        theirs = Beat(_crontab_of_celery(fields, zone), start, zone)
    except ValueError:
        return
    _agree(fields, zone, theirs, start, end)


CLOCK_FIELDS = {"minute": ["0", "30", "*/10", "5,55", "*"], "hour": ["*", "2", "1,3", "0-3", "*/2"], "day_of_week": ["*", "sun"]}


@given(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CLOCK_FIELDS.items()}),
    st.sampled_from((SPRING, AUTUMN, datetime(2026, 4, 4, 6, tzinfo=UTC))), st.integers(0, 2 * 86400), st.sampled_from(ZONES),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_daylight_saving_begins_and_ends_as_for_celery(fields: dict[str, str], near: datetime, offset_s: int, zone: str) -> None:
    start = near + timedelta(seconds=offset_s)
    end = start + timedelta(days=2)
    _agree(fields, zone, Beat(_crontab_of_celery(fields, zone), start, zone), start, end)


def _agree(fields: dict[str, str], zone: str, theirs: Beat, start: datetime, end: datetime) -> None:
    ours = schedules.due_times(schedules.CrontabIn(schedules.crontab_of(fields), ZoneInfo(zone)), [(start, end)], None, None)
    found: list[datetime] = []
    try:
        for when in ours:
            found.append(when)
            if len(found) == 30:
                break
    except schedules.Endless:
        assert found == theirs.sent(end, len(found))
        assert len(set(theirs.sent(end, 5))) == 1, "sent without end, all at one instant"
        return
    assert found == theirs.sent(end, 30)


DEADLINES = st.sampled_from((None, 60, 3600, 86400))


@given(parts(), st.sampled_from(ZONES), st.lists(st.integers(60, 20 * 3600), min_size=4, max_size=6), DEADLINES)
@settings(max_examples=60, deadline=None)
def test_a_beat_that_stops_makes_up_as_celery_does(
    fields: dict[str, str], zone: str, lengths: list[int], deadline: int | None
) -> None:
    """It is there, is away, is there again … for so many seconds; its schedule says when it sent last."""
    try:
        theirs = Beat(_crontab_of_celery(fields, zone, deadline), SPRING, zone)
    except ValueError:
        return
    instants = [SPRING + timedelta(seconds=sum(lengths[:count])) for count in range(len(lengths) + 1)]
    runs = list(zip(instants[::2], instants[1::2], strict=False))
    wanted = []
    for began, ended in runs:
        theirs.now = began
        wanted += theirs.sent(ended, 1300)
    schedule = schedules.CrontabIn(schedules.crontab_of(fields), ZoneInfo(zone))
    patience = None if deadline is None else timedelta(seconds=deadline)
    found: list[datetime] = []
    try:
        for when in schedules.due_times(schedule, runs, None, patience):
            found.append(when)
            if len(found) == len(wanted):
                break
    except schedules.Endless:
        return
    assert found == wanted


def test_an_interval_that_was_missed_is_sent_once_and_counts_from_then() -> None:
    runs = [(EPOCH, EPOCH + timedelta(seconds=25)), (EPOCH + timedelta(seconds=68), EPOCH + timedelta(seconds=90))]
    found = schedules.due_times(schedules.Every(timedelta(seconds=10)), runs, None, None)
    assert [(when - EPOCH).total_seconds() for when in found] == [10, 20, 68, 78, 88]


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "*/0 * * * *", "a * * * *", "-1 * * * *", "1-2-3 * * * *",
     "* * 31 2 *", "1,,2 * * * *", "* * * * * *"],
)  # fmt: skip
def test_what_is_no_crontab_says_why(text: str) -> None:
    with pytest.raises(schedules.BadCrontab, match=r".{20}"):
        schedules.crontab(text)


def test_midnight_of_the_first_day_is_no_tick_of_a_beat_that_starts_then() -> None:
    schedule = schedules.CrontabIn(schedules.crontab("0 0 * * *"), UTC)
    every_day = list(schedules.due_times(schedule, [(EPOCH, EPOCH + timedelta(days=2))], None, None))
    assert every_day == [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)]

"""When beat sends: intervals, and crontab by Celery's own rules (celery/schedules.py)."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from routesim.named_tuples import NamedTuple

DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAMED = {name: index for index, name in enumerate(WEEKDAYS)} | {name: index for index, name in enumerate(MONTHS, 1)}
PART = re.compile(r"(\*|[^-/*]+(?:-[^-/*]+)?)(?:/(\d+))?")
MINUTE = timedelta(minutes=1)


class BadCrontab(ValueError):
    """The text says why."""


class Crontab(NamedTuple):
    """Each field as the numbers at which it is due. All five must hold: Celery's crontab knows no `or` between the days."""

    minute: frozenset[int]
    hour: frozenset[int]
    day_of_month: frozenset[int]
    month_of_year: frozenset[int]
    day_of_week: frozenset[int]  # 0 is Sunday

    def holds(self, when: datetime) -> bool:
        return (
            when.minute in self.minute
            and when.hour in self.hour
            and self.has_day(when)
        )  # fmt: skip

    def has_day(self, when: datetime) -> bool:
        return (
            when.month in self.month_of_year
            and when.day in self.day_of_month
            and when.isoweekday() % 7 in self.day_of_week
        )  # fmt: skip


FIELDS = {"minute": (0, 60), "hour": (0, 24), "day_of_month": (1, 31), "month_of_year": (1, 12), "day_of_week": (0, 7)}


def crontab(text: str) -> Crontab:
    """`minute hour day_of_month month_of_year day_of_week`. Raises `BadCrontab`."""
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise BadCrontab(f"a crontab has five fields ({' '.join(FIELDS)}), this has {len(parts)}")
    return crontab_of(dict(zip(FIELDS, parts, strict=True)))


def crontab_of(fields: dict[str, str]) -> Crontab:
    """The fields by name; what is left out is `*`. Raises `BadCrontab`."""
    found = Crontab(*(_numbers(name, fields.get(name, "*")) for name in FIELDS))
    if not any(day <= DAYS_IN_MONTH[month - 1] for month in found.month_of_year for day in found.day_of_month):
        raise BadCrontab("no month of month_of_year has such a day_of_month")
    return found


def _numbers(field: str, text: str) -> frozenset[int]:
    low, count = FIELDS[field]
    numbers: set[int] = set()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if match is None or match[2] == "0":
            raise BadCrontab(f"'{part}' is no {field}: write *, 5, 1-5, */2, 8-18/2, or several of them with commas")
        numbers.update(_span(field, match[1], low, low + count)[:: int(match[2] or 1)])
    return frozenset(numbers)


def _span(field: str, text: str, low: int, end: int) -> list[int]:
    """The numbers from low to before end that `*`, a number or a range means. A range may go past the end and on."""
    if text == "*":
        return list(range(low, end))
    ends = [_number(field, word, low, end) for word in text.split("-")]
    if len(ends) == 1:
        return ends
    first, last = ends
    return list(range(first, last + 1)) if first <= last else [*range(first, end), *range(low, last + 1)]


def _number(field: str, word: str, low: int, end: int) -> int:
    number = int(word) if word.isdecimal() else NAMED.get(word[:3].lower()) if len(word) >= 3 else None
    if number is None or not low <= number < end:
        raise BadCrontab(f"'{word}' is no {field}: it goes from {low} to {end - 1}")
    return number


# When it is due ------------------------------------------------------------------------------------------------------


class Endless(Exception):
    """Beat sends without end: the hour that the clocks repeat is due in the past (rules/celery#2.5-4)."""


class Every(NamedTuple):
    """An interval."""

    interval: timedelta

    def after(self, last: datetime) -> datetime | None:
        return last + self.interval


class CrontabIn(NamedTuple):
    """A crontab in the time of a zone."""

    crontab: Crontab
    zone: tzinfo

    def after(self, last: datetime) -> datetime | None:
        """When it is due, in UTC, where it was due last at `last`; None: never.

        The next minute of the local clock. Of two that the clock shows alike it is the first, even if that is over; one
        that the clock leaves out is as much later as the clock goes forward (celery/schedules.py:crontab.remaining_delta).
        """
        wall = _next_minute(self.crontab, last.astimezone(self.zone).replace(tzinfo=None))
        return None if wall is None else wall.replace(tzinfo=self.zone).astimezone(UTC)


def _next_minute(schedule: Crontab, wall: datetime) -> datetime | None:
    try:
        when = wall.replace(second=0, microsecond=0) + MINUTE
        while True:
            if not schedule.has_day(when):
                when = when.replace(hour=0, minute=0) + timedelta(days=1)
            elif when.hour not in schedule.hour:
                when = when.replace(minute=0) + timedelta(hours=1)
            elif when.minute in schedule.minute:
                return when
            else:
                when += MINUTE
    except OverflowError:
        return None  # beyond the year 9999


def due_times(
    schedule: Every | CrontabIn, runs: Iterable[tuple[datetime, datetime]], last: datetime | None, deadline: timedelta | None
) -> Iterator[datetime]:
    """When beat sends, in UTC (rules/celery#2.5). Raises `Endless`.

    `runs`: from when to when beat is there. `last`: when it was sent last, as the file of its schedule says; None: there is
    no such file. `deadline`: beat_cron_starting_deadline.
    """
    for began, ended in runs:
        last, now = began if last is None else last, began
        while True:
            due = schedule.after(last)
            if due is not None and due < now and deadline is not None and isinstance(schedule, CrontabIn):
                recent = schedule.after(now - deadline - timedelta(microseconds=1))
                if recent is None or recent > now:
                    due = recent
            if due is None or max(due, now) > ended:
                break
            if due < now and last == now:
                raise Endless
            last = now = max(due, now)
            yield now

"""Beats in a scenario: their time zone, when they are there, and two that send the same. When Celery's own is due is asked in
`test_celery_rules.py`."""

import pytest
from kits.scenario import checked, ok, only, routesim, warned

HEAD = """
celery:
  apps: {shop: {%s}}
  workers: {w1: }
  tasks: {a: }
"""


def sent(scenario: str, settings: str = "") -> list[float]:
    """When the task was published, in seconds."""
    return [at_ms / 1000 for at_ms, message in ok(HEAD % settings + scenario).times("published") if message.startswith("b-e-")]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("every: 20s", [20, 40, 60]),
        ("schedule: 20", [20, 40, 60]),
        ("schedule: 20.5", [20.5, 41]),
        ("schedule: 20s", [20, 40, 60]),
        ('crontab: "* * * * *"', [60]),
        ('schedule: "* * * * *"', [60]),
        ("schedule: {minute: 1}", [60]),
        ("every: 20s, last_run_at: 2025-12-31 23:59:50", [10, 30, 50]),
        ("every: 20s, last_run_at: 2025-12-31 12:00:00", [0, 20, 40, 60]),
        ("every: 20s, last_run_at: 2026-01-01 00:00:15", [35, 55]),
    ],
)
def test_when_an_entry_is_due(when: str, expected: list[float]) -> None:
    assert sent(f"  beats: {{b: {{schedule: {{e: {{task: a, {when}}}}}}}}}\nuntil: 60s\n") == expected


DAYS = """
  beats: {b: {schedule: {e: {task: a, crontab: "%s"}}}}
  starts: "%s"
until: %s
"""


@pytest.mark.parametrize(
    ("crontab", "starts", "until", "zone", "hours"),
    [
        ("0 3 * * *", "2026-01-01 00:00:00", "30h", "", [3, 27]),
        ("0 3 * * *", "2026-01-01 00:00:00", "30h", "timezone: Europe/Berlin", [2, 26]),
        ("0 3 * * *", "2026-01-01 00:00:00", "30h", "timezone: Asia/Kolkata", [21.5]),
        ("30 2 * * *", "2026-03-28 22:00:00", "30h", "timezone: Europe/Berlin", [3.5, 26.5]),  # there is no 2:30: at 3:30
        ("30 * * * *", "2026-10-24 22:00:00", "5h", "timezone: Europe/Berlin", [0.5, 1.5, 2.5, 4.5]),  # 2:30 comes twice
    ],
)  # fmt: skip
def test_a_crontab_goes_by_the_apps_time(crontab: str, starts: str, until: str, zone: str, hours: list[float]) -> None:
    assert [at / 3600 for at in sent(DAYS % (crontab, starts, until), zone)] == hours


def test_a_beat_that_starts_in_the_hour_that_comes_twice_never_ends_sending() -> None:
    problem = only(HEAD % "timezone: Europe/Berlin" + DAYS % ("*/10 * * * *", "2026-10-25 01:05:00", "1h"))
    assert (problem.code, "clocks repeat" in problem.message) == ("endless-beat", True)


STEPS = """
  beats: {b: {%sschedule: {e: {task: a, every: 10s}}}}
steps:
%s
"""


@pytest.mark.parametrize(
    ("start", "steps", "expected"),
    [
        ("", "wait: 25s; beat: {name: b, do: stop}; wait: 43s; beat: {name: b, do: start}; wait: 22s", [10, 20, 68, 78, 88]),
        ("", "wait: 10s; beat: {name: b, do: stop}; wait: 1m", [10]),
        ("start: false, ", "wait: 7s; beat: {name: b, do: start}; wait: 20s", [17, 27]),
        ("", "control: {do: ping, timeout: 9}; wait: 3s; beat: {name: b, do: stop}; wait: 1m", [10]),
    ],
)
def test_a_beat_stops_and_starts(start: str, steps: str, expected: list[float]) -> None:
    listed = "\n".join(f"  - {step.strip()}" for step in steps.split(";"))
    assert sent(STEPS % (start, listed)) == expected


def test_a_crontab_that_was_missed_for_too_long_is_left_out() -> None:
    for settings, expected in (("", [3600, 9000]), ("beat_cron_starting_deadline: 600", [3600])):
        text = """
  beats: {b: {schedule: {e: {task: a, crontab: "0 1,2 * * *"}}}}
steps:
  - wait: 65m
  - beat: {name: b, do: stop}
  - wait: 85m
  - beat: {name: b, do: start}
  - wait: 1h
"""
        assert sent(text, settings) == expected


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("beat: {name: c, do: stop}", "unknown-beat"),
        ("beat: {name: b, do: start}", "wrong-value"),
        ("beat: {name: b, do: restart}", "wrong-value"),
        ("beat: {name: b}", "missing-key"),
    ],
)
def test_what_a_beat_step_cannot_do(step: str, code: str) -> None:
    assert only(HEAD % "" + STEPS % ("", f"  - {step}\n  - wait: 1m")).code == code


@pytest.mark.parametrize("zone", ["Europe/Berlim", "../etc/passwd", "3"])
def test_a_time_zone_that_there_is_not(zone: str) -> None:
    problem = only(HEAD % f"timezone: {zone}" + "until: 1s")
    assert (problem.code, problem.marked) == ("wrong-value", zone)


def test_local_time_is_not_known() -> None:
    [problem] = warned(HEAD % "enable_utc: false")
    assert "hours of the machine" in problem.message
    assert warned(HEAD % "enable_utc: false, timezone: Europe/Berlin") == []


TWO = """
  beats:
    b: {schedule: {e: {task: a, every: 30s}}}
    c: {schedule: {f: {task: a, %s}}}
until: 2m
"""


@pytest.mark.parametrize(
    ("other", "twice"),
    [("every: 30s", True), ("every: 60s", True), ("every: 30s, args: [1]", False), ("every: 45s", True), ("every: 7s", False)],
)
def test_two_beats_of_one_schedule_are_a_finding(other: str, twice: bool) -> None:
    text = HEAD % "" + TWO % other
    found = routesim("check", "s.yaml", "--format", "json", files={"s.yaml": text})
    assert ("beat-twice" in found.out) == twice
    assert warned(text) == []


ANNOTATED = """
celery:
  apps: {shop: {task_annotations: %s}}
  workers: {w1: {concurrency: 4}}
  tasks: {a: {takes: 1s, rate_limit: 1/s}, b: {takes: 5s, time_limit: 10}}
steps:
  - call: {task: a, id: a, count: 3}
  - call: {task: b, id: b}
expect: {tasks: {a-3: {started_at: %s}, b: {state: %s}}}
"""


@pytest.mark.parametrize(
    ("annotations", "third", "state"),
    [
        ("{}", "2s", "SUCCESS"),
        ("{a: {rate_limit: 30/m}}", "4s", "SUCCESS"),
        ('{a: {rate_limit: 30/m}, "*": {time_limit: 3}}', "4s", "FAILURE"),
        ('{"*": {rate_limit: 12/m}, a: {rate_limit: 30/m}}', "10s", "SUCCESS"),  # what all have wins over the name
        ("[{b: {time_limit: 3}}, {a: {rate_limit: 30/m}, b: {time_limit: 20}}]", "4s", "FAILURE"),
    ],
)
def test_annotations_are_over_what_a_task_says_itself(annotations: str, third: str, state: str) -> None:
    assert all(checked(ANNOTATED % (annotations, third, state)))


def test_an_annotation_that_is_not_simulated_is_told() -> None:
    [problem] = warned(ANNOTATED % ("{a: {on_failure: x}}", "2s", "SUCCESS"))
    assert problem.message == "on_failure in task_annotations is not simulated"

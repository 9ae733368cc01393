"""A number without a unit is seconds to some and milliseconds to others: routesim's own keys and options refuse it with both readings."""

import pytest
from kits.cli import within

from routesim.diagnostics import Invalid
from routesim.durations import both_readings
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

CONSUMER = "queues: {q: }\nconsumers: {w: {queue: q, %s}}\n"
OWN = {
    "wait": "steps: [wait: %s]",
    "takes": CONSUMER % "takes: %s",
    "rule": CONSUMER % "on_message: [{takes: %s}]",
    "restart": CONSUMER % "on_message: [{do: crash, restart: %s}]",
    "after": CONSUMER % "on_message: [{do: crash, after: %s}]",
    "every": "queues: {q: }\nsteps: [publish: {routing_key: q, count: 2, every: %s}]",
    "until": "until: %s",
    "never": "queues: {q: }\nnever: [{waits: '> %s'}]",
    "task": "celery: {apps: {a: }, tasks: {t: {takes: %s}}, workers: {w: }}",
    "schedule": "celery: {apps: {a: }, tasks: {t: }, beats: {b: {schedule: {e: {task: t, every: %s}}}}}\nuntil: 1m",
    "redis": "broker: {kind: redis, restore_every: %s}\nqueues: {q: }",
}
OTHERS = {
    "Celery's countdown": "celery: {apps: {a: }, tasks: {t: }, workers: {w: }}\nsteps: [call: {task: t, countdown: 5}]",
    "Celery's schedule": "celery: {apps: {a: }, tasks: {t: }, beats: {b: {schedule: {e: {task: t, schedule: 30}}}}}\nuntil: 1m",
    "visibility_timeout": "broker: {kind: redis, visibility_timeout: 60}\nqueues: {q: }",
    "an argument": "queues: {q: {arguments: {x-message-ttl: 5000}}}",
    "expiration": "queues: {q: }\nsteps: [publish: {routing_key: q, expiration: '5000'}]",
    "consumer_timeout": "broker: {consumer_timeout: 1800000}\nqueues: {q: }",
}


def problems(text: str) -> list[tuple[str, str, str]]:
    try:
        load_source(Source("case.yaml", text), "")
    except Invalid as invalid:
        return [(item.code, item.message, item.cure) for item in invalid.diagnostics if item.severity == "error"]
    return []


@pytest.mark.parametrize("key", OWN)
def test_own_keys_refuse_it_and_take_a_unit_or_nothing_at_all(key: str) -> None:
    told = ("bare-duration", "10 has no unit: 10s or 10ms?", "write 10s, or 10ms; until now it was taken as 10ms")
    assert problems(OWN[key] % "10") == [told]
    assert problems(OWN[key] % "10s") == []
    if key not in ("every", "restart", "schedule", "redis"):  # where no time is no sense
        assert problems(OWN[key] % "0") == []


@pytest.mark.parametrize("key", OTHERS)
def test_keys_of_celery_and_rabbitmq_have_their_own_unit(key: str) -> None:
    assert problems(OTHERS[key]) == []


def test_the_place_is_told() -> None:
    with pytest.raises(Invalid) as caught:
        load_source(Source("case.yaml", "queues: {q: }\nsteps:\n  - wait: 2\n  - wait: 1.5\n"), "")
    assert [(item.place.line, item.cure.split(",")[0]) for item in caught.value.diagnostics if item.place] == [
        (3, "write 2s"), (4, "write 1.5s"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("run", "scenarios/hello.yaml", "--until", "5"),
        ("celery", "monitor", "scenarios/celery/two-beats.yaml", "--at", "5"),
        ("celery", "monitor", "scenarios/celery/two-beats.yaml", "--every", "5"),
    ],
    ids=" ".join,
)
def test_so_do_options(words: tuple[str, ...]) -> None:
    done = within(*words)
    assert done.status == 2
    assert f"{words[-2]} 5 has no unit: 5s or 5ms?" in done.err


@pytest.mark.parametrize(
    ("text", "readings"), [("5", "5s or 5ms"), ("0", ""), ("0.0", ""), ("5s", ""), ("1.5", "1.5s"), ("x", "")]
)
def test_both_readings(text: str, readings: str) -> None:
    assert both_readings(text) == readings

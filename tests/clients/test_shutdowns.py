"""How a worker process of each pool ends: warm, cold, softly before cold, told again (rules/celery#2.2-8 to rules/celery#2.2-12)."""

import json
from typing import Any

import pytest
from kits.celery.notation import carried_out, scenario, send, signal, wait

from routesim.diagnostics import Invalid
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

TASKS = {
    "t": {"takes": "3s", "acks": "late"},
    "long": {"takes": "20s", "acks": "late"},
    "early": {"takes": "20s"},
    "r": {"takes": "1s", "acks": "late"},
    "retried": {"takes": "3s", "acks": "late", "ends": "retry", "countdown": "10s"},
    "limited": {"takes": "3s", "time_limit": "2s", "acks": "late"},
}
BEGUN = "P t, D(1) t, run t, P l, D(2) l, run l, P r, D(3) r"
SENT = (send("t"), send("l", "long"), send("r", "r"))


def told(sent: tuple[Any, ...], *signals: str, **worker: Any) -> str:
    """At 1 s and every half second the next signal; what comes of it."""
    steps = [*sent, wait("1s"), *(step for do in signals for step in (signal("w", do), wait("500ms"))), wait("40s")]
    what = {"queues": "q", "prefetch": 4, "concurrency": 2, **worker}
    return carried_out(scenario(workers={"w": what}, tasks=TASKS, steps=steps))[0]


@pytest.mark.parametrize(
    ("signals", "then"),
    [
        (["cold"], "6s: end t, A(1) t, close, back(2) l, back(3) r, offline"),
        (["cold", "cold"], "6s: close, back(1) t, back(2) l, back(3) r, offline"),
        (["cold", "cold", "cold"], "2s: close, back(1) t, back(2) l, back(3) r, offline"),
        (["warm", "cold"], "6.5s: end t, A(1) t, close, back(2) l, back(3) r, offline"),
        (["warm"], "3s: end t, A(1) t, 20s: end l, A(2) l, close, back(3) r, offline"),
        (["cold", "warm"], "6s: end t, A(1) t, close, back(2) l, back(3) r, offline"),
        (["cold", "kill"], "1.5s: X, back(1) t, back(2) l, back(3) r, offline"),
    ],
    ids=" ".join,
)
def test_a_soft_shutdown_lets_what_runs_end_for_a_time(signals: list[str], then: str) -> None:
    assert told(SENT, *signals, soft_shutdown="5s") == f"{BEGUN}, {then}"


def test_who_is_killed_in_a_soft_shutdown_has_none_left() -> None:
    """One run is over, and is not acknowledged: nothing more happens when the time of the shutdown is over."""
    steps = [*SENT, wait("1s"), signal("w", "cold"), wait("3s"), signal("w", "kill"), wait("40s")]
    what = {"queues": "q", "prefetch": 4, "concurrency": 2, "soft_shutdown": "5s"}
    heard = carried_out(scenario(workers={"w": what}, tasks=TASKS, steps=steps))[0]
    assert heard == f"{BEGUN}, 4s: X, back(1) t, back(2) l, back(3) r, offline"


def test_sigterm_is_a_cold_shutdown_where_it_is_remapped() -> None:
    assert told(SENT, "term", soft_shutdown="5s", remap_sigterm=True) == told(SENT, "cold", soft_shutdown="5s")
    assert told(SENT, "term", soft_shutdown="5s") == told(SENT, "warm")


def test_nothing_that_runs_and_no_time() -> None:
    assert told((), "cold", soft_shutdown="5s") == "Q(4,g), 1s: close, offline"
    late = (wait("2s"), send("t"))
    steps = [signal("w", "cold"), *late, wait("40s")]
    idle = {"queues": "q", "soft_shutdown": "5s", "soft_shutdown_on_idle": True}
    heard = carried_out(scenario(workers={"w": idle}, tasks=TASKS, steps=steps))[0]
    assert heard == "2s: P, D(1), 5s: close, back(1), offline"  # it is delivered, and nobody looks at it


def test_what_its_child_publishes_goes_out_while_the_process_sleeps() -> None:
    heard = told((send("t", "retried"),), "cold", soft_shutdown="5s")
    assert heard == "P, D(1), run, 3s: P(retries=1), D(2), 6s: A(1), close, back(2), offline"


def test_no_time_limit_strikes_while_the_process_sleeps() -> None:
    assert told((send("t", "limited"),), "cold", soft_shutdown="5s") == "P, D(1), run, 6s: end, A(1), close, offline"
    assert told((send("t", "limited"),), "warm") == "P, D(1), run, 2s: fails, A(1), close, offline"


def test_an_early_task_that_is_not_done_in_time_is_gone() -> None:
    heard = told((send("t", "early"), send("r", "r")), "cold", soft_shutdown="5s", concurrency=1)
    assert heard == "P t, D(1) t, A(1) t, run t, P r, D(2) r, 6s: close, back(2) r, offline"


# Other pools -------------------------------------------------------------------------------------------------------------

MORE = (*SENT, send("r2", "r"), send("r3", "r"))
MORE_BEGUN = f"{BEGUN}, P r2, D(4) r2, P r3"


@pytest.mark.parametrize(
    ("pool", "signals", "then"),
    [
        # Threads are never killed; while the process sleeps they go on with what waits in the pool.
        ("threads", ["warm"], "3s: end t, A(1) t, 20s: end l, A(2) l, close, back(3) r, back(4) r2, offline"),
        ("threads", ["cold"], "3s: run r, 4s: run r2, 6s: end t, A(1) t, end r, A(3) r, end r2, A(4) r2, 20s: end l, A(2) l, close, offline"),
        ("threads", ["cold", "cold"], "3s: end t, A(1) t, 20s: end l, A(2) l, close, back(3) r, back(4) r2, offline"),
        # One message waits within the process for room in the pool, and one more is read before it looks.
        ("gevent", ["warm"],
         "3s: end t, A(1) t, D(5) r3, run r, 4s: end r, A(3) r, run r2, 5s: end r2, A(4) r2, 20s: end l, A(2) l, close, back(5) r3, offline"),
    ],
)  # fmt: skip
def test_other_pools_end_in_their_own_ways(pool: str, signals: list[str], then: str) -> None:
    assert told(MORE, *signals, pool=pool, soft_shutdown="5s") == f"{MORE_BEGUN}, {then}"


def test_a_solo_worker_runs_all_that_has_come_before_it_looks() -> None:
    """And acknowledges it all at the end: a kill in between brings everything back."""
    begun = "P t, D(1) t, run t, P r, D(2) r, P r2, D(3) r2, P r3, D(4) r3, P r4"
    sent = (send("t"), *(send(id, "r") for id in ("r", "r2", "r3", "r4")))
    end = "3s: end t, run r, 4s: end r, run r2, 5s: end r2, run r3"
    gone = "6s: end r3, A(1) t, D(5) r4, A(2) r, A(3) r2, A(4) r3, close, back(5) r4, offline"
    assert told(sent, "warm", pool="solo") == f"{begun}, {end}, {gone}"
    killed = carried_out(
        scenario(
            workers={"w": {"queues": "q", "prefetch": 4, "pool": "solo"}}, tasks=TASKS,
            steps=[*sent, wait("5500ms"), signal("w", "kill")],
        )
    )[0]  # fmt: skip
    assert killed == f"{begun}, {end}, 5.5s: X, back(1) t, back(2) r, back(3) r2, back(4) r3, offline"


@pytest.mark.parametrize(
    ("pool", "do", "more", "code"),
    [
        ("solo", "cold", {}, "not-simulated"),
        ("gevent", "cold", {}, "not-simulated"),
        ("eventlet", "term", {"remap_sigterm": True}, "not-simulated"),
        ("solo", "kill_child", {}, "wrong-value"),
        ("threads", "kill_child", {}, "wrong-value"),
    ],
)
def test_what_a_pool_cannot_do_is_refused(pool: str, do: str, more: dict[str, Any], code: str) -> None:
    worker = {"queues": "q", "pool": pool, **more}
    text = json.dumps({"queues": {"q": {}}, "workers": {"w": worker}, "steps": [signal("w", do)]})
    with pytest.raises(Invalid) as refused:
        load_source(Source("row.yaml", text), "")
    assert [each.code for each in refused.value.diagnostics] == [code]


def test_a_warm_shutdown_of_a_worker_whose_sigterm_is_remapped_is_pointed_out() -> None:
    what = scenario(workers={"w": {"queues": "q", "remap_sigterm": True}}, steps=[signal("w", "warm")])
    assert [each.code for each in what.warnings] == ["remapped"]


# What limits and commands can do to a task ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pool", "limit", "ends"),
    [
        ("prefork", "time_limit", "1s: fails"), ("prefork", "soft_time_limit", "1s: fails"),
        ("solo", "time_limit", "3s: end"), ("solo", "soft_time_limit", "3s: end"),
        ("threads", "time_limit", "3s: end"), ("threads", "soft_time_limit", "3s: end"),
        ("gevent", "time_limit", "1s: fails"), ("gevent", "soft_time_limit", "3s: end"),
        ("eventlet", "time_limit", "3s: end"), ("eventlet", "soft_time_limit", "3s: end"),
    ],
)  # fmt: skip
def test_time_limits_strike_where_the_pool_has_them(pool: str, limit: str, ends: str) -> None:
    tasks = {"t": {"takes": "3s", limit: "1s", "acks": "late"}}
    workers = {"w": {"queues": "q", "pool": pool}}
    heard = carried_out(scenario(workers=workers, tasks=tasks, steps=[send("t"), wait("5s")]))[0]
    assert heard == f"P, D(1), run, {ends}, A(1)"


@pytest.mark.parametrize("pool", ["prefork", "solo", "threads", "gevent", "eventlet"])
def test_a_task_that_kills_its_process_kills_a_worker_that_has_no_other(pool: str) -> None:
    tasks = {"t": {"takes": "1s", "ends": "kill_child", "acks": "late"}}
    workers = {"w": {"queues": "q", "pool": pool}}
    heard = carried_out(scenario(workers=workers, tasks=tasks, steps=[send("t"), wait("5s")]))[0]
    assert heard == ("P, D(1), run, 1s: fails, A(1)" if pool == "prefork" else "P, D(1), run, 1s: X, back(1), offline")

"""What worker processes do on the embedded engine they do on a real broker: the same deliveries, tags, leftovers and states."""

import json
from pathlib import Path

import pytest
from kits.celery.notation import scenario, send, signal, wait
from kits.live import held
from test_lost_retries import charged
from test_recorded_sequences import ROWS, one

from routesim.run import Runner
from routesim.run.on_rabbitmq.rehearsal import rehearsed
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

HERE = Path(__file__).parent
# Rows whose times a real clock can be held to; each at a speed at which they are still far apart.
SPEEDS = {
    "1": 10, "2": 10, "4": 10, "5": 10, "5b": 10, "6": 5, "7": 10, "9": 10, "10": 10, "11": 10, "12": 10, "13": 10, "14": 20,
    "15": 20, "16": 5, "16b": 5, "19": 10, "20": 10, "21": 10, "22b": 10, "23": 10, "24": 10, "25": 20, "26": 10, "27": 5,
    "28": 10, "30b": 10, "36": 1, "37": 5, "38": 5, "40": 20, "42": 10,
}  # fmt: skip
CASES = {row.number: row for row in ROWS if row.number in SPEEDS}


@pytest.mark.parametrize("number", CASES, ids=[f"{row.number} {row.title}" for row in CASES.values()])
def test_a_recorded_sequence_is_the_same(session: BrokerSession, number: str) -> None:
    held(session, scenario(**{**CASES[number].scenario, "rabbitmq": session.profile}), speed=SPEEDS[number])


SHUTDOWNS = {do: [send("a"), send("b"), send("c"), wait("1s"), signal("w", do)] for do in ("warm", "cold", "kill", "disconnect")}


@pytest.mark.parametrize("acks", ["early", "late"])
@pytest.mark.parametrize("do", SHUTDOWNS)
def test_an_end_of_a_worker_is_the_same(session: BrokerSession, do: str, acks: str) -> None:
    held(session, scenario(**{**one(SHUTDOWNS[do], acks=acks), "rabbitmq": session.profile}), speed=10)


@pytest.mark.parametrize("do", [["cold"], ["cold", "cold"], ["cold"] * 3, ["warm", "cold"]], ids=" ".join)
def test_a_soft_shutdown_is_the_same(session: BrokerSession, do: list[str]) -> None:
    tasks = {"t": {"takes": "3s", "acks": "late"}, "long": {"takes": "20s", "acks": "late"}}
    told = [step for each in do for step in (signal("w", each), wait("500ms"))]
    worker = {"queues": "q", "prefetch": 4, "concurrency": 2, "soft_shutdown": "5s", "prefetch_of": "consumer"}
    steps = [send("t"), send("l", "long"), send("r"), wait("1s"), *told, wait("12s")]
    held(session, scenario(rabbitmq=session.profile, workers={"w": worker}, tasks=tasks, steps=steps), speed=5)


@pytest.mark.parametrize("do", ["warm", "kill", "disconnect"])
@pytest.mark.parametrize("pool", ["solo", "threads", "gevent"])
def test_an_end_of_another_pool_is_the_same(session: BrokerSession, pool: str, do: str) -> None:
    tasks = {"t": {"takes": "2s", "acks": "late"}}
    worker = {"queues": "q", "prefetch": 4, "concurrency": 2, "pool": pool, "prefetch_of": "consumer"}
    steps = [*(send(f"t{number}") for number in range(6)), wait("3s"), signal("w", do), wait("14s")]
    held(session, scenario(rabbitmq=session.profile, workers={"w": worker}, tasks=tasks, steps=steps), speed=5)


@pytest.mark.parametrize(("headers", "ends"), [("copy", "RETRY"), ("clean", "SUCCESS")])
def test_a_retry_that_carries_x_death_is_lost(session: BrokerSession, headers: str, ends: str) -> None:
    """RabbitMQ drops the retry as a message that goes in circles: 3.10 trusts an x-death that a client sends."""
    what = charged(headers, session.profile)
    simulated = Runner(what).run()
    real = session.run(what, None, plan=rehearsed(what)[1], speed=5)
    expected = "SUCCESS" if session.profile.startswith("4") else ends
    for result in (simulated, real):
        assert result.tasks is not None
        assert result.tasks.of["t"]["state"] == expected
        assert sum(queue.ready_count() for queue in result.broker.queues.values()) == 0


def test_a_worker_that_starts_asks_the_others_there_too(session: BrokerSession) -> None:
    celery = {
        "apps": {"shop": None},
        "tasks": {"t": None},
        "workers": {"w1": {"gossip": False}, "w2": {"start": False, "gossip": False}},
    }
    steps = [
        {"call": {"task": "t", "id": "later", "countdown": 20}}, wait("1s"), {"control": {"do": "revoke", "id": "later"}}, wait("1s"),
        signal("w2", "start"), wait("3s"), signal("w1", "warm"), wait("20s"),
    ]  # fmt: skip
    text = json.dumps({"rabbitmq": session.profile, "celery": celery, "steps": steps})
    what = load_source(Source("row.yaml", text), "")
    held(session, what, speed=5)
    result = Runner(what).run()
    assert result.tasks is not None
    assert result.tasks.of["later"]["state"] == "REVOKED"

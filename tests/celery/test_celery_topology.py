"""What a celery section declares is what Celery declared on a real broker (recorded: rules/celery#1)."""

import json
from pathlib import Path
from typing import Any

import pytest
from kits.paths import SCENARIOS

from routesim.broker import Broker
from routesim.run import Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

RECORDED = Path(__file__).parent / "recorded"

APP = """
rabbitmq: "3.10"
celery:
  apps:
    shop:
      task_default_queue: default
      task_queues: {default: , mail: {exchange: mail, routing_key: mail}}
      task_routes: {"mail.*": mail}
      result_backend: rpc://
      worker_send_task_events: true
  workers: {w1: , w2: {concurrency: 2}}
  tasks: {add: {takes: 10s}}
  beats: {beat: {schedule: {tick: {task: add, every: 3s}}}}
  flower:
steps:
  - call: {task: add, get: true}
  - wait: 3s
  - control: {do: ping, timeout: 60s}
until: 3500ms
"""
DELAYED = """
rabbitmq: "3.10"
celery:
  apps:
    shop:
      task_queues:
        orders: {exchange: orders, exchange_type: topic, queue_arguments: {x-queue-type: quorum}}
        legacy: {exchange: legacy, queue_arguments: {x-queue-type: quorum}}
  workers: {q1: {concurrency: 2}}
"""
# Names that were drawn, and ours. `@host` is left out.
NAMES = {
    "9030ef35-8784-3538-b1fe-769c21ef4fb8": "client.oid", "aa70c4b8-fb81-3fc4-a287-24536307f0ce": "client.oid",
    "dd3b1394-3f3e-39a4-aa40-2bbc0be15988": "beat.oid", "celeryev.11aee503-c159-425e-808c-8591393b48b5": "celeryev.flower",
    "celeryev.10ee9f7b-3c48-42cf-8866-ea3b2fa70bd0": "celeryev.w1", "celeryev.13d785cb-0c32-412e-aff6-5e7baf44c166": "celeryev.w2",
    "celeryev.96b8a6bc-00a8-44c9-8899-ecf5daf969f5": "celeryev.q1", "@host": "",
}  # fmt: skip


def recorded(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    for theirs, ours in NAMES.items():
        text = text.replace(theirs, ours)
    return json.loads(text)


def broker_after(text: str) -> tuple[Scenario, Broker]:
    scenario = load_source(Source("scene.yaml", text), "")
    runner = Runner(scenario)
    runner.run()
    return scenario, runner.broker


CASES = {
    "two queues": (APP, SCENARIOS / "celery-definitions.json", RECORDED / "celery-consumers.json"),
    "delayed": (DELAYED, RECORDED / "celery-delayed-definitions.json", RECORDED / "celery-delayed-consumers.json"),
}


@pytest.mark.parametrize("case", CASES)
def test_exchanges_queues_and_bindings_are_those_that_celery_declared(case: str) -> None:
    text, definitions, _ = CASES[case]
    _, broker = broker_after(text)
    theirs = recorded(definitions)
    declared = [state.declared for name, state in broker.exchanges.items() if name and not name.startswith("amq.")]
    exchanges = {(x.name, x.type, x.durable, x.auto_delete) for x in declared}
    assert exchanges == {(x["name"], x["type"], x["durable"], x["auto_delete"]) for x in theirs["exchanges"]}
    queues = {
        name: (queue.durable, queue.auto_delete, queue.owner is not None, dict(queue.arguments))
        for name, queue in broker.queues.items()
    }
    assert queues == {q["name"]: (q["durable"], q["auto_delete"], q["exclusive"], q["arguments"]) for q in theirs["queues"]}
    bindings = [b for state in broker.exchanges.values() for b in state.bindings.values()]
    ours = sorted((b.source, b.destination, b.destination_type, b.routing_key) for b in bindings)
    assert ours == sorted((b["source"], b["destination"], b["destination_type"], b["routing_key"]) for b in theirs["bindings"])


@pytest.mark.parametrize("case", CASES)
def test_consumers_and_prefetch_are_those_of_celery(case: str) -> None:
    text, _, path = CASES[case]
    _, broker = broker_after(text)
    theirs = recorded(path)
    subscriptions = [s for queue in broker.queues.values() for s in queue.subscriptions.values()]
    consumers = sorted(
        (name, s.auto_ack, s.prefetch) for name, queue in broker.queues.items() for s in queue.subscriptions.values()
    )
    assert consumers == sorted((c["queue"], not c["ack_required"], c["prefetch_count"]) for c in theirs["consumers"])
    limits = sorted(channel.limit for channel in {s.channel.name: s.channel for s in subscriptions}.values())
    assert [limit for limit in limits if limit] == sorted(
        c["global_prefetch_count"] for c in theirs["channels_with_consumers"] if c["global_prefetch_count"]
    )


def test_the_sizes_are_those_that_were_counted() -> None:
    _, broker = broker_after(DELAYED)
    bindings = sum(len(state.bindings) for state in broker.exchanges.values())
    exchanges = [name for name in broker.exchanges if name and not name.startswith("amq.")]
    assert (len(exchanges), len(broker.queues), bindings) == (34, 32, 62)

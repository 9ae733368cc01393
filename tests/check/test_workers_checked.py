"""Worker processes, their tasks, and the exchanges and queues that Celery declares for itself."""

from pathlib import Path

import pytest
from kits.checking.findings import all_found, found, runs

from routesim.celery import delays

WORKERS = """
exchanges: {celeryev: topic, replies: direct, shop: topic}
queues: {q: , r: , inbox: , parked: }
bindings: [{source: shop, destination: q, routing_key: '#'}]
tasks: {t: {runs: [{run: 1, publish: {routing_key: r}}]}}
workers:
  w1: {queues: [q, own], prefetch: 4, events: celeryev, replies: replies, control: inbox, declares: {queues: {own: }}}
  w2: {queues: [q, r, parked], prefetch: PREFETCH}
"""


def test_workers_are_known_with_what_they_declare_publish_and_listen_to(tmp_path: Path) -> None:
    assert found(tmp_path, WORKERS.replace("PREFETCH", "4")) == {}


def test_a_worker_without_a_limit_is_found_where_it_stands(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, WORKERS.replace("PREFETCH", "0")).values()
    assert finding.code == "prefetch-unlimited"
    assert finding.place is not None
    assert finding.place.line == 8


DELAYED_CALL = """
celery:
  apps:
    shop:
      task_default_queue: orders
      task_queues: {orders: {exchange: orders, exchange_type: topic, routing_key: orders, queue_arguments: {x-queue-type: quorum}}}
  tasks: {pay: {runs: [{takes: 1s}]}}
  workers: {w1: }
steps: [{publish: {exchange: celery_delayed_27, routing_key: KEY}}]
"""


def test_delayed_tasks_with_a_key_that_no_queue_is_bound_for_are_kept_back(tmp_path: Path) -> None:
    """Celery's levels dead-letter at least once: such a task waits in the last one for ever."""
    assert runs(found(tmp_path, DELAYED_CALL.replace("KEY", delays.delayed_key(3, "nobody")))["dead-letter-kept"])
    assert "dead-letter-kept" not in found(tmp_path, DELAYED_CALL.replace("KEY", delays.delayed_key(3, "orders")))


def test_exchanges_that_wait_for_somebody_who_asks_drop_rightly(tmp_path: Path) -> None:
    names = "celery.pidbox: {type: fanout, durable: false}, reply.celery.pidbox: direct, celeryev: topic, reply.pidbox: direct"
    (finding,) = all_found(tmp_path, f"{{exchanges: {{{names}}}, queues: {{q: }}}}")
    assert finding.message.startswith("2 exchanges ('celery.pidbox', 'reply.pidbox') have no binding")


@pytest.mark.parametrize(("version", "kind"), [("3.10", "classic"), ("4.3", "quorum")])
def test_a_celery_task_longer_than_the_timeout_of_its_broker(version: str, kind: str, tmp_path: Path) -> None:
    text = f"""
rabbitmq: "{version}"
broker: {{consumer_timeout: 5m}}
celery:
  apps: {{shop: {{task_default_queue_type: {kind}}}}}
  tasks:
    mail: {{reject_on_worker_lost: true}}
    report: {{acks_late: true, takes: TAKES}}
  workers: {{w1: }}
"""
    findings = found(tmp_path, text.replace("TAKES", "10m"))
    assert runs(findings["task-outlives-timeout"])
    assert findings["task-outlives-timeout"].source.strip().startswith("report:")
    assert findings["late-acks-needed"].source.strip().startswith("mail:")
    assert "task-outlives-timeout" not in found(tmp_path, text.replace("TAKES", "4m"))

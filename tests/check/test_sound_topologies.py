"""Of sound topologies nothing is said, and of unfinished ones little."""

import json
from pathlib import Path

import pytest
from kits.checking.findings import all_found, found
from kits.checking.rule_cases import DLX

from routesim.check import check_file
from routesim.diagnostics import NOTE, WARNING
from routesim.scenario import load_source
from routesim.scenario.definitions.exporting import definitions_of
from routesim.scenario.yaml.source import Source


def test_a_file_of_exchanges_alone_waits_for_queues(tmp_path: Path) -> None:
    (finding,) = all_found(tmp_path, "exchanges: {a: topic, b: fanout}")
    assert (finding.code, finding.severity, finding.witness) == ("exchange-drops-all", NOTE, None)


def test_a_grave_to_which_nothing_is_bound_is_no_note(tmp_path: Path) -> None:
    text = "{exchanges: {shop: fanout}, queues: {q: , NAME: }, bindings: [{source: shop, destination: q}]}"
    severities = {
        name: found(tmp_path, text.replace("NAME", name))["queue-unreachable"].severity for name in ("jobs.dlq", "mail")
    }
    assert severities == {"jobs.dlq": WARNING, "mail": NOTE}


SOUND = """
rabbitmq: "4.3"
exchanges: {orders: topic, orders.dlx: topic}
queues:
  billing: {type: quorum, arguments: {x-dead-letter-exchange: orders.dlx, x-delivery-limit: 5}}
  shipping: {type: quorum, arguments: {x-dead-letter-exchange: orders.dlx, x-delivery-limit: 5}}
  orders.dlq: {type: quorum}
bindings:
  - {source: orders, destination: billing, routing_key: order.created}
  - {source: orders, destination: shipping, routing_key: order.paid}
  - {source: orders.dlx, destination: orders.dlq, routing_key: "#"}
"""


@pytest.mark.parametrize("version", ["3.13", "4.0", "4.3"])
def test_two_work_queues_with_dead_letters_and_limits_are_sound(version: str, tmp_path: Path) -> None:
    assert found(tmp_path, SOUND.replace("4.3", version)) == {}


def test_what_a_step_binds_is_bound(tmp_path: Path) -> None:
    text = """
exchanges: {shop: fanout}
queues: {q: }
steps: [{bind: {source: shop, destination: q}}, {publish: {exchange: shop}}]
"""
    assert "exchange-drops-all" not in found(tmp_path, text)


def test_nothing_is_found_in_a_healthy_file(tmp_path: Path) -> None:
    text = f"""
exchanges: {{orders: {{type: topic, arguments: {{alternate-exchange: rest}}}}, rest: fanout, dlx: topic}}
queues: {{jobs: {{arguments: {{{DLX}: dlx, x-message-ttl: 60000}}}}, parked: , unrouted: }}
bindings:
  - {{source: orders, destination: jobs, routing_key: "order.#"}}
  - {{source: rest, destination: unrouted}}
  - {{source: dlx, destination: parked, routing_key: "#"}}
consumers: {{worker: {{queue: jobs, prefetch: 10}}}}
"""
    assert found(tmp_path, text) == {}


def test_a_definitions_file_of_two_sound_work_queues_has_no_finding(tmp_path: Path) -> None:
    document, _ = definitions_of(load_source(Source("sound", SOUND), ""))
    path = tmp_path / "definitions.json"
    path.write_text(json.dumps(document))
    assert check_file(str(path)) == []


def test_what_a_consumer_publishes_straight_to_a_queue_reaches_it(tmp_path: Path) -> None:
    text = """
exchanges: {shop: fanout}
queues: {jobs: , failed: , idle: }
bindings: [{source: shop, destination: jobs}]
consumers: {worker: {queue: jobs, on_message: [{attempt: 1, publish: {routing_key: failed}, do: ack}]}}
"""
    path = tmp_path / "replies.yaml"
    path.write_text(text)
    messages = [item.message for item in check_file(str(path)) if item.code == "queue-unreachable"]
    assert len(messages) == 1
    assert "'idle'" in messages[0]

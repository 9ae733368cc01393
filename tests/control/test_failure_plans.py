"""A plan of failures: read with every error at its place, and carried out in the server's time."""

from pathlib import Path
from typing import Any

import pika
import pytest
from kits.cli import within
from kits.serving import serving

import routesim
from routesim.control.planned import begin
from routesim.diagnostics import Invalid
from routesim.scenario.failure_plan import load_plan

PLAN = """
seed: 3
failures:
  - {at: 5s, fail: crash, target: worker, after: 2}
  - {at: 10s, fail: slow, target: "*", by: 200ms, for: 30s}
  - {every: 1m, chance: 0.5, fail: expire, target: work}
"""


def file_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "failures.yaml"
    path.write_text(text)
    return str(path)


def test_a_plan_is_read(tmp_path: Path) -> None:
    plan = load_plan(file_of(tmp_path, PLAN))
    assert plan.seed == 3
    crash, slow, expire = plan.failures
    assert (crash.failure, crash.target, crash.at_ms, crash.options, crash.line) == ("crash", "worker", 5_000, {"after": 2}, 4)
    assert (slow.options, slow.for_ms) == ({"by": 200}, 30_000)
    assert (expire.every_ms, expire.chance) == (60_000, 0.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("failures: []\nseeds: 1", ["unknown-key"]),
        ("seed: 1", ["missing-key"]),
        ("failures: [{at: 5s, fail: quake}]", ["wrong-value"]),
        ("failures: [{fail: kill}]", ["missing-key"]),
        ("failures: [{fail: kill, at: 5s, every: 5s}]", ["missing-key"]),
        ("failures: [{fail: kill, every: 0s}]", ["wrong-value"]),
        ("failures: [{fail: kill, at: 5s, target: x}]", ["wrong-value"]),
        ("failures: [{fail: crash, at: 5s}]", ["missing-key"]),
        ("failures: [{fail: crash, at: 5s, target: x, for: 5s}]", ["wrong-value"]),
        ("failures: [{fail: crash, at: 5s, target: x, by: 5s}]", ["unknown-key"]),
        ("failures: [{fail: slow, at: 5s, target: x}]", ["missing-key"]),
        ("failures: [{fail: slow, at: 5, target: x, by: 5s}, {fail: kill}]", ["bare-duration", "missing-key"]),
        ("[]", ["wrong-type"]),
        ("", ["empty-file"]),
    ],
)
def test_what_is_wrong_with_a_plan_is_told_all_at_once(tmp_path: Path, text: str, told: list[str]) -> None:
    with pytest.raises(Invalid) as invalid:
        load_plan(file_of(tmp_path, text))
    assert [item.code for item in invalid.value.diagnostics] == told
    done = within("serve", "--port", "0", "--failures", str(tmp_path / "failures.yaml"))
    assert (done.status, done.out) == (2, "")
    assert "failures.yaml:" in done.err


def trace_of(tmp_path: Path, seed: int) -> list[str]:
    """The failures of twenty minutes."""
    plan = load_plan(file_of(tmp_path, PLAN))._replace(seed=seed)
    told: list[str] = []
    with routesim.serving(clock="manual") as broker:
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            connection.channel().queue_declare("work", durable=True)
        broker._do(lambda: begin(broker._server.server, plan, told.append))
        for _ in range(4):
            broker.advance("5m")
        assert told == [f"note: {plan.file}:4: at 5 s no connection is called 'worker'; there are none"]
        return [" ".join(line.split()[:4]) for line in broker.trace().splitlines() if "FAILURE" in line]


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    first = trace_of(tmp_path, 3)
    assert first == trace_of(tmp_path, 3)
    assert first != trace_of(tmp_path, 4)
    assert 3 < len(first) < 17
    assert all(float(line.split()[0]) % 60 == 0 for line in first)


def test_what_lasts_is_over_when_it_is_said(tmp_path: Path) -> None:
    text = "failures: [{at: 1s, fail: slow, target: app, by: 1s, for: 10s}]"
    with routesim.serving(clock="manual") as broker:
        parameters = pika.URLParameters(broker.url)
        parameters.client_properties = {"connection_name": "app"}
        with pika.BlockingConnection(parameters) as connection:
            channel: Any = connection.channel()
            broker._do(lambda: begin(broker._server.server, load_plan(file_of(tmp_path, text)), print))
            broker.advance("20s")
            channel.queue_declare("at-once", durable=True)
            rows = [line.split() for line in broker.trace().splitlines() if "FAILURE" in line]
            assert [(float(row[0]), "over" in row) for row in rows] == [(1.0, False), (11.0, True)]


def test_a_server_with_a_plan(tmp_path: Path) -> None:
    with serving("--failures", file_of(tmp_path, "failures: [{every: 1s, fail: kill}]"), format="ndjson") as server:
        connection = pika.BlockingConnection(pika.URLParameters(server.url))
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            connection.process_data_events(10)
    assert any('"event": "failure"' in line for line in server.lines)

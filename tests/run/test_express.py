"""The fast way and the ordinary way: the same events, byte for byte, and the same state afterwards."""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from kits.paths import ALL_SCENARIO_FILES, ROOT

from routesim.broker import RabbitBroker, counts
from routesim.clients.scripted_consumer import ConsumerJob
from routesim.diagnostics import Invalid
from routesim.named_tuples import NamedTuple
from routesim.queues import Delivery
from routesim.report.formats.ndjson import Lines
from routesim.report.trace import rounds as rounds_of_a_trace
from routesim.report.trace.blocks import BatchTrace
from routesim.run import Result, Runner, rounds_text
from routesim.run.agenda import ConsumerReturns
from routesim.run.express import cycles, soloists
from routesim.run.express.rounds import Round
from routesim.run.folds.fold import fan_out
from routesim.run.folds.letters import Letters
from routesim.run.virtual_clock import VirtualClock
from routesim.scenario import Scenario, load, load_source
from routesim.scenario.yaml.source import Source

RECORDED = sorted(path for path in (ROOT / "tests/conformance/recorded").glob("*.jsonl") if not path.stem.endswith("-pairs"))
EXAMPLES = int(os.environ.get("ROUTESIM_EXAMPLES", "0"))
TOPOLOGY = """
rabbitmq: "{version}"
exchanges: {{shop: topic, all: fanout}}
queues: {{q0: , q1: {q1}, q2: , q3: }}
bindings:
  - {{source: shop, destination: q0, routing_key: ship.*}}
  - {{source: shop, destination: q1, routing_key: order.#}}
  - {{source: all, destination: q1}}
  - {{source: all, destination: q2}}
  - {{source: all, destination: q3}}
"""


@pytest.fixture(autouse=True)
def _short_runs_go_round_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycles, "SHORT_RUN", 0)
    monkeypatch.setattr(cycles, "LEAST_ROUNDS", 1)
    monkeypatch.setattr(soloists, "WORTH", 1_000)
    monkeypatch.setattr(rounds_text, "LEAST_BLOCKS", 1)
    monkeypatch.setattr(rounds_of_a_trace, "KNOWN", 30)


class Look(NamedTuple):
    """How a table is drawn."""

    columns: int | None = None
    colour: bool = False
    shorten: bool = True
    encoding: str = "utf-8"


LOOKS = [
    Look(), Look(80, colour=True), Look(100), Look(130, colour=True), Look(60, shorten=False), Look(40), Look(25),
    Look(80, encoding="ascii"), Look(colour=True, encoding="cp437"), Look(80, encoding="cp437"),
]  # fmt: skip


def table(scenario: Scenario, look: Look, *, express: bool, **options: Any) -> str:
    """The table of a run, without its summary."""
    out = io.TextIOWrapper(io.BytesIO(), look.encoding, newline="")
    trace = BatchTrace(out, scenario, colour=look.colour, columns=look.columns, shorten=look.shorten)
    Runner(scenario, trace if express else trace.listen, keep=False, **options).run()
    trace.end()
    out.seek(0)
    return out.read()


def run(
    scenario: Scenario, *, express: bool, traced: bool = True, keep: bool = False, until: str | int | None = None,
    max_events: int = 20_000,
) -> tuple[str, Runner, Result, int]:  # fmt: skip
    lines: list[str] = []
    runner = Runner(
        scenario, Lines(lines.append) if traced else None, keep=keep, express=express, max_events=max_events, until=until
    )
    applied = 0
    apply = RabbitBroker.apply

    def counted(broker, step):
        nonlocal applied
        applied += 1
        return apply(broker, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RabbitBroker, "apply", counted)
        result = runner.run()
    return "".join(lines), runner, result, applied


def same(
    given: str | Scenario, until: str | int | None = None, max_events: int = 20_000, looks: Sequence[Look] = LOOKS[:2]
) -> tuple[int, int]:
    """Both ways agree; returns how many steps the broker was asked in the ordinary way, fast and slow."""
    scenario = load_source(Source("a.yaml", given), "") if isinstance(given, str) else given
    fast, fast_runner, fast_result, few = run(scenario, express=True, until=until, max_events=max_events)
    slow, slow_runner, slow_result, many = run(scenario, express=False, keep=True, until=until, max_events=max_events)
    assert fast == slow
    for look in looks:
        tables = [table(scenario, look, express=each, until=until, max_events=max_events) for each in (True, False)]
        assert tables[0] == tables[1], look
    _, silent_runner, silent_result, _ = run(scenario, express=True, traced=False, until=until, max_events=max_events)
    told, keeping_runner, keeping_result, _ = run(scenario, express=True, keep=True, until=until, max_events=max_events)
    assert told == slow
    assert remembered(keeping_result) == remembered(slow_result)
    for runner, result in ((fast_runner, fast_result), (silent_runner, silent_result), (keeping_runner, keeping_result)):
        assert result.ended == slow_result.ended
        assert result.broker.now == slow_result.broker.now
        assert counts(result.broker) == counts(slow_result.broker)
        assert result.broker.fingerprint() == slow_result.broker.fingerprint()
        assert planned(runner) == planned(slow_runner)
        assert reactions(runner) == reactions(slow_runner)
        assert everything(runner) == everything(slow_runner)
    return few, many


def remembered(result: Result) -> str:
    """All that a run keeps for its report, in the order in which it is kept."""
    assert result.losses is not None
    return repr((
        result.messages.of, result.messages.unpublished, result.gets.all, result.fates.of, result.deliveries.of,
        sorted(result.deliveries.open.items()), result.publishers.__dict__, result.losses.all, result.expectations,
    ))  # fmt: skip


def reactions(runner: Runner) -> int:
    assert isinstance(runner.clock, VirtualClock)
    return runner.clock.budget.reactions


@pytest.mark.parametrize("path", ALL_SCENARIO_FILES, ids=lambda path: path.stem)
def test_every_scenario_goes_both_ways(path: Path) -> None:
    same(load(str(path)))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_recorded_case_goes_both_ways(path: Path) -> None:
    for case in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        same(load_source(Source(case["name"], case["scenario"]), ""))


def planned(runner: Runner) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for *place, entry in sorted(runner.agenda.heap, key=lambda item: item[:3]):
        of = entry.consumer.consumer.name if isinstance(entry, (ConsumerJob, ConsumerReturns)) else None
        found.append((*place, of, *(entry[1:2] if isinstance(entry, ConsumerJob) else entry[1:])))
    return found


def everything(runner: Runner) -> tuple[Any, ...]:
    """What a fingerprint leaves out: numbers given out so far, and what consumers have in mind."""
    broker = runner.broker
    return (
        broker.serial, broker.draws, broker.requeues_now, len(broker.failures),
        [(name, channel.next_tag, [shown(item) for item in channel.unacked.values()]) for name, channel in broker.channels.items()],
        [(name, [copy[:2] + copy[3:] for copy in queue.copies()], queue.unacked) for name, queue in broker.queues.items()],
        [
            (
                item.consumer.name, item.job_number, item.attempts, item.chances, item.rounds,
                [(number, shown(job.delivery), *job[3:]) for number, job in item.jobs.items()],
                [(shown(delivery), *rest) for delivery, *rest in item.waiting],
            )
            for item in runner.consumers.by_name.values()
        ],
    )  # fmt: skip


def shown(delivery: Delivery[Any]) -> tuple[Any, ...]:
    return delivery.tag, delivery.queue.name, delivery.copy[:2] + delivery.copy[3:], delivery.at_ms, delivery.auto_ack


MORE_QUEUES = (
    "short: {arguments: {x-max-length: 3}}, dropping: {arguments: {x-max-length: 3}}, "
    "dying: {arguments: {x-message-ttl: 60000, x-max-length: 9, x-max-priority: 4, x-dead-letter-exchange: all}}, "
    "roomy: {arguments: {x-message-ttl: 60000, x-max-length: 900, x-max-length-bytes: 9000, x-max-priority: 4}}"
)
LONG = {
    "nobody takes them": "steps: [{publish: {exchange: shop, routing_key: ship.a, count: 500}}]",
    "one takes them at once": "consumers: {a: {queue: q0}}\nsteps: [{publish: {exchange: shop, routing_key: ship.a, count: 500}}]",
    "two take turns": (
        "consumers: {a: {queue: q0, prefetch: 1}, b: {queue: q0}}\n"
        "steps: [{publish: {exchange: shop, routing_key: ship.a, count: 500, id: n}}]"
    ),
    "a fanout": (
        "consumers: {a: {queue: q1}, b: {queue: q2, takes: 5ms, prefetch: 2}}\n"
        "steps: [{publish: {exchange: all, count: 500, every: 3ms}}]"
    ),
    "the default exchange": "consumers: {a: {queue: q0}}\nsteps: [{publish: {routing_key: q0, count: 500}}]",
    "overloaded": "consumers: {a: {queue: q0, prefetch: 1, takes: 7ms}}\nsteps: [{publish: {routing_key: q0, count: 500, every: 2ms}}]",
    "kept up with": (
        "consumers: {a: {queue: q0, prefetch: 9, takes: 7ms, concurrency: 4}, b: {queue: q0, prefetch: 3, takes: 9ms}}\n"
        "steps: [{publish: {exchange: shop, routing_key: ship.a, count: 500, every: 3ms}}, "
        "{publish: {routing_key: q0, count: 300, every: 5ms}}]"
    ),
    "one channel for two": (
        "consumers: {a: {queue: q0, prefetch: 2, takes: 7ms, channel: c}, b: {queue: q1, prefetch: 2, takes: 9ms, channel: c}}\n"
        "steps: [{publish: {exchange: shop, routing_key: ship.a, count: 400, every: 3ms}}, "
        "{publish: {exchange: shop, routing_key: order.a.b, count: 300, every: 5ms}}]"
    ),
    "each comes back": (
        "consumers: {a: {queue: q0, on_message: [{attempt: 1, do: requeue}]}, b: {queue: q1, prefetch: 1, on_message: ["
        "{redelivered: false, do: requeue}, {attempt: <= 3, do: requeue}, {do: reject}]}}\n"
        "steps: [{publish: {exchange: shop, routing_key: ship.a, count: 500}}, {publish: {routing_key: q1, count: 500, every: 2ms}}]"
    ),
    "each dies": (
        "consumers: {a: {queue: dying, on_message: reject}, b: {queue: dropping, on_message: reject}}\n"
        "steps: [{publish: {routing_key: dying, count: 500, headers: {a: 1}}}, {publish: {routing_key: dropping, count: 500}}]"
    ),
    "some come back, some die": (
        "consumers: {a: {queue: dying, on_message: [{chance: 0.3, do: requeue}, {chance: 0.3, do: reject}]}}\n"
        "steps: [{publish: {routing_key: dying, count: 500}}, {publish: {routing_key: dying, count: 900, every: 3ms}}]"
    ),
    "more join those that wait": (
        "consumers: {a: {queue: roomy, prefetch: 1, on_message: [{redelivered: true, do: reject}, {do: hold}]}}\n"
        "steps: [{publish: {routing_key: roomy, count: 400, priority: 2, expiration: 70000}}, "
        "{publish: {routing_key: roomy, count: 400, every: 2ms, body: four}}]"
    ),
    "each drives one out": "steps: [{publish: {routing_key: short, count: 500}}, {publish: {routing_key: short, count: 500, every: 1ms}}]",
    "escaped": 'steps: [{publish: {routing_key: q0, id: "{\\"\\\\ü}", count: 200}}]',
}


@pytest.mark.parametrize("version", ["3.10", "4.3"])
@pytest.mark.parametrize("name", LONG)
def test_long_runs_take_the_fast_way_and_tell_the_same(name: str, version: str) -> None:
    few, many = same(TOPOLOGY.format(version=version, q1="").replace("q0: ,", f"q0: , {MORE_QUEUES},") + LONG[name])
    assert few < many / 4


def of_quorum_queues(version: str) -> str:
    found = TOPOLOGY.format(version=version, q1="{type: quorum}")
    for name in ("q0", "q2"):
        found = found.replace(f"{name}: ,", f"{name}: {{type: quorum}},")
    return found


@pytest.mark.parametrize("version", ["3.10", "3.13", "4.0", "4.3"])
@pytest.mark.parametrize("name", [name for name in LONG if not any(other in LONG[name] for other in ("dying", "roomy", "short"))])
def test_quorum_queues_take_the_fast_way_and_tell_the_same(name: str, version: str) -> None:
    few, many = same(of_quorum_queues(version) + LONG[name])
    assert few < many / 4


@pytest.mark.parametrize("version", ["3.10", "4.0", "4.3"])
def test_what_quorum_queues_give_back_and_bury_takes_the_fast_way(version: str) -> None:
    queues = "q0: {type: quorum, arguments: {x-delivery-limit: 2, x-dead-letter-exchange: all}},"
    text = (
        "consumers: {a: {queue: q0, on_message: [{attempt: <= 2, do: requeue}, {chance: 0.5, do: reject}]}}\n"
        "steps: [{publish: {routing_key: q0, count: 500}}, {publish: {routing_key: q0, count: 300, every: 2ms}}]"
    )
    few, many = same(of_quorum_queues(version).replace("q0: {type: quorum},", queues) + text)
    assert few < many / 4


# Each comes to the same again and again, with how many of its publishes and answers are to be gone in rounds at least.
REPEATED = {
    "one keeps up": "consumers: {a: {queue: q0, takes: 2ms}}\nsteps: [{publish: {routing_key: q0, count: 900, every: 3ms}}]",
    "one takes them at once": "consumers: {a: {queue: q0}}\nsteps: [{publish: {routing_key: q0, count: 900, every: 3ms}}]",
    "all are there": "consumers: {a: {queue: q0, takes: 2ms, prefetch: 3}}\nsteps: [{publish: {routing_key: q0, count: 900}}]",
    "all are in hand": "consumers: {a: {queue: q0, takes: 2ms, concurrency: 2}}\nsteps: [{publish: {routing_key: q0, count: 900}}]",
    "more and more wait": (
        "consumers: {a: {queue: q0, prefetch: 2, takes: 3ms}}\nsteps: [{publish: {routing_key: q0, count: 900, every: 2ms}}]"
    ),
    "more and more are in hand": (
        "consumers: {a: {queue: q0, takes: 3ms}}\nsteps: [{publish: {routing_key: q0, count: 900, every: 2ms}}]"
    ),
    "two take turns": (
        "consumers: {a: {queue: q0, takes: 3ms, prefetch: 1}, b: {queue: q0, takes: 5ms, prefetch: 1}}\n"
        "steps: [{publish: {routing_key: q0, count: 900, every: 2ms}}]"
    ),
    "a fanout, and something else now and then": (
        "consumers: {a: {queue: q1, takes: 2ms}, b: {queue: q2, takes: 5ms, prefetch: 1}}\n"
        "steps: [{publish: {exchange: all, count: 900, every: 3ms}}, {publish: {routing_key: q1, count: 9, every: 301ms}}]"
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "topology",
    [TOPOLOGY.format(version="3.10", q1=""), of_quorum_queues("4.0"), of_quorum_queues("4.3")],
    ids=["3.10", "4.0", "4.3"],
)
@pytest.mark.parametrize("max_events", [1_000_000, 30_000, 2_000])
@pytest.mark.parametrize("name", REPEATED)
def test_what_repeats_itself_is_gone_in_rounds(
    name: str, max_events: int, topology: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, repeat = [], Round.repeat

    def counted(self: Round, times: int) -> None:
        gone.append(times * len(self.plays))
        repeat(self, times)

    monkeypatch.setattr(Round, "repeat", counted)
    same(topology + REPEATED[name], max_events=max_events)
    assert max_events < 30_000 or sum(gone) > 900


def test_what_goes_through_at_once_meets_no_limit() -> None:
    limits = "{arguments: {x-message-ttl: 0, x-max-length: 0, x-max-priority: 4, x-dead-letter-exchange: all}}"
    text = (
        "consumers: {a: {queue: q1, prefetch: 1}}\nsteps: [{publish: {exchange: shop, routing_key: order.a, count: 500, "
        "priority: 3, expiration: 0}}, {publish: {routing_key: q1, count: 200, every: 2ms}}]"
    )
    few, many = same(TOPOLOGY.format(version="3.10", q1=limits) + text)
    assert few < many / 4


# What may change under the eyes of the fast way; {name} is a consumer.
MEANWHILE = [
    "cancel: {name}", "crash: {name}", "consume: {name}", "recover: {{consumer: {name}}}", "qos: {{channel: shared, prefetch: 1, global: true}}",
    "qos: {{channel: {name}, prefetch: 2, global: false}}", "tx: {{channel: publisher, do: select}}", "tx: {{channel: publisher, do: commit}}",
    "purge: q0", "delete: {{queue: q1}}", "declare: {{queues: {{q1: }}, bindings: [{{source: all, destination: q1}}]}}",
    'declare: {{policies: [{{name: p, pattern: "^q[01]", apply-to: queues, definition: {{max-length: 2}}}}]}}',
    'declare: {{policies: [{{name: p, pattern: "^q[01]", apply-to: queues, definition: {{message-ttl: 3}}}}]}}',
    "delete: {{policy: p}}", "get: {{queue: q0}}", "unbind: {{source: all, destination: q2}}", "restart: clean",
]  # fmt: skip


WAITING = {
    "some come back": "prefetch: 1, on_message: [{chance: 0.1, do: requeue}, {do: ack}]",
    "some come back twice": "prefetch: 3, on_message: [{attempt: <= 2, chance: 0.3, do: requeue}, {redelivered: true, takes: 7ms}]",
    "one in a hundred is rejected": "prefetch: 2, concurrency: 2, on_message: [{chance: 0.01, do: reject}]",
}


@pytest.mark.parametrize(
    "queue",
    [
        "",
        "{arguments: {x-message-ttl: 60000, x-max-length: 1000, x-max-priority: 5, x-dead-letter-exchange: all}}",
        "{type: quorum}",
    ],
    ids=["classic", "limited", "quorum"],
)
@pytest.mark.parametrize("name", WAITING)
def test_what_waits_for_a_consumer_with_rules_of_its_own_goes_fast_too(name: str, queue: str) -> None:
    text = f"consumers: {{a: {{queue: q1, takes: 3ms, {WAITING[name]}}}}}\nsteps: [{{publish: {{routing_key: q1, count: 900}}}}]"
    few, many = same(TOPOLOGY.format(version="4.0", q1=queue) + text)
    assert few < many / 4


def test_who_looks_at_the_broker_hears_of_each_event_as_it_happens() -> None:
    steps = "consumers: {a: {queue: q1, takes: 3ms, prefetch: 1}}\nsteps: [{publish: {routing_key: q1, count: 900, id: m}}]"
    scenario = load_source(Source("a.yaml", TOPOLOGY.format(version="4.0", q1="") + steps), "")
    letters = Letters()
    runner = Runner(scenario, fan_out(None, [letters]))
    letters.broker = runner.broker
    delivered = runner.run().deliveries.of["a"]
    assert [row["message"] for row in letters.delivered["a"]] == [row["message"] for row in delivered]
    assert len(delivered) == 900


@pytest.mark.parametrize("rule", ["requeue", "[{chance: 0.9, do: requeue}]"])
@pytest.mark.parametrize("more", [0, 1, 2, 3])
def test_what_never_ends_is_ended_at_the_same_event(rule: str, more: int) -> None:
    """However the budget falls on answers and on instants."""
    text = (
        f"consumers: {{a: {{queue: q1, takes: 2ms, prefetch: 1, on_message: {rule}}}}}\n"
        f"steps: [{{publish: {{routing_key: q1, count: {40 + more}}}}}, {{wait: 78ms}}, {{publish: {{routing_key: q1, count: 4}}}}]"
    )
    for max_events in range(280, 320, 10):
        same(TOPOLOGY.format(version="3.10", q1="") + text, "idle", max_events)


@pytest.mark.parametrize("limit", ["x-message-ttl: 9", "x-max-length: 3", "x-max-length-bytes: 9", "x-max-priority: 2"])
def test_what_waits_where_there_is_a_limit_tells_the_same(limit: str) -> None:
    text = (
        "consumers: {a: {queue: q1, prefetch: 1, takes: 7ms}}\n"
        "steps: [{publish: {routing_key: q1, count: 200, every: 2ms, body: four, priority: 1}}, "
        "{publish: {routing_key: q1, count: 100, every: 3ms}}]"
    )
    same(TOPOLOGY.format(version="3.10", q1=f"{{arguments: {{{limit}}}}}") + text)


RULES = [
    "ack", "ack", "ack", "ack", "ack", "reject", "reject", "[{attempt: 1, do: requeue}]", "[{attempt: 1, do: requeue}]", "hold",
    "[{chance: 0.1, do: crash, restart: 20ms}]", "[{chance: 0.3, do: requeue}, {chance: 0.3, do: reject}]",
    "[{redelivered: false, do: requeue}, {do: reject}]", "[{attempt: <= 3, do: requeue}, {chance: 0.5, do: reject}]",
    "[{message: m-7, do: requeue}, {routing_key: ship.*, do: reject}]", "[{headers: {x-death: [{queue: q0}]}, do: ack}, {do: reject}]",
    "[{attempt: 1, do: requeue}, {attempt: 2, takes: 3ms, do: reject}]", "[{attempt: <= 30, do: requeue}]", "requeue",
]  # fmt: skip
QUEUES = [
    "", "", "", "", "{type: quorum}", "{arguments: {x-message-ttl: 9}}", "{arguments: {x-max-length: 3}}", "{arguments: {x-max-length: 0}}",
    "{arguments: {x-dead-letter-exchange: all}}", "{arguments: {x-dead-letter-exchange: '', x-dead-letter-routing-key: q3}}",
    "{arguments: {x-dead-letter-exchange: nowhere}}", "{arguments: {x-max-length: 3, x-dead-letter-exchange: all}}",
    "{arguments: {x-message-ttl: 60000, x-max-length: 1000, x-max-priority: 3, x-dead-letter-exchange: all}}",
    "{arguments: {x-dead-letter-exchange: shop, x-dead-letter-routing-key: order.dead}}", "{arguments: {x-max-length-bytes: 9}}",
    *["{type: quorum}"] * 4, "{type: quorum, arguments: {x-delivery-limit: 2}}", "{type: quorum, arguments: {x-dead-letter-exchange: all}}",
    "{type: quorum, arguments: {x-dead-letter-exchange: all, x-delivery-limit: 1}}", "{type: quorum, arguments: {x-max-length: 3}}",
    "{type: quorum, arguments: {x-message-ttl: 9}}", "{type: quorum, arguments: {x-single-active-consumer: true}}",
    "{type: quorum, arguments: {x-max-length: 30, x-overflow: reject-publish}}",
    "{type: quorum, arguments: {x-dead-letter-exchange: all, x-dead-letter-strategy: at-least-once, x-overflow: reject-publish}}",
    "{type: quorum, arguments: {x-delayed-retry-type: all, x-delayed-retry-min: 3}}",
]  # fmt: skip
VERSIONS = ["3.10", "3.13", "4.0", "4.3"]


ASKED = [
    "", "", "", 'never:\n  - delivered: "> 1"\n  - waits: "> 5ms"\n  - lost: true', "never:\n  - {reaches: q3}",
    "expect: {messages: {m-1: {q0: acked}, m-2: {q0: ready}}, lost: 0}", "expect: {consumers: {c0: {delivered: 3}}}",
]  # fmt: skip


@st.composite
def scenarios(draw: st.DrawFn) -> str:
    version, q0, q1, q2 = draw(st.sampled_from(VERSIONS)), *(draw(st.sampled_from(QUEUES)) for _ in range(3))
    lines = [TOPOLOGY.format(version=version, q1=q1).replace("q0: ,", f"q0: {q0},").replace("q2: ,", f"q2: {q2},")]
    lines.append(f"channels: {{shared: {{prefetch: {draw(st.integers(0, 2))}}}}}")
    called = draw(st.sampled_from(["c", "c", "who-acknowledges-or-not-"]))
    names = [f"{called}{index}" for index in range(draw(st.integers(0, 3)))]
    if names:
        lines.append("consumers:")
    for name in names:
        queue, prefetch, takes = (
            draw(st.sampled_from(["q0", "q0", "q1", "q2"])),
            draw(st.integers(0, 3)),
            draw(st.sampled_from([0, 0, 0, *range(1, 10)])),
        )
        rule, hands = draw(st.sampled_from(RULES)), draw(st.integers(1, 3))
        lines.append(
            f"  {name}: {{queue: {queue}, takes: {takes}ms, concurrency: {hands}, on_message: {rule}, "
            f"priority: {draw(st.integers(0, 1))}{draw(st.sampled_from([f', prefetch: {prefetch}', f', prefetch: {prefetch}', ', channel: shared']))}}}"
        )
    lines.append("steps:")
    for _ in range(draw(st.integers(1, 4))):
        target = draw(
            st.sampled_from(["exchange: shop, routing_key: ship.a", "exchange: all", "routing_key: q0", "routing_key: q1"])
        )
        options = draw(
            st.sampled_from(
                [
                    "",
                    ", id: m",
                    ", id: m",
                    ", id: ü",
                    ", id: a-message-with-a-long-name",
                    ", channel: publisher",
                    ", expiration: 4",
                    ", mandatory: true",
                    ", priority: 3",
                ]
            )
        )
        count, every = draw(st.integers(2, draw(st.sampled_from([9, 60, 300])))), draw(st.integers(0, 4))
        lines.append(f"  - publish: {{{target}, count: {count}, every: {every}ms{options}}}")
        if draw(st.booleans()):
            lines.append(f"  - wait: {draw(st.integers(1, 40))}ms")
        if names and draw(st.booleans()):
            lines.append(f"  - {draw(st.sampled_from(MEANWHILE)).format(name=draw(st.sampled_from(names)))}")
    return "\n".join(lines)


AT_ONCE = [rule for rule in RULES if rule not in ("ack", "hold") and "takes" not in rule and "crash" not in rule]


@st.composite
def ruled(draw: st.DrawFn) -> str:
    """One consumer that answers at once, by rules; what it rejects goes where hardly anybody consumes."""
    lines = [TOPOLOGY.format(version=draw(st.sampled_from(VERSIONS)), q1=draw(st.sampled_from(["", "", "", *QUEUES])))]
    lines[0] = lines[0].replace("q0: ,", f"q0: {draw(st.sampled_from(QUEUES))},")
    prefetch = draw(st.sampled_from(["", ", prefetch: 1", ", prefetch: 2"]))
    lines.append(f"consumers:\n  c0: {{queue: q0, on_message: {draw(st.sampled_from(AT_ONCE))}{prefetch}}}")
    if draw(st.integers(0, 2)) == 0:
        rule, takes = draw(st.sampled_from(["ack", "ack", *AT_ONCE])), draw(st.sampled_from([0, 2, 5]))
        lines.append(
            f"  c1: {{queue: {draw(st.sampled_from(['q1', 'q2', 'q3']))}, takes: {takes}ms, prefetch: 1, on_message: {rule}}}"
        )
    lines.append("steps:")
    for _ in range(draw(st.integers(1, 3))):
        target = draw(
            st.sampled_from(["exchange: shop, routing_key: ship.a", "routing_key: q0", "routing_key: q0", "exchange: all"])
        )
        options = draw(
            st.sampled_from(
                [
                    "",
                    ", id: m",
                    ", id: m",
                    ", id: ü",
                    ", id: a-message-with-a-long-name",
                    ", channel: publisher",
                    ", expiration: 4",
                    ", priority: 3",
                    ", body: four",
                ]
            )
        )
        count, every = draw(st.integers(2, draw(st.sampled_from([9, 60, 300])))), draw(st.sampled_from([0, 0, 1, 400]))
        lines.append(f"  - publish: {{{target}, count: {count}, every: {every}ms{options}}}")
        if draw(st.booleans()):
            lines.append(f"  - wait: {draw(st.integers(1, 4000))}ms")
        if draw(st.integers(0, 3)) == 0:
            lines.append(f"  - {draw(st.sampled_from(MEANWHILE)).format(name='c0')}")
    return "\n".join(lines)


LASTING = [
    "{arguments: {x-message-ttl: 300}}", "{arguments: {x-message-ttl: 60000, x-max-length: 1000, x-max-priority: 3}}",
    "{arguments: {x-message-ttl: 200, x-max-length: 100, x-dead-letter-exchange: '', x-dead-letter-routing-key: q3}}",
    "{arguments: {x-dead-letter-exchange: '', x-dead-letter-routing-key: q1, x-max-length-bytes: 900}}",
]  # fmt: skip
BY_CHANCE = [
    "[{chance: 0.1, do: requeue}, {do: ack}]", "[{chance: 0.1, do: requeue}, {do: ack}]", "[{chance: 0.2, do: reject}]",
    "[{attempt: 1, chance: 0.5, do: requeue}, {attempt: 2, takes: 5ms, do: ack}]",
    "[{redelivered: true, do: reject}, {chance: 0.3, do: requeue}]",
    "[{message: m-7, do: requeue}, {chance: 0.3, takes: 2ms, do: reject}]",
    "[{routing_key: q0, do: ack}, {chance: 0.5, do: requeue}]",
]  # fmt: skip
TIMED = [*BY_CHANCE, *(rule for rule in RULES if rule not in ("ack", "hold"))]


@st.composite
def waiting(draw: st.DrawFn) -> str:
    """Consumers that have a queue each, and rules, and take their time, while more and more waits."""
    queues = [draw(st.sampled_from(["", *QUEUES, *LASTING])) for _ in range(3)]
    topology = TOPOLOGY.format(version=draw(st.sampled_from(VERSIONS)), q1=queues[1])
    lines = [topology.replace("q0: ,", f"q0: {queues[0]},").replace("q2: ,", f"q2: {queues[2]},"), "consumers:"]
    for number in range(draw(st.integers(1, 3))):
        hands = draw(st.sampled_from(["prefetch: 1", "prefetch: 1", "prefetch: 2", "prefetch: 3, concurrency: 2"]))
        rule, shared = draw(st.sampled_from(TIMED)), draw(st.sampled_from(["", "", "", ", channel: one"]))
        lines.append(
            f"  c{number}: {{queue: q{number}, takes: {draw(st.integers(1, 4))}ms, {hands}, on_message: {rule}{shared}}}"
        )
    lines.append("steps:")
    for _ in range(draw(st.integers(1, 4))):
        target = draw(st.sampled_from(["exchange: all", "routing_key: q0", "routing_key: q0", "routing_key: q1"]))
        options = draw(st.sampled_from(["", "", ", id: m", ", expiration: 400", ", priority: 3", ", body: four"]))
        count, every = draw(st.integers(2, draw(st.sampled_from([9, 60, 300])))), draw(st.sampled_from([0, 0, 0, 1, 400]))
        lines.append(f"  - publish: {{{target}, count: {count}, every: {every}ms{options}}}")
        if draw(st.booleans()):
            lines.append(f"  - wait: {draw(st.integers(1, 400))}ms")
        if draw(st.integers(0, 3)) == 0:
            lines.append(f"  - {draw(st.sampled_from(MEANWHILE)).format(name='c0')}")
    return "\n".join(lines)


@settings(
    max_examples=EXAMPLES or 200, derandomize=not EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(
    st.one_of(scenarios(), ruled(), waiting()), st.sampled_from(["idle", "steps", 57]), st.sampled_from([300, 20_000]),
    st.sampled_from(ASKED), st.sampled_from(LOOKS),
)  # fmt: skip
def test_whatever_a_run_is_made_of_both_ways_tell_the_same(
    text: str, until: str | int, max_events: int, asked: str, look: Look
) -> None:
    try:
        same(f"{text}\n{asked}\n", until, max_events, [look])
    except Invalid:  # what is drawn need not be a scenario
        reject()

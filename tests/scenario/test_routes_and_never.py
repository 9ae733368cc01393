"""`routes`, a truth table for the topology, and `never`, what must not be so at any time."""

from collections import Counter
from pathlib import Path

import pytest
from kits.paths import SCENARIO_FILES
from kits.scenario import checked, ok, only, play, refused

from routesim import events
from routesim.broker import counts
from routesim.run import Runner
from routesim.scenario import Never, load

TOPOLOGY = """
exchanges:
  shop: {type: topic, arguments: {alternate-exchange: rest}}
  rest: fanout
  docs: headers
  later: {type: x-delayed-message, arguments: {x-delayed-type: direct}}
  recent: x-recent-history
  lucky: x-random
queues: {warehouse: , audit: , rest: , pdfs: , mail: , unbound: }
bindings:
  - {source: shop, destination: warehouse, routing_key: ship.*}
  - {source: shop, destination: audit, routing_key: "#.shoes"}
  - {source: rest, destination: rest}
  - {source: docs, destination: pdfs, arguments: {kind: pdf}}
  - {source: later, destination: mail, routing_key: mail}
  - {source: recent, destination: audit}
  - {source: lucky, destination: audit}
  - {source: shop, destination: docs, destination_type: exchange, routing_key: doc.#}
"""

ROUTES = [
    ("{exchange: shop, routing_key: ship.shoes, queues: [audit, warehouse]}", True),
    ("{exchange: shop, routing_key: ship.shoes, queues: [audit]}", False),
    ("{exchange: shop, routing_key: refund, queues: rest}", True),
    ("{exchange: shop, routing_key: refund, queues: []}", False),
    ("{exchange: shop, routing_key: doc.x, headers: {kind: pdf}, queues: [pdfs]}", True),
    ("{exchange: shop, routing_key: doc.x, headers: {kind: txt}, queues: []}", True),
    ("{exchange: docs, headers: {kind: pdf}, queues: [pdfs]}", True),
    ("{exchange: docs, headers: {kind: 1}, queues: [pdfs]}", False),
    ("{routing_key: mail, queues: [mail]}", True),
    ("{routing_key: nobody, queues: []}", True),
    ("{exchange: amq.direct, routing_key: x, queues: []}", True),
    ("{exchange: later, routing_key: mail, headers: {x-delay: 5000}, queues: [mail]}", True),
    ("{exchange: recent, queues: [audit]}", True),
    ("{exchange: shop, routing_key: refund, headers: {CC: [a.shoes], BCC: [ship.x]}, queues: [audit, warehouse]}", True),
]


@pytest.mark.parametrize(("row", "holds"), ROUTES, ids=[row for row, _ in ROUTES])
def test_a_row_holds_when_exactly_its_queues_are_reached(row: str, holds: bool) -> None:
    assert checked(f"{TOPOLOGY}routes:\n  - {row}\n") == [holds]


@pytest.mark.parametrize(("row", "holds"), ROUTES, ids=[row for row, _ in ROUTES])
def test_a_publish_goes_where_the_table_says(row: str, holds: bool) -> None:
    """The table and a run ask the same rules: what reaches queues in the end is what the row finds."""
    found = play(f"{TOPOLOGY}routes:\n  - {row}\n").result["expectations"][0]["actual"]
    head = row.rpartition(", queues:")[0].removeprefix("{") if "queues:" in row else row
    run = play(f"{TOPOLOGY}steps:\n  - publish: {{{head}}}\n")
    assert Counter(event["queue"] for event in run.of("enqueued")) == Counter(found)


def test_routes_change_nothing() -> None:
    """Not even what an exchange remembers, draws or counts."""
    rows = "routes:\n  - {exchange: recent, queues: [audit]}\n  - {exchange: shop, routing_key: a, queues: [rest]}\n"
    steps = "steps:\n  - publish: {exchange: lucky, count: 3}\n  - bind: {source: recent, destination: unbound}\n"
    with_rows, without = play(TOPOLOGY + rows + steps).result, play(TOPOLOGY + steps).result
    keys = ("counts", "messages", "queues", "clock_ms")
    assert {key: with_rows[key] for key in keys} == {key: without[key] for key in keys}
    assert with_rows["queues"]["unbound"]["ready"] == []


def test_a_row_in_the_result() -> None:
    result = play(f"{TOPOLOGY}routes:\n  - {{exchange: shop, routing_key: ship.shoes, queues: []}}\n").result
    line = TOPOLOGY.count("\n") + 2
    assert result["expectations"] == [
        {"line": line, "text": "ship.shoes to shop reaches []", "ok": False, "actual": ["warehouse", "audit"]}
    ]
    assert result["ok"] is False


# never ---------------------------------------------------------------------------------------------------------------

RUN = """
queues:
  work: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: again, x-max-length: 3}}
  again: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: work, x-message-ttl: 1000}}
  idle: {arguments: {x-max-length: 1}}
  unused:
consumers:
  worker: {queue: work, prefetch: 1, takes: 100ms, on_message: [{message: bad, attempt: "< 3", do: reject}]}
steps:
  - publish: {routing_key: work, id: good}
  - publish: {routing_key: work, id: bad}
  - publish: {routing_key: idle, id: old}
  - publish: {routing_key: idle, id: new}
  - publish: {routing_key: nowhere, id: gone}
  - publish: {routing_key: nowhere, id: back, mandatory: true}
"""
NEVER = [
    ("reaches: unused", []),
    ("reaches: [unused, again]", ["bad"]),
    ("{messages: good, reaches: [unused, again]}", []),
    ("{messages: [good, bad], reaches: [again]}", ["bad"]),
    ("lost: true", ["old", "gone"]),
    ("{lost: true, messages: [new, good, bad]}", []),
    ("{lost: true, queues: idle}", ["old"]),
    ("{lost: true, queues: work}", []),
    ("{lost: true, messages: [back]}", []),
    ('delivered: "> 3"', []),
    ('delivered: "> 2"', ["bad"]),
    ('delivered: ">= 3"', ["bad"]),
    ('{delivered: "> 1", messages: good}', []),
    ('{delivered: "> 1", queues: [again, idle]}', []),
    ('{waits: "> 99ms", queues: work}', ["bad"]),
    ('{waits: "> 100ms", queues: work}', []),
    ('{waits: ">= 1s", queues: [again]}', ["bad"]),
    ('{waits: "> 2s", queues: [again, work]}', []),
    ('{waits: "> 2s"}', ["new"]),  # at the end it still waits
    ('{waits: "> 2s", messages: [good, bad, old]}', []),
]


@pytest.mark.parametrize(("rule", "broken_by"), NEVER, ids=[rule for rule, _ in NEVER])
def test_a_rule_tells_who_broke_it(rule: str, broken_by: list[str]) -> None:
    found = play(f"{RUN}never:\n  - {rule}\n").result["expectations"]
    assert [item["actual"]["messages"] for item in found] == [broken_by]
    assert [item["ok"] for item in found] == [not broken_by]


def test_every_delivery_counts_and_every_breach() -> None:
    text = """
queues: {q: }
consumers: {c: {queue: q, on_message: [{attempt: "<= 4", do: requeue}]}}
steps: [publish: {routing_key: q, count: 2}]
never:
  - delivered: "> 3"
"""
    result = play(text).result
    assert result["expectations"][0]["actual"] == {"times": 4, "messages": ["m1", "m2"]}


def test_deliveries_count_apart_for_each_queue_and_end_with_the_message() -> None:
    text = """
exchanges: {f: fanout}
queues: {a: , b: }
bindings: [{source: f, destination: a}, {source: f, destination: b}]
consumers: {c: {queue: a, auto_ack: true}, d: {queue: b}}
steps: [publish: {exchange: f, count: 3}]
never:
  - delivered: "> 1"
"""
    ok(text)


@pytest.mark.parametrize("path", SCENARIO_FILES, ids=lambda path: path.stem)
def test_what_is_lost_is_what_the_ledger_calls_lost(path: Path) -> None:
    """And what is delivered or waits leaves nothing behind that would grow with the run."""
    rules = (Never(1, "lost", None, (), ()), Never(1, "delivered", (">", 10**9), (), ()), Never(1, "waits", (">", 0), (), ()))
    runner = Runner(load(str(path))._replace(never=rules), keep=False)
    result = runner.run()
    lost = next(item for item in result.expectations if item.about is rules[0])
    assert lost.actual["times"] == counts(result.broker)["lost"]
    still = {copy.message for queue in result.broker.queues.values() for copy in queue.ready()}
    still |= {item.copy.message for channel in result.broker.channels.values() for item in channel.unacked.values()}
    if not any(queue.kind == "stream" or queue.awaiting for queue in result.broker.queues.values()):
        assert set(vars(runner.watches[1])["open"]) <= still


def test_a_watch_keeps_no_more_than_it_needs() -> None:
    """A million messages that pass through leave nothing; here ten thousand do."""
    text = 'queues: {q: }\nconsumers: {c: {queue: q}}\nsteps: [publish: {routing_key: q, count: 10000}]\nnever: [delivered: "> 1", waits: "> 1s"]'
    text = text.replace('never: [delivered: "> 1", waits: "> 1s"]', 'never:\n  - delivered: "> 1"\n  - waits: "> 1s"\n')
    most = 0

    def listen(event: object) -> None:
        nonlocal most
        if isinstance(event, events.Published):
            kept = [
                value
                for watch in runner.watches
                for name, value in vars(watch).items()
                if name in ("open", "deliveries", "entered")
            ]
            most = max(most, *map(len, kept))

    from routesim.scenario import load_source
    from routesim.scenario.yaml.source import Source

    runner = Runner(load_source(Source("s.yaml", text), ""), listen, keep=False)
    assert runner.run().ok
    assert most <= 2


# Mistakes ------------------------------------------------------------------------------------------------------------

MISTAKES = [
    ("routes: {a: b}", "wrong-type", "a list", ""),
    ("routes: [x]", "wrong-type", "a route: a mapping", ""),
    ("routes: [{exchange: shop}]", "missing-key", "'queues'", "[] for none"),
    ("routes: [{exchange: shpo, queues: []}]", "unknown-exchange", "shpo", "'shop'"),
    ("routes: [{exchange: shop, queues: [adit]}]", "unknown-queue", "adit", "'audit'"),
    ("routes: [{exchange: shop, key: a, queues: []}]", "unknown-key", "no 'key'", ""),
    ("routes: [{exchange: lucky, queues: [audit]}]", "wrong-value", "chance", "expect"),
    ("routes: [{queues: [own]}]\nsteps: [declare: {queues: {own: }}]", "unknown-queue", "at the top", "at the top"),
    ("never: [lost]", "wrong-type", "a rule of never", ""),
    ("never: [{}]", "missing-key", "reaches, lost, delivered, waits", ""),
    ("never: [{messages: [m1]}]\nsteps: [publish: {exchange: shop}]", "missing-key", "reaches", ""),
    ("never: [{lost: true, reaches: audit}]", "wrong-value", "reaches and lost", "'- '"),
    ("never: [{lost: false}]", "wrong-type", "expected true", "take it out"),
    ("never: [{delivered: 3}]", "wrong-type", "'> 3'", "write '> 3'"),
    ('never: [{delivered: "< 3"}]', "wrong-type", "'> 3'", ""),
    ("never: [{waits: 10s}]", "wrong-type", "'> 10s'", "write '> 10s'"),
    ('never: [{waits: "> soon"}]', "wrong-type", "'> 10s'", ""),
    ("never: [{reaches: adit}]", "unknown-queue", "adit", "'audit'"),
    ("never: [{reaches: []}]", "wrong-value", "empty reaches", ""),
    ("never: [{reaches: audit, queues: rest}]", "wrong-value", "itself", "reaches"),
    ("never: [{lost: true, messages: [m7]}]", "unknown-message", "m7", ""),
]


@pytest.mark.parametrize(("text", "code", "says", "cure"), MISTAKES, ids=[text for text, *_ in MISTAKES])
def test_a_mistake_has_a_place_and_a_cure(text: str, code: str, says: str, cure: str) -> None:
    problem = only(TOPOLOGY + text + "\n")
    assert (problem.code, problem.line) == (code, TOPOLOGY.count("\n") + 1)
    assert says in problem.message
    assert cure in problem.cure


def test_all_mistakes_are_told_at_once() -> None:
    problems = refused(
        f"{TOPOLOGY}routes: [{{queues: [adit]}}, {{exchange: nope, queues: []}}]\nnever: [{{waits: 1}}, {{lost: no}}]\n"
    )
    assert len(problems) == 4

"""Why an expectation does not hold: what was expected, what was found, the shortest reason, file and line."""

import pytest
from kits.paths import SCENARIOS

from routesim.diagnostics import Diagnostic, Place
from routesim.explain.failing.failures import failures
from routesim.report.formats.diagnostics import failure_lines
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

SCENE = """
exchanges:
  shop: {type: topic, arguments: {alternate-exchange: rest}}
  rest: fanout
  docs: headers
  dead: fanout
queues:
  warehouse: {arguments: {x-dead-letter-exchange: dead}}
  audit: {arguments: {x-max-length: 1}}
  rest:
  pdfs:
  buried:
  full: {arguments: {x-max-length: 1, x-overflow: reject-publish}}
  lonely:
bindings:
  - {source: shop, destination: warehouse, routing_key: ship.*}
  - {source: shop, destination: audit, routing_key: "#.shoes"}
  - {source: rest, destination: rest}
  - {source: shop, destination: docs, destination_type: exchange, routing_key: doc.#}
  - {source: docs, destination: pdfs, arguments: {kind: pdf}}
  - {source: dead, destination: buried}
consumers:
  packer: {queue: warehouse, takes: 100ms, on_message: [{message: m3, do: reject}, {attempt: 1, message: m1, do: requeue}]}
  idle: {queue: lonely}
  later: {queue: rest, start: false}
steps:
  - publish: {exchange: shop, routing_key: ship.shoes, count: 2}
  - publish: {exchange: shop, routing_key: ship.boots}
  - publish: {exchange: shop, routing_key: doc.a, headers: {kind: txt}}
  - publish: {routing_key: full, count: 2}
  - publish: {routing_key: nowhere}
  - publish: {routing_key: nowhere, mandatory: true}
  - expect: STEP
  - wait: 1s
  - purge: rest
expect: END
"""
WHY = [
    ("queues: {warehouse: {ready: [m1]}}", "[]", "m1 at 0.400 s: acknowledged by packer: gone from warehouse"),
    ("queues: {audit: {ready: [m1, m2]}}", "[m2]", "m1 at 0.000 s: dropped from audit (maxlen): the queue has no dead-letter exchange"),
    ("queues: {audit: {ready: [m3]}}", "[m2]", "m3 did not reach audit: binding #.shoes of 'shop' (line 17): the routing key ends with 'boots', not 'shoes'"),
    ("queues: {audit: {ready: []}}", "[m2]", "m2 at 0.000 s: put into audit: binding #.shoes of 'shop' matched"),
    ("queues: {audit: {ready: '>= 2'}}", "1", "2 came into audit: 1 dropped (maxlen)"),
    ("queues: {warehouse: {ready: 1}}", "0", "3 came into warehouse: 4 delivered, 1 requeued, 2 acked, 1 rejected, 1 dead-lettered (rejected)"),
    ("queues: {lonely: {ready: 1}}", "0", "nothing came into lonely; m1 did not reach lonely: no binding leads there from exchange 'shop'"),
    ("queues: {pdfs: {ready: [m4]}}", "[]", "m4 did not reach pdfs: binding {kind='pdf'} of 'docs' (line 20): header 'kind' is 'txt' (longstr), not 'pdf' (longstr)"),
    ("queues: {pdfs: {ready: [m2]}}", "[]", "m2 did not reach pdfs: binding doc.# of 'shop' (line 19): word 1 is 'ship', not 'doc'"),
    ("queues: {full: {ready: [m5, m6]}}", "[m5]", "m6 at 0.000 s: refused by full: "),
    ("queues: {full: {ready: [m7]}}", "[m5]", "m7 did not reach full: the default exchange takes nowhere for the name of a queue"),
    ("queues: {buried: {exists: false}}", "true", ""),
    ("queues: {buried: {ready: [m3, m3]}}", "[m3]", "the same messages in another order"),
    ("consumers: {packer: {delivered: [m1]}}", "[m1, m2, m3, m1]", "m2 at 0.200 s: acknowledged by packer: gone from warehouse"),
    ("consumers: {packer: {acked: 3}}", "2", "4 delivered from warehouse: 1 requeued, 2 acked, 1 rejected"),
    ("consumers: {idle: {delivered: 1}}", "0", "nothing came into lonely; m1 did not reach lonely: no binding leads there from exchange 'shop'"),
    ("consumers: {later: {delivered: 1}}", "0", "later does not consume"),
    ("messages: {m3: {warehouse: acked}}", "dead-lettered: rejected", "m3 at 0.300 s: dead-lettered from warehouse (rejected) to exchange 'dead', key ship.boots"),
    ("messages: {m3: {audit: ready}}", "nothing", "m3 did not reach audit: binding #.shoes of 'shop' (line 17): the routing key ends with 'boots', not 'shoes'"),
    ("returned: [m7]", "[m8]", "m7 at 0.000 s: reached no queue: no queue is named 'nowhere'; the publisher was told ack all the same, for it was not mandatory"),
    ("returned: 0", "1", "m8 at 0.000 s: returned to its publisher: 312 NO_ROUTE"),
    ("nacked: []", "[m6]", "m6 at 0.000 s: refused by full: "),
    ("lost: 0", "3", "m1 at 0.000 s: dropped from audit (maxlen): "),
    ("ended: steps", "idle", ""),
]  # fmt: skip


def failed(text: str) -> list[Diagnostic]:
    return failures(Runner(load_source(Source("shop.yaml", text), "")).run())


def line_of(failure: Diagnostic) -> int:
    return failure.place.line if failure.place else 0


@pytest.mark.parametrize(("expect", "found", "why"), WHY, ids=[expect for expect, *_ in WHY])
def test_the_reason(expect: str, found: str, why: str) -> None:
    (failure,) = failed(SCENE.replace("STEP", "{}").replace("END", f"{{{expect}}}"))
    assert (failure.place, failure.code, failure.found) == (Place("shop.yaml", 36, 0), "expect", found)
    assert failure.why.startswith(why)
    assert bool(failure.why) is bool(why)


def test_the_reason_is_that_of_the_moment() -> None:
    text = SCENE.replace("STEP", "{queues: {warehouse: {ready: [m3]}}, messages: {m1: {warehouse: acked}}}").replace("END", "{}")
    assert [item.why for item in failed(text)] == [
        "m3 at 0.000 s: delivered from warehouse to packer (delivery tag 3)",
        "m1 at 0.000 s: delivered from warehouse to packer (delivery tag 1)",
    ]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{exchange: shop, routing_key: ship.boots, queues: [warehouse, audit]}", "audit: binding #.shoes of 'shop' (line 17): the routing key ends with 'boots', not 'shoes'"),
        ("{exchange: shop, routing_key: refund, queues: []}", "rest: nothing of 'shop' matches, which leads to its alternate exchange 'rest', then binding \"\" of 'rest' (line 18) matches"),
        ("{routing_key: audit, queues: []}", "audit: the routing key is its name"),
        ("{routing_key: x, queues: [audit]}", "audit: the default exchange takes x for the name of a queue"),
    ],
)  # fmt: skip
def test_the_reason_of_a_route(row: str, why: str) -> None:
    (failure,) = failed(SCENE.replace("STEP", "{}").replace("END", "{}") + f"routes:\n  - {row}\n")
    assert (failure.code, line_of(failure), failure.why) == ("routes", 38, why)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("reaches: rest", None),
        ("reaches: buried", "m3 at 0.300 s: put into buried: binding \"\" of 'dead' matched, delivery count 1"),
        ("lost: true", "m1 at 0.000 s: dropped from audit (maxlen): the queue has no dead-letter exchange"),
        ('delivered: "> 1"', "m1 at 0.100 s: delivered again from warehouse to packer (delivery tag 4)"),
        ('{waits: "> 1s"}', None),
        ('{waits: ">= 1s"}', "m2 at 0.000 s: put into audit: binding #.shoes of 'shop' matched; there it still waits at 1.000 s, for 1 s"),
    ],
)  # fmt: skip
def test_the_reason_of_a_breach(rule: str, why: str | None) -> None:
    found = failed(SCENE.replace("STEP", "{}").replace("END", "{}") + f"never:\n  - {rule}\n")
    assert [item.why for item in found] == ([] if why is None else [why])


def test_a_step_that_fails_and_a_run_that_does_not_end() -> None:
    found = failed("queues: {q: }\nconsumers: {c: {queue: q, on_message: requeue}}\nsteps:\n  - publish: {routing_key: q}\n")
    assert [(item.code, line_of(item), item.found) for item in found] == [("end", 0, "livelock")]
    assert "came back 1,000 times" in found[0].why
    found = failed(
        "queues: {q: }\nsteps:\n  - delete: {queue: q}\n  - purge: q\n  - {get: {queue: q}, fails: 404}\n  - {wait: 1ms, fails: 404}\n"
    )
    assert [(line_of(item), item.message) for item in found] == [
        (4, "step 2 is carried out: purge q"),
        (6, "step 4 fails with 404: wait 1ms"),
    ]
    assert found[0].found == "NOT_FOUND - no queue 'q' in vhost '/'"


WRONG = "{queues: {warehouse: {ready: 99}}, lost: 99, ended: budget, returned: 99, nacked: [m1]}"


@pytest.mark.parametrize("until", ["idle", "steps", "50ms"])
@pytest.mark.parametrize("seed", [0, 7])
def test_the_second_run_is_the_first_one_again(until: str, seed: int) -> None:
    """However the run was asked for, the reasons are those of that very run."""
    text = SCENE.replace("STEP", "{}").replace("END", WRONG).replace("steps:\n", f"until: {until}\nsteps:\n", 1)
    result = Runner(load_source(Source("s.yaml", text), ""), seed=seed, max_events=500).run()
    found = failures(result)
    assert len(found) == sum(not item.ok for item in result.expectations) == 5
    assert [item.why == "" for item in found if item.message.startswith("ended")] == [True]
    assert all(item.why for item in found if not item.message.startswith("ended"))


def test_nothing_is_said_of_a_run_that_holds() -> None:
    path = SCENARIOS / "shoes.yaml"
    assert failed(path.read_text(encoding="utf-8")) == []


def test_lines_are_safe_to_show() -> None:
    bad = "\x1b[31m[red]\u202e\n::error::%0A]]><script>"
    lines = failure_lines(
        Diagnostic("error", "expect", f"queues.{bad}.ready is 1", Place(f"{bad}.yaml", 3, 0), found=bad, why=bad)
    )
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("\\x1b[31m[red]\\u202e\\n::error::%0A]]><script>.yaml:3: ")


@pytest.mark.parametrize(
    ("of_it", "before", "helped"), [("", "", False), (", start: false", "", True), ("", "stop: w", True), ("", "crash: w", True)]
)
def test_a_consumer_that_runs_and_is_started_has_cures_that_help(of_it: str, before: str, helped: bool) -> None:
    earlier = f"  - {before}\n" if before else ""
    scene = f"queues: {{q: {{}}}}\nconsumers: {{w: {{queue: q{of_it}}}}}\nsteps:\n{earlier}  - start: w\n"
    found = failures(Runner(load_source(Source("s.yaml", scene), "")).run())
    assert [(item.found, "start: false" in item.cure and "stop it before" in item.cure) for item in found] == (
        [] if helped else [("NOT_ALLOWED - attempt to reuse consumer tag 'w'", True)]
    )


@pytest.mark.parametrize(
    ("chord", "why"),
    [
        ("lost: {state: done}", "lost-1 (killed), lost-2 (killed) never return: book never runs"),
        ("safe: {returned: 1}", "2 of 2 returned"),
        ("bad: {state: done}", "bad-1, bad-2 failed: book never runs"),
    ],
)
def test_the_reason_of_a_chord(chord: str, why: str) -> None:
    text = (SCENARIOS / "celery/lost-chord.yaml").read_text().split("expect:")[0] + f"expect:\n  chords:\n    {chord}\n"
    result = Runner(load_source(Source("chord.yaml", text), "")).run()
    assert [failure.why for failure in failures(result)] == [why]

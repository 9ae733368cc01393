"""What may be lost is found: at limits, by expiry, in dead letters that lead nowhere; the cure is one that is not there already."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kits.checking.findings import all_found, found, runs
from kits.checking.rule_cases import AT_LEAST_ONCE, DLX

from routesim.check import check_file
from routesim.diagnostics import ERROR, NOTE, WARNING
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source


def test_one_policy_whose_limit_loses_is_one_finding(tmp_path: Path) -> None:
    """Its place is the policy's; the witness shows it of the first queue. What is worth nothing when it is old is left out."""
    queues = ", ".join(f"work.{number}: " for number in range(30))
    text = f"queues: {{{queues}, price.ticks: }}\npolicies:\n  - {{name: p, pattern: .*, definition: {{message-ttl: 86400000}}}}"
    (finding,) = all_found(tmp_path, text)
    assert (finding.code, finding.severity) == ("limit-loses", WARNING)
    assert finding.message.startswith("policy 'p': 30 queues ('work.0', ")
    assert finding.place is not None
    assert finding.place.line == 3
    assert runs(finding)


@pytest.mark.parametrize(
    ("limit", "severity"),
    [
        ("x-message-ttl: 600000", ERROR), ("x-message-ttl: 86400000", NOTE), ("x-message-ttl: 604800000", None),
        ("x-max-length: 10", ERROR), ("x-max-length: 10000", None), ("x-max-length: 10, x-overflow: reject-publish", None),
    ],
)  # fmt: skip
def test_what_is_parked_may_go_when_somebody_had_the_time_to_look(limit: str, severity: str | None, tmp_path: Path) -> None:
    text = f"queues: {{jobs: {{arguments: {{{DLX}: '', x-dead-letter-routing-key: late}}}}, late: {{arguments: {{{limit}}}}}}}"
    finding = found(tmp_path, text).get("parking-loses")
    assert (finding and finding.severity) == severity


def test_one_policy_is_one_mistake_however_many_queues_it_harms(tmp_path: Path) -> None:
    queues = ", ".join(f"q{number}: " for number in range(40))
    text = f"{{queues: {{{queues}}}, policies: [{{name: p, pattern: .*, definition: {{dead-letter-exchange: gone}}}}]}}"
    path = tmp_path / "many.yaml"
    path.write_text(text)
    findings = [finding for finding in check_file(str(path)) if finding.code == "dead-letter-nowhere"]
    assert len(findings) == 1
    assert "40 queues" in findings[0].message
    assert runs(findings[0])


def test_several_layers_of_exchanges_are_seen_through(tmp_path: Path) -> None:
    """The key that the first binding lets in is one that the dead-letter exchange's second hop does not know."""
    text = f"""
exchanges: {{in: topic, mid: topic, dlx: topic, dlx2: direct}}
queues: {{jobs: {{arguments: {{{DLX}: dlx}}}}, parked: }}
bindings:
  - {{source: in, destination: mid, destination_type: exchange, routing_key: "eu.#"}}
  - {{source: mid, destination: jobs, routing_key: "*.order"}}
  - {{source: dlx, destination: dlx2, destination_type: exchange, routing_key: "#.order"}}
  - {{source: dlx2, destination: parked, routing_key: us.order}}
"""
    finding = found(tmp_path, text)["dead-letter-nowhere"]
    assert "eu.order" in finding.message
    assert runs(finding)
    assert "dead-letter-nowhere" not in found(tmp_path, text.replace("us.order", "eu.order"))


@pytest.mark.parametrize("version", ["3.10", "4.3"])
@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_a_queue_that_expires_loses_what_is_in_it_also_where_it_has_a_dead_letter_exchange(
    kind: str, version: str, tmp_path: Path
) -> None:
    """By a policy for many queues it is one finding; with a shorter time to live it takes a late publish."""
    text = f"""
rabbitmq: "{version}"
queues:
  a: {{type: {kind}, arguments: {{TTL{DLX}: '', x-dead-letter-routing-key: parked}}}}
  b: {{type: {kind}, arguments: {{TTL{DLX}: '', x-dead-letter-routing-key: parked}}}}
  parked:
policies: [{{name: gone, pattern: ^.$, definition: {{expires: 120000}}}}]
"""
    finding = found(tmp_path, text.replace("TTL", ""))["queue-expires"]
    assert finding.severity == WARNING
    assert finding.message.startswith("policy 'gone': 2 queues")
    assert runs(finding)
    waiting = found(tmp_path, text.replace("TTL", "x-message-ttl: 60000, "))["queue-expires"]
    assert waiting.severity == NOTE
    assert runs(waiting)


CURES = {
    "declare 'rest'": "{exchanges: {shop: {type: topic, arguments: {alternate-exchange: rest}}}, queues: {q: }, "
                      "bindings: [{source: shop, destination: q, routing_key: a.*}]}",
    "bind a queue to 'rest'": "{exchanges: {shop: {type: topic, arguments: {alternate-exchange: rest}}, rest: direct}, queues: {q: , r: }, "
                              "bindings: [{source: shop, destination: q, routing_key: a.*}, {source: rest, destination: r, routing_key: b}]}",
    "bind a queue to 'inner'": "{exchanges: {shop: {type: topic, arguments: {alternate-exchange: rest}}, rest: fanout, inner: direct}, "
                               "queues: {q: , r: }, bindings: [{source: shop, destination: inner, destination_type: exchange, routing_key: "
                               "'#'}, {source: inner, destination: q, routing_key: a}, {source: rest, destination: r}]}",
    "an alternate-exchange": "{exchanges: {shop: topic}, queues: {q: }, bindings: [{source: shop, destination: q, routing_key: a.*}]}",
}  # fmt: skip


@pytest.mark.parametrize("cure", CURES)
def test_what_helps_against_lost_keys_is_not_there_already(cure: str, tmp_path: Path) -> None:
    finding = found(tmp_path, CURES[cure], asked=["exchange-drops-some"])["exchange-drops-some"]
    assert finding.cure.startswith(cure)
    assert finding.cure.endswith("`mandatory` tells the publisher")
    steps = "{steps: [{publish: {exchange: shop, routing_key: a.b, mandatory: true}}], "
    told = found(tmp_path, steps + CURES[cure][1:], asked=["exchange-drops-some"])["exchange-drops-some"]
    assert "mandatory" not in told.cure


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (f"{DLX}: dlx", "bind a parking queue to 'dlx'"),
        (f"{DLX}: ''", "declare a queue of the name other, or set x-dead-letter-routing-key"),
        (
            f"{DLX}: '', x-dead-letter-routing-key: gone",
            "declare a queue of the name gone, or set another x-dead-letter-routing-key",
        ),
    ],
)
def test_what_helps_against_lost_dead_letters_is_not_there_already(arguments: str, cure: str, tmp_path: Path) -> None:
    text = f"{{exchanges: {{shop: fanout, dlx: direct}}, queues: {{q: {{arguments: {{{arguments}}}}}}}, bindings: [{{source: shop, destination: q}}]}}"
    assert found(tmp_path, text)["dead-letter-nowhere"].cure == cure


@pytest.mark.parametrize("target", ["classic", "quorum"])
def test_dead_letters_behind_a_full_queue_are_kept_back(target: str, tmp_path: Path) -> None:
    text = f"""
queues:
  jobs: {{type: quorum, arguments: {{{DLX}: '', x-dead-letter-routing-key: parked, {AT_LEAST_ONCE}}}}}
  parked: {{type: {target}, arguments: {{x-max-length: 3, x-overflow: reject-publish}}}}
"""
    finding = found(tmp_path, text)["dead-letter-kept"]
    assert finding.severity == NOTE
    assert runs(finding)
    assert "dead-letter-kept" not in found(tmp_path, text.replace("reject-publish}}\n", "drop-head}}\n"))


PATTERN = st.lists(st.sampled_from(("a", "b", "*", "#")), min_size=1, max_size=2).map(".".join)
KEYS = ["a", "b", "c", "a.a", "a.b", "b.a", "b.b", "a.c", "c.b", "c.c", "a.b.c", "c.b.a"]


@given(
    st.lists(st.tuples(st.sampled_from(("in", "dlx")), st.sampled_from(("jobs", "mail", "parked")), PATTERN), max_size=5),
    st.sampled_from(("topic", "direct", "fanout")),
    st.dictionaries(st.sampled_from(("jobs", "mail")), st.sampled_from(("dlx", "dlx", "", "gone")), min_size=1),
    st.sampled_from((None, "a", "parked", "x.y")),
)
@settings(max_examples=120, deadline=None)
def test_no_rejected_message_is_lost_without_a_finding(
    bindings: list[tuple[str, str, str]], kind: str, graves: dict[str, str], key: str | None
) -> None:
    """Every key is published and rejected; whatever the broker drops from a queue that dead-letters was foretold."""
    extra = {} if key is None else {"x-dead-letter-routing-key": key}
    queues = {name: {"arguments": {DLX: graves[name], **extra}} if name in graves else {} for name in ("jobs", "mail", "parked")}
    data = {
        "exchanges": {"in": "topic", "dlx": kind},
        "queues": queues,
        "bindings": [{"source": source, "destination": to, "routing_key": pattern} for source, to, pattern in bindings],
    }
    steps = [{"publish": {"exchange": "in", "routing_key": each, "id": each}} for each in KEYS]
    for name in graves:
        steps += [{"get": {"queue": name, "channel": "reader"}} for _ in KEYS]
        steps.append({"nack": {"channel": "reader", "delivery_tag": 0, "multiple": True, "requeue": False}})  # type: ignore[dict-item]
    lost: set[str] = set()

    def hear(event: object) -> None:
        if type(event).__name__ == "Dropped":
            lost.add(event.queue)  # type: ignore[attr-defined]

    Runner(load_source(Source("fuzz", json.dumps({**data, "steps": steps})), ""), hear).run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "topology.yaml"
        path.write_text(json.dumps({**data, "name": "fuzz"}))
        findings = check_file(str(path))
    told = " ".join(finding.message for finding in findings if finding.code == "dead-letter-nowhere")
    for name in lost:
        assert f"'{name}'" in told, (name, told)

"""What goes round for ever, or is cut as it comes round, is found."""

import json
from pathlib import Path

import pytest
from kits.checking.findings import found, runs
from kits.checking.rule_cases import DLX, RETRY_LOOP

from routesim.check.loops.circles import MAX_HOPS
from routesim.explain.futures import dead_letter_target


@pytest.mark.parametrize("text", [
    f"queues: {{jobs: {{type: quorum, arguments: {{x-delivery-limit: 2, {DLX}: '', x-dead-letter-routing-key: jobs}}}}}}",
    f"{{rabbitmq: '4.1', queues: {{jobs: {{type: quorum, arguments: {{{DLX}: '', x-dead-letter-routing-key: jobs}}}}}}}}",
])  # fmt: skip
def test_a_delivery_limit_that_leads_back_is_cut_at_once(text: str, tmp_path: Path) -> None:
    assert runs(found(tmp_path, text)["cycle-cut"])


@pytest.mark.parametrize("limit", [0, 1, 3])
@pytest.mark.parametrize("waits", ["classic", "quorum"])
def test_a_retry_loop_uses_up_a_delivery_limit(waits: str, limit: int, tmp_path: Path) -> None:
    text = RETRY_LOOP.replace("wait: {", f"wait: {{type: {waits}, ").replace(
        f'{DLX}: "", x-dead-letter-routing-key: wait', f'x-delivery-limit: {limit}, {DLX}: "", x-dead-letter-routing-key: wait'
    )
    finding = found(tmp_path, text)["retry-uses-limit"]
    assert runs(finding)
    assert f"limit of {limit};" in finding.message


def test_a_loop_that_the_consumer_ends_or_that_has_no_limit_uses_none_up(tmp_path: Path) -> None:
    parks = 'consumers: {w: {queue: jobs, on_message: [{attempt: ">= 3", do: ack}, {do: reject}]}}'
    assert "retry-uses-limit" not in found(tmp_path, RETRY_LOOP + parks)
    assert "retry-uses-limit" not in found(
        tmp_path,
        RETRY_LOOP.replace(
            f'{{{DLX}: "", x-dead-letter-routing-key: wait', f'{{x-delivery-limit: -1, {DLX}: "", x-dead-letter-routing-key: wait'
        ),
    )


BACK = """
rabbitmq: "VERSION"
queues: {jobs: {type: KIND, arguments: {MORE}}}
consumers: {worker: {queue: jobs, on_message: DO}}
"""
RETRIED = "x-delivery-limit: 5, x-delayed-retry-type: all, x-delayed-retry-min: 1000"
# (version, kind, arguments, what the consumer does) -> whether it goes on for ever
FOR_EVER = {
    ("3.10", "classic", "", "crash"): True,
    ("4.3", "classic", "", "crash"): True,
    ("4.3", "classic", "", "[{do: crash, restart: 5s}]"): True,
    ("3.13", "quorum", "", "crash"): True,
    ("3.13", "quorum", "x-delivery-limit: 5", "crash"): False,
    ("4.0", "quorum", "", "crash"): False,
    ("4.0", "quorum", "x-delivery-limit: -1", "crash"): True,
    ("4.3", "quorum", "", "crash"): False,
    ("4.3", "quorum", RETRIED, "crash"): False,
    ("4.3", "quorum", f"{RETRIED}, x-delivery-limit: -1".replace("x-delivery-limit: 5, ", ""), "crash"): True,
    ("4.0", "quorum", "", "requeue"): False,
    ("4.3", "quorum", "", "requeue"): True,
    ("4.3", "quorum", RETRIED, "requeue"): True,
    ("4.3", "classic", "", "[{redelivered: false, do: crash, restart: 1s}]"): False,
}


@pytest.mark.parametrize(("version", "kind", "more", "do"), FOR_EVER)
def test_what_a_consumer_gives_back_or_dies_of_comes_again_where_that_is_not_counted(
    version: str, kind: str, more: str, do: str, tmp_path: Path
) -> None:
    text = BACK.replace("VERSION", version).replace("KIND", kind).replace("MORE", more).replace("DO", do)
    finding = found(tmp_path, text).get("requeue-endless")
    assert (finding is not None) is FOR_EVER[version, kind, more, do]
    if finding is not None:
        assert runs(finding)
        assert ("delivery limit of 5" in finding.message) is ("limit: 5" in more)


def test_queues_that_all_lead_to_each_other_are_followed_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*args: object) -> object:
        calls.append(args)
        return dead_letter_target(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("routesim.check.loops.circles.dead_letter_target", counted)
    queues = {f"q{number}": {"arguments": {"x-message-ttl": 1000, DLX: "x"}} for number in range(12)}
    bindings = [{"source": "x", "destination": name} for name in queues]
    findings = found(tmp_path, json.dumps({"exchanges": {"x": "fanout"}, "queues": queues, "bindings": bindings}))
    assert "not checked to the end for dead letters of queues 'q0'" in findings["cycle-cut"].message
    assert len(calls) <= 12 * (2 * MAX_HOPS + 1)

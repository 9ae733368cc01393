"""What `explain queue` and `explain route` say can become of a message is what becomes of it in a run."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from routesim.cli.main import _status
from routesim.explain.message import explain_message
from routesim.explain.queues.queue import explain_queue
from routesim.explain.routes.route import explain_route
from routesim.explain.upgrade import UpgradeSide, explain_upgrade
from routesim.graph import graph_of
from routesim.graph.model import Key
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

KEPT = """
rabbitmq: "VERSION"
exchanges: {dlx: direct}
queues:
  jobs:
    type: quorum
    arguments: {x-dead-letter-strategy: at-least-once, x-overflow: reject-publish, x-message-ttl: 1000, DEAD}
  parked: {type: TYPE, arguments: {x-overflow: reject-publish, x-max-length: 1}}
bindings: [{source: dlx, destination: parked, routing_key: parked}]
"""
NOWHERE = {
    "its exchange is missing": "x-dead-letter-exchange: gone",
    "its exchange leads nowhere for its key": "x-dead-letter-exchange: dlx",
    "no queue has the name": 'x-dead-letter-exchange: "", x-dead-letter-routing-key: gone',
    "it would come back without a rejection": 'x-dead-letter-exchange: "", x-dead-letter-routing-key: jobs',
}


def scenario(text: str) -> Any:
    return load_source(Source("scenario.yaml", text), "")


def later(text: str, queue: str) -> dict[tuple[str, str], dict[str, Any]]:
    """By queue and reason; the first of each."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in explain_queue(scenario(text), queue).data["later"]:
        found.setdefault((item["queue"], item["reason"]), item)
    return found


@pytest.mark.parametrize("version", ["3.10", "4.0", "4.3"])
@pytest.mark.parametrize("why", NOWHERE)
def test_a_dead_letter_that_no_queue_takes_is_kept_back_everywhere(why: str, version: str) -> None:
    text = KEPT.replace("DEAD", NOWHERE[why]).replace("VERSION", version).replace("TYPE", "classic")
    way = later(text, "jobs")["jobs", "expired"]
    assert way["queues"] == []
    assert way["why"].startswith("kept back for ever: ")
    there = explain_route(scenario(text), "", "jobs", None).data["later"]["jobs"]
    assert way in there
    run = scenario(
        text + "steps: [{publish: {routing_key: jobs, id: m}}, {wait: 2s}]\nexpect: {messages: {m: {jobs: 'kept back: expired'}}}"
    )
    result = Runner(run).run()
    assert result.ok, result.expectations
    assert len(result.broker.queues["jobs"].awaiting) == 1
    story = explain_message(run, "m")
    assert story.headline == "m: kept back: expired in jobs"
    assert story.data["states"] == {"jobs": "kept back: expired"}


def test_what_is_kept_back_may_still_be_expected_as_ready() -> None:
    text = KEPT.replace("DEAD", "x-dead-letter-exchange: gone").replace("VERSION", "4.3").replace("TYPE", "classic")
    steps = "steps: [{publish: {routing_key: jobs, id: m}}, {wait: 2s}]\n"
    for state, ok in (("ready", True), ("kept back", True), ("kept back: rejected", False), ("dropped", False)):
        assert Runner(scenario(text + steps + f"expect: {{messages: {{m: {{jobs: '{state}'}}}}}}")).run().ok is ok


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_a_full_queue_keeps_dead_letters_back(kind: str) -> None:
    text = KEPT.replace("DEAD", "x-dead-letter-exchange: dlx, x-dead-letter-routing-key: parked").replace("VERSION", "4.3")
    text = text.replace("TYPE", kind)
    way = later(text, "jobs")["jobs", "expired"]
    assert way["queues"] == ["parked"]
    assert way["why"].endswith("; kept back while 'parked' is full")
    result = Runner(scenario(text + "steps: [{publish: {routing_key: jobs, count: 3}}, {wait: 2s}]")).run()
    assert result.broker.queues["jobs"].awaiting


def test_a_full_classic_queue_drops_dead_letters_that_are_sent_at_most_once() -> None:
    text = """
queues:
  jobs: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: parked, x-message-ttl: 1000}}
  parked: {type: TYPE, arguments: {x-overflow: reject-publish, x-max-length: 1}}
"""
    steps = "steps: [{publish: {routing_key: jobs, count: 3}}, {wait: 2s}]"
    for kind, says in (("classic", True), ("quorum", False)):
        way = later(text.replace("TYPE", kind), "jobs")["jobs", "expired"]
        assert way["why"].endswith("; dropped while 'parked' is full") is says
        dropped = Runner(scenario(text.replace("TYPE", kind) + steps)).run().broker.ledger.dropped
        assert (dropped > 0) is says


def test_the_tables_of_a_run_count_what_is_kept_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "kept.yaml"
    path.write_text(
        KEPT.replace("DEAD", "x-dead-letter-exchange: gone").replace("VERSION", "4.3").replace("TYPE", "classic")
        + "steps: [{publish: {routing_key: jobs, id: m}}, {wait: 2s}]\n"
    )
    shown = {}
    for form in ("plain", "json"):
        out = StringIO()
        monkeypatch.setattr("sys.stdout", out)
        assert _status(["run", str(path), "--format", form]) == 0
        shown[form] = out.getvalue()
    rows = [line.split() for line in shown["plain"].splitlines()]
    assert ["queue", "type", "ready", "unacked", "kept", "back", "ready", "messages"] in rows
    assert ["jobs", "quorum", "0", "0", "1"] in rows
    assert "copies: enqueued 1 = kept back 1" in shown["plain"]
    queues = json.loads(shown["json"])["queues"]
    assert queues["jobs"]["kept_back"] == [{"message": "m", "reason": "expired"}]
    assert "kept_back" not in queues["parked"]
    over_time = explain_queue(scenario(path.read_text()), "jobs").data["over_time"]
    assert over_time[-1] == {"at_ms": 2000, "ready": 0, "unacked": 0, "kept_back": 1}


# What comes back -----------------------------------------------------------------------------------------------------

# (version, kind, limit) -> how a message that its consumers die of, and one that they nack back, ends
ENDS = {
    ("3.10", "classic", ""): ("ready", "ready"),
    ("3.10", "quorum", ""): ("ready", "ready"),
    ("3.10", "quorum", "x-delivery-limit: 2"): ("dropped: delivery_limit", "dropped: delivery_limit"),
    ("3.10", "quorum", "x-delivery-limit: -1"): ("dropped: delivery_limit", "dropped: delivery_limit"),
    ("4.0", "classic", ""): ("ready", "ready"),
    ("4.0", "quorum", ""): ("dropped: delivery_limit", "dropped: delivery_limit"),
    ("4.0", "quorum", "x-delivery-limit: -1"): ("ready", "ready"),
    ("4.3", "classic", ""): ("ready", "ready"),
    ("4.3", "quorum", ""): ("dropped: delivery_limit", "ready"),
    ("4.3", "quorum", "x-delivery-limit: -1"): ("ready", "ready"),
}


@pytest.mark.parametrize(("version", "kind", "limit"), ENDS)
def test_a_consumers_death_is_one_of_the_ways(version: str, kind: str, limit: str) -> None:
    text = f"{{rabbitmq: '{version}', queues: {{jobs: {{type: {kind}, arguments: {{{limit}}}}}}}"
    steps = ["publish: {routing_key: jobs, id: m}"]
    for how in ("crash: dies", "nack: {channel: ch, message: m}"):
        steps_of = [steps[0]] + 22 * (["get: {queue: jobs, channel: ch}", how] if how[0] == "n" else ["consume: dies", how])
        told = scenario(
            text
            + ", consumers: {dies: {queue: jobs, on_message: hold, start: false}}, steps: ["
            + ", ".join(f"{{{step}}}" for step in steps_of)
            + "]}"
        )
        state = Runner(told).run().fates.state("m", "jobs")
        assert state == ENDS[version, kind, limit][how[0] == "n"]
    ways = {item["reason"]: item["when"] for item in explain_queue(scenario(text + "}"), "jobs").data["later"]}
    dies, nacked = (end == "ready" for end in ENDS[version, kind, limit])
    assert ("consumer dies" in ways.get("returned", "")) is dies
    assert ("consumer dies" in ways.get("delivery_limit", "")) is not dies
    assert ("returned" in ways) is nacked


# What a dead letter brings along -------------------------------------------------------------------------------------

LOOP = """
rabbitmq: "VERSION"
queues:
  jobs: {type: quorum, arguments: {x-delivery-limit: 2, x-dead-letter-exchange: "", x-dead-letter-routing-key: wait}}
  wait: {type: quorum, arguments: {x-message-ttl: 1000, x-dead-letter-exchange: "", x-dead-letter-routing-key: jobs}}
"""


@pytest.mark.parametrize(("version", "counts"), [("3.13", False), ("4.0", False), ("4.2", False), ("4.3", True)])
def test_the_rounds_of_a_retry_loop_count_from_4_3_on(version: str, counts: bool) -> None:
    text = LOOP.replace("VERSION", version)
    ways = later(text, "jobs")
    assert ("'jobs' allows 2 before one is returned" in ways["wait", "expired"]["why"]) is counts
    assert ("brings its 3 failed deliveries along" in ways["jobs", "delivery_limit"]["why"]) is counts
    described = graph_of(scenario(text)).nodes[Key("queue", "jobs")].detail
    assert ("failures before a dead-lettering included" in described) is counts
    new = explain_upgrade([(UpgradeSide(scenario(text)), UpgradeSide(scenario(LOOP.replace("VERSION", "4.3"))))])
    loops = [item for item in new.data["changes"] if item["what"] == "retry loop jobs → wait → jobs"]
    assert bool(loops) is not counts


def test_the_story_of_a_message_shows_its_counts() -> None:
    steps = """
steps:
  - publish: {routing_key: jobs, id: m}
  - get: {queue: jobs, channel: ch}
  - reject: {channel: ch, message: m, requeue: false}
  - wait: 1s
  - get: {queue: jobs, channel: ch}
  - reject: {channel: ch, message: m, requeue: false}
  - wait: 1s
  - get: {queue: jobs, channel: ch}
  - reject: {channel: ch, message: m, requeue: true}
"""
    texts = [item["text"] for item in explain_message(scenario(LOOP.replace("VERSION", "4.3") + steps), "m").data["story"]]
    got = [text for text in texts if text.startswith("fetched")]
    assert [text.partition(", x-delivery-count ")[2] for text in got] == ["", "1, x-acquired-count 1", "2, x-acquired-count 2"]
    assert texts[-1].endswith("of its 3 failed deliveries it brought 2 along from before it was dead-lettered")


# Which key is asked about ------------------------------------------------------------------------------------------------

BY_KEY = """
exchanges: {shop: topic, dlx: topic}
queues:
  jobs: {arguments: {x-dead-letter-exchange: dlx}}
  parked: {arguments: {x-dead-letter-exchange: dlx, x-message-ttl: 1000}}
  late:
bindings:
  - {source: shop, destination: jobs, routing_key: order.*}
  - {source: dlx, destination: parked, routing_key: "order.#"}
  - {source: dlx, destination: late, routing_key: "order.#"}
"""


@pytest.mark.parametrize("steps", ["", "steps: [{publish: {exchange: shop, routing_key: order.eu}}]"])
def test_a_queue_is_asked_with_a_key_that_gets_there(steps: str) -> None:
    """Also where only dead letters do, whose key nobody publishes with."""
    text = BY_KEY + steps
    assert set(later(text, "jobs")["jobs", "rejected"]["queues"]) == {"parked", "late"}
    assert later(text, "parked")["parked", "expired"]["queues"] == ["late"]

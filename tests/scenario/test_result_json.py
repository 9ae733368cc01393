"""The result as scripts read it: the exact shape of the JSON, the ledger, the events, one line of output a scenario."""

import json
from typing import Any

import pytest
from kits.scenario import COPIES_IN, COPIES_OUT, PUBLISHES, Outcome, assert_balanced, ok, play, routesim

from routesim.events import EVENTS

EVERYTHING = """
name: Everything at once
rabbitmq: "4.1"
seed: 3
exchanges:
  shop: {type: topic, arguments: {alternate-exchange: rest}}
  rest: fanout
  dlx: fanout
queues:
  work: {arguments: {x-dead-letter-exchange: dlx}}
  short: {arguments: {x-max-length: 1, x-overflow: reject-publish}}
  brief: {arguments: {x-message-ttl: 500}}
  rest:
  dead: {type: quorum}
  log: {type: stream}
bindings:
  - {source: shop, destination: work, routing_key: ship.*}
  - {source: rest, destination: rest}
  - {source: dlx, destination: dead}
consumers:
  packer: {queue: work, prefetch: 1, takes: 100ms, on_message: [{attempt: 1, do: requeue}, {message: m2, do: reject}, {message: m3, do: hold}]}
  reader: {queue: dead, auto_ack: true, start: false}
steps:
  - publish: {exchange: shop, routing_key: ship.shoes, count: 3, headers: {size: 42}}
  - publish: {exchange: shop, routing_key: refund}
  - publish: {routing_key: short, count: 2}
  - publish: {routing_key: brief, expiration: 100}
  - publish: {routing_key: nowhere, mandatory: true}
  - publish: {routing_key: nowhere}
  - publish: {routing_key: log}
  - get: {queue: rest, channel: hand}
  - get: {queue: dead}
  - {publish: {exchange: shop, routing_key: ship.x, user_id: root}, fails: 406}
  - tx: {channel: t, do: select}
  - publish: {routing_key: rest, channel: t}
expect: {returned: [m8], lost: 2}
"""


@pytest.fixture(scope="module")
def everything() -> Outcome:
    return ok(EVERYTHING)


def test_the_members_of_the_result(everything: Outcome) -> None:
    result = everything.result
    assert set(result) == {
        "format", "file", "scenario", "rabbitmq", "ok", "ended", "clock_ms", "counts", "messages", "queues", "consumers", "gets",
        "expectations", "errors", "events", "verdict", "unexpected_losses",
    }  # fmt: skip
    assert result["format"] == 1
    assert (result["file"], result["scenario"], result["rabbitmq"]) == ("scene.yaml", "Everything at once", "4.1")
    assert (result["ok"], result["ended"]) == (True, "idle")
    assert isinstance(result["clock_ms"], int)


def test_format_is_the_first_member(everything: Outcome) -> None:
    assert next(iter(everything.result)) == "format"
    assert next(reversed(everything.result)) == "events"


def test_messages(everything: Outcome) -> None:
    messages = everything.result["messages"]
    assert set(messages) == {f"m{number}" for number in range(1, 13)}
    for record in messages.values():
        assert set(record) == {"exchange", "routing_key", "queues", "returned", "confirm", "channel"}
    assert messages["m1"] == {
        "exchange": "shop",
        "routing_key": "ship.shoes",
        "queues": ["work"],
        "returned": False,
        "confirm": "ack",
        "channel": "(publish)",
    }
    assert messages["m4"]["queues"] == ["rest"]
    assert [messages[name]["confirm"] for name in ("m5", "m6", "m8", "m9")] == ["ack", "nack", "ack", "ack"]
    assert [messages[name]["returned"] for name in ("m8", "m9")] == [True, False]
    assert (messages["m6"]["queues"], messages["m8"]["queues"], messages["m12"]["queues"]) == ([], [], [])


def test_queues_are_those_that_exist_at_the_end(everything: Outcome) -> None:
    queues = everything.result["queues"]
    assert set(queues) == {"work", "short", "brief", "rest", "dead", "log"}
    for queue in queues.values():
        assert set(queue) == {"ready", "unacked"}
        for item in queue["ready"]:
            assert set(item) == {"message", "redelivered", "exchange", "routing_key", "headers", "expiration"}
        for item in queue["unacked"]:
            assert set(item) == {"message", "consumer", "channel", "delivery_tag", "redelivered"}
    assert queues["short"]["ready"] == [
        {"message": "m5", "redelivered": False, "exchange": "", "routing_key": "short", "headers": {}, "expiration": None}
    ]
    assert queues["rest"]["unacked"] == [
        {"message": "m4", "consumer": None, "channel": "hand", "delivery_tag": 1, "redelivered": False}
    ]
    assert [item["message"] for item in queues["work"]["unacked"]] == ["m3"]
    assert queues["work"]["unacked"][0]["consumer"] == "packer"


def test_ready_headers_are_as_a_get_would_give_them(everything: Outcome) -> None:
    (dead,) = everything.result["queues"]["dead"]["ready"]
    death = dead["headers"]["x-death"][0]
    (rejected_at,) = [event["at_ms"] for event in everything.of("dead_lettered")]
    assert dead["headers"]["size"] == 42
    assert {key: death[key] for key in ("count", "reason", "queue", "exchange", "routing-keys")} == {
        "count": 1, "reason": "rejected", "queue": "work", "exchange": "shop", "routing-keys": ["ship.shoes"],
    }  # fmt: skip
    assert death["time"] == rejected_at // 1000
    assert (dead["exchange"], dead["routing_key"]) == ("dlx", "ship.shoes")


def test_the_time_of_a_death_is_the_clock_in_seconds() -> None:
    outcome = ok("""
queues:
  q: {arguments: {x-message-ttl: 90000, x-dead-letter-exchange: "", x-dead-letter-routing-key: dead}}
  dead:
steps: [{publish: {routing_key: q}}]
""")
    assert outcome.result["queues"]["dead"]["ready"][0]["headers"]["x-death"][0]["time"] == 90


def test_consumers_are_all_that_the_scenario_names(everything: Outcome) -> None:
    consumers = everything.result["consumers"]
    assert set(consumers) == {"packer", "reader"}
    assert consumers["reader"] == {"queue": "dead", "deliveries": []}
    for delivery in consumers["packer"]["deliveries"]:
        assert set(delivery) == {"message", "delivery_tag", "redelivered", "answer"}
    assert [(item["message"], item["delivery_tag"], item["redelivered"], item["answer"]) for item in consumers["packer"]["deliveries"]] == [
        ("m1", 1, False, "requeue"), ("m1", 2, True, "ack"), ("m2", 3, False, "requeue"), ("m2", 4, True, "reject"),
        ("m3", 5, False, "requeue"), ("m3", 6, True, None),
    ]  # fmt: skip


def test_consumers_of_steps_are_named_too() -> None:
    outcome = ok("queues: {q: }\nsteps:\n  - declare: {consumers: {later: {queue: q}}}\n")
    assert outcome.result["consumers"] == {"later": {"queue": "q", "deliveries": []}}


def test_gets(everything: Outcome) -> None:
    assert everything.result["gets"] == [
        {"queue": "rest", "message": "m4", "delivery_tag": 1, "redelivered": False},
        {"queue": "dead", "message": None, "delivery_tag": None, "redelivered": None},
    ]


def test_errors(everything: Outcome) -> None:
    (error,) = everything.result["errors"]
    assert set(error) == {"step", "code", "text", "expected"}
    assert (error["step"], error["code"], error["expected"]) == (9, 406, True)
    assert error["text"].startswith("PRECONDITION_FAILED - ")


def test_the_step_of_an_error_is_numbered_as_the_step_events_are(everything: Outcome) -> None:
    (error,) = everything.result["errors"]
    steps = {event["step"]: event["text"] for event in everything.of("step")}
    assert "user_id: root" in steps[error["step"]]


def test_expectations(everything: Outcome) -> None:
    line = EVERYTHING.split("\n").index("expect: {returned: [m8], lost: 2}") + 1
    assert everything.result["expectations"] == [
        {"line": line, "text": "returned is [m8]", "ok": True, "actual": ["m8"]},
        {"line": line, "text": "lost is 2", "ok": True, "actual": 2},
    ]


def test_a_failed_expectation_says_what_was_found() -> None:
    outcome = play("queues: {q: }\nsteps: [{publish: {routing_key: q}}]\nexpect:\n  queues: {q: {ready: 0}}\n")
    assert outcome.result["expectations"] == [{"line": 4, "text": "queues.q.ready is 0", "ok": False, "actual": 1}]


# Counts --------------------------------------------------------------------------------------------------------------


def test_the_ledger_has_all_its_columns_and_balances(everything: Outcome) -> None:
    counts = everything.result["counts"]
    assert set(counts) == {"published", *PUBLISHES, *COPIES_IN, *COPIES_OUT, "delivered", "redelivered", "lost"}
    assert_balanced(counts)
    assert {name: counts[name] for name in ("published", "routed", "returned", "unroutable", "refused", "failed", "uncommitted")} == {
        "published": 12, "routed": 7, "returned": 1, "unroutable": 1, "refused": 1, "failed": 1, "uncommitted": 1,
    }  # fmt: skip
    assert (counts["delivered"], counts["redelivered"]) == (7, 3)
    assert counts["lost"] == 2, "the unroutable one and the one that expired without a dead-letter exchange"


LOST = {
    "an unroutable publish that nobody was told of": ("steps: [{publish: {routing_key: nowhere}}]", 1),
    "a returned publish": ("steps: [{publish: {routing_key: nowhere, mandatory: true}}]", 0),
    "a nacked publish": ("queues: {q: {arguments: {x-max-length: 0, x-overflow: reject-publish}}}\nsteps: [{publish: {routing_key: q}}]", 0),
    "dropped by a length limit": ("queues: {q: {arguments: {x-max-length: 1}}}\nsteps: [{publish: {routing_key: q, count: 3}}]", 2),
    "expired without a dead-letter exchange": ("queues: {q: {arguments: {x-message-ttl: 5}}}\nsteps: [{publish: {routing_key: q}}]", 1),
    "rejected without one": ("queues: {q: }\nconsumers: {c: {queue: q, on_message: reject}}\nsteps: [{publish: {routing_key: q}}]", 1),
    "a dead-letter exchange that is missing": (
        "queues: {q: {arguments: {x-dead-letter-exchange: nowhere}}}\nconsumers: {c: {queue: q, on_message: reject}}\nsteps: [{publish: {routing_key: q}}]", 1,
    ),
    "one that routes nowhere": (
        "exchanges: {dlx: topic}\nqueues: {q: {arguments: {x-dead-letter-exchange: dlx}}}\nconsumers: {c: {queue: q, on_message: reject}}\nsteps: [{publish: {routing_key: q}}]", 1,
    ),
    "cut by the cycle rule": (
        "queues: {q: {arguments: {x-message-ttl: 5, x-dead-letter-exchange: '', x-dead-letter-routing-key: q}}}\nsteps: [{publish: {routing_key: q}}]", 1,
    ),
    "dead-lettered into a full queue": (
        "queues:\n  full: {arguments: {x-max-length: 0, x-overflow: reject-publish}}\n  q: {arguments: {x-dead-letter-exchange: '', x-dead-letter-routing-key: full}}\n"
        "consumers: {c: {queue: q, on_message: reject}}\nsteps: [{publish: {routing_key: q}}]", 1,
    ),
    "dead-lettered into a queue": (
        "queues:\n  dead: {}\n  q: {arguments: {x-dead-letter-exchange: '', x-dead-letter-routing-key: dead}}\n"
        "consumers: {c: {queue: q, on_message: reject}}\nsteps: [{publish: {routing_key: q}}]", 0,
    ),
    "deleted with its queue": ("queues: {q: }\nsteps: [{publish: {routing_key: q, count: 2}}, {delete: {queue: q}}]", 2),
    "purged on purpose": ("queues: {q: }\nsteps: [{publish: {routing_key: q, count: 2}}, {purge: q}]", 0),
    "lost at a restart": ("queues: {q: }\nsteps: [{publish: {routing_key: q, delivery_mode: 1}}, {publish: {routing_key: q}}, {restart: kill}]", 1),
    "auto-acked, and the consumer crashed": (
        "queues: {q: }\nconsumers: {c: {queue: q, auto_ack: true, takes: 1s, on_message: crash}}\nsteps: [{publish: {routing_key: q, count: 2}}]", 2,
    ),
    "an exclusive queue whose owner is gone": (
        "queues: {q: {exclusive: true}}\nconsumers: {c: {queue: q, on_message: hold}}\nsteps: [{publish: {routing_key: q, count: 2}}, {crash: c}]", 2,
    ),
    "still there": ("queues: {q: }\nsteps: [{publish: {routing_key: q}}]", 0),
    "rolled back": (
        "queues: {q: }\nsteps: [{tx: {channel: t, do: select}}, {publish: {routing_key: q, channel: t}}, {tx: {channel: t, do: rollback}}]", 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOST)
def test_what_counts_as_lost(case: str) -> None:
    text, lost = LOST[case]
    assert play(text).result["counts"]["lost"] == lost


def test_refused_wins_if_any_queue_refused() -> None:
    outcome = ok("""
queues: {q: , full: {arguments: {x-max-length: 0, x-overflow: reject-publish}}}
bindings: [{source: amq.fanout, destination: q}, {source: amq.fanout, destination: full}]
steps: [{publish: {exchange: amq.fanout}}]
expect: {nacked: [m1], queues: {q: {ready: [m1]}}}
""")
    counts = outcome.result["counts"]
    assert (counts["published"], counts["refused"], counts["routed"], counts["enqueued"]) == (1, 1, 0, 1)
    assert outcome.result["messages"]["m1"]["confirm"] == "nack"


# Events --------------------------------------------------------------------------------------------------------------


def test_events_are_numbered_in_order_and_begin_alike(everything: Outcome) -> None:
    for number, event in enumerate(everything.events, 1):
        assert list(event)[:3] == ["seq", "at_ms", "event"]
        assert event["seq"] == number
        assert event["event"] in EVENTS.values()


def test_ndjson_is_the_same_events_one_a_line(everything: Outcome) -> None:
    outcome = routesim("run", "scene.yaml", "--format", "ndjson", files={"scene.yaml": EVERYTHING})
    assert outcome.status == 0
    assert outcome.out.endswith("\n")
    assert [json.loads(line) for line in outcome.out.splitlines()] == everything.events


def test_ndjson_has_no_empty_lines_between_scenarios() -> None:
    outcome = routesim(
        "run", "a.yaml", "a.yaml", "--format", "ndjson", files={"a.yaml": "queues: {q: }\nsteps: [{publish: {routing_key: q}}]"}
    )
    lines = outcome.out.splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert [json.loads(line)["seq"] for line in lines].count(1) == 2


def test_the_status_is_the_same_in_every_format() -> None:
    failing = "queues: {q: }\nexpect: {queues: {q: {ready: 1}}}\n"
    for format in ("table", "plain", "json", "ndjson"):
        assert routesim("run", "s.yaml", "-f", format, files={"s.yaml": failing}).status == 1
        assert routesim("run", "s.yaml", "-f", format, "-q", files={"s.yaml": failing}).status == 1


def test_an_event_of_each_kind_is_json() -> None:
    seen: set[str] = {event["event"] for event in ok(EVERYTHING).events}
    seen |= {event["event"] for event in ok("""
rabbitmq: "4.1"
exchanges: {late: x-delayed-message, history: x-recent-history, gone: {type: fanout, auto_delete: true}}
queues:
  q: {arguments: {x-single-active-consumer: true}}
  r: {exclusive: true}
  round: {arguments: {x-message-ttl: 5, x-dead-letter-exchange: "", x-dead-letter-routing-key: round}}
bindings: [{source: gone, destination: q}, {source: late, destination: q, routing_key: k}]
consumers:
  a: {queue: q, on_message: crash, auto_ack: true}
  b: {queue: q, auto_ack: true}
steps:
  - declare: {policies: [{name: p, pattern: zzz, definition: {max-length: 5}}]}
  - delete: {policy: p}
  - publish: {exchange: late, routing_key: k, headers: {x-delay: 1000}}
  - publish: {routing_key: round}
  - publish: {routing_key: r, delivery_mode: 1}
  - unbind: {source: gone, destination: q}
  - wait: 2s
  - qos: {channel: x, prefetch: 3}
  - purge: q
  - publish: {routing_key: q, delivery_mode: 1}
  - cancel: b
  - publish: {routing_key: q, delivery_mode: 1}
  - publish: {routing_key: q}
  - restart: kill
  - purge: q
  - {bind: {source: "", destination: q, channel: x}, fails: 403}
""".replace("x-delayed-message", "{type: x-delayed-message, arguments: {x-delayed-type: direct}}")).events}  # fmt: skip
    assert {"policy_set", "policy_deleted", "delayed", "cycle_cut", "exchange_deleted", "lost_by_consumer", "consumer_active", "purged",
            "lost_at_restart", "restarted", "queue_deleted", "deleted", "unbound", "qos_set", "channel_closed"} <= seen  # fmt: skip


# Determinism ---------------------------------------------------------------------------------------------------------

RANDOM = """
seed: 11
exchanges: {r: x-random, h: x-consistent-hash}
queues: {a: , b: , c: , drawn: {server_named: true}}
bindings:
  - {source: r, destination: a}
  - {source: r, destination: b}
  - {source: h, destination: b, routing_key: "1"}
  - {source: h, destination: c, routing_key: "1"}
consumers:
  x: {queue: a, takes: 3ms, on_message: [{chance: 0.3, do: requeue}, {chance: 0.2, do: crash, restart: 5ms}, {publish: {routing_key: c}}]}
  y: {queue: b, prefetch: 2, takes: 7ms, on_message: [{chance: 0.5, do: reject}]}
steps:
  - publish: {exchange: r, count: 50, every: 2ms}
  - publish: {exchange: h, routing_key: k, count: 20, every: 5ms}
"""


@pytest.mark.parametrize("format", ["json", "ndjson", "plain", "table"])
def test_the_same_scenario_and_seed_is_the_same_bytes(format: str) -> None:
    runs = {routesim("run", "s.yaml", "-f", format, files={"s.yaml": RANDOM}).out for _ in range(3)}
    assert len(runs) == 1


def test_another_seed_is_another_run() -> None:
    def result(*arguments: str) -> dict[str, Any]:
        return play(RANDOM, *arguments).result

    assert result()["messages"] != result("--seed", "12")["messages"]
    assert result() == result("--seed", "11")


def test_the_format_does_not_change_the_run() -> None:
    asked = f"{RANDOM}expect: {{consumers: {{x: {{delivered: 12345}}}}}}\n"
    said = {routesim("run", "s.yaml", "-q", "-f", format, files={"s.yaml": asked}).out for format in ("table", "plain")}
    assert len(said) == 1
    actual = play(asked).result["expectations"][0]["actual"]
    assert f"found    {actual}\n" in said.pop()


# Several scenarios ---------------------------------------------------------------------------------------------------


def test_one_object_a_scenario_one_a_line_in_the_order_given() -> None:
    files: dict[str, str | bytes] = {f"{name}.yaml": "queues: {q: }" for name in "abc"}
    outcome = routesim("run", "c.yaml", "a.yaml", "b.yaml", "-f", "json", files=files)
    assert [json.loads(line)["file"] for line in outcome.out.splitlines()] == ["c.yaml", "a.yaml", "b.yaml"]


def test_quiet_json_is_still_the_result() -> None:
    outcome = routesim("run", "s.yaml", "-f", "json", "-q", files={"s.yaml": EVERYTHING})
    assert {**outcome.result, "events": []} == {**ok(EVERYTHING).result, "events": [], "file": "s.yaml"}


def test_names_are_keys_whatever_they_are() -> None:
    names = ["__proto__", "constructor", "a b", "é", "👟", '"', "\\", "null", "1", "a.b", "%s", "{}"]
    queues = "".join(f"  {json.dumps(name, ensure_ascii=False)}:\n" for name in names)
    result = ok(f"queues:\n{queues}").result
    assert list(result["queues"]) == names

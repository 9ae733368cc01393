"""Each step is one verb: what it does, and what is wrong with one that cannot be understood."""

import pytest
from kits.scenario import ok, only, play, refused, routesim

HELD = """
queues: {q: }
consumers: {c: {queue: q, on_message: hold}}
steps:
  - publish: {routing_key: q, count: 4}
"""

# publish -------------------------------------------------------------------------------------------------------------


def test_count_and_every() -> None:
    outcome = ok("queues: {q: }\nsteps:\n  - publish: {routing_key: q, count: 3, every: 1s}\n")
    assert outcome.times("published") == [(0, "m1"), (1000, "m2"), (2000, "m3")]
    outcome = ok("queues: {q: }\nsteps:\n  - publish: {routing_key: q, count: 3}\n  - publish: {routing_key: q, every: 5s}\n")
    assert outcome.times("published") == [(0, "m1"), (0, "m2"), (0, "m3"), (0, "m4")]


def test_several_publishes_can_be_under_way() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - publish: {routing_key: q, id: a, count: 3, every: 2s}
  - publish: {routing_key: q, id: b, count: 2, every: 3s}
""")
    assert outcome.times("published") == [(0, "a-1"), (0, "b-1"), (2000, "a-2"), (3000, "b-2"), (4000, "a-3")]


def test_cc_and_bcc() -> None:
    outcome = ok("""
queues: {a: , b: , c: }
steps:
  - publish: {routing_key: a, headers: {CC: [b], BCC: [c], other: 1}}
""")
    assert [outcome.ready(name) for name in "abc"] == [["m1"]] * 3
    assert outcome.result["queues"]["a"]["ready"][0]["headers"] == {"CC": ["b"], "other": 1}
    assert sorted(outcome.result["messages"]["m1"]["queues"]) == ["a", "b", "c"]


def test_priority_matters_where_the_queue_has_priorities() -> None:
    outcome = ok("""
queues: {plain: , ranked: {arguments: {x-max-priority: 5}}}
steps:
  - publish: {routing_key: plain, priority: 1}
  - publish: {routing_key: plain, priority: 5}
  - publish: {routing_key: ranked, priority: 1}
  - publish: {routing_key: ranked, priority: 5}
""")
    assert (outcome.ready("plain"), outcome.ready("ranked")) == (["m1", "m2"], ["m4", "m3"])


def test_mandatory_comes_back_when_nothing_takes_it() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - publish: {routing_key: nowhere, mandatory: true}
  - publish: {routing_key: nowhere}
  - publish: {routing_key: q, mandatory: true}
expect: {returned: [m1], lost: 1}
""")
    assert {name: (item["returned"], item["confirm"], item["queues"]) for name, item in outcome.result["messages"].items()} == {
        "m1": (True, "ack", []), "m2": (False, "ack", []), "m3": (False, "ack", ["q"]),
    }  # fmt: skip
    assert (outcome.result["counts"]["returned"], outcome.result["counts"]["unroutable"]) == (1, 1)


def test_user_id_must_be_the_connections_user() -> None:
    ok(
        "queues: {q: }\nsteps:\n  - publish: {routing_key: q, user_id: guest}\n  - {publish: {routing_key: q, user_id: root}, fails: 406}\n"
    )


def test_a_publish_without_fields_goes_to_the_default_exchange_with_an_empty_key() -> None:
    outcome = ok("queues: {q: }\nsteps:\n  - publish:\n  - publish: {}\n")
    assert [(item["exchange"], item["routing_key"]) for item in outcome.result["messages"].values()] == [("", "")] * 2


# wait ----------------------------------------------------------------------------------------------------------------


def test_during_a_wait_time_passes_consumers_work_and_timers_fire_its_last_instant_included() -> None:
    outcome = ok("""
queues: {q: , t: {arguments: {x-message-ttl: 1000}}}
consumers: {c: {queue: q, takes: 1s}}
steps:
  - publish: {routing_key: q}
  - publish: {routing_key: t}
  - publish: {routing_key: q, id: late, count: 2, every: 1s}
  - wait: 1s
  - expect: {consumers: {c: {acked: 1}}, messages: {m2: {t: "dropped: expired"}}, queues: {q: {unacked: [late-1, late-2]}}}
""")
    assert all(item["ok"] for item in outcome.result["expectations"])


def test_a_wait_of_nothing_is_no_time() -> None:
    assert ok("queues: {q: }\nsteps:\n  - wait: 0\n  - wait: 0s\n").result["clock_ms"] == 0


# get, ack, nack, reject, recover -------------------------------------------------------------------------------------


def test_get_with_auto_ack() -> None:
    outcome = ok("queues: {q: }\nsteps:\n  - publish: {routing_key: q}\n  - get: {queue: q, auto_ack: true}\n")
    assert outcome.result["queues"]["q"] == {"ready": [], "unacked": []}
    assert outcome.result["counts"]["acked"] == 1


def test_what_get_holds_has_no_consumer() -> None:
    outcome = ok("queues: {q: }\nsteps:\n  - publish: {routing_key: q}\n  - get: {queue: q, channel: reader}\n")
    assert outcome.result["queues"]["q"]["unacked"] == [
        {"message": "m1", "consumer": None, "channel": "reader", "delivery_tag": 1, "redelivered": False}
    ]


@pytest.mark.parametrize(
    ("step", "left"),
    [
        ("ack: {consumer: c, message: m2}", ["m1", "m3", "m4"]),
        ("ack: {channel: c, message: m2}", ["m1", "m3", "m4"]),
        ("ack: {consumer: c, delivery_tag: 3}", ["m1", "m2", "m4"]),
        ("ack: {consumer: c, delivery_tag: 3, multiple: true}", ["m4"]),
        ("ack: {consumer: c, message: m2, multiple: true}", ["m3", "m4"]),
        ("ack: {consumer: c, delivery_tag: 0, multiple: true}", []),
        ("ack: {consumer: c, multiple: true}", []),
        ("nack: {consumer: c, delivery_tag: 2, multiple: true, requeue: false}", ["m3", "m4"]),
        ("reject: {consumer: c, message: m3, requeue: false}", ["m1", "m2", "m4"]),
    ],
)
def test_answers_of_steps(step: str, left: list[str]) -> None:
    outcome = ok(f"{HELD}  - {step}\n")
    assert [item["message"] for item in outcome.result["queues"]["q"]["unacked"]] == left


@pytest.mark.parametrize("verb", ["nack", "reject"])
def test_requeue_defaults_to_true(verb: str) -> None:
    outcome = ok(f"{HELD}  - cancel: c\n  - {verb}: {{consumer: c, message: m2}}\n")
    assert outcome.ready("q") == ["m2"]


def test_message_means_its_newest_delivery_that_is_still_open() -> None:
    outcome = ok("""
queues: {q: , r: }
exchanges: {f: fanout}
bindings: [{source: f, destination: q}, {source: f, destination: r}]
steps:
  - publish: {exchange: f}
  - get: {queue: q, channel: reader}
  - get: {queue: r, channel: reader}
  - ack: {channel: reader, message: m1}
  - expect: {queues: {q: {unacked: 1}, r: {unacked: 0}}}
  - ack: {channel: reader, message: m1}
  - expect: {queues: {q: {unacked: 0}}}
""")
    assert outcome.result["counts"]["acked"] == 2


def test_an_answer_to_a_message_that_is_not_open_fails_the_step() -> None:
    outcome = play(
        f"{HELD}  - ack: {{consumer: c, message: m1}}\n  - ack: {{consumer: c, message: m1}}\n  - publish: {{routing_key: q}}\n"
    )
    assert outcome.status == 1
    (error,) = outcome.result["errors"]
    assert (error["step"], error["expected"]) == (2, False)
    assert "m1" in error["text"]
    assert len(outcome.result["messages"]) == 5, "the run goes on"


def test_an_unknown_delivery_tag_is_406() -> None:
    ok(f"{HELD}  - {{ack: {{consumer: c, delivery_tag: 9}}, fails: 406}}\n")


def test_recover_gives_everything_back() -> None:
    outcome = ok(f"{HELD}  - recover: {{consumer: c}}\n")
    assert [item["message"] for item in outcome.result["queues"]["q"]["unacked"]] == ["m1", "m2", "m3", "m4"]
    assert all(item["redelivered"] for item in outcome.result["queues"]["q"]["unacked"])
    outcome = ok(f"{HELD}  - cancel: c\n  - recover: {{channel: c}}\n")
    assert outcome.ready("q") == ["m1", "m2", "m3", "m4"]


@pytest.mark.parametrize(
    ("step", "marked"),
    [
        ("ack: {consumer: c}", "ack"),
        ("ack: {message: m1}", "ack"),
        ("ack: {consumer: c, channel: c, message: m1}", "ack"),
        ("ack: {consumer: c, message: m1, delivery_tag: 1}", "m1"),
        ("ack: {consumer: c, message: m9}", "m9"),
        ("ack: {consumer: d, message: m1}", "d"),
        ("ack: {consumer: c, delivery_tag: -1}", "-1"),
        ("ack: {consumer: c, message: m1, requeue: true}", "requeue"),
        ("reject: {consumer: c, message: m1, multiple: true}", "multiple"),
        ("recover: {}", "recover"),
        ("recover:", "recover"),
        ("qos: {prefetch: 1}", "{"),
        ("qos: {channel: c}", "{"),
        ("qos: {channel: c, prefetch: many}", "many"),
        ("tx: {channel: c, do: begin}", "begin"),
        ("tx: {do: select}", "{"),
        ("get: {}", "{"),
        ("get: q", "q"),
        ("consume: d", "d"),
        ("cancel: d", "d"),
        ("crash: d", "d"),
        ("restart: dirty", "dirty"),
        ("restart:", "restart"),
        ("delete: {}", "delete"),
        ("delete: {queue: q, exchange: x}", "delete"),
        ("delete: q", "q"),
        ("delete: {queue: q, if_empty: maybe}", "maybe"),
        ("bind: {source: amq.fanout}", "{"),
        ("bind: {destination: q}", "{"),
        ("bind: {source: amq.fanout, destination: q, destination_type: topic}", "topic"),
        ("declare: [q]", "["),
        ("declare: {queue: {r: }}", "queue"),
        ("expect: {queues: [q]}", "["),
        ("publish: [q]", "["),
        ("publish: {queue: q}", "queue"),
        ("publish: {routing_key: q, delivery_mode: 256}", "256"),
        ("publish: {routing_key: q, priority: -1}", "-1"),
        ("publish: {routing_key: q, headers: [a]}", "["),
        ("publish: {routing_key: q, mandatory: perhaps}", "perhaps"),
        ("wait:", "wait"),
    ],
)
def test_steps_that_cannot_be_understood(step: str, marked: str) -> None:
    """One mistake, one diagnostic, under the text that is wrong; where nothing is written, at the step."""
    problem = only(f"{HELD}  - {step}\n")
    assert problem.line == HELD.count("\n") + 1
    if not step.endswith(":"):
        assert problem.marked == marked


# qos, tx ---------------------------------------------------------------------------------------------------------------


def test_qos_is_for_consumers_to_come_and_global_for_the_whole_channel() -> None:
    outcome = ok("""
rabbitmq: "3.13"
queues: {q: , r: }
consumers:
  a: {queue: q, channel: x, start: false, on_message: hold}
  b: {queue: r, channel: y, on_message: hold}
steps:
  - qos: {channel: x, prefetch: 2}
  - consume: a
  - qos: {channel: y, prefetch: 3, global: true}
  - publish: {routing_key: q, count: 9}
  - publish: {routing_key: r, count: 9}
""")
    assert (len(outcome.delivered("a")), len(outcome.delivered("b"))) == (2, 3)


def test_a_transaction() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - tx: {channel: t, do: select}
  - publish: {routing_key: q, channel: t}
  - expect: {queues: {q: {ready: 0}}}
  - tx: {channel: t, do: commit}
  - expect: {queues: {q: {ready: [m1]}}}
  - publish: {routing_key: q, channel: t}
  - tx: {channel: t, do: rollback}
  - publish: {routing_key: q, channel: t}
""")
    counts = outcome.result["counts"]
    assert (counts["routed"], counts["rolled_back"], counts["uncommitted"]) == (1, 1, 1)
    assert outcome.ready("q") == ["m1"]


def test_a_commit_without_select_is_refused() -> None:
    ok("queues: {q: }\nsteps:\n  - {tx: {channel: t, do: commit}, fails: 406}\n")


# consume, cancel, crash, restart -------------------------------------------------------------------------------------


def test_cancel_leaves_what_was_delivered_and_consume_begins_again() -> None:
    outcome = ok(
        f"{HELD}  - cancel: c\n  - publish: {{routing_key: q}}\n  - expect: {{queues: {{q: {{ready: [m5], unacked: 4}}}}}}\n  - consume: c\n"
    )
    assert outcome.delivered("c") == ["m1", "m2", "m3", "m4", "m5"]
    assert outcome.result["consumers"]["c"]["deliveries"][-1]["delivery_tag"] == 5


def test_consuming_twice_is_refused() -> None:
    ok(f"{HELD}  - {{consume: c, fails: 530}}\n")


def test_cancelling_twice_is_no_error() -> None:
    ok(f"{HELD}  - cancel: c\n  - cancel: c\n")


@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.parametrize("verb", ["crash", "close"])
def test_what_a_connection_held_comes_back_whether_it_is_lost_or_closed(verb: str, kind: str) -> None:
    outcome = ok(f"""
queues: {{q: {{type: {kind}}}}}
consumers: {{c: {{queue: q, prefetch: 2, on_message: hold}}}}
steps:
  - publish: {{routing_key: q, count: 3}}
  - {verb}: c
  - expect: {{queues: {{q: {{ready: [m1, m2, m3], unacked: 0}}}}}}
  - consume: c
expect: {{consumers: {{c: {{delivered: [m1, m2, m1, m2], redelivered: 2}}}}}}
""")
    assert len(outcome.of("connection_lost")) == (verb == "crash")
    told = [(event["connection"], event["code"], event["text"]) for event in outcome.of("connection_closed")]
    assert told == [("c", 200, "closed by the client")] * (verb == "close")


def test_closing_a_channel_by_name_closes_its_connection() -> None:
    ok("""
queues: {q: , mine: {exclusive: true, channel: reader}}
channels: {reader: {connection: house}, other: {connection: house}}
consumers: {c: {queue: q, channel: other, on_message: hold}}
steps:
  - publish: {routing_key: q}
  - close: reader
expect: {queues: {q: {ready: 1}, mine: {exists: false}}}
""")


def test_a_restart_loses_everyones_connection_and_consumers_do_not_come_back() -> None:
    outcome = ok("""
queues: {q: , mine: {exclusive: true}}
consumers: {c: {queue: q, prefetch: 1, on_message: hold}}
steps:
  - publish: {routing_key: q, count: 2}
  - restart: clean
  - expect: {queues: {q: {ready: [m1, m2], unacked: 0}, mine: {exists: false}}, consumers: {c: {delivered: 1}}}
  - consume: c
expect: {queues: {q: {unacked: [m1]}}}
""")
    assert [event["clean"] for event in outcome.of("restarted")] == [True]
    assert [event["clean"] for event in ok("queues: {q: }\nsteps: [{restart: kill}]").of("restarted")] == [False]


def test_a_restart_stops_the_comeback_of_nobody() -> None:
    """A consumer that crashed on its own and was to come back does so after its own time."""
    outcome = play("""
queues: {q: }
consumers: {c: {queue: q, on_message: [{attempt: 1, do: crash, restart: 1s}]}}
steps:
  - publish: {routing_key: q}
  - restart: clean
""")
    assert outcome.answers("c") == [("m1", "crash"), ("m1", "ack")]


# declare, delete, bind, unbind, purge --------------------------------------------------------------------------------


def test_declare_takes_everything_in_that_order() -> None:
    outcome = ok("""
steps:
  - declare:
      consumers: {c: {queue: q}}
      policies: [{name: p, pattern: q, definition: {max-length: 1}}]
      bindings: [{source: x, destination: q}]
      queues: {q: }
      exchanges: {x: fanout}
  - publish: {exchange: x}
""")
    kinds = [event["event"] for event in outcome.events]
    order = ["exchange_declared", "queue_declared", "bound", "policy_set", "consumer_started"]
    assert [kind for kind in kinds if kind in order] == order
    assert outcome.answers("c") == [("m1", "ack")]


def test_declare_stops_at_the_first_refusal() -> None:
    outcome = ok("""
exchanges: {x: topic}
steps:
  - {declare: {exchanges: {a: fanout, x: fanout, b: fanout}, queues: {q: }}, fails: 406}
  - {publish: {exchange: b}, fails: 404}
  - {get: {queue: q}, fails: 404}
  - publish: {exchange: a}
""")
    assert [event["exchange"] for event in outcome.of("exchange_declared")] == ["x", "a"]


def test_operator_policies_can_be_set_in_a_step() -> None:
    outcome = play("""
queues: {q: }
steps:
  - publish: {routing_key: q, count: 3}
  - declare: {operator_policies: [{name: cap, pattern: q, definition: {max-length: 1}, apply-to: queues}]}
  - delete: {policy: cap}
  - publish: {routing_key: q, count: 3}
""")
    assert outcome.status == 0
    assert outcome.ready("q") == ["m3", "m4", "m5", "m6"]


def test_delete_with_conditions() -> None:
    outcome = ok("""
exchanges: {x: fanout}
queues: {full: , used: , free: }
bindings: [{source: x, destination: full}]
consumers: {c: {queue: used}}
steps:
  - publish: {routing_key: full}
  - {delete: {queue: full, if_empty: true}, fails: 406}
  - {delete: {queue: used, if_unused: true}, fails: 406}
  - {delete: {exchange: x, if_unused: true}, fails: 406}
  - delete: {queue: free, if_unused: true, if_empty: true}
  - delete: {queue: full, if_unused: true}
  - delete: {exchange: x}
  - delete: {queue: used}
""")
    assert outcome.result["queues"] == {}
    assert outcome.result["counts"]["deleted"] == 1
    assert outcome.result["counts"]["lost"] == 1, "deleted with their queue"


def test_deleting_a_policy_ends_it() -> None:
    outcome = ok("""
queues: {q: }
policies: [{name: short, pattern: q, definition: {max-length: 1}}]
steps:
  - publish: {routing_key: q, count: 2}
  - delete: {policy: short}
  - publish: {routing_key: q, count: 2}
""")
    assert outcome.ready("q") == ["m2", "m3", "m4"]


def test_bind_and_unbind() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - bind: {source: amq.headers, destination: q, arguments: {x-match: any, a: 1}}
  - publish: {exchange: amq.headers, headers: {a: 1}}
  - unbind: {source: amq.headers, destination: q, arguments: {x-match: any, a: 1}}
  - publish: {exchange: amq.headers, headers: {a: 1}}
""")
    assert outcome.ready("q") == ["m1"]


def test_purge_takes_ready_messages_only() -> None:
    outcome = ok("""
queues: {q: }
consumers: {c: {queue: q, prefetch: 1, on_message: hold}}
steps:
  - publish: {routing_key: q, count: 3}
  - purge: q
expect: {queues: {q: {ready: 0, unacked: [m1]}}, messages: {m2: {q: purged}}, lost: 0}
""")
    assert outcome.result["counts"]["purged"] == 2


# expect --------------------------------------------------------------------------------------------------------------


def test_expect_as_a_step_is_checked_at_this_point() -> None:
    outcome = ok("""
queues: {q: }
consumers: {c: {queue: q, takes: 1s}}
steps:
  - publish: {routing_key: q}
  - expect: {queues: {q: {unacked: 1}}, consumers: {c: {acked: 0}}, messages: {m1: {q: unacked}}}
  - wait: 2s
  - expect: {queues: {q: {unacked: 0}}, consumers: {c: {acked: 1}}, messages: {m1: {q: acked}}, returned: [], lost: 0}
""")
    assert [item["line"] for item in outcome.result["expectations"]] == [6, 6, 6, 8, 8, 8, 8, 8]


# The form of a step --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "marked", "cure"),
    [
        ("publsh: {routing_key: q}", "publsh", "publish"),
        ("Publish: {routing_key: q}", "Publish", "publish"),
        ("{publish: {routing_key: q}, fail: 404}", "fail", "fails"),
        ("basic_publish: {}", "basic_publish", "publish"),
        ("frobnicate: {}", "frobnicate", "publish"),
    ],
)
def test_an_unknown_verb(step: str, marked: str, cure: str) -> None:
    problem = only(f"queues: {{q: }}\nsteps:\n  - {step}\n")
    assert (problem.code, problem.line, problem.marked) == ("unknown-step", 3, marked)
    assert cure in problem.cure


@pytest.mark.parametrize("step", ["publish", "[publish]", "{}", "{fails: 404}", "~", "5", ""])
def test_a_step_without_a_verb(step: str) -> None:
    problem = only(f"queues: {{q: }}\nsteps:\n  - {step}\n")
    assert problem.line == 3


def test_two_verbs_in_one_step() -> None:
    problem = only("queues: {q: }\nsteps:\n  - publish: {routing_key: q}\n    wait: 1s\n")
    assert "publish" in problem.message
    assert "wait" in problem.message
    assert "- " in problem.cure


def test_every_step_with_a_mistake_is_told() -> None:
    problems = refused("""queues: {q: }
steps:
  - publsh: {}
  - publish: {rouing_key: q}
  - publish: {routing_key: q}
  - wait: soon
  - get: {queue: r}
""")
    assert [(problem.line, problem.marked) for problem in problems] == [(3, "publsh"), (4, "rouing_key"), (6, "soon"), (7, "r")]


MANY = "queues: {{q: }}\nsteps: [{{publish: {{routing_key: q, count: {}}}}}]\n"


@pytest.mark.parametrize(
    ("text", "warns"),
    [
        (MANY.format(10_000_001), True),
        (MANY.format(10_000_000), False),
        ("consumers: {c: {queue: q}}\n" + MANY.format(1_000_000_000), False),
    ],
)
def test_more_messages_than_memory_may_hold_are_told_where_nobody_consumes(text: str, warns: bool) -> None:
    found = routesim("check", "s.yaml", files={"s.yaml": text}).out
    assert ("s.yaml:2:43: warning[many-messages] 10,000,001 messages" in found) is warns

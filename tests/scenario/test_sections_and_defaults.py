"""The sections of a scenario: what may stand in them, what is meant when nothing stands there."""

import pytest
from kits.scenario import checked, ok, only, play, refused, routesim

from routesim.versions import NEWEST


def test_nothing_but_a_queue_is_a_scenario() -> None:
    result = ok("queues:\n  audit:\n").result
    assert result["queues"] == {"audit": {"ready": [], "unacked": []}}
    assert (result["ended"], result["clock_ms"], result["errors"], result["expectations"]) == ("idle", 0, [], [])


def test_name_defaults_to_the_name_of_the_file() -> None:
    outcome = routesim("run", "boots.yaml", "--format", "json", files={"boots.yaml": "queues: {q: }"})
    assert outcome.result["scenario"] in ("boots", "boots.yaml")
    assert outcome.result["file"] == "boots.yaml"


def test_name_description_and_version_are_text() -> None:
    result = ok("name: 1.10\ndescription: 2024-01-01\nrabbitmq: 4.1\nqueues: {q: }\n").result
    assert result["scenario"] == "1.10"
    assert result["rabbitmq"] == "4.1"


def test_the_newest_version_is_the_default() -> None:
    assert ok("queues: {q: }").result["rabbitmq"] == NEWEST


def test_version_3_10_is_not_3_1() -> None:
    assert ok("rabbitmq: 3.10\nqueues: {q: }").result["rabbitmq"] == "3.10"


def test_an_unknown_version_names_the_known_ones() -> None:
    problem = only('rabbitmq: "2.8"\nqueues: {q: }')
    assert (problem.line, problem.column, problem.marked) == (1, 11, '"2.8"')
    assert "2.8" in problem.message
    assert "4.1" in problem.cure


# Exchanges -----------------------------------------------------------------------------------------------------------


def test_an_exchange_is_direct_unless_it_says_otherwise() -> None:
    outcome = ok("exchanges: {a: , b: {}, c: {durable: true}, d: fanout, e: {type: topic}}")
    types = {event["exchange"]: event["type"] for event in outcome.of("exchange_declared")}
    assert types == {"a": "direct", "b": "direct", "c": "direct", "d": "fanout", "e": "topic"}


def test_exchanges_and_queues_are_durable_and_messages_persistent_by_default() -> None:
    outcome = ok("""
rabbitmq: "3.10"
exchanges: {stays: fanout, goes: {type: fanout, durable: false}}
queues: {kept: , gone: {durable: false}}
bindings: [{source: stays, destination: kept}, {source: goes, destination: kept}]
steps:
  - publish: {exchange: stays}
  - publish: {exchange: stays, delivery_mode: 1}
  - publish: {routing_key: gone}
  - restart: clean
  - publish: {exchange: stays, id: after}
  - {publish: {exchange: goes}, fails: 404}
  - {get: {queue: gone}, fails: 404}
""")
    assert outcome.ready("kept") == ["m1", "after"]
    assert "gone" not in outcome.result["queues"]


@pytest.mark.parametrize("name", ["amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match", '""'])
def test_predeclared_exchanges_take_publishes(name: str) -> None:
    outcome = play(f"queues: {{q: }}\nsteps:\n  - publish: {{exchange: {name}, routing_key: x}}\n")
    assert outcome.status == 0
    assert outcome.result["errors"] == []


def test_the_trace_exchange_exists_and_can_be_bound() -> None:
    ok("queues: {q: }\nbindings: [{source: amq.rabbitmq.trace, destination: q, routing_key: '#'}]")


def test_the_default_exchange_routes_by_queue_name() -> None:
    outcome = ok("queues: {q: , r: }\nsteps:\n  - publish: {routing_key: r}\n  - publish: {exchange: '', routing_key: q}\n")
    assert (outcome.ready("q"), outcome.ready("r")) == (["m2"], ["m1"])
    assert outcome.result["messages"]["m1"]["exchange"] == ""


def test_internal_and_auto_delete_exchanges() -> None:
    outcome = ok("""
exchanges: {inner: {type: fanout, internal: true}, fleeting: {type: fanout, auto_delete: true}}
queues: {q: }
bindings: [{source: fleeting, destination: q}]
steps:
  - {publish: {exchange: inner}, fails: 403}
  - unbind: {source: fleeting, destination: q}
  - {publish: {exchange: fleeting}, fails: 404}
""")
    assert [event["exchange"] for event in outcome.of("exchange_deleted")] == ["fleeting"]


def test_an_alternate_exchange_catches_what_nothing_matched() -> None:
    outcome = ok("""
exchanges:
  shop: {type: topic, arguments: {alternate-exchange: rest}}
  rest: fanout
queues: {matched: , unmatched: }
bindings:
  - {source: shop, destination: matched, routing_key: ship.*}
  - {source: rest, destination: unmatched}
steps:
  - publish: {exchange: shop, routing_key: ship.shoes}
  - publish: {exchange: shop, routing_key: refund}
""")
    assert (outcome.ready("matched"), outcome.ready("unmatched")) == (["m1"], ["m2"])


# Queues --------------------------------------------------------------------------------------------------------------


def test_queue_types() -> None:
    outcome = ok("queues: {a: , b: {}, c: {type: quorum}, d: {type: stream}, e: {type: classic}}")
    types = {event["queue"]: event["type"] for event in outcome.of("queue_declared")}
    assert types == {"a": "classic", "b": "classic", "c": "quorum", "d": "stream", "e": "classic"}


def test_the_type_of_a_queue_may_also_be_its_argument() -> None:
    outcome = ok("queues: {q: {arguments: {x-queue-type: quorum}}, same: {type: quorum, arguments: {x-queue-type: quorum}}}")
    assert [event["type"] for event in outcome.of("queue_declared")] == ["quorum", "quorum"]


def test_two_types_for_one_queue_are_an_error() -> None:
    problem = only("queues:\n  q: {type: quorum, arguments: {x-queue-type: stream}}\n")
    assert problem.line == 2
    assert problem.marked in ("quorum", "stream", "x-queue-type")


def test_an_auto_delete_queue_goes_with_its_last_consumer() -> None:
    outcome = ok("""
queues: {q: {auto_delete: true}}
consumers: {c: {queue: q}}
steps:
  - cancel: c
  - {get: {queue: q}, fails: 404}
expect: {queues: {q: {exists: false}}}
""")
    assert outcome.result["queues"] == {}


def test_arguments_keep_rabbitmqs_unit() -> None:
    outcome = ok("""
queues: {q: {arguments: {x-message-ttl: 1500}}}
steps:
  - publish: {routing_key: q}
""")
    assert outcome.result["clock_ms"] == 1500
    assert outcome.times("dropped") == [(1500, "m1")]


def test_an_argument_written_as_a_duration_is_not_rabbitmqs_type() -> None:
    problem = only("queues:\n  q: {arguments: {x-message-ttl: 5s}}\n")
    assert (problem.code, problem.line) == ("refused", 2)
    assert problem.marked in ("x-message-ttl", "5s")
    assert "PRECONDITION_FAILED" in problem.message


def test_the_default_queue_type_of_the_broker() -> None:
    outcome = ok("broker: {default_queue_type: quorum}\nqueues: {q: , r: {type: classic}}")
    assert [event["type"] for event in outcome.of("queue_declared")] == ["quorum", "classic"]


def test_a_limit_for_message_size() -> None:
    outcome = ok("""
broker: {max_message_size: 4}
queues: {q: }
steps:
  - publish: {routing_key: q, body: four}
  - {publish: {routing_key: q, body: fives}, fails: 406}
""")
    assert outcome.ready("q") == ["m1"]
    assert outcome.result["counts"]["failed"] == 1


def test_bodies_are_measured_in_bytes() -> None:
    ok("broker: {max_message_size: 4}\nqueues: {q: }\nsteps:\n  - {publish: {routing_key: q, body: ééé}, fails: 406}\n")


def test_the_consumer_timeout_is_a_duration() -> None:
    outcome = play("""
rabbitmq: "3.13"
broker: {consumer_timeout: 2m}
queues: {q: }
consumers: {c: {queue: q, on_message: hold}}
steps:
  - publish: {routing_key: q}
  - wait: 10m
""")
    (error,) = outcome.result["errors"]
    assert (error["code"], error["step"], error["expected"]) == (406, 1, False)
    assert "120000 ms" in error["text"]
    assert outcome.status == 1


# Bindings and policies -----------------------------------------------------------------------------------------------


def test_a_binding_key_is_empty_by_default_and_leads_to_a_queue() -> None:
    (bound,) = ok("queues: {q: }\nbindings: [{source: amq.direct, destination: q}]").of("bound")
    assert bound["binding"]["routing_key"] == ""
    assert bound["binding"]["destination_type"] == "queue"


def test_exchanges_can_be_bound_to_exchanges() -> None:
    outcome = ok("""
exchanges: {front: topic, back: fanout}
queues: {q: }
bindings:
  - {source: front, destination: back, destination_type: exchange, routing_key: "#"}
  - {source: back, destination: q}
steps:
  - publish: {exchange: front, routing_key: any.thing}
""")
    assert outcome.ready("q") == ["m1"]


def test_policies_are_lists_as_in_a_definitions_file() -> None:
    outcome = ok("""
queues: {jobs.a: , other: }
policies:
  - {name: short, pattern: "^jobs", definition: {max-length: 1}, apply-to: queues, priority: 5}
  - {name: long, pattern: "^jobs", definition: {max-length: 3}}
steps:
  - publish: {routing_key: jobs.a, count: 3}
  - publish: {routing_key: other, count: 3}
""")
    assert outcome.ready("jobs.a") == ["m3"]
    assert len(outcome.ready("other")) == 3


def test_an_operator_policy_caps_what_the_queue_asks_for() -> None:
    outcome = ok("""
queues: {jobs: {arguments: {x-max-length: 5}}}
operator_policies:
  - {name: cap, pattern: ".", definition: {max-length: 2}, apply-to: queues}
steps:
  - publish: {routing_key: jobs, count: 4}
""")
    assert outcome.ready("jobs") == ["m3", "m4"]


@pytest.mark.parametrize("missing", ["name", "pattern", "definition"])
def test_a_policy_needs_name_pattern_and_definition(missing: str) -> None:
    given = {"name": "name: p", "pattern": 'pattern: "^q"', "definition": "definition: {max-length: 1}"}
    del given[missing]
    problem = only(f"queues: {{q: }}\npolicies:\n  - {{{', '.join(given.values())}}}\n")
    assert problem.line == 3
    assert f"'{missing}'" in problem.message


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (".*", True), ("", True), ("ob", True), ("^ob", False), (r"^(amq\.|jobs).*", True), (r"^(?!jobs)", False), (r"(^|\.)jobs(\..*)?$", True), ("^JOBS", False),
        ("^jobs$|^x$", True), ("^j.{2}s$", True),
    ],
)  # fmt: skip
def test_a_policys_pattern_is_searched_in_names(pattern: str, fits: bool) -> None:
    outcome = ok(f"""
queues: {{jobs: }}
policies:
  - {{name: p, pattern: '{pattern}', definition: {{max-length: 1}}}}
steps:
  - publish: {{routing_key: jobs, count: 2}}
""")
    assert outcome.ready("jobs") == (["m2"] if fits else ["m1", "m2"])


@pytest.mark.parametrize(
    "pattern",
    [
        r"^([a-z]+\.)*[a-z]+$",
        r"\Ajobs\z",
        "[[:alpha:]]+",
        r"^\p{L}+$",
        "^j(?i)OBS",
        "^(a+)+x$",
        r"^\w++$",
        "(?<n>j)obs",
        r"jobs\K",
    ],
)
def test_a_pattern_that_rabbitmq_takes_is_not_said_to_be_refused_by_it(pattern: str) -> None:
    """RabbitMQ's patterns are PCRE. What routesim cannot search for it may refuse, but in its own name."""
    outcome = routesim(
        "run",
        "s.yaml",
        "-q",
        files={
            "s.yaml": f"queues: {{jobs: }}\npolicies:\n  - {{name: p, pattern: '{pattern}', definition: {{max-length: 1}}}}\n"
        },
    )
    assert outcome.status in (0, 2)
    assert "RabbitMQ refuses" not in outcome.err
    assert "Warning" not in outcome.err


def test_the_sections_of_the_contract_are_all_known() -> None:
    result = ok("""
name: n
description: d
rabbitmq: "4.1"
seed: 1
exchanges: {}
queues: {}
bindings: []
consumers: {}
steps: []
expect: {}
definitions: []
vhost: /
policies: []
operator_policies: []
channels: {}
broker: {}
until: idle
""").result
    assert result["ended"] == "idle"


def test_sections_may_be_left_empty() -> None:
    ok("exchanges:\nqueues:\nbindings:\nconsumers:\nsteps:\npolicies:\nchannels:\ndefinitions:\n")


@pytest.mark.parametrize("section", ["expect", "broker"])
def test_a_mapping_left_empty_is_no_riddle(section: str) -> None:
    """`expect:` with nothing under it: either nothing is meant, or the message says what belongs there."""
    outcome = routesim("run", "s.yaml", files={"s.yaml": f"queues: {{q: }}\n{section}:\n"})
    assert outcome.status in (0, 2)
    assert outcome.status == 0 or section in outcome.err


def test_steps_and_bindings_are_lists() -> None:
    for section in ("steps", "bindings", "policies"):
        problem = only(f"queues: {{q: }}\n{section}: {{a: b}}\n")
        assert (problem.line, problem.column) == (2, len(section) + 3)
        assert "list" in problem.message


def test_a_list_of_queue_names_is_told_how_to_be_written() -> None:
    problems = refused("queues: [warehouse, audit]\n")
    assert any(
        "mapping" in problem.message + problem.cure or "warehouse:" in problem.message + problem.cure for problem in problems
    )


# Expectations --------------------------------------------------------------------------------------------------------

BUSY = """
exchanges: {x: fanout}
queues: {q: {arguments: {x-max-length: 3}}, other: }
consumers:
  c: {queue: other, on_message: [{attempt: 1, do: requeue}, {message: m6, do: reject}]}
steps:
  - publish: {routing_key: q, count: 5}
  - publish: {routing_key: other, count: 2}
  - publish: {exchange: x, mandatory: true}
  - get: {queue: q, channel: reader}
"""


@pytest.mark.parametrize(
    ("expect", "holds"),
    [
        ("queues: {q: {ready: 2}}", True),
        ("queues: {q: {ready: 3}}", False),
        ('queues: {q: {ready: ">= 2"}}', True),
        ('queues: {q: {ready: "> 2"}}', False),
        ('queues: {q: {ready: "!= 2"}}', False),
        ('queues: {q: {ready: "<3"}}', True),
        ("queues: {q: {ready: [m4, m5]}}", True),
        ("queues: {q: {ready: [m5, m4]}}", False),
        ("queues: {q: {ready: []}}", False),
        ("queues: {other: {ready: []}}", True),
        ("queues: {q: {unacked: 1}}", True),
        ("queues: {q: {unacked: [m3]}}", True),
        ("queues: {q: {unacked: [m4]}}", False),
        ("queues: {q: {exists: true}}", True),
        ("queues: {q: {exists: false}}", False),
        ("consumers: {c: {delivered: 4}}", True),
        ("consumers: {c: {delivered: [m6, m6, m7, m7]}}", True),
        ("consumers: {c: {redelivered: 2}}", True),
        ("consumers: {c: {redelivered: 1}}", False),
        ("consumers: {c: {acked: 1, rejected: 1, requeued: 2}}", True),
        ("messages: {m1: {q: dropped}}", True),
        ('messages: {m1: {q: "dropped: maxlen"}}', True),
        ('messages: {m1: {q: "dropped: expired"}}', False),
        ("messages: {m3: {q: unacked}}", True),
        ("messages: {m4: {q: ready}}", True),
        ("messages: {m4: {q: acked}}", False),
        ("messages: {m4: {other: ready}}", False),
        ("messages: {m7: {other: acked}}", True),
        ('messages: {m6: {other: "dropped: rejected"}}', True),
        ("returned: [m8]", True),
        ("returned: 1", True),
        ("returned: []", False),
        ("returned: [m1]", False),
        ("lost: 3", True),
        ("lost: 2", False),
        ("ended: idle", True),
        ("ended: livelock", False),
    ],
)  # fmt: skip
def test_expectations_at_the_end(expect: str, holds: bool) -> None:
    outcomes = checked(f"{BUSY}\nexpect: {{{expect}}}\n")
    assert outcomes
    assert all(outcomes) is holds


def test_message_states_name_every_end() -> None:
    ok("""
rabbitmq: "3.10"
exchanges: {dlx: fanout}
queues:
  q: {arguments: {x-dead-letter-exchange: dlx}}
  dead:
  purged:
  deleted:
  lost:
bindings: [{source: dlx, destination: dead}]
consumers: {c: {queue: q, on_message: reject}}
steps:
  - publish: {routing_key: q}
  - publish: {routing_key: purged}
  - purge: purged
  - publish: {routing_key: deleted}
  - delete: {queue: deleted}
  - publish: {routing_key: lost, delivery_mode: 1}
  - restart: clean
expect:
  messages:
    m1: {q: dead-lettered, dead: ready}
    m2: {purged: purged}
    m3: {deleted: deleted}
    m4: {lost: lost}
""")


def test_the_state_of_the_newest_copy_counts() -> None:
    """A retry that comes round through a dead-letter exchange: the copy that came back is the one that is asked for."""
    ok("""
queues:
  work: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: pause}}
  pause: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: work, x-message-ttl: 100}}
consumers: {c: {queue: work, on_message: [{attempt: 1, do: reject}]}}
steps:
  - publish: {routing_key: work}
expect:
  messages: {m1: {work: acked, pause: "dead-lettered: expired"}}
  consumers: {c: {delivered: [m1, m1], redelivered: 0}}
""")


@pytest.mark.parametrize(
    ("expect", "marked"),
    [
        ("queues: {q: {ready: many}}", "many"),
        ("queues: {q: {redy: 1}}", "redy"),
        ("queues: {qq: {ready: 1}}", "qq"),
        ("queues: {q: {ready: [m99]}}", "m99"),
        ("queues: {q: {ready: -1}}", "-1"),
        ("queues: {q: {ready: 1.5}}", "1.5"),
        ('queues: {q: {ready: "=> 2"}}', '"=> 2"'),
        ("consumers: {d: {acked: 1}}", "d"),
        ("messages: {m99: {q: ready}}", "m99"),
        ("messages: {m1: {q: redy}}", "redy"),
        ("messages: {m1: {qq: ready}}", "qq"),
        ("ended: idel", "idel"),
        ("lost: [m1]", "["),
        ("retruned: []", "retruned"),
    ],
)
def test_expectations_that_cannot_be_understood(expect: str, marked: str) -> None:
    problem = only(f"{BUSY}\nexpect: {{{expect}}}\n")
    assert problem.line == BUSY.count("\n") + 2
    assert problem.marked == marked

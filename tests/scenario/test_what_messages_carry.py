"""What a delivered message carries in its headers: conditions of rules, and expectations of what is ready in a queue."""

from pathlib import Path

import pytest
from kits.broker import before, since
from kits.live import held
from kits.scenario import checked, ok, only, play, refused

from routesim.carried import MISSING, Deaths, died, value_at
from routesim.run.on_rabbitmq.rehearsal import rehearsed
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import load
from routesim.values import Typed

# Rejected in `work` again and again, kept in `wait` meanwhile; `k` comes back to a quorum queue.
ROUND_AND_ROUND = """
rabbitmq: "{version}"
queues:
  work: {{arguments: {{x-dead-letter-exchange: "", x-dead-letter-routing-key: wait}}}}
  wait: {{arguments: {{x-message-ttl: 1000, x-dead-letter-exchange: "", x-dead-letter-routing-key: work}}}}
  counted: {{type: quorum}}
  parked:
consumers:
  w:
    queue: work
    on_message:
      - {{{condition}, publish: {{routing_key: parked, headers: copy, id: parked}}}}
      - do: reject
  c:
    queue: counted
    on_message:
      - {{{condition}, do: hold}}
      - do: crash
        restart: 0
steps:
  - publish: {{routing_key: {queue}, id: m, headers: {{tries: 2, meta: {{tenant: acme, list: [a, b]}}, a.b: dotted}}}}
"""
FOUR_ROUNDS = [
    ('deaths: ">= 6"', 4),  # three rejected, three expired
    ("deaths: 2", 2),
    ('deaths: {queue: work, count: ">= 3"}', 4),
    ('deaths: {queue: wait, count: "> 2"}', 4),
    ("deaths: {reason: rejected, count: 1}", 2),
    ("deaths: {queue: work, reason: expired}", None),
    ("deaths: {queue: work}", 2),
    ('deaths: [{queue: work, count: ">= 2"}, {reason: expired, count: ">= 3"}]', 4),
    ("deaths: 0", 1),
    ("has_header: x-death", 2),
    ("has_header: [x-death, tries]", 2),
    ("has_header: [nope, tries]", None),
    ('header: {x-death.0.count: ">= 2"}', 3),
    ("header: {x-death.0.queue: wait}", 2),
    ("header: {x-death.1.reason: rejected}", 2),
    ("header: {x-death.2.queue: work}", None),
    ('header: {tries: "> 1"}', 1),
    ("header: {tries: 2}", 1),
    ('header: {tries: "2"}', None),  # text
    ("header: {meta.tenant: acme}", 1),
    ("header: {meta.list.1: b, a.b: dotted}", 1),
    ('header: {meta.tenant: ">= 1"}', None),  # no number
    ("delivery_count: 0", 1),
    ("delivery_count: 1", None),  # a classic queue counts none
]


@pytest.mark.parametrize(("condition", "delivery"), FOUR_ROUNDS)
@pytest.mark.parametrize("version", ["3.10", "4.0", "4.3"])
def test_a_rule_asks_for_x_death_and_for_headers_inside_headers(version: str, condition: str, delivery: int | None) -> None:
    """At which delivery the rule fits for the first time; None: never, for all the time that was looked."""
    text = ROUND_AND_ROUND.format(version=version, condition=condition, queue="work")
    outcome = play(f"{text}until: 10s\n")
    answers = [answer for _, answer in outcome.answers("w")]
    assert answers == (["reject"] * 11 if delivery is None else ["reject"] * (delivery - 1) + ["ack"])


@pytest.mark.parametrize("version", ["3.10", "4.0", "4.3"])
def test_a_rule_asks_for_the_delivery_count_of_a_quorum_queue(version: str) -> None:
    outcome = play(ROUND_AND_ROUND.format(version=version, condition="delivery_count: 2", queue="counted"))
    assert outcome.answers("c") == [("m", "crash"), ("m", "crash"), ("m", None)]
    whole = play(ROUND_AND_ROUND.format(version=version, condition="headers: {x-delivery-count: {long: 2}}", queue="counted"))
    assert whole.answers("c") == outcome.answers("c"), "the headers as the consumer is sent them"


def test_a_rule_asks_for_the_acquired_count() -> None:
    """From 4.3 on; it is one less than the deliveries, whatever was answered."""
    text = ROUND_AND_ROUND.format(version="4.3", condition="acquired_count: 2", queue="counted")
    assert [answer for _, answer in play(text.replace("do: crash\n        restart: 0", "do: requeue")).answers("c")] == [
        "requeue", "requeue", None,
    ]  # fmt: skip


def test_a_tasks_runs_ask_for_them_too() -> None:
    outcome = ok("""
queues: {q: {type: quorum}}
tasks: {t: {acks: late, ends: requeue, runs: [{delivery_count: ">= 2", ends: success}]}}
workers: {w: {queues: q}}
steps: [{publish: {routing_key: q, headers: {task: t, id: a}}}]
expect: {tasks: {a: {runs: 3, state: SUCCESS}}}
""")
    assert outcome.status == 0


# Expectations ------------------------------------------------------------------------------------------------------------

READY = """
rabbitmq: "4.0"
queues:
  work: {arguments: {x-dead-letter-exchange: "", x-dead-letter-routing-key: parked}}
  parked:
  counted: {type: quorum}
consumers: {w: {queue: work, on_message: reject}}
steps:
  - publish: {routing_key: work, id: m, headers: {kind: a, meta: {tenant: acme}}}
  - publish: {routing_key: counted, id: k}
  - get: {queue: counted, channel: c}
  - reject: {channel: c, message: k}
"""


@pytest.mark.parametrize(
    ("queue", "message", "wanted", "held"),
    [
        ("parked", "m", "deaths: 1", True),
        ("parked", "m", "deaths: 2", False),
        ("parked", "m", "deaths: {queue: work, reason: rejected, count: 1}", True),
        ("parked", "m", "deaths: {reason: expired}", False),
        ("parked", "m", "headers: {kind: a}", True),
        ("parked", "m", "headers: {kind: b}", False),
        ("parked", "m", "headers: {meta: {tenant: acme}}", True),
        ("parked", "m", "headers: {nope: a}", False),
        ("parked", "m", "header: {meta.tenant: acme}", True),
        ("parked", "m", 'header: {x-death.0.count: ">= 1"}', True),
        ("parked", "m", "header: {x-death.0.queue: parked}", False),
        ("parked", "m", "has_header: x-first-death-queue", True),
        ("parked", "m", "has_header: nope", False),
        ("counted", "k", "redelivered: true", True),
        ("counted", "k", "redelivered: false", False),
        ("counted", "k", "delivery_count: 1", True),
        ("counted", "k", 'delivery_count: "> 1"', False),
        ("counted", "k", "acquired_count: 0", True),  # 4.0 has no such header
        ("counted", "m", "deaths: 0", False),  # not there
    ],
)
def test_what_is_ready_carries_what_is_expected(queue: str, message: str, wanted: str, held: bool) -> None:
    expectation = f"{{queues: {{{queue}: {{messages: {{{message}: {{{wanted}}}}}}}}}}}"
    assert checked(f"{READY}  - expect: {expectation}\nexpect: {expectation}\n") == [held, held]


def test_each_thing_that_a_message_carries_is_an_expectation_of_its_own() -> None:
    outcome = play(f"""{READY}
expect:
  queues:
    parked:
      messages:
        m: {{deaths: [1, {{queue: work, reason: rejected}}], headers: {{kind: a}}, header: {{meta.tenant: b}}, has_header: nope, redelivered: false}}
        k: {{deaths: 0}}
""")
    assert [
        (item["text"].removeprefix("queues.parked.messages."), item["actual"]) for item in outcome.result["expectations"]
    ] == [
        ("m.deaths is 1", 1),
        ("m.deaths in work (rejected) is >= 1", 1),
        ("m.headers.kind is a", "a"),
        ("m.header.meta.tenant is b", "acme"),
        ("m.has_header.nope is true", False),
        ("m.redelivered is false", False),
        ("k.deaths is 0", "not ready"),
    ]


@pytest.mark.parametrize(
    ("wanted", "marked", "says"),
    [
        ("deaths: often", "often", "a whole number"),
        ("deaths: {reason: expiry}", "expiry", "expired"),
        ("deaths: {queu: work}", "queu", "queue"),
        ("deaths: {queue: wrk}", "wrk", "work"),
        ("deaths: [1, {queue: wrk}]", "wrk", "work"),
        ("delivery_count: many", "many", "a whole number"),
        ("header: [x-death]", "[", "a mapping"),
        ("header: {x-death.0.count: yes}", "yes", "true"),
        ("has_header: {a: 1}", "{", "a key"),
    ],
)
@pytest.mark.parametrize("form", ["rule", "expectation"])
def test_what_is_asked_of_headers_and_cannot_be_understood(form: str, wanted: str, marked: str, says: str) -> None:
    if form == "rule":
        problem = only(f"queues: {{work: }}\nconsumers:\n  c:\n    queue: work\n    on_message: [{{{wanted}}}]\n")
    else:
        problem = only(
            f"queues: {{work: }}\nsteps: [publish: {{routing_key: work, id: m}}]\nexpect: {{queues: {{work: {{messages: {{m: {{{wanted}}}}}}}}}}}\n"
        )
    assert problem.marked.startswith(marked)
    assert says in problem.message + problem.cure


def test_a_ready_message_that_nothing_publishes_is_no_message() -> None:
    problem = refused(
        "queues: {q: }\nsteps: [publish: {routing_key: q, id: order}]\nexpect: {queues: {q: {messages: {ordr: {deaths: 1}}}}}\n"
    )
    assert [(item.marked, item.code) for item in problem] == [("ordr", "unknown-message")]


# Counts as they are read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "count"),
    [
        ({}, 0),
        ({"x-death": "text"}, 0),
        ({"x-death": ["text", {"queue": "q"}]}, 1),
        ({"x-death": [{"queue": "q", "count": Typed("long", 3)}, {"queue": "r", "count": 2}]}, 5),
        ({"x-death": [{"queue": "q", "count": "many"}]}, 0),
    ],
)
def test_deaths_are_the_counts_of_x_death_whoever_wrote_it(headers: dict[str, object], count: int) -> None:
    assert died(headers, Deaths()) == count


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", 1),
        ("a.b.c", 2),
        ("a.c", 3),
        ("l.1.x", 4),
        ("l.2", MISSING),
        ("l.x", MISSING),
        ("a", MISSING),
        ("", MISSING),
        ("a.", MISSING),
    ],
)
def test_a_path_goes_through_names_with_dots_tables_and_lists(path: str, value: object) -> None:
    headers = {"a.b": 1, "a.b.c": 2, "l": [0, {"x": 4}]}
    assert value_at({**headers, "a": {"c": 3}} if path == "a.c" else headers, path) == value


# What a client republishes ----------------------------------------------------------------------------------------------

REPUBLISHED = """
rabbitmq: "{version}"
queues:
  work: {{arguments: {{x-dead-letter-exchange: "", x-dead-letter-routing-key: failed{ttl}}}}}
  failed:
  parked:
consumers:
{consumer}
  again:
    queue: failed
    on_message:
      - {{round: "< 4", publish: {{routing_key: work, headers: copy}}}}
      - publish: {{routing_key: parked, headers: copy, id: parked}}
steps: [publish: {{routing_key: work, id: m}}]
expect:
  queues: {{parked: {{messages: {{parked-1: {{deaths: {{queue: work, reason: {reason}, count: {count}}}}}}}}}}}
"""


def republished(version: str, reason: str, count: int) -> str:
    consumer = "  no: {queue: work, on_message: reject}" if reason == "rejected" else ""
    ttl = ", x-message-ttl: 100" if reason == "expired" else ""
    return REPUBLISHED.format(version=version, reason=reason, count=count, consumer=consumer, ttl=ttl)


@pytest.mark.parametrize("reason", ["rejected", "expired"])
@pytest.mark.parametrize("version", [*before("4.0"), *since("4.0")])
def test_deaths_of_what_a_client_republishes_with_its_headers(version: str, reason: str) -> None:
    """Until 3.13 the broker counts on in an x-death that comes from a client; from 4.0 on it is a new message (rules/routing#D14)."""
    count = 4 if version in before("4.0") else 1
    assert ok(republished(version, reason, count)).status == 0


@pytest.mark.parametrize("reason", ["rejected", "expired"])
def test_a_real_broker_counts_deaths_of_what_a_client_republishes_as_simulated(
    session: BrokerSession, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "republished.yaml"
    file.write_text(republished(session.profile, reason, 4 if session.version.startswith("3.") else 1))
    scenario = load(str(file))
    held(session, scenario)
    for _ in range(3):  # a machine that is too slow looks before the last message has come
        result = session.run(scenario, None, plan=rehearsed(scenario)[1], speed=1)
        if result.ok:
            return
    pytest.fail(str(result.expectations))

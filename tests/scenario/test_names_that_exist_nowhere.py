"""Names that nothing declares: an error where RabbitMQ would answer 404, a warning where they are almost right."""

import json

import pytest
from kits.scenario import Problem, ok, only, play, refused, routesim, warned

TOPOLOGY = """exchanges: {shop: topic, shop.dlx: fanout}
queues: {warehouse: , audit: }
"""
FIRST = TOPOLOGY.count("\n") + 1


def of_step(step: str) -> Problem:
    return only(f"{TOPOLOGY}steps:\n  - {step}\n")


@pytest.mark.parametrize(
    ("step", "marked", "nearest"),
    [
        ("publish: {exchange: shpo}", "shpo", "shop"),
        ("publish: {exchange: amq.topi}", "amq.topi", "amq.topic"),
        ("get: {queue: warehous}", "warehous", "warehouse"),
        ("purge: adit", "adit", "audit"),
        ("bind: {source: shpo, destination: audit}", "shpo", "shop"),
        ("bind: {source: shop, destination: adit}", "adit", "audit"),
        ("bind: {source: shop, destination: shop.dxl, destination_type: exchange}", "shop.dxl", "shop.dlx"),
        ("declare: {bindings: [{source: shpo, destination: audit}]}", "shpo", "shop"),
        ("declare: {consumers: {c: {queue: adit}}}", "adit", "audit"),
    ],
)
def test_where_rabbitmq_would_answer_404_the_nearest_name_is_given(step: str, marked: str, nearest: str) -> None:
    problem = of_step(step)
    assert (problem.severity, problem.line, problem.marked) == ("error", FIRST + 1, marked)
    assert f"'{marked}'" in problem.message
    assert nearest in problem.cure


@pytest.mark.parametrize(
    ("section", "marked", "nearest"),
    [
        ("bindings: [{source: shpo, destination: audit}]", "shpo", "shop"),
        ("bindings: [{source: shop, destination: adit}]", "adit", "audit"),
        ("consumers: {c: {queue: warehose}}", "warehose", "warehouse"),
        ("expect: {queues: {warehose: {ready: 0}}}", "warehose", "warehouse"),
    ],
)
def test_at_the_top_level_too(section: str, marked: str, nearest: str) -> None:
    problem = only(TOPOLOGY + section)
    assert (problem.line, problem.marked) == (FIRST, marked)
    assert nearest in problem.cure


def test_a_name_unlike_all_others_gets_no_silly_suggestion() -> None:
    problem = of_step("purge: zzz")
    assert "did you mean" not in problem.cure


@pytest.mark.parametrize(
    "section",
    ["bindings: [{source: zzz, destination: audit}]", "consumers: {c: {queue: zzz}}", "expect: {queues: {zzz: {ready: 0}}}"],
)
def test_the_cure_can_be_followed(section: str) -> None:
    """`fails: 404` belongs to steps; a binding at the top, a consumer or an expectation cannot have it."""
    assert "fails" not in only(TOPOLOGY + section).cure


@pytest.mark.parametrize(
    "step", ["publish: {exchange: zzz}", "get: {queue: zzz}", "purge: zzz", "bind: {source: zzz, destination: audit}"]
)
def test_in_a_step_fails_404_is_the_other_cure(step: str) -> None:
    assert "fails: 404" in of_step(step).cure


@pytest.mark.parametrize(
    "step",
    [
        "publish: {exchange: shpo}",
        "get: {queue: warehous}",
        "purge: adit",
        "bind: {source: shpo, destination: audit}",
        "bind: {source: shop, destination: adit}",
        "declare: {bindings: [{source: shpo, destination: audit}]}",
        "declare: {consumers: {c: {queue: adit}}}",
    ],
)
def test_with_fails_the_step_runs(step: str) -> None:
    outcome = ok(f"{TOPOLOGY}steps:\n  - {{{step}, fails: 404}}\n")
    (error,) = outcome.result["errors"]
    assert (error["code"], error["expected"], error["step"]) == (404, True, 0)


def test_a_consume_step_that_is_to_fail_runs_whatever_the_queue_of_its_consumer() -> None:
    outcome = ok("queues: {q: }\nconsumers: {c: {queue: gone, start: false}}\nsteps:\n  - {consume: c, fails: 404}\n")
    assert outcome.result["errors"][0]["code"] == 404


def test_a_name_that_a_later_step_declares_exists() -> None:
    outcome = play(f"""{TOPOLOGY}steps:
  - publish: {{exchange: later}}
  - declare: {{exchanges: {{later: fanout}}, queues: {{late: }}}}
  - bind: {{source: later, destination: late}}
  - publish: {{exchange: later}}
""")
    assert (outcome.status, outcome.err) == (1, "")
    assert [error["code"] for error in outcome.result["errors"]] == [404]
    assert outcome.ready("late") == ["m2"]


def test_a_name_that_only_a_failing_declare_brings_exists_too() -> None:
    outcome = play(f"""{TOPOLOGY}steps:
  - {{declare: {{queues: {{bad: {{arguments: {{x-max-length: -1}}}}}}}}, fails: 406}}
  - {{get: {{queue: bad}}, fails: 404}}
""")
    assert (outcome.status, outcome.err) == (0, "")


# What may name nothing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "queues: {q: {arguments: {x-dead-letter-exchange: nowhere.at.all}}}",
        "exchanges: {x: {arguments: {alternate-exchange: nowhere.at.all}}}",
        "queues: {q: }\nsteps: [{publish: {routing_key: nowhere.at.all}}]",
        "queues: {q: }\nsteps: [{unbind: {source: nowhere.at.all, destination: q}}]",
        "queues: {q: }\nsteps: [{unbind: {source: amq.direct, destination: nowhere.at.all}}]",
        "queues: {q: }\nsteps: [{delete: {queue: nowhere.at.all}}]",
        "queues: {q: }\nsteps: [{delete: {exchange: nowhere.at.all}}]",
        "queues: {q: }\npolicies: [{name: p, pattern: q, definition: {dead-letter-exchange: nowhere.at.all}}]",
    ],
)
def test_names_that_may_lead_nowhere(text: str) -> None:
    ok(text)


def test_deleting_a_policy_that_does_not_exist_is_no_error_of_the_scenario() -> None:
    """`delete` may name what does not exist; what RabbitMQ answers is the run's to tell."""
    outcome = play("queues: {q: }\nsteps:\n  - delete: {policy: nowhere.at.all}\n")
    assert outcome.status in (0, 1)


NEAR = {
    "dead-letter exchange": (
        "exchanges: {shop.dlx: fanout}\nqueues:\n  q: {arguments: {x-dead-letter-exchange: shop.dxl}}\n", 3, "shop.dxl", "shop.dlx",
    ),
    "alternate exchange": (
        "exchanges:\n  rest: fanout\n  shop: {arguments: {alternate-exchange: rets}}\n", 3, "rets", "rest",
    ),
    "default-exchange key": ("queues: {warehouse: }\nsteps:\n  - publish: {routing_key: warehose}\n", 3, "warehose", "warehouse"),
    "delete of a queue": ("queues: {warehouse: }\nsteps:\n  - delete: {queue: warehose}\n", 3, "warehose", "warehouse"),
    "delete of an exchange": ("exchanges: {shop: topic}\nsteps:\n  - delete: {exchange: shpo}\n", 2 + 1, "shpo", "shop"),
    "unbind, source": (
        "exchanges: {shop: topic}\nqueues: {audit: }\nsteps:\n  - unbind: {source: shpo, destination: audit}\n", 4, "shpo", "shop",
    ),
    "unbind, destination": (
        "exchanges: {shop: topic}\nqueues: {audit: }\nsteps:\n  - unbind: {source: shop, destination: adit}\n", 4, "adit", "audit",
    ),
    "dead-letter exchange of a policy": (
        "exchanges: {shop.dlx: fanout}\nqueues: {q: }\npolicies:\n  - {name: p, pattern: q, definition: {dead-letter-exchange: shop.dxl}}\n",
        4, "shop.dxl", "shop.dlx",
    ),
    "dead-letter exchange in a step": (
        "exchanges: {shop.dlx: fanout}\nsteps:\n  - declare: {queues: {q: {arguments: {x-dead-letter-exchange: shop.dxl}}}}\n",
        3, "shop.dxl", "shop.dlx",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NEAR)
def test_a_near_miss_gets_a_warning_and_changes_no_status(case: str) -> None:
    text, line, marked, nearest = NEAR[case]
    (problem,) = warned(text)
    assert (problem.severity, problem.line, problem.marked) == ("warning", line, marked)
    assert f"'{marked}'" in problem.message
    assert nearest in problem.cure


def test_with_fails_there_is_no_warning_either() -> None:
    outcome = play("exchanges: {shop: topic}\nqueues: {warehouse: }\nsteps:\n  - {delete: {queue: warehose}, fails: 404}\n")
    assert outcome.err == ""


def test_an_argument_that_nothing_reads_gets_a_warning() -> None:
    (problem,) = warned("queues:\n  q: {arguments: {x-mesage-ttl: 5000}}\n")
    assert (problem.line, problem.marked) == (2, "x-mesage-ttl")
    assert "x-message-ttl" in problem.cure


def test_an_argument_of_ones_own_gets_none() -> None:
    ok("queues: {q: {arguments: {x-owner: me, team: shoes}}}")


def test_warnings_come_before_errors_are_counted_and_do_not_count_as_errors() -> None:
    problems = refused("queues:\n  q: {arguments: {x-mesage-ttl: 5000}}\n  r: {typ: quorum}\n")
    assert [problem.severity for problem in problems] == ["warning", "error"]


def test_warnings_are_on_stderr_in_every_format() -> None:
    text = "queues:\n  q: {arguments: {x-mesage-ttl: 5000}}\n"
    for options in (["-f", "json"], ["-f", "ndjson"], ["-f", "plain"], ["-f", "table"]):
        outcome = routesim("run", "s.yaml", *options, files={"s.yaml": text})
        assert outcome.status == 0
        assert "x-mesage-ttl" in outcome.err
        assert "unknown-argument" not in outcome.out


# Values: at load for the top level, at run time for steps ------------------------------------------------------------

BAD_VALUES = {
    "exchange type": ("exchanges: {x: tpoic}", "tpoic"),
    "queue type": ("queues: {q: {type: qourum}}", "qourum"),
    "negative length": ("queues: {q: {arguments: {x-max-length: -1}}}", "x-max-length"),
    "text for a number": ('queues: {q: {arguments: {x-message-ttl: "5000"}}}', "x-message-ttl"),
    "dead-letter key without exchange": ("queues: {q: {arguments: {x-dead-letter-routing-key: k}}}", "x-dead-letter-routing-key"),
    "unknown overflow": ("queues: {q: {arguments: {x-overflow: drop-tail}}}", "x-overflow"),
    "too many priorities": ("queues: {q: {arguments: {x-max-priority: 300}}}", "x-max-priority"),
    "quorum not durable": ("queues: {q: {type: quorum, durable: false}}", None),
    "reserved name": ("queues: {amq.mine: }", "amq.mine"),
    "reserved exchange": ("exchanges: {amq.mine: fanout}", "amq.mine"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_values_are_checked_at_load_at_the_top_level(case: str) -> None:
    text, marked = BAD_VALUES[case]
    problem = only(text)
    assert problem.code == "refused"
    assert problem.line == 1
    if marked is not None:
        assert marked in (problem.marked, "amq.mine")


@pytest.mark.parametrize("case", BAD_VALUES)
def test_in_a_step_the_same_values_are_rabbitmqs_to_refuse(case: str) -> None:
    text, _ = BAD_VALUES[case]
    outcome = play(f"queues: {{other: }}\nsteps:\n  - declare: {{{text}}}\n")
    assert outcome.status == 1
    (error,) = outcome.result["errors"]
    assert error["code"] in (403, 406, 503)
    assert error["step"] == 0
    assert outcome.of("channel_closed", "connection_closed")


@pytest.mark.parametrize("case", BAD_VALUES)
def test_and_with_fails_they_are_expected(case: str) -> None:
    text, _ = BAD_VALUES[case]
    code = play(f"queues: {{other: }}\nsteps:\n  - declare: {{{text}}}\n").result["errors"][0]["code"]
    ok(f"queues: {{other: }}\nsteps:\n  - {{declare: {{{text}}}, fails: {code}}}\n")


def test_redeclaring_what_exists_is_compared_and_not_validated() -> None:
    """An equal declaration passes; one that differs is 406 for the first difference, whatever else is wrong with it."""
    outcome = ok("""
queues: {q: {arguments: {x-max-length: 5}}}
steps:
  - declare: {queues: {q: {arguments: {x-max-length: 5}}}}
  - {declare: {queues: {q: {arguments: {x-max-length: 6}}}}, fails: 406}
  - {declare: {queues: {q: }}, fails: 406}
  - {declare: {queues: {q: {durable: false, arguments: {x-max-length: 5}}}}, fails: 406}
  - {declare: {exchanges: {amq.topic: fanout}}, fails: 406}
""")
    assert "inequivalent arg 'x-max-length'" in outcome.result["errors"][0]["text"]


def test_what_amqp_cannot_carry_is_status_2_in_a_step_too() -> None:
    for fields in ("{queues: {q: {durable: maybe}}}", "{queues: {q: {arguments: [a]}}}", f"{{queues: {{{'x' * 256}: }}}}"):
        problem = only(f"queues: {{other: }}\nsteps:\n  - {{declare: {fields}, fails: 406}}\n")
        assert problem.line == 3


def test_the_same_top_level_name_twice() -> None:
    problem = only("queues:\n  q:\n  r:\n  q: {type: quorum}\n")
    assert (problem.code, problem.line, problem.column, problem.marked) == ("duplicate-key", 4, 3, "q")
    assert "line 2" in problem.cure


@pytest.mark.parametrize("name", ["amq.rabbitmq.reply-to", "amq.rabbitmq.reply-to.abc"])
def test_nothing_is_bound_to_an_address_of_replies(name: str) -> None:
    """rules/routing#B3: consumed without being a queue, and so known as one to consumers alone."""
    problem = only(f"{TOPOLOGY}bindings: [{{source: shop, destination: {name}}}]\n")
    assert (problem.code, problem.marked) == ("unknown-queue", name)
    assert "reply_to" in problem.cure
    definitions = json.dumps({
        "vhosts": [{"name": "/"}],
        "exchanges": [{"name": "x", "vhost": "/", "type": "fanout", "durable": True, "auto_delete": False, "arguments": {}}],
        "bindings": [{
            "source": "x", "vhost": "/", "destination": name, "destination_type": "queue", "routing_key": "", "arguments": {},
        }],
    })  # fmt: skip
    problem = only("definitions: d.json\n", files={"d.json": definitions})
    assert (problem.code, problem.file) == ("definitions-binding", "d.json")

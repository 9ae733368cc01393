"""The names of messages: m1, m2 … in order of the file, ids of one's own, and what consumers publish."""

import pytest
from kits.scenario import ok, only, play, refused, routesim


def published(steps: str) -> list[str]:
    outcome = ok(f"queues: {{q: , r: }}\nsteps:\n{steps}")
    return [event["message"] for event in outcome.of("published")]


def test_messages_are_counted_in_order_of_the_file() -> None:
    assert published("""
  - publish: {routing_key: q}
  - wait: 1s
  - publish: {routing_key: q}
  - publish:
""") == ["m1", "m2", "m3"]


def test_those_with_an_id_are_counted_too() -> None:
    assert published("""
  - publish: {routing_key: q}
  - publish: {routing_key: q, id: mine}
  - publish: {routing_key: q}
""") == ["m1", "mine", "m3"]


def test_a_count_takes_so_many() -> None:
    assert published("""
  - publish: {routing_key: q, count: 3}
  - publish: {routing_key: q}
""") == ["m1", "m2", "m3", "m4"]


def test_a_count_with_an_id_numbers_from_1_and_takes_so_many() -> None:
    assert published("""
  - publish: {routing_key: q, id: a, count: 3}
  - publish: {routing_key: q}
""") == ["a-1", "a-2", "a-3", "m4"]


def test_a_count_of_one_with_an_id_is_that_id() -> None:
    assert published("  - publish: {routing_key: q, id: a, count: 1}\n") in (["a"], ["a-1"])


def test_numbers_do_not_depend_on_when_a_scheduled_publish_happens() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - publish: {routing_key: q, count: 3, every: 1s}
  - publish: {routing_key: q}
""")
    assert outcome.times("published") == [(0, "m1"), (0, "m4"), (1000, "m2"), (2000, "m3")]


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "many", "1e3", "[]", "99999999999999999999"])
def test_a_count_is_a_positive_whole_number(count: str) -> None:
    problem = only(f"queues: {{q: }}\nsteps:\n  - publish: {{routing_key: q, count: {count}}}\n")
    assert (problem.line, problem.column) == (3, 38)


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ("  - publish: {routing_key: q, id: a}\n  - publish: {routing_key: r, id: a}\n", 4),
        ("  - publish: {routing_key: q}\n  - publish: {routing_key: r, id: m1}\n", 4),
        ("  - publish: {routing_key: q, id: m2}\n  - publish: {routing_key: r}\n", 4),
        ("  - publish: {routing_key: q, id: a, count: 2}\n  - publish: {routing_key: r, id: a-2}\n", 4),
        ("  - publish: {routing_key: q, id: a-2}\n  - publish: {routing_key: r, id: a, count: 2}\n", 4),
        ("  - publish: {routing_key: q, id: a, count: 2}\n  - publish: {routing_key: r, id: a, count: 2}\n", 4),
        ("  - publish: {routing_key: q, id: m5}\n  - publish: {routing_key: q, count: 9}\n", 4),
        ("  - publish: {routing_key: q, id: m, count: 3}\n  - publish: {routing_key: q, id: m-3}\n", 4),
    ],
)
def test_two_messages_of_one_id_are_an_error(steps: str, line: int) -> None:
    problem = only(f"queues: {{q: , r: }}\nsteps:\n{steps}")
    assert (problem.code, problem.line) == ("duplicate-id", line)
    assert problem.cure


def test_ids_that_only_look_alike_are_different() -> None:
    assert published("""
  - publish: {routing_key: q, id: m01}
  - publish: {routing_key: q, id: M2}
  - publish: {routing_key: q, id: m-3}
  - publish: {routing_key: q, id: "m4 "}
  - publish: {routing_key: q}
""") == ["m01", "M2", "m-3", "m4 ", "m5"]


def test_ids_are_checked_in_time_however_many_there_are() -> None:
    steps = "".join("  - publish: {routing_key: q}\n" for _ in range(12_000))
    outcome = ok(f"queues: {{q: }}\nsteps:\n{steps}", limit_s=5)
    assert outcome.result["counts"]["published"] == 12_000


# What consumers publish ------------------------------------------------------------------------------------------------


def test_what_a_consumer_publishes_has_its_name_and_a_number() -> None:
    outcome = ok("""
queues: {q: , r: }
consumers: {packer: {queue: q, on_message: [{publish: {routing_key: r}}]}}
steps:
  - publish: {routing_key: q, count: 3}
expect:
  queues: {r: {ready: [packer-1, packer-2, packer-3]}}
  messages: {packer-2: {r: ready}}
""")
    assert outcome.result["messages"]["packer-1"]["routing_key"] == "r"


def test_with_an_id_it_is_that_and_a_number() -> None:
    ok("""
queues: {q: , r: }
consumers:
  packer: {queue: q, on_message: [{message: m2, publish: {routing_key: r, id: bill}}, {publish: {routing_key: r}}]}
steps:
  - publish: {routing_key: q, count: 3}
expect: {queues: {r: {ready: [packer-1, bill-1, packer-2]}}}
""")


def test_numbers_go_on_over_several_messages_and_rules() -> None:
    ok("""
queues: {q: , r: }
consumers:
  c:
    queue: q
    on_message:
      - {message: m1, publish: [{routing_key: r, id: x}, {routing_key: r, id: x}, {routing_key: r, count: 2}]}
      - {publish: {routing_key: r, id: x}}
steps:
  - publish: {routing_key: q, count: 2}
expect: {queues: {r: {ready: [x-1, x-2, c-1, c-2, x-3]}}}
""")


def test_two_consumers_with_one_id_do_not_publish_two_messages_of_one_name() -> None:
    """Two messages of one id are an error, or they are numbered on; they are never two under one name."""
    outcome = routesim("run", "s.yaml", "-f", "json", files={"s.yaml": """
exchanges: {f: fanout}
queues: {q: , p: , r: }
bindings: [{source: f, destination: q}, {source: f, destination: p}]
consumers:
  c: {queue: q, on_message: [{publish: {routing_key: r, id: x}}]}
  d: {queue: p, on_message: [{publish: {routing_key: r, id: x}}]}
steps:
  - publish: {exchange: f}
"""})  # fmt: skip
    if outcome.status != 2:
        names = [event["message"] for event in outcome.of("published")]
        assert len(set(names)) == len(names)


def test_an_id_in_a_rule_that_is_another_consumers_name() -> None:
    outcome = routesim("run", "s.yaml", "-f", "json", files={"s.yaml": """
exchanges: {f: fanout}
queues: {q: , p: , r: }
bindings: [{source: f, destination: q}, {source: f, destination: p}]
consumers:
  c: {queue: q, on_message: [{publish: {routing_key: r}}]}
  d: {queue: p, on_message: [{publish: {routing_key: r, id: c}}]}
steps:
  - publish: {exchange: f}
"""})  # fmt: skip
    if outcome.status != 2:
        names = [event["message"] for event in outcome.of("published")]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("publish", ["{routing_key: q, id: c-1}", "{routing_key: q, id: c, count: 2}"])
def test_an_id_that_a_consumer_will_use_is_taken(publish: str) -> None:
    problems = refused(f"""queues: {{q: , r: }}
consumers: {{c: {{queue: q, on_message: [{{publish: {{routing_key: r}}}}]}}}}
steps:
  - publish: {publish}
""")
    assert [(problem.code, problem.line) for problem in problems] == [("duplicate-id", 4)]


def test_every_message_of_the_result_was_published_once() -> None:
    outcome = play("""
queues: {q: , r: }
consumers: {c: {queue: q, on_message: [{publish: {routing_key: r}}]}}
steps:
  - publish: {routing_key: q, count: 4, every: 10ms}
  - publish: {routing_key: r, id: z, count: 2}
""")
    assert len(outcome.result["messages"]) == outcome.result["counts"]["published"] == 10


def test_an_expectation_about_a_message_that_nobody_publishes() -> None:
    problem = only("queues: {q: }\nsteps:\n  - publish: {routing_key: q, id: boots}\nexpect: {messages: {bots: {q: ready}}}\n")
    assert (problem.line, problem.marked) == (4, "bots")
    assert "boots" in problem.cure

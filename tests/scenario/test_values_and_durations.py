"""Scalars: durations, AMQP's types, and names that are taken from the text as it stands."""

from typing import Any

import pytest
from kits.scenario import ok, only, play, refused, routesim

from routesim.scenario.load import load_source
from routesim.scenario.yaml.source import Source
from routesim.values import raw, wire_type

# Durations -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("1d", 86_400_000), ("0", 0), ("1ms", 1), ("1500ms", 1500),
        ("0ms", 0), ('"5s"', 5_000), ("0s", 0), ("90m", 5_400_000),
    ],
)  # fmt: skip
def test_durations(text: str, ms: int) -> None:
    assert ok(f"queues: {{q: }}\nsteps:\n  - wait: {text}\n").result["clock_ms"] == ms


@pytest.mark.parametrize(
    "text", ["5 s", "5S", "5sec", "-5s", "s", "ms", "1h30m", "five", "[5s]", "{s: 5}", "0.5ms", "1e3", "", "~", "0x10"]
)
def test_what_is_no_duration(text: str) -> None:
    problem = only(f"queues: {{q: }}\nsteps:\n  - wait: {text}\n")
    assert problem.line == 3
    assert "duration" in problem.message
    assert "5s" in problem.message + problem.cure


@pytest.mark.parametrize("text", ["12:30:00", "1:30", "00:00:05"])
def test_a_time_of_day_is_no_duration_and_the_cure_is_one(text: str) -> None:
    problem = only(f"queues: {{q: }}\nsteps:\n  - wait: {text}\n")
    assert (problem.line, problem.marked) == (3, text)
    assert problem.cure


@pytest.mark.parametrize("ms", [*range(1, 1000, 7), 1005, 4350, 2300, 8730, 9999, 65535])
def test_a_fraction_of_a_second_is_taken_exactly_or_not_at_all(ms: int) -> None:
    """`1.005s` is 1,005 ms: what binary floating point thinks of it is nobody's business."""
    outcome = routesim(
        "run", "s.yaml", "-f", "json", files={"s.yaml": f"queues: {{q: }}\nsteps:\n  - wait: {ms // 1000}.{ms % 1000:03d}s\n"}
    )
    assert outcome.status == 0, outcome.err
    assert outcome.result["clock_ms"] == ms


def test_every_field_that_is_a_duration_takes_the_same_forms() -> None:
    problems = refused("""
broker: {consumer_timeout: soon}
queues: {q: }
consumers:
  c: {queue: q, takes: soon, on_message: [{do: crash, takes: soon, after: soon, restart: soon}]}
steps:
  - wait: soon
  - publish: {routing_key: q, count: 2, every: soon}
until: 5x
""")
    assert len(problems) == 8
    assert all("duration" in problem.message for problem in problems)


def test_the_command_line_takes_the_same_durations() -> None:
    for text, ms in (("250ms", 250), ("5s", 5000), ("2m", 120_000), ("1h", 3_600_000), ("1d", 86_400_000), ("7ms", 7)):
        assert ok("queues: {q: }", "--until", text).result["clock_ms"] == ms


# AMQP's types --------------------------------------------------------------------------------------------------------


def headers(text: str) -> dict[str, Any]:
    """The headers of the first step, as the loader reads them."""
    scenario = load_source(Source("s.yaml", f"queues: {{q: }}\nsteps:\n  - publish: {{routing_key: q, headers: {text}}}\n"), "")
    action: Any = scenario.steps[0].action
    table: dict[str, Any] = action.message.headers
    return table


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1", "signedint", 1), ("-1", "signedint", -1), ("0", "signedint", 0), ("0x10", "signedint", 16),
        ("2147483647", "signedint", 2147483647), ("-2147483648", "signedint", -2147483648),
        ("2147483648", "long", 2147483648), ("-2147483649", "long", -2147483649), ("9223372036854775807", "long", 2**63 - 1),
        ("1.5", "double", 1.5), ("-0.25", "double", -0.25), ("1e3", "double", 1000.0), ("1.0", "double", 1.0),
        ("null", "void", None), ("~", "void", None), ("", "void", None),
        ("true", "bool", True), ("False", "bool", False),
        ("text", "longstr", "text"), ('"1"', "longstr", "1"), ("'true'", "longstr", "true"), ('""', "longstr", ""),
        ('"null"', "longstr", "null"), ("1.2.3", "longstr", "1.2.3"), ("1a", "longstr", "1a"), ('"2024-01-01"', "longstr", "2024-01-01"),
        ('"12:30:00"', "longstr", "12:30:00"), ("!!str 12", "longstr", "12"),
        ("{long: 1}", "long", 1), ("{byte: -128}", "byte", -128), ("{short: 7}", "short", 7), ("{signedint: 1}", "signedint", 1),
        ("{unsignedbyte: 255}", "unsignedbyte", 255), ("{unsignedshort: 65535}", "unsignedshort", 65535),
        ("{unsignedint: 4294967295}", "unsignedint", 4294967295),
        ("{timestamp: 1700000000}", "timestamp", 1700000000), ("{bytes: abc}", "binary", b"abc"),
        ("{float: 1.5}", "float", 1.5), ("{double: 2}", "double", 2.0), ("{longstr: 12}", "longstr", "12"),
        ("[1, a]", "array", [1, "a"]), ("{a: 1, b: x}", "table", {"a": 1, "b": "x"}), ("{}", "table", {}), ("[]", "array", []),
    ],
)  # fmt: skip
def test_the_type_that_a_value_has_on_the_wire(text: str, kind: str, value: Any) -> None:
    (found,) = headers(f"{{x: {text}}}").values()
    assert (wire_type(found), raw(found)) == (kind, value)
    assert type(raw(found)) is type(value)


def test_values_inside_tables_and_lists_follow_the_same_rules() -> None:
    found = headers("{t: {n: 3000000000, l: [{long: 1}, 1.0, null]}}")["t"]
    assert wire_type(found["n"]) == "long"
    assert [wire_type(item) for item in found["l"]] == ["long", "double", "void"]


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01", "2024-01-01 12:30:00", "2024-01-01T12:30:00Z", "12:30:00", "12:30", "190:20:30", "1_000", "010", "-.inf", ".nan",
        ".inf", "yes", "No", "on", "OFF",
    ],
)  # fmt: skip
def test_what_yaml_readers_disagree_about_must_be_quoted(text: str) -> None:
    problem = only(f"queues: {{q: }}\nsteps:\n  - publish: {{routing_key: q, headers: {{x: {text}}}}}\n")
    assert (problem.line, problem.column, problem.marked) == (3, 44, text)
    assert f'"{text}"' in problem.cure


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775808", "-9223372036854775809", "{long: 9223372036854775808}", "{byte: 128}", "{unsignedbyte: -1}",
        "{signedint: 2147483648}", "{unsignedint: 4294967296}", "{timestamp: 18446744073709551616}", "{timestamp: -1}",
        "{timestamp: soon}", "{long: 1.5}", "{long: x}", "{decimal: x}", "{bool: 1}", "{float: 1e39}", "{double: 1e400}", "1e400",
        "{decimal: " + "9" * 100 + "}", "{decimal: " + "9" * 5000 + "}", "{bytes: [a]}", "{long: {long: 1}}", "{table: 5}", "{array: x}",
        "{longstr: [a]}",
    ],
)  # fmt: skip
def test_values_that_amqp_cannot_carry(text: str) -> None:
    problems = refused(f"queues: {{q: }}\nsteps:\n  - publish: {{routing_key: q, headers: {{x: {text}}}}}\n")
    assert [problem.line for problem in problems] == [3]


def test_the_number_that_does_not_fit_is_said_to_be_too_large_and_not_to_be_no_number() -> None:
    problem = only("queues: {q: }\nsteps:\n  - publish: {routing_key: q, priority: 300}\n")
    assert problem.marked == "300"
    assert "255" in problem.message + problem.cure


def test_numbers_equal_by_value_match_whatever_their_width() -> None:
    outcome = ok("""
exchanges: {h: headers}
queues: {one: , long: , text: , true: }
bindings:
  - {source: h, destination: one, arguments: {x: 1}}
  - {source: h, destination: long, arguments: {x: {long: 1}}}
  - {source: h, destination: text, arguments: {x: "1"}}
  - {source: h, destination: "true", arguments: {x: true}}
steps:
  - publish: {exchange: h, headers: {x: 1}}
  - publish: {exchange: h, headers: {x: "1"}}
  - publish: {exchange: h, headers: {x: true}}
""")
    assert {name: outcome.ready(name) for name in ("one", "long", "text", "true")} == {
        "one": ["m1"], "long": ["m1"], "text": ["m2"], "true": ["m3"],
    }  # fmt: skip


def test_values_of_every_type_come_out_as_json() -> None:
    outcome = ok("""
queues: {q: }
steps:
  - publish:
      routing_key: q
      headers:
        i: 1
        l: {long: 5000000000}
        f: 1.5
        n: null
        b: true
        s: text
        t: {timestamp: 1700000000}
        y: {bytes: abc}
        d: {decimal: 1.25}
        a: [1, {x: y}]
""")
    (message,) = outcome.result["queues"]["q"]["ready"]
    assert message["headers"] == {
        "i": 1, "l": 5000000000, "f": 1.5, "n": None, "b": True, "s": "text", "t": 1700000000, "y": "abc", "d": 1.25,
        "a": [1, {"x": "y"}],
    }  # fmt: skip


def test_bytes_that_are_no_text_and_largest_numbers_come_out_as_json_too() -> None:
    outcome = play(r"""
queues: {q: }
steps:
  - publish: {routing_key: q, headers: {a: {bytes: "\xff\0"}, b: 9223372036854775807, c: 1.7976931348623157e308, d: 5e-324, e: -0.0}}
""")
    assert outcome.status == 0


# Names are the text of the scalar ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["1.10", "1e3", "0x1F", "010", "true", "yes", "null", "~", "2024-01-01", "12:30:00", "1_000", ".inf", "-0"]
)
def test_a_key_is_the_text_as_it_stands(key: str) -> None:
    outcome = ok(f"""
queues: {{q: }}
bindings: [{{source: amq.direct, destination: q, routing_key: {key}}}]
steps:
  - publish: {{exchange: amq.direct, routing_key: "{key}"}}
""")
    assert outcome.ready("q") == ["m1"]
    assert outcome.result["messages"]["m1"]["routing_key"] == key


@pytest.mark.parametrize("name", ["1.10", "007", "true", "no", "null", "2024-01-01", "3", "1e3"])
def test_names_of_everything_are_the_text_as_it_stands(name: str) -> None:
    outcome = ok(f"""
exchanges: {{{name}: fanout}}
queues: {{{name}: }}
bindings: [{{source: {name}, destination: {name}}}]
consumers: {{{name}: {{queue: {name}, on_message: hold}}}}
channels: {{{name}x: {{connection: {name}}}}}
steps:
  - publish: {{exchange: {name}, id: {name}, body: {name}}}
expect:
  queues: {{{name}: {{unacked: [{name}]}}}}
  consumers: {{{name}: {{delivered: 1}}}}
  messages: {{{name}: {{{name}: unacked}}}}
""")
    result = outcome.result
    assert list(result["queues"]) == list(result["consumers"]) == list(result["messages"]) == [name]


def test_a_body_and_basic_properties_are_text() -> None:
    ok("""
queues: {q: }
steps:
  - publish:
      {routing_key: q, body: 1.10, content_type: text/plain, content_encoding: gzip, correlation_id: 007, reply_to: 1.10, message_id: 5,
       timestamp: 1700000000, type: 12:30:00, user_id: guest, app_id: 2024-01-01, expiration: 60000, priority: 9, delivery_mode: 1}
until: steps
""")


def test_expiration_is_rabbitmqs_text_in_milliseconds() -> None:
    outcome = ok(
        "queues: {q: }\nsteps:\n  - publish: {routing_key: q, expiration: 1500}\n  - publish: {routing_key: q, expiration: '20'}\n"
    )
    assert outcome.times("dropped") == [(1500, "m1"), (1500, "m2")]


@pytest.mark.parametrize("expiration", ["5s", "-1", "1.5", '""', "abc"])
def test_a_bad_expiration_is_rabbitmqs_to_refuse(expiration: str) -> None:
    """Values are checked at load for top-level declarations only."""
    ok(f"queues: {{q: }}\nsteps:\n  - {{publish: {{routing_key: q, expiration: {expiration}}}, fails: 406}}\n")


# Text that is too long, or nothing at all ------------------------------------------------------------------------------

PLACES = {
    "exchange": "exchanges: {NAME: fanout}",
    "exchange type": "exchanges: {x: NAME}",
    "queue": "queues: {NAME: }",
    "binding key": "queues: {q: }\nbindings: [{source: amq.direct, destination: q, routing_key: NAME}]",
    "binding source": "queues: {q: }\nbindings: [{source: NAME, destination: q}]",
    "consumer": "queues: {q: }\nconsumers: {NAME: {queue: q}}",
    "key": "queues: {q: }\nsteps: [{publish: {routing_key: NAME}}]",
    "exchange of a publish": "queues: {q: }\nsteps: [{publish: {exchange: NAME}, fails: 404}]",
    "id": "queues: {q: }\nsteps: [{publish: {routing_key: q, id: NAME}}]",
    "correlation_id": "queues: {q: }\nsteps: [{publish: {routing_key: q, correlation_id: NAME}}]",
    "header": "queues: {q: }\nsteps: [{publish: {routing_key: q, headers: {NAME: 1}}}]",
    "header inside": "queues: {q: }\nsteps: [{publish: {routing_key: q, headers: {t: {NAME: 1}}}}]",
    "argument": "queues: {q: {arguments: {NAME: 1}}}",
    "queue of a step": "queues: {q: }\nsteps: [{get: {queue: NAME}, fails: 404}]",
    "queue of a declare": "steps: [{declare: {queues: {NAME: }}, fails: 406}]",
    "purge": "steps: [{purge: NAME, fails: 404}]",
}


@pytest.mark.parametrize("place", PLACES)
def test_255_bytes_are_the_most_that_a_name_can_have(place: str) -> None:
    fits, too_long = "n" * 255, "n" * 256
    accepted = routesim("run", "s.yaml", files={"s.yaml": PLACES[place].replace("NAME", fits)})
    assert "too-long" not in accepted.err
    problems = refused(PLACES[place].replace("NAME", too_long))
    (problem,) = [item for item in problems if item.code == "too-long"]
    assert "255" in problem.message
    assert problem.cure


def test_names_are_measured_in_bytes_of_utf_8() -> None:
    ok(f"queues: {{{'é' * 127}: }}")
    problem = only(f"queues: {{{'é' * 128}: }}")
    assert "256" in problem.message


def test_the_length_of_a_name_counts_in_steps_that_fail_too() -> None:
    assert only(f"queues: {{q: }}\nsteps:\n  - {{publish: {{exchange: {'x' * 256}}}, fails: 404}}\n").code == "too-long"


@pytest.mark.parametrize(
    "text",
    [
        "queues: {q: }\nconsumers: {c: {queue: }}",
        "queues: {q: }\nconsumers: {'': {queue: q}}",
        "queues: {q: }\nsteps: [{publish: {routing_key: q, id: }}]",
        "queues: {q: }\nsteps: [{publish: {routing_key: }}]",
        "queues: {q: }\nsteps: [{purge: }]",
        "queues: {q: }\nbindings: [{source: , destination: q}]",
    ],
)
def test_a_name_that_is_missing_is_an_error(text: str) -> None:
    """And only that: what follows from it is not said as well."""
    assert "expected" in only(text).message


def test_text_is_not_a_list_or_a_mapping() -> None:
    for value in ("[a]", "{a: b}"):
        problem = only(f"queues: {{q: }}\nsteps:\n  - publish: {{routing_key: {value}}}\n")
        assert (problem.line, problem.column) == (3, 28)


@pytest.mark.parametrize("value", ["yes", "1", '"true"', "maybe", "[]", "~"])
def test_a_flag_is_true_or_false(value: str) -> None:
    problem = only(f"queues:\n  q: {{durable: {value}}}\n")
    assert (problem.line, problem.column) == (2, 16)
    assert "true or false" in problem.message


def test_the_cure_for_a_yes_is_true() -> None:
    assert "true" in only("queues:\n  q: {durable: yes}\n").cure
    assert "false" in only("queues:\n  q: {durable: off}\n").cure
    assert "quotes" in only('queues:\n  q: {durable: "true"}\n').cure
    assert "quotes" in only('queues: {q: }\nconsumers: {c: {queue: q, prefetch: "1"}}\n').cure

"""Whatever is read, routesim ends in time, with status 0, 1, 2 or 3 and a message: never a traceback, never an internal error.

ROUTESIM_FUZZ=10 tries ten times as much.
"""

import json
import os
import random
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kits.paths import ROOT, SCENARIO_FILES
from kits.scenario import Outcome, problems_in, routesim

SEEDS = {path.name: path.read_bytes() for path in SCENARIO_FILES}
JSON_SEEDS = {path.name: path.read_bytes() for path in sorted((ROOT / "scenarios").glob("*.json"))}
EFFORT = int(os.environ.get("ROUTESIM_FUZZ", "1"))
SLOW_S = 5.0
MAX_EVENTS = "3000"


def fuzz(examples: int) -> Any:
    return settings(
        max_examples=examples * EFFORT, deadline=None, database=None, derandomize=EFFORT == 1,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )  # fmt: skip


def survives(
    data: str | bytes, name: str = "s.yaml", *, files: dict[str, str | bytes] | None = None, limit_s: float = SLOW_S
) -> Outcome:
    """What must hold for any input at all. (`routesim` refuses tracebacks and internal errors, and stops at the time limit.)"""
    content = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    others = {path: JSON_SEEDS[path] for path in JSON_SEEDS}
    outcome = routesim(
        "run", name, "-q", "--max-events", MAX_EVENTS, files={**others, **(files or {}), name: content}, limit_s=limit_s
    )
    assert outcome.status in (0, 1, 2, 3), outcome
    if outcome.status == 2:
        problems = problems_in(outcome.err)
        assert any(problem.severity == "error" for problem in problems), outcome.err
        lines = len(content.decode("utf-8", "replace").splitlines()) + 1
        assert all(problem.message.strip() for problem in problems)
        assert all(problem.line <= max(lines, 1) for problem in problems if problem.file == name)
    elif outcome.status == 3:
        assert "budget" in outcome.out
    else:
        assert outcome.out
    for stream in (outcome.out, outcome.err):
        assert not any(ord(character) < 32 and character != "\n" for character in stream), "nothing that a terminal acts on"
    return outcome


# Damage --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SEEDS)
def test_a_file_cut_off_anywhere(name: str) -> None:
    data = SEEDS[name]
    rng = random.Random(name)
    for end in sorted(rng.sample(range(len(data)), min(len(data), 6 * EFFORT))):
        survives(data[:end])


def test_one_file_cut_off_at_every_byte() -> None:
    data = SEEDS["shoes.yaml"]
    for end in range(0, len(data), 11 if EFFORT == 1 else 1):
        survives(data[:end])


@pytest.mark.parametrize("name", JSON_SEEDS)
def test_a_definitions_file_cut_off_anywhere(name: str) -> None:
    data = JSON_SEEDS[name]
    for end in range(0, len(data), max(1, len(data) // (60 * EFFORT))):
        survives(data[:end], "d.json")
        survives("definitions: d.json\n", files={"d.json": data[:end]})


@fuzz(80)
@given(st.sampled_from(sorted(SEEDS)), st.randoms(use_true_random=False))
def test_lines_shuffled_doubled_and_dropped(name: str, rng: random.Random) -> None:
    lines = SEEDS[name].decode().split("\n")
    for _ in range(rng.randint(1, 6)):
        index, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        kind = rng.randrange(5)
        if kind == 0:
            lines[index], lines[other] = lines[other], lines[index]
        elif kind == 1:
            lines.insert(other, lines[index])
        elif kind == 2 and len(lines) > 1:
            del lines[index]
        elif kind == 3:
            lines[index] = " " * rng.randint(0, 6) + lines[index].lstrip()
        else:
            lines[index] = rng.choice(["\t", "- ", "{", "? ", "# ", "---", "&a ", "*a ", "!x ", "'", "%"]) + lines[index]
    survives("\n".join(lines))


@fuzz(80)
@given(st.sampled_from(sorted(SEEDS)), st.randoms(use_true_random=False))
def test_bytes_changed(name: str, rng: random.Random) -> None:
    data = bytearray(SEEDS[name])
    for _ in range(rng.randint(1, 8)):
        index = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[index] = rng.randrange(256)
        elif kind == 1:
            data[index:index] = rng.choice(
                [
                    b"\x00",
                    b"\xff",
                    b"\r",
                    b"\t",
                    b"\x1b[31m",
                    "👟".encode(),
                    b"\xe2\x80\xa8",
                    b"\xef\xbb\xbf",
                    b"  ",
                    b": ",
                    b"{",
                    b"]",
                ]
            )
        elif kind == 2:
            del data[index : index + rng.randint(1, 5)]
        else:
            data[index : index + 1] = rng.choice(string.punctuation).encode()
    survives(bytes(data))


ODD = [
    "", "~", "null", "true", "no", "0", "-1", "1", "1.5", "1e400", "-0", "999999999999999999999999999", "0x7fffffffffffffff", "{}", "[]", "[[]]", "[{}]",
    "{a: b}", "{'': ''}", '""', "''", "x", "*", "'*'", '"#"', "@", '"\\0"', '"\\u200f"', '"\\e[31m"', "👟", "12:30:00", "2024-01-01", "1s", "1d", "99999d",
    "'>= 0'", "[m1]", "m1", "m1-1", "{long: 1}", "{timestamp: -1}", "{bytes: é}", "{decimal: 1.5}", "{table: {}}", "{array: []}", "{void: 1}", "{x-match: all}",
    "amq.topic", "amq.rabbitmq.reply-to", "amq.gen-x", "quorum", "stream", "x-delayed-message", "x-consistent-hash", "headers", "copy", "crash", "requeue",
    "idle", "steps", "404", "!!str 5", "&a x", "&a {b: &b [x]}", "|\n    text\n", ">-\n    text\n", "[" * 40 + "]" * 40, "'" + "n" * 300 + "'", "'(a+)+$'", "'('",
]  # fmt: skip


@fuzz(120)
@given(st.sampled_from(sorted(SEEDS)), st.randoms(use_true_random=False), st.lists(st.sampled_from(ODD), min_size=1, max_size=4))
def test_values_of_other_types(name: str, rng: random.Random, values: list[str]) -> None:
    """One value of a scenario after another becomes something else."""
    text = SEEDS[name].decode()
    for value in values:
        spots = [index for index in range(len(text) - 1) if text[index : index + 2] in (": ", ", ", "[ ", "- ", "{ ")]
        if not spots:
            break
        spot = rng.choice(spots) + 2
        end = spot
        while end < len(text) and text[end] not in ",}]\n":
            end += 1
        text = text[:spot] + value + text[end:]
    survives(text)


# Scenarios by their grammar ------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        "q",
        "r",
        "x",
        "c",
        "m1",
        "",
        "amq.topic",
        "amq.rabbitmq.reply-to",
        "é👟",
        "\x1b[31m",
        "[red]",
        "\u202e",
        "a" * 255,
        "a" * 256,
        "%s",
        "{0}",
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), NAMES, st.text(max_size=8),
    st.sampled_from(["1s", "10ms", ">= 1", "404", "idle", "ack", "requeue", "crash", "copy", "quorum", "stream", "fanout", "topic", "headers", "2024-01-01"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
ARGUMENTS = st.dictionaries(
    st.sampled_from([
        "x-message-ttl", "x-max-length", "x-max-length-bytes", "x-overflow", "x-dead-letter-exchange", "x-dead-letter-routing-key", "x-expires",
        "x-max-priority", "x-queue-type", "x-delivery-limit", "x-single-active-consumer", "alternate-exchange", "x-match", "hash-header", "x-delayed-type",
        "x-recent-history-length", "x-stream-offset", "x-priority", "x-dead-letter-strategy", "x-quorum-initial-group-size", "x-max-age", "z",
    ]),
    st.one_of(VALUES, st.sampled_from(["drop-head", "reject-publish", "x", "q", "any", "at-least-once", "first", 0, 1, 5, 100])), max_size=3,
)  # fmt: skip
EXCHANGES = st.dictionaries(
    NAMES, st.one_of(
        st.sampled_from(["direct", "fanout", "topic", "headers", "x-random", "x-consistent-hash", "x-modulus-hash", "x-recent-history", "x-local-random", "bogus"]),
        st.fixed_dictionaries({}, optional={"type": st.sampled_from(["fanout", "x-delayed-message", "headers", "topic"]), "durable": st.booleans(), "auto_delete": st.booleans(),
                                            "internal": st.booleans(), "arguments": ARGUMENTS}),
    ), max_size=3,
)  # fmt: skip
QUEUES = st.dictionaries(
    NAMES, st.fixed_dictionaries({}, optional={
        "type": st.sampled_from(["classic", "quorum", "stream", "bogus"]), "durable": st.booleans(), "exclusive": st.booleans(), "auto_delete": st.booleans(),
        "server_named": st.booleans(), "arguments": ARGUMENTS, "channel": NAMES,
    }), max_size=3,
)  # fmt: skip
BINDINGS = st.lists(
    st.fixed_dictionaries({"source": NAMES, "destination": NAMES}, optional={
        "destination_type": st.sampled_from(["queue", "exchange"]), "routing_key": st.sampled_from(["", "#", "a.*", "1", "q"]), "arguments": ARGUMENTS,
    }), max_size=4,
)  # fmt: skip
MESSAGE = {
    "exchange": NAMES, "routing_key": st.one_of(NAMES, st.just("$reply_to")), "body": st.text(max_size=5), "headers": st.dictionaries(st.sampled_from(["CC", "BCC", "x-delay", "a", "x-death"]), VALUES, max_size=2),
    "priority": st.integers(0, 10), "expiration": st.sampled_from(["0", "5", "x", "-1"]), "mandatory": st.booleans(), "delivery_mode": st.sampled_from([1, 2, 3]),
    "reply_to": NAMES, "count": st.integers(1, 3), "id": st.sampled_from(["m1", "m2", "a", "c"]),
}  # fmt: skip
RULES = st.lists(
    st.fixed_dictionaries({}, optional={
        "routing_key": NAMES, "headers": st.dictionaries(NAMES, VALUES, max_size=1), "redelivered": st.booleans(), "attempt": st.sampled_from([1, 2, ">= 2", "< 3"]),
        "chance": st.sampled_from([0, 0.5, 1]), "do": st.sampled_from(["ack", "reject", "requeue", "crash", "hold"]), "takes": st.sampled_from([0, 1, "5ms"]),
        "after": st.sampled_from([0, 2]), "restart": st.sampled_from([0, "3ms"]), "publish": st.fixed_dictionaries({}, optional=MESSAGE),
    }), max_size=3,
)  # fmt: skip
CONSUMERS = st.dictionaries(
    NAMES, st.fixed_dictionaries({"queue": NAMES}, optional={
        "prefetch": st.integers(0, 3), "auto_ack": st.booleans(), "exclusive": st.booleans(), "priority": st.integers(-1, 5), "channel": NAMES, "start": st.booleans(),
        "takes": st.sampled_from([0, 1, "10ms"]), "concurrency": st.integers(1, 3), "on_message": st.one_of(RULES, st.sampled_from(["ack", "reject", "requeue", "crash", "hold"])),
        "arguments": ARGUMENTS,
    }), max_size=3,
)  # fmt: skip
POLICIES = st.lists(
    st.fixed_dictionaries({"name": NAMES, "pattern": st.sampled_from(["", "^q", ".*", "(", "[", "(?P<n>x)"]), "definition": st.dictionaries(
        st.sampled_from(["max-length", "message-ttl", "dead-letter-exchange", "expires", "overflow", "alternate-exchange", "delivery-limit", "bogus"]), VALUES, max_size=2)},
        optional={"priority": st.one_of(st.integers(-3, 3), st.floats(allow_nan=False)), "apply-to": st.sampled_from(["queues", "exchanges", "all", "classic_queues", "x"])}), max_size=2,
)  # fmt: skip
ON_CHANNEL = {"channel": NAMES, "consumer": NAMES}
STEP = st.one_of(
    st.fixed_dictionaries({"publish": st.fixed_dictionaries({}, optional={**MESSAGE, "every": st.sampled_from([0, 1, "7ms"]), "channel": NAMES})}),
    st.fixed_dictionaries({"wait": st.sampled_from([0, 1, "10ms", "1s", "31d"])}),
    st.fixed_dictionaries({"get": st.fixed_dictionaries({"queue": NAMES}, optional={"channel": NAMES, "auto_ack": st.booleans()})}),
    st.fixed_dictionaries({"ack": st.fixed_dictionaries({}, optional={**ON_CHANNEL, "message": st.just("m1"), "delivery_tag": st.integers(0, 3), "multiple": st.booleans()})}),
    st.fixed_dictionaries({"nack": st.fixed_dictionaries({}, optional={**ON_CHANNEL, "message": st.just("m1"), "requeue": st.booleans()})}),
    st.fixed_dictionaries({"reject": st.fixed_dictionaries({}, optional={**ON_CHANNEL, "delivery_tag": st.integers(0, 3), "requeue": st.booleans()})}),
    st.fixed_dictionaries({"recover": st.fixed_dictionaries({}, optional=ON_CHANNEL)}),
    st.fixed_dictionaries({"qos": st.fixed_dictionaries({"channel": NAMES, "prefetch": st.integers(0, 2)}, optional={"global": st.booleans()})}),
    st.fixed_dictionaries({"tx": st.fixed_dictionaries({"channel": NAMES, "do": st.sampled_from(["select", "commit", "rollback"])})}),
    st.fixed_dictionaries({"consume": NAMES}), st.fixed_dictionaries({"cancel": NAMES}), st.fixed_dictionaries({"crash": NAMES}),
    st.fixed_dictionaries({"restart": st.sampled_from(["clean", "kill"])}), st.fixed_dictionaries({"purge": NAMES}),
    st.fixed_dictionaries({"declare": st.fixed_dictionaries({}, optional={"exchanges": EXCHANGES, "queues": QUEUES, "bindings": BINDINGS, "policies": POLICIES, "consumers": CONSUMERS})}),
    st.fixed_dictionaries({"delete": st.fixed_dictionaries({}, optional={"queue": NAMES, "exchange": NAMES, "if_unused": st.booleans()})}),
    st.fixed_dictionaries({"bind": st.fixed_dictionaries({"source": NAMES, "destination": NAMES}, optional={"arguments": ARGUMENTS})}),
    st.fixed_dictionaries({"unbind": st.fixed_dictionaries({"source": NAMES, "destination": NAMES})}),
    st.fixed_dictionaries({"expect": st.fixed_dictionaries({}, optional={"queues": st.dictionaries(NAMES, st.just({"ready": 0}), max_size=1), "lost": st.just(0)})}),
).flatmap(lambda step: st.sampled_from([step, step, {**step, "fails": 404}, {**step, "fails": 406}]))  # fmt: skip
SCENARIOS = st.fixed_dictionaries({}, optional={
    "rabbitmq": st.sampled_from(["3.10", "3.13", "4.0", "4.1", "4.3"]), "seed": st.integers(0, 9), "exchanges": EXCHANGES, "queues": QUEUES, "bindings": BINDINGS,
    "consumers": CONSUMERS, "policies": POLICIES, "operator_policies": POLICIES, "steps": st.lists(STEP, max_size=6), "until": st.sampled_from(["idle", "steps", "5s", 0]),
    "channels": st.dictionaries(NAMES, st.fixed_dictionaries({}, optional={"connection": NAMES, "prefetch": st.integers(0, 2)}), max_size=2),
    "broker": st.fixed_dictionaries({}, optional={"consumer_timeout": st.sampled_from([0, "1ms", "1h"]), "max_message_size": st.integers(1, 5)}),
})  # fmt: skip


@fuzz(100)
@given(SCENARIOS)
def test_scenarios_of_all_sections(scenario: dict[str, Any]) -> None:
    survives(json.dumps(scenario, ensure_ascii=False))


NAME_OF: dict[str, Any] = {
    "queue": st.sampled_from(["q", "r"]),
    "consumer": st.sampled_from(["c", "d"]),
    "exchange": st.sampled_from(["", "x", "amq.direct"]),
}
LIVELY = st.fixed_dictionaries({
    "rabbitmq": st.sampled_from(["3.10", "3.13", "4.1", "4.3"]),
    "exchanges": st.just({"x": {"type": "fanout"}}),
    "queues": st.fixed_dictionaries({
        "q": st.fixed_dictionaries({}, optional={"type": st.sampled_from(["classic", "quorum"]), "arguments": st.sampled_from([
            {}, {"x-max-length": 2}, {"x-message-ttl": 5}, {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "r"}, {"x-max-length": 1, "x-overflow": "reject-publish"}, {"x-expires": 20}])}),
        "r": st.fixed_dictionaries({}, optional={"type": st.sampled_from(["classic", "quorum", "stream"]), "exclusive": st.just(True), "arguments": st.sampled_from([
            {}, {"x-message-ttl": 3, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q"}, {"x-dead-letter-exchange": "x"}])}),
    }),
    "bindings": st.just([{"source": "x", "destination": "q"}, {"source": "x", "destination": "r"}]),
    "consumers": st.fixed_dictionaries({}, optional={name: st.fixed_dictionaries({"queue": NAME_OF["queue"]}, optional={
        "prefetch": st.integers(0, 2), "takes": st.sampled_from([0, "1ms", "4ms"]), "auto_ack": st.booleans(), "channel": st.sampled_from(["k", "l"]), "start": st.booleans(),
        "on_message": st.one_of(st.sampled_from(["ack", "reject", "requeue", "crash", "hold"]), st.lists(st.fixed_dictionaries({}, optional={
            "attempt": st.sampled_from([1, ">= 3"]), "do": st.sampled_from(["ack", "reject", "requeue", "hold"]), "takes": st.sampled_from([0, "2ms"]), "chance": st.just(0.5),
            "publish": st.fixed_dictionaries({"routing_key": st.sampled_from(["q", "r", "nowhere"])}, optional={"headers": st.just("copy")})}), max_size=2)),
    }) for name in ("c", "d")}),
    "steps": st.lists(st.one_of(
        st.fixed_dictionaries({"publish": st.fixed_dictionaries({"routing_key": NAME_OF["queue"]}, optional={
            "exchange": NAME_OF["exchange"], "count": st.integers(1, 4), "every": st.sampled_from([0, "1ms", "3ms"]), "expiration": st.sampled_from(["0", "2"]), "mandatory": st.booleans(),
            "priority": st.integers(0, 3), "channel": st.sampled_from(["k", "t"]), "headers": st.sampled_from([{"CC": ["r"]}, {"a": 1}, {"BCC": ["q"]}])})}),
        st.fixed_dictionaries({"get": st.fixed_dictionaries({"queue": NAME_OF["queue"], "channel": st.sampled_from(["k", "g"])})}),
        st.fixed_dictionaries({"ack": st.fixed_dictionaries({"channel": st.sampled_from(["k", "g"]), "delivery_tag": st.integers(0, 3), "multiple": st.booleans()})}),
        st.fixed_dictionaries({"nack": st.fixed_dictionaries({"channel": st.sampled_from(["k", "g"]), "delivery_tag": st.integers(1, 3), "requeue": st.booleans()})}),
        st.fixed_dictionaries({"consume": NAME_OF["consumer"]}), st.fixed_dictionaries({"cancel": NAME_OF["consumer"]}), st.fixed_dictionaries({"crash": st.sampled_from(["c", "d", "k"])}),
        st.fixed_dictionaries({"wait": st.sampled_from([0, "1ms", "5ms", "50ms"])}), st.fixed_dictionaries({"restart": st.sampled_from(["clean", "kill"])}),
        st.fixed_dictionaries({"purge": NAME_OF["queue"]}), st.fixed_dictionaries({"delete": st.fixed_dictionaries({"queue": NAME_OF["queue"]})}),
        st.fixed_dictionaries({"tx": st.fixed_dictionaries({"channel": st.just("t"), "do": st.sampled_from(["select", "commit", "rollback"])})}),
        st.fixed_dictionaries({"declare": st.fixed_dictionaries({"queues": st.just({"q": {}})})}),
        st.fixed_dictionaries({"qos": st.fixed_dictionaries({"channel": st.just("k"), "prefetch": st.integers(0, 2), "global": st.booleans()})}),
        st.fixed_dictionaries({"recover": st.fixed_dictionaries({"channel": st.just("k")})}),
    ), max_size=12),
})  # fmt: skip


@fuzz(100)
@given(LIVELY)
def test_runs_that_load_and_their_ledgers(scenario: dict[str, Any]) -> None:
    """Mostly valid scenarios: whatever happens in them, the result is a result."""
    from kits.scenario import assert_balanced

    data = json.dumps(scenario)
    outcome = routesim("run", "s.json", "-f", "json", "--max-events", MAX_EVENTS, files={"s.json": data}, limit_s=SLOW_S)
    if outcome.status == 2:
        return
    assert_balanced(outcome.result["counts"])
    assert outcome.result["ok"] is (outcome.status == 0)
    again = routesim("run", "s.json", "-f", "json", "--max-events", MAX_EVENTS, files={"s.json": data}, limit_s=SLOW_S)
    assert again.out == outcome.out


ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ITEM = st.dictionaries(
    st.sampled_from([
        "name", "vhost", "type", "durable", "auto_delete", "internal", "arguments", "source", "destination", "destination_type", "routing_key", "pattern", "definition",
        "priority", "apply-to", "component", "value", "metadata", "default_queue_type",
    ]),
    st.one_of(ANY_JSON, st.sampled_from(["/", "q", "x", "fanout", "queue", True, "operator_policy", "max-length", {"max-length": 1}, {"pattern": ".", "definition": {"max-length": 1}}])), max_size=8,
)  # fmt: skip
DEFINITIONS = st.dictionaries(
    st.sampled_from(["vhosts", "exchanges", "queues", "bindings", "policies", "parameters", "rabbit_version", "rabbitmq_version", "users", "permissions"]),
    st.one_of(st.lists(st.one_of(ITEM, ITEM, ITEM, ANY_JSON), max_size=3), st.lists(ITEM, max_size=3), ANY_JSON, st.sampled_from([1, True, 1.5, "x", {}, {"a": 1}, [1], [[]]])), max_size=6,
)  # fmt: skip


@fuzz(70)
@given(DEFINITIONS)
def test_definitions_files_of_any_form(definitions: dict[str, Any]) -> None:
    text = json.dumps(definitions)
    survives(text, "d.json")
    survives("definitions: d.json\nsteps: [{publish: {routing_key: q}}]\n", files={"d.json": text})


@fuzz(100)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    survives(text)


@fuzz(100)
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    survives(data)


@fuzz(90)
@given(VALUES, st.sampled_from(["headers", "arguments"]))
def test_any_value_in_a_table(value: Any, where: str) -> None:
    text = json.dumps({"v": value}, ensure_ascii=False)
    if where == "headers":
        survives(
            f"queues: {{q: }}\nexchanges: {{h: headers}}\nbindings: [{{source: h, destination: q, arguments: {text}}}]\nsteps:\n  - publish: {{exchange: h, headers: {text}}}\n"
        )
    else:
        survives(f"queues: {{q: {{arguments: {text}}}}}\n")


# By hand -------------------------------------------------------------------------------------------------------------

BY_HAND: dict[str, str | bytes] = {
    "nothing": b"", "a NUL": b"\0", "only a mark": b"\xef\xbb\xbf", "half a mark": b"\xef\xbb", "utf-16 mark": b"\xff\xfe", "odd utf-16": b"\xff\xfea", "utf-16 surrogate": b"\xff\xfe\x00\xd8",
    "utf-16 be": "queues: {q: }".encode("utf-16-be"), "utf-16 le": "queues: {q: }".encode("utf-16-le"), "utf-32": "queues: {q: }".encode("utf-32"),
    "two marks": b"\xef\xbb\xbf\xef\xbb\xbfqueues: {q: }", "several documents": "queues: {q: }\n---\nqueues: {r: }\n", "only separators": "---\n---\n---\n", "many ends": "...\n...\n",
    "directive": "%YAML 9.9\n---\na: b\n", "unknown directive": "%FOO bar\n---\nqueues: {q: }\n", "tag directive": "%TAG ! tag:x,2000:\n---\nqueues: {q: !a b}\n",
    "tabs": "queues:\n\tq:\n\t\ttype: quorum\n", "crlf": "queues:\r\n  q:\r\nsteps:\r\n  - publish: {routing_key: q}\r\n", "cr": "queues:\r  q:\r", "mixed ends": "queues:\r\n  q:\n  r:\r",
    "deep lists": "[" * 5000, "deep mappings": "{a: " * 5000, "deep blocks": "".join(" " * level + "a:\n" for level in range(2000)), "deep json": '{"a":' * 50_000,
    "deep json definitions": '{"vhosts": [], "queues": ' + "[" * 50_000 + "]" * 50_000 + "}", "closed deep": "{a: " * 63 + "b" + "}" * 63,
    "deep dashes": "- " * 3000, "deep questions": "? " * 3000, "deep anchors": "".join(f"&a{number} [" for number in range(60)) + "]" * 60,
    "alias bomb": "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 30)),
    "alias bomb in headers": "queues: {q: }\nsteps:\n  - publish:\n      routing_key: q\n      headers:\n        a0: &a0 [x,x,x,x,x,x,x,x]\n"
    + "".join(f"        a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 8)}]\n" for level in range(1, 5)),
    "alias bomb of mappings": "a0: &a0 {a: x, b: x}\n" + "".join(f"a{level}: &a{level} {{a: *a{level - 1}, b: *a{level - 1}}}\n" for level in range(1, 40)),
    "merge bomb": "a0: &a0 {a: x}\n" + "".join(f"a{level}: &a{level} {{<<: [*a{level - 1}, *a{level - 1}], k{level}: *a{level - 1}}}\n" for level in range(1, 40)),
    "alias to itself": "a: &a [*a]\n", "merge of itself": "a: &a {<<: *a}\n", "alias as key": "a: &a x\n*a : b\n", "redefined anchor": "a: &a x\nb: &a y\nc: *a\n",
    "steps by alias": "queues: {q: }\na: &s {publish: {routing_key: q}}\nsteps: [" + ", ".join(["*s"] * 3000) + "]\n",
    "one step, many aliases": "queues: {q: }\nsteps: [&s {publish: {routing_key: q}}, " + ", ".join(["*s"] * 3000) + "]\n",
    "one broken step, many aliases": "queues: {q: }\nsteps: [&s {publsh: {routing_key: q}}, " + ", ".join(["*s"] * 10_000) + "]\n",
    "duplicate keys": "queues: {q: , q: }\nqueues: {q: }\nqueues: {r: }\n", "empty key": ": x\n", "null key": "queues: {~: , null: , '': }\n", "key of 2000 characters": "x" * 2000 + ": 1\n",
    "emoji names": "queues: {👟: , 👩‍👩‍👧: , 🇩🇪: }\nsteps: [{publish: {routing_key: 👟, id: 🆔}}]\n", "combining": "queues: {é: , e\u0301: }\n",
    "escapes": 'name: "\\e[31m\\a\\b\\0"\nqueues: {"\\e]0;title\\a": , "\\r\\n": }\nsteps: [{publish: {routing_key: "\\e[2J", id: "\\e[H"}}]\nexpect: {messages: {"\\e[H": {"\\r\\n": ready}}}\n',
    "escapes in errors": '"\\e[31m": 1\nqueues: {q: {"\\e[2J": "\\a"}}\nsteps: [{"\\e[31m": x}, {publish: {exchange: "\\e[41m"}}]\n', "c1 controls": 'queues: {"\\x9b31m": {a: b}}\n',
    "raw escape": b"queues: {\x1b[31m: }\n", "right to left": "queues: {\u202eq: {typ: x}}\n", "zero width": "queues: {\u200b: , \ufeffx: }\nsteps: [{purge: \u200b}]\n",
    "surrogate escapes": '{"queues": {"\\ud800": null}}', "surrogate definitions": '{"queues": [{"name": "\\ud800", "durable": true, "auto_delete": false}]}',
    "raw surrogate": b"queues: {\xed\xa0\x80: }\n", "overlong": b"queues: {\xc0\x80: }\n", "beyond unicode": b"queues: {\xf7\xbf\xbf\xbf: }\n", "noncharacter": "queues: {\uffff: }\n",
    "long name": f"queues: {{{'n' * 900}: }}\n", "long scalar": f"name: {'n' * 1_000_000}\n", "long comment": f"# {'n' * 1_000_000}\nqueues: {{q: }}\n",
    "long quoted": f'name: "{"n" * 1_000_000}"\nqueues: {{q: {{typ: x}}}}\n', "long line of errors": "queues: {" + ", ".join(f"q{number}: {{typ: x}}" for number in range(3000)) + "}\n",
    "long line of errors, crlf": "queues: {" + ", ".join(f"q{number}: {{typ: x}}" for number in range(8000)) + "}\r\n",
    "10 MB body": "queues: {q: }\nsteps:\n  - publish: {routing_key: q, body: " + "x" * 10_000_000 + "}\n",
    "10 MB header": "queues: {q: }\nsteps:\n  - publish: {routing_key: q, headers: {a: " + "x" * 10_000_000 + "}}\n",
    "10 MB key": "x" * 10_000_000 + "\n", "10 MB of spaces": " " * 10_000_000, "3 MB of newlines": "\n" * 3_000_000 + "a: [", "10 MB of digits": "seed: " + "1" * 10_000_000 + "\n",
    "10 MB json": '{"vhosts": [], "x": "' + "x" * 10_000_000 + '"}', "long duration": "steps: [{wait: " + "1" * 100_000 + "s}]\n", "long regex": "policies: [{name: p, pattern: '" + "(" * 100_000 + "', definition: {max-length: 1}}]\n",
    "huge count": "queues: {q: }\nsteps: [{publish: {routing_key: q, count: 99999999999999999999}}]\n", "huge prefetch": "queues: {q: }\nconsumers: {c: {queue: q, prefetch: 99999999999}}\n",
    "huge concurrency": "queues: {q: }\nconsumers: {c: {queue: q, concurrency: 99999999999}}\n", "huge wait": "steps: [{wait: 99999999999999999999d}]\n", "long wait": "queues: {q: {arguments: {x-message-ttl: 1}}}\nsteps: [{wait: 36500d}]\n",
    "huge ttl": "queues: {q: {arguments: {x-message-ttl: 99999999999999999999}}}\n", "huge delay": "exchanges: {d: {type: x-delayed-message, arguments: {x-delayed-type: fanout}}}\nsteps: [{publish: {exchange: d, headers: {x-delay: 99999999999999}}}]\n",
    "huge priority": "queues: {q: {arguments: {x-max-priority: 4294967296}}}\n", "huge version": "rabbitmq: '99999999999999999999.1'\nqueues: {q: }\n", "odd version": "rabbitmq: ....\nqueues: {q: }\n",
    "huge attempt": "queues: {q: }\nconsumers: {c: {queue: q, on_message: [{attempt: '>= 99999999999999999999'}]}}\n", "huge hex": "seed: 0x" + "f" * 1000 + "\n",
    "huge weight": "exchanges: {h: x-consistent-hash}\nqueues: {q: }\nbindings: [{source: h, destination: q, routing_key: '999999999'}]\n",
    "a count in a rule": "queues: {q: , r: }\nconsumers: {c: {queue: q, on_message: [{publish: {routing_key: r, count: 1000000000}}]}}\nsteps: [{publish: {routing_key: q}}]\n",
    "a policy that takes for ever": "queues: {" + "a" * 40 + ": }\npolicies: [{name: p, pattern: '^(a+)+$x', definition: {max-length: 1}}]\n",
    "another": "queues: {" + "a" * 40 + "!: }\npolicies: [{name: p, pattern: '^(a|a)*$', definition: {max-length: 1}}]\n",
    "topic with many hashes": "exchanges: {t: topic}\nqueues: {q: }\nbindings: [{source: t, destination: q, routing_key: '" + "#.a." * 25 + "b'}]\nsteps: [{publish: {exchange: t, routing_key: '" + "a." * 60 + "c'}}]\n",
    "rule with many hashes": "queues: {q: }\nconsumers: {c: {queue: q, on_message: [{routing_key: '" + "#.a." * 25 + "b', do: reject}]}}\nbindings: [{source: amq.fanout, destination: q}]\nsteps: [{publish: {exchange: amq.fanout, routing_key: '" + "a." * 60 + "c'}}]\n",
    "exchange cycle": "exchanges: {a: fanout, b: {type: fanout, arguments: {alternate-exchange: a}}}\nbindings: [{source: a, destination: b, destination_type: exchange}, {source: b, destination: a, destination_type: exchange}]\nsteps: [{publish: {exchange: a}}]\n",
    "alternate exchange cycle": "exchanges: {a: {arguments: {alternate-exchange: b}}, b: {arguments: {alternate-exchange: a}}}\nsteps: [{publish: {exchange: a}}]\n",
    "long chain of exchanges": "exchanges: {" + ", ".join(f"e{number}: fanout" for number in range(2000)) + "}\nbindings: [" + ", ".join(f"{{source: e{number}, destination: e{number + 1}, destination_type: exchange}}" for number in range(1999)) + "]\nsteps: [{publish: {exchange: e0}}]\n",
    "long chain of alternate exchanges": "exchanges: {" + ", ".join(f"e{number}: {{arguments: {{alternate-exchange: e{number + 1}}}}}" for number in range(2000)) + ", e2000: }\nsteps: [{publish: {exchange: e0}}]\n",
    "long chain of dead letters": "queues: {" + ", ".join(f"q{number}: {{arguments: {{x-message-ttl: 0, x-dead-letter-exchange: '', x-dead-letter-routing-key: q{number + 1}}}}}" for number in range(400)) + ", q400: }\nsteps: [{publish: {routing_key: q0}}]\n",
    "many consumers publish": "queues: {" + ", ".join(f"q{number}: " for number in range(600)) + "}\nconsumers: {" + ", ".join(f"c{number}: {{queue: q{number}, on_message: [{{publish: {{routing_key: q{number + 1}}}}}]}}" for number in range(599)) + "}\nsteps: [{publish: {routing_key: q0}}]\n",
    "many unknown names": "exchanges: {f: fanout}\nqueues: {" + ", ".join(f"queue-{number}: " for number in range(1000)) + "}\nbindings: [" + ", ".join(f"{{source: f, destination: quue-{number}}}" for number in range(1000)) + "]\n",
    "many near misses": "exchanges: {" + ", ".join(f"exchange-{number}: " for number in range(1000)) + "}\nqueues: {" + ", ".join(f"q{number}: {{arguments: {{x-dead-letter-exchange: exhange-{number}}}}}" for number in range(1000)) + "}\n",
    "many unknown keys": "".join(f"quees{number}: 1\n" for number in range(3000)), "a definitions file that is itself": "definitions: s.yaml\n", "definitions of nothing": "definitions: ''\n",
    "definitions with NUL": 'definitions: "\\0"\n', "definitions elsewhere": "definitions: /nowhere/at/all.json\n", "definitions of a device": "definitions: /dev/null\n", "definitions from stdin": "definitions: '-'\n",
    "definitions thrice": "definitions: [celery-definitions.json, celery-definitions.json, celery-definitions.json]\n", "definitions of a folder": "definitions: .\n", "definitions in tilde": "definitions: ~\n",
    "format strings": "name: '%s %d {0} {x}'\nqueues: {'%s': , '{}': }\nsteps: [{publish: {routing_key: '%s', body: '%n', id: '{0}'}}]\nexpect: {queues: {'%s': {ready: 0}}}\n",
    "markup": "name: '[red]x[/red] [link=http://x]y[/link] :warning:'\nqueues: {'[bold]': , '[/]': }\nsteps: [{publish: {routing_key: '[/]', id: '[blink]'}}]\n",
    "channels of its own": "queues: {q: }\nchannels: {'(publish)': {connection: x}, '(declare)': {prefetch: 1}, '(get)': {}}\nconsumers: {c: {queue: q, channel: '(publish)'}}\nsteps: [{publish: {routing_key: q}}, {crash: c}]\n",
    "names of everything alike": "exchanges: {a: fanout}\nqueues: {a: {exclusive: true, channel: a}}\nbindings: [{source: a, destination: a}]\nchannels: {a: {connection: a}}\nconsumers: {a: {queue: a, channel: a}}\nsteps: [{publish: {exchange: a, id: a, channel: a}}, {crash: a}]\n",
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_by_hand(case: str) -> None:
    survives(BY_HAND[case])


@pytest.mark.parametrize("name", SEEDS)
def test_the_seeds_themselves_in_other_clothes(name: str) -> None:
    """The same scenario with other line ends, a mark, in UTF-16: it must run as before."""
    plain = survives(SEEDS[name])
    text = SEEDS[name].decode()
    assert survives("\ufeff" + text).out == plain.out
    assert survives(text.replace("\n", "\r\n")).out == plain.out
    assert survives(text.encode("utf-16")).out == plain.out


def test_a_device_and_what_is_no_path() -> None:
    for path in ("/dev/null", "", " ", "\n", "a" * 5000, "s.yaml/x"):
        outcome = routesim("run", path, files={"s.yaml": "queues: {q: }"})
        assert outcome.status == 2
        assert problems_in(outcome.err)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("queues: {q: }")
    path.chmod(0)
    outcome = routesim("run", str(path))
    assert outcome.status == 2
    assert "permission" in outcome.err


def test_a_definitions_file_without_permission_or_sense() -> None:
    for data in (b"\xff\xfe", b"\0", b"{", b"[]", b'{"queues": [{"name": "q\xff"}]}', "{}".encode("utf-16"), b"\xef\xbb\xbf{}"):
        survives("definitions: d.json\nqueues: {q: }\n", files={"d.json": data})


def test_a_compressed_file_says_what_to_do() -> None:
    outcome = survives(b"\x1f\x8b\x08\x00rest", "a.json.gz")
    assert "this is compressed" in outcome.err
    assert "gunzip" in outcome.err

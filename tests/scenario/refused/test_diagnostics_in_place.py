"""Every diagnostic at its file, line and column, its carets under the text that is wrong, with a cure; all of them at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kits.scenario import NO_PROBLEM, only, problems_in, refused, routesim

from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.text import width

TEN_ERRORS = """\
rabbitmq: "9.9"
exchanges:
  shop: topics
queues:
  warehouse: {durabel: true}
  audit: {arguments: {x-max-length: -5}}
bindings:
  - {source: shpo, destination: audit, routing_key: ship.*}
consumers:
  packer: {queue: audit, prefetch: many}
steps:
  - publsh: {exchange: shop}
  - publish: {exchange: amq.topic, headers: {since: 2024-01-31}}
  - wait: 12:30:00
  - get: {queue: adit}
expect:
  queues: {audit: {ready: lots}}
"""
TEN_PLACES = [
    (1, 11, '"9.9"'),
    (3, 9, "topics"),
    (5, 15, "durabel"),
    (6, 23, "x-max-length"),
    (8, 14, "shpo"),
    (10, 36, "many"),
    (12, 5, "publsh"),
    (13, 53, "2024-01-31"),
    (14, 11, "12:30:00"),
    (15, 18, "adit"),
    (17, 27, "lots"),
]


def test_all_errors_at_once_in_the_order_of_the_text() -> None:
    problems = refused(TEN_ERRORS)
    assert [(problem.line, problem.column, problem.marked) for problem in problems] == TEN_PLACES


def test_each_of_them_says_what_to_do() -> None:
    problems = {problem.line: problem for problem in refused(TEN_ERRORS)}
    cures = {
        1: "4.1", 3: "topic", 5: "durable", 8: "shop", 12: "publish", 13: '"2024-01-31"', 15: "audit",
    }  # fmt: skip
    for line, cure in cures.items():
        assert cure in problems[line].cure, problems[line]
    for line in (10, 14, 17):
        assert "expected" in problems[line].message, problems[line]
    assert "'many'" in problems[10].message


def test_they_are_counted_at_the_end() -> None:
    outcome = routesim("run", "scene.yaml", files={"scene.yaml": TEN_ERRORS})
    assert outcome.err.endswith("\n11 errors.\n")
    outcome = routesim("run", "scene.yaml", files={"scene.yaml": "queues: {q: {typ: x}}"})
    assert outcome.err.endswith("\n1 error.\n")


def test_the_file_is_named_as_it_was_given() -> None:
    outcome = routesim("run", "./deep/scene.yaml", files={"deep/scene.yaml": "queues: {q: {typ: x}}"})
    assert "--> ./deep/scene.yaml:1:14" in outcome.err
    outcome = routesim("run", "-", stdin=b"queues: {q: {typ: x}}")
    assert "stdin" in outcome.err
    assert ":1:14" in outcome.err


def test_every_file_is_loaded_before_anything_runs() -> None:
    files: dict[str, str | bytes] = {"good.yaml": "queues: {q: }", "bad.yaml": "queues: {q: {typ: x}}", "worse.yaml": "[]"}
    outcome = routesim("run", "good.yaml", "bad.yaml", "worse.yaml", "missing.yaml", files=files)
    assert (outcome.status, outcome.out) == (2, "")
    for name in ("bad.yaml", "worse.yaml", "missing.yaml"):
        assert f"--> {name}" in outcome.err


# Places ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "marked"),
    [
        ("queues: {q: {typ: x}}", 1, 14, "typ"),
        ("queues:\n  q:\n    arguments:\n      x-max-length: -1\n", 4, 7, "x-max-length"),
        ('queues:\n  q:\n    durable: "yes please"\n', 3, 14, '"yes please"'),
        ("queues:\r\n  q: {typ: x}\r\n", 2, 7, "typ"),
        ("\ufeffqueues: {q: {typ: x}}", 1, 14, "typ"),
        ("# é 👟\nqueues: {é👟: {typ: x}}", 2, 15, "typ"),
        ("name: |\n  several\n  lines\nqueues: {q: {typ: x}}", 4, 14, "typ"),
        ("name: 'several\n  lines'\nqueues: {q: {typ: x}}", 3, 14, "typ"),
        ("queues: {q:\t{typ:\tx}}", 1, 14, "typ"),
        ("---\nqueues: {q: {typ: x}}\n...\n", 2, 14, "typ"),
        ("%YAML 1.1\n---\nqueues: {q: {typ: x}}\n", 3, 14, "typ"),
        ("queues:\r  q: {typ: x}\r", 2, 7, "typ"),
        ('name: "a\u2028b"\nqueues: {q: {typ: x}}', 2, 14, "typ"),
    ],
)
def test_lines_and_columns_as_an_editor_counts_them(text: str, line: int, column: int, marked: str) -> None:
    """A tab is one column, an emoji is one column, CR LF and CR end lines; U+2028 does not, to most editors."""
    problem = only(text)
    assert (problem.line, problem.column, problem.marked) == (line, column, marked)


def test_carets_stand_under_wide_characters() -> None:
    outcome = routesim("run", "s.yaml", files={"s.yaml": "queues: {靴靴: {靴: x}}"})
    lines = outcome.err.splitlines()
    source, carets = lines[3], lines[4]
    assert width(source[: source.rindex("靴")]) == carets.index("^")
    assert carets.count("^") == 2


def test_control_characters_in_the_line_are_shown_and_counted() -> None:
    outcome = routesim("run", "s.yaml", files={"s.yaml": 'queues: {"\u200f\u202e\u200b": {typ: x}}'})
    lines = outcome.err.splitlines()
    assert "\\u202e" in lines[3]
    assert "\u202e" not in outcome.err
    assert lines[3][lines[4].index("^") :].startswith("typ")


def test_a_long_line_is_shown_where_it_matters() -> None:
    text = (
        "queues: {"
        + "".join(f"q{number}: , " for number in range(2000))
        + "bad: {typ: x}, "
        + "".join(f"r{number}: , " for number in range(2000))
        + "}"
    )
    problem = only(text)
    assert problem.marked == "typ"
    outcome = routesim("run", "s.yaml", files={"s.yaml": text})
    assert max(len(line) for line in outcome.err.splitlines()) < 400


def test_a_long_value_is_not_repeated_in_full() -> None:
    for text in (
        "queues: {q: }\nsteps:\n  - publish: {routing_key: q, headers: {a: " + "1:1" * 100_000 + "}}\n",
        "queues: {q: }\nsteps:\n  - wait: " + "x" * 100_000 + "\n",
        "queues: {q: }\nsteps:\n  - publish: {routing_key: q, exchange: " + "x" * 100_000 + "}\n",
        "queues: {q: }\nrabbitmq: " + "x" * 100_000 + "\n",
        "queues: {q: }\nconsumers: {c: {queue: q, on_message: " + "x" * 100_000 + "}}\n",
        "queues: {q: {" + "x" * 100 + ": 1}}\nexpect: {ended: " + "x" * 100_000 + "}\n",
        "queues: {q: }\npolicies: [{name: p, pattern: x, definition: {max-length: " + '"' + "x" * 100_000 + '"' + "}}]\n",
    ):
        outcome = routesim("run", "s.yaml", files={"s.yaml": text})
        assert outcome.status == 2
        assert len(outcome.err) < 3000, outcome.err[:300]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("queues: {q: }\nseed: x\n", "x"),
        ("queues: {q: }\nsteps: [{publish: {routing_key: q, count: 0}}]\n", "0"),
        ("queues: {q: }\nsteps: [{publish: {routing_key: q, headers: {a: 010}}}]\n", "010"),
        ("queues: {q: }\nbindings: [{source: amq.direct, destination: q, arguments: 5}]\n", "5"),
        ("exchanges: {x: [a]}\n", "["),
        ("queues: [q]\n", "q"),
        ("queues: q\n", "q"),
        ("consumers: {c: }\n", "c"),
        ("broker: {max_message_size: 0}\n", "0"),
        ("vhost: [a]\n", "["),
        ("expect: {returned: {a: b}}\n", "{"),
        ("rabbitmq: [4]\n", "["),
    ],
)
def test_the_value_at_fault_is_marked(text: str, marked: str) -> None:
    (problem, *_) = refused(text)
    assert problem.marked == marked


# One mistake, one diagnostic -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "queues: {q: {type: qourum}}\n",
        "queues: {q: {typ: quorum}}\nsteps: [{publish: {routing_key: q}}, {get: {queue: q}}]\n",
        "exchanges: {x: tpoic}\nqueues: {q: }\nbindings: [{source: x, destination: q}]\nsteps: [{publish: {exchange: x}}]\n",
        "queues: {q: {arguments: {x-max-length: -1}}}\nbindings: [{source: amq.direct, destination: q}]\nconsumers: {c: {queue: q}}\n",
        "queues: {q: {durable: 5}}\nconsumers: {c: {queue: q}}\n",
        "queues: {q: 5}\nconsumers: {c: {queue: q}}\nsteps: [{purge: q}]\n",
        "exchanges: {x: [a]}\nqueues: {q: }\nbindings: [{source: x, destination: q}]\n",
        "queues: {q: }\nbindings: [{source: amq.direct}]\n",
        "queues: {q: }\nbindings: [{source: amq.direct, destination: [q]}]\n",
        "queues: {q: }\nbindings: [{source: [a], destination: q}]\n",
        "queues: {q: }\nconsumers: {c: {}}\n",
        "queues: {q: }\nconsumers: {c: {queue: [q]}}\n",
        "queues: {q: }\nconsumers: {c: 5}\nsteps: [{consume: c}]\nexpect: {consumers: {c: {acked: 1}}}\n",
        "queues: {q: }\nconsumers: {c: {queue: q, on_message: drop}}\nsteps: [{crash: c}]\n",
        "queues: {q: }\nsteps: [{publish: {routing_key: q, id: a, count: x}}, {wait: 1s}]\nexpect: {messages: {a: {q: ready}}}\n",
        "queues: {q: }\nsteps: [{publish: {routing_key: [q], id: a}}]\nexpect: {messages: {a: {q: ready}}}\n",
        "queues: {q: }\nsteps: [{publsh: {routing_key: q, id: a}}]\nexpect: {messages: {a: {q: ready}}}\n",
        "queues: {q: }\nsteps: [{bind: {source: amq.direct}}]\n",
        "queues: {q: }\nsteps: [{get: {queue: [q]}}]\n",
        "queues: {q: }\nsteps: [{ack: {consumer: [c], message: m1}}, {publish: {routing_key: q}}]\n",
        "queues: {q: }\nsteps: [{publish: {routing_key: q}}, {ack: {channel: c, delivery_tag: x}}, {get: {queue: q, channel: c}}]\n",
        "queues: {q: }\nsteps: [{tx: {channel: [c], do: select}}]\n",
        "queues: {q: }\nsteps: [{delete: {queue: [q]}}]\n",
        "queues: {q: }\nsteps: [{qos: {channel: c, prefetch: -1}}]\n",
        "queues: {q: }\npolicies: [{name: p, pattern: '('  , definition: {max-length: 1}}]\n",
        "queues: {q: }\npolicies: [{name: p, pattern: x, definition: 5}]\n",
        "queues: {q: }\npolicies: [{name: p, pattern: [x], definition: {max-length: 1}}]\n",
        "queues: {q: }\npolicies: [{name: p, pattern: x, priority: high, definition: {max-length: 1}}]\n",
        "queues: {q: }\npolicies: [{name: p, pattern: x, apply-to: queue, definition: {max-length: 1}}]\n",
        "queues: {q: }\npolicies: [{name: p, pattern: x, definition: {max-lenght: 1}}]\n",
        "queues: {q: }\npolicies: [{name: p, pattern: x, definition: {}}]\n",
    ],
)
def test_one_mistake_is_told_once(text: str) -> None:
    """What only follows from a mistake is not told as well: people count errors, and fix the wrong one first."""
    problems = refused(text)
    assert len(problems) == 1, problems


# YAML that is none ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("queues: {q: \n", 2),
        ("queues: [q\nsteps: []\n", 2),
        ("queues:\n\tq:\n", 2),
        ("queues:\n  q:\n bad\n", 3),
        ("a: b: c\n", 1),
        ("a: 'open\nb: c\n", 1),
        ("a: @x\n", 1),
        ("a: `x`\n", 1),
        ("a: %x\n", 1),
        ("a: *nowhere\n", 1),
        ("a: &x [*x]\n", 1),
        ("- a\nb: c\n", 2),
        ("{a: b}}\n", 1),
        ("a: !!python/object:os.system x\n", 1),
        ("a: !secret x\n", 1),
        ("? [a]\n: b\n", 1),
        ("{[a]: b}\n", 1),
        ('a: "\\q"\n', 1),
        ("a: b\n---\nc: d\n", 2),
        ("a: b\n...\nc: d\n", 3),
        ("a: 1\nb: 2\na: 3\n", 3),
        ("<<: 5\n", 1),
        ("a: [\x00]\n", 1),
        ("b: c\na: [\x1b]\n", 2),
        ("é: é\nb: 👟 c\na: [\x01]\n", 3),
    ],
)
def test_broken_yaml_has_a_place(text: str, line: int) -> None:
    problems = refused(text)
    assert line in [problem.line for problem in problems]


@pytest.mark.parametrize(
    ("text", "line", "column"), [("a: b\nqueues:\n  q\x01:\n", 3, 4), ("name: ééé 👟\nqueues:\n  q\x01:\n", 3, 4), ("\x01", 1, 1)]
)
def test_a_forbidden_character_is_where_it_is(text: str, line: int, column: int) -> None:
    problem = only(text)
    assert (problem.line, problem.column) == (line, column)
    assert "U+0001" in problem.message


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("queues:\n\tq:\n", "spaces"),
        ("steps:\n  - publish: {routing_key: *.boots}\n", "quote"),
        ("steps:\n  - publish: {routing_key: @x}\n", "quote"),
        ("expect:\n  messages:\n    m1:\n      q: dropped: maxlen\n", "quote"),
        ("expect: {messages: {m1: {q: dropped: maxlen}}}\n", "quote"),
        ("steps:\n  - publish: {routing_key: %x}\n", "quote"),
        ("a: b\n---\nc: d\n", "file of its own"),
        ("a: !secret x\n", "tag"),
        ("queues: {q: }\nsteps:\n- publish: {routing_key: q}\n  - wait: 1s\n", "indent"),
        ("queues: {q: }\nconsumers: {c: {queue: q, on_message: [{attempt: >= 3}]}}\n", "quote"),
        ("bindings:\n  - {source: a, destination: b, routing_key: #.shoes}\n", "quote"),
        ("queues: {a: {}\nsteps: []\n", "'{' in line 1, column 9 is still open: close it with '}'"),
        ("queues: {a: {durable: true type: quorum}}\n", "write ',' before this key"),
        ("queues: {a: [\x01]}\n", '"\\x01"'), ("queues: {a: [\ufffe]}\n", '"\\ufffe"'),
        ("queues: {a: {type: quorun}}\n", "did you mean 'quorum'?"), ("queues: {a: {type: lazy}}\n", "it takes classic, quorum, stream"),
        ("queues: {a: {arguments: {x-overflow: reject}}}\n", "it takes drop-head, reject-publish"),
        ("queues: {a: {arguments: {x-message-ttl: 5s}}}\n", "write 5000: RabbitMQ's arguments are in ms"),
        ("queues: {a: {arguments: {x-max-length: '10'}}}\n", "write 10 without quotes"),
        ("queues: {a: {type: quorum, durable: false}}\n", "leave out `durable: false`"),
    ],
)  # fmt: skip
def test_common_slips_have_a_cure(text: str, cure: str) -> None:
    problems = refused(text)
    assert any(cure in problem.cure for problem in problems), problems


@pytest.mark.parametrize("text", ["", " ", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "\ufeff", "~", "null"])
def test_an_empty_file(text: str) -> None:
    assert only(text).message


@pytest.mark.parametrize("text", ["[]", "- a\n- b\n", "text", "5", '"quoted"', "true", "[" * 30 + "]" * 30])
def test_a_document_that_is_no_mapping(text: str) -> None:
    problem = only(text)
    assert (problem.line, problem.column) == (1, 1)
    assert "mapping" in problem.message


@pytest.mark.parametrize("text", ["{}", "{ }", "queues:", "name: x", '{"name": "x"}'])
def test_a_document_with_little_in_it(text: str) -> None:
    outcome = routesim("run", "s.yaml", files={"s.yaml": text})
    assert (outcome.status, outcome.err) == (0, ""), NO_PROBLEM


def test_an_unknown_section() -> None:
    problem = only("queues: {q: }\nbinding: []\n")
    assert (problem.marked, problem.code) == ("binding", "unknown-key")
    assert "bindings" in problem.cure
    problem = only("queues: {q: }\nzzz: []\n")
    assert "queues" in problem.cure, "the known ones are named"


def test_yaml_features_that_are_understood() -> None:
    text = """
%YAML 1.2
---
queues:
  a: &options {arguments: &arguments {x-max-length: 5}}
  b: *options
  c: {durable: true, <<: *options}
  d: {arguments: {<<: *arguments, x-max-priority: 3}}
  ? e
  :
  "f": !!map {}
steps:
  - publish:
      routing_key: !!str a
      body: >-
        folded
        text
"""
    outcome = routesim("run", "s.yaml", "-f", "json", files={"s.yaml": text.lstrip()})
    assert outcome.status == 0, outcome.err
    assert list(outcome.result["queues"]) == ["a", "b", "c", "d", "e", "f"]


def test_json_is_yaml_also_for_scenarios() -> None:
    """With tabs, escapes, surrogate pairs and slashes as JSON writers put them."""
    text = '{\n\t"name": "\\ud83d\\udc5f \\u00e9 \\/",\n\t"queues": {"q": null},\n\t"steps": [{"publish": {"routing_key": "q", "headers": {"a": 1.5e3, "b": null}}}]\n}'
    outcome = routesim("run", "s.json", "-f", "json", files={"s.json": text})
    assert outcome.status == 0, outcome.err
    assert outcome.result["scenario"] == "👟 é /"


# Files that cannot be read -------------------------------------------------------------------------------------------


def test_a_missing_file_and_its_nearest_name() -> None:
    outcome = routesim("run", "shose.yaml", files={"shoes.yaml": "queues: {q: }"})
    (problem,) = problems_in(outcome.err)
    assert (outcome.status, problem.file, problem.line) == (2, "shose.yaml", 0)
    assert "shoes.yaml" in problem.cure


def test_a_missing_file_in_a_missing_folder() -> None:
    outcome = routesim("run", "no/such/place.yaml")
    assert outcome.status == 2
    assert len(problems_in(outcome.err)) == 1


def test_a_folder_of_the_wrong_files() -> None:
    outcome = routesim("run", "folder", files={"folder/notes.txt": "queues: {q: }"})
    assert outcome.status == 2
    assert "folder" in outcome.err


def test_text_that_is_not_utf_8_has_a_place() -> None:
    problem = only("queues:\n  é: {}\n  ü".encode() + b"\xff: {}\n")
    assert (problem.line, problem.column) == (3, 4)
    assert "UTF-8" in problem.message + problem.cure


def test_latin_1_is_told_as_what_it_is() -> None:
    problem = only("queues:\n  Größe:\n".encode("latin-1"))
    assert (problem.line, problem.column) == (2, 5)
    assert "UTF-8" in problem.cure


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_understood(encoding: str) -> None:
    outcome = routesim("run", "s.yaml", "-f", "json", files={"s.yaml": "queues: {é👟: }\n".encode(encoding)})
    assert outcome.status == 0, outcome.err
    assert list(outcome.result["queues"]) == ["é👟"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused_with_a_hint(encoding: str) -> None:
    problem = refused("queues: {audit: }\n".encode(encoding))[0]
    assert "UTF-8" in problem.cure, problem


def test_half_a_utf_16_file() -> None:
    assert "UTF" in only("queues: {audit: }\n".encode("utf-16")[:-1]).message


@given(st.text(st.sampled_from("ab\n"), max_size=30))
def test_the_place_of_a_character(text: str) -> None:
    source = Source("x", text)
    for at in range(len(text) + 1):
        assert source.place(at) == (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def test_a_vhost_that_is_asked_of_a_plain_scenario() -> None:
    """It is not taken in silence, since it is for definitions files."""
    text = "queues: {q: }\n"
    (told,) = [item.message for item in load_source(Source("x.yaml", text), "", vhost="nope").warnings]
    assert told == "'nope' chooses nothing here: all of this scenario is in one vhost, '/'"
    for own, asked in ((text, "/"), ("vhost: shop\n" + text, "shop")):
        assert load_source(Source("x.yaml", own), "", vhost=asked).warnings == ()

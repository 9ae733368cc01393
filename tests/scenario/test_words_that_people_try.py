"""Words from pika, the management page, Celery and everyday language get an answer that says what to write; one mistake, one error."""

import pytest
from kits.format_pages import ROWS, Pages, shapes_in

from routesim.diagnostics import Diagnostic, Invalid
from routesim.explain.pages.documents import anchors, part
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.failure_plan import PLAN, PLANNED
from routesim.scenario.format.canvases import SHAPES as CANVASES
from routesim.scenario.format.declared import ANSWERS, PUBLISH
from routesim.scenario.format.synonyms import FORMS, HINTS, OWN_STEPS, RENAMES, STEPS, TRIED_ANSWERS
from routesim.scenario.format.whole import SCENARIO
from routesim.scenario.schema import schema
from routesim.scenario.steps.verbs import NAMES
from routesim.scenario.yaml.source import Source

TOP = "exchanges: {shop: topic}\nqueues: {q: , shoes: }\nconsumers: {w: {queue: q}}\n"


def errors(text: str) -> list[Diagnostic]:
    try:
        load_source(Source("guess.yaml", text), "")
    except Invalid as invalid:
        return [item for item in invalid.diagnostics if item.severity == "error"]
    return []


@pytest.mark.parametrize(
    ("text", "message", "cure"),
    [
        (TOP + "steps: [publish: {routing_key: q, times: 3}]", "publish has no 'times'", "write 'count'"),
        (TOP + "steps: [publish: {key: q}]", "publish has no 'key'", "write 'routing_key'"),
        (TOP + "bindings: [{exchange: shop, queue: q, key: a.b}]", "a binding has no 'exchange', 'queue' or 'key'",
         "write 'source', 'destination' and 'routing_key'"),
        (TOP + "bindings: [{source: shop, queue: q, routing_key: a.b}]", "a binding has no 'queue'", "write 'destination'"),
        ("queues: {q: }\nconsumers: {w: {queue: q, ack: manual}}", "a consumer has no 'ack'", "acknowledgements are manual"),
        ("queues: {q: }\nconsumers: {w: {queues: [q]}}", "a consumer has no 'queues'", "write `queue: NAME`"),
        (TOP + "steps: [sleep: 5s]", "'sleep' is no step", "write `wait: 5s`"),
        (TOP + "steps: [kill: w]", "'kill' is no step", "write `crash: NAME`"),
        (TOP + "steps: [restart: w]", "expected broker, clean or kill, found 'w'", "write `crash: NAME`, then `start: NAME`"),
        (TOP + "steps: [declare: {queue: x}]", "declare has no 'queue'", "write `queues: {NAME: {}}`"),
        (TOP + "steps: [declare: {exchange: x}]", "declare has no 'exchange'", "write `exchanges: {NAME: topic}`"),
        ("queues: {q: {ttl: 5}}", "a queue has no 'ttl'", "x-message-ttl"),
        (TOP + "steps: [restart: {w: 1}]", "expected broker, clean or kill, found a mapping", "write `crash: NAME`, then `start: NAME`"),
        (TOP + "steps: [restart: {do: kill}]", "expected broker, clean or kill, found a mapping", "write kill"),
        (TOP + "steps: [publish: {sleep: 1}]", "publish has no 'sleep'", "a step of its own, behind this one: write `- wait: 5s`"),
        (TOP + "steps: [get: {queue: q, ack: 1}]", "get has no 'ack'", "a step of its own, behind this one: write `- ack: …`"),
        (TOP + "steps: [publishes: {routing_key: q}]", "'publishes' is no step", "write `publish: {…}`"),
        (TOP + "publishes: [{routing_key: q}]", "a scenario has no 'publishes'", "write `steps: [publish: {…}]`"),
        ("queues: {q: }\nconsumers: {w: {queue: q, sleep: 1s}}", "a consumer has no 'sleep'", "write 'takes'"),
        ("queues: {q: }\nconsumers: {w: {queue: q, tag: t}}", "a consumer has no 'tag'", "its name is its tag"),
        (TOP + "steps: [wait: {seconds: 5}]", "expected a duration such as 250ms, 5s, 2m, 1h, 1d, found a mapping", "write 5s"),
        (TOP + "steps: [start: {name: w}]", "expected a name, found a mapping", "write w"),
        (TOP + "steps: [stop: [w, v]]", "expected a name, found a list", "only one stands here: write w, or v"),
        ("version: '4.1'\nqueues: {q: }", "a scenario has no 'version'", "write 'rabbitmq'"),
        (TOP + "expect: {queues: {q: {count: 1}}}", "the expectation of a queue has no 'count'", "write 'ready'"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_error_with_its_cure(text: str, message: str, cure: str) -> None:
    (found,) = errors(text)
    assert found.message == message
    assert cure in found.cure


def test_a_long_list_of_names_is_cut_with_the_likeliest_first_and_where_all_are() -> None:
    (key,) = errors(TOP + "steps: [publish: {zzz: 1}]")
    assert key.cure.startswith("known keys: exchange, routing_key, body, ")
    assert key.cure.endswith(f" … `routesim docs steps#publish` has all {len(PUBLISH.fields)}")
    (step,) = errors(TOP + "steps: [fool: 1]")
    assert step.cure.startswith("steps: control, flow, publish, ")
    assert step.cure.endswith(f" … `routesim docs steps` has all {len(NAMES)}")
    (short,) = errors(TOP + "bindings: [{zzz: 1, source: shop, destination: q}]")
    assert "routesim docs" not in short.cure
    (word,) = errors(f"{TOP}steps: [publish: {{routing_key: q}}]\nexpect: {{messages: {{m1: {{q: raedy}}}}}}")
    assert (len(word.message) < 80, word.cure) == (True, "did you mean 'ready'?")


def test_the_page_that_has_all_keys_of_a_mapping_is_there() -> None:
    pages = Pages()
    kinds = [SCENARIO, *pages.parts.values(), *(kind for row in ROWS.values() for kind in shapes_in(row.kind)), PLANNED, PLAN]
    for kind in [*kinds, *CANVASES.values()]:
        topic, _, anchor = kind.page.partition("#")
        assert anchor in anchors(topic), kind.what
        if topic != "serve" and kind not in CANVASES.values():
            assert [name for name in kind.fields if f"| `{name}`" not in part(kind.page).text] == [], kind.what


Q = "queues: {q: , shoes: }\n"


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("consumers: {w: {queue: q, on_message: nack}}", "write reject (dead-letters it) or requeue"),
        ("consumers: {w: {queue: q, on_message: [{do: nack}]}}", "write reject (dead-letters it) or requeue"),
        ("consumers: {w: {queue: q, on_message: [{do: publish}]}}", "`publish: {…}` stands beside `do:`"),
        ("consumers: {w: {queue: q, on_message: {do: reject}}}", "write [{do: reject}]"),
        ("consumers: {w: {queue: q, on_message: [{if: x}]}}", "`redelivered: true`"),
        ("consumers: {w: {queue: q, on_message: [{to: x}]}}", "write `publish: {routing_key: QUEUE}`"),
        ("consumers: {w: {queue: q, requeue: true}}", "do: requeue"),
        ("consumers: {worker: shoes}", "write {queue: shoes}"),
        ("consumers: [{worker: {queue: shoes}}]", "leave out the '- ': write `worker: {queue: shoes}`"),
        ("consumers: [{name: w, queue: q}]", "write `w: {…}` without '- '"),
        ("expect: {queues: {q: 3}}", "write {ready: 3}"), ("expect: {queues: {q: [m1]}}", "write {ready: [m1]}"),
        ("expect: {queues: {q: {messages: 3}}}", "write `ready: 3`"),
        ("policies: {ha: {pattern: q, definition: {message-ttl: 5}}}", "write `- {name: ha, pattern: q, definition: {message-ttl: 5}}`"),
        ("bindings: {shop: q}", "begin each with '- ': write `- {source: …"),
        ("steps: {publish: {routing_key: q}}", "begin each with '- ': write `- publish: {routing_key: q}`"),
        ("steps: [publish: shoes]", "write {routing_key: shoes}"), ("steps: [get: shoes]", "write {queue: shoes}"),
        ("steps: [ack: m1]", "write {consumer: NAME, message: m1}"), ("steps: [delete: shoes]", "write {queue: shoes}"),
        ("steps: [worker: w1]", "write {name: w1, do: kill}"), ("steps: [fail: w]", "write `crash: NAME`"),
        ("steps: [shutdown: broker]", "write `restart: broker`"), ("steps: [shutdown: w]", "write `stop: NAME`"),
        ("steps: [crash: broker]", "`restart: broker`"), ("steps: [pause: w]", "write `stop: w`"), ("steps: [pause: 5s]", "write `wait: 5s`"),
        ("steps: [repeat: 3]", "count: 10"), ("steps: [reconnect: w]", "write `start: NAME`"), ("steps: [note: hi]", "write a comment"),
        ("steps: [start: w]", "declare it under `consumers:`"), ("consumers: {abc: {queue: q}}\nsteps: [start: w]", "there is abc"),
        ("steps: [wait: 5]", "write 5s, or 5ms; until now it was taken as 5ms"), ("steps: [wait: 1.5]", "write 1.5s"),
    ],
)  # fmt: skip
def test_the_cure_shows_the_right_form_with_what_was_typed(text: str, cure: str) -> None:
    (found,) = errors(Q + text)
    assert cure in found.cure


@pytest.mark.parametrize("verb", NAMES)
@pytest.mark.parametrize("value", ["x", "7", "{a: b}", "[x]", "[{a: b}]", "{}", "[]", '""'])
def test_nothing_behind_a_verb_breaks_the_loader(verb: str, value: str) -> None:
    errors(f"{Q}steps: [{verb}: {value}]")


def test_the_forms_that_are_shown_have_keys_that_there_are() -> None:
    shapes = _shapes()
    for what, form in FORMS.items():
        assert what in shapes, what
        assert form[1 : form.index(":")] in {*shapes[what], "{}"}, what


def test_no_word_for_an_answer_is_one() -> None:
    assert not TRIED_ANSWERS.keys() & set(ANSWERS)


def _shapes() -> dict[str, set[str]]:
    """The keys of each shape, by what it is called."""
    from routesim.scenario.celery import celery_format
    from routesim.scenario.format import declared, expected, whole
    from routesim.scenario.format.shapes import Shape
    from routesim.scenario.steps.verbs import VERBS

    kinds = [value for module in (celery_format, declared, expected, whole) for value in vars(module).values()]
    kinds += [verb.kind for verb in VERBS.values()]
    found: dict[str, set[str]] = {}
    for kind in kinds:
        if isinstance(kind, Shape):
            found.setdefault(kind.what, set()).update(kind.fields)
    return found


def test_every_synonym_leads_to_a_key_that_there_is_and_is_none_itself() -> None:
    shapes = _shapes()
    assert {*RENAMES, *HINTS} <= shapes.keys()
    for what, names in RENAMES.items():
        assert {meant for meant in names.values() if meant not in shapes[what]} == set(), what
    for what, names in HINTS.items():
        assert not names.keys() & shapes[what], what


def test_every_word_for_a_step_is_none_and_its_answer_names_one() -> None:
    assert not STEPS.keys() & set(NAMES)
    for word, cure in STEPS.items():
        assert any(f"`{name}: " in cure for name in NAMES), word
    assert schema()["$defs"]["step"]["properties"].keys() >= {"start", "stop"}
    assert OWN_STEPS.keys() <= {*NAMES, *STEPS}


WORKER = """
queues: {celery: }
tasks: {t: {takes: 1s}}
workers: {w1: {queues: celery}}
steps:
  - publish: {routing_key: celery, headers: {task: t, id: t1}}
"""


def ran(text: str) -> object:
    return Runner(load_source(Source("case.yaml", text), "")).run()


def test_start_and_stop_take_a_consumer_or_a_worker_and_crash_its_connection() -> None:
    consumer = "queues: {q: }\nconsumers: {w: {queue: q, start: false}}\nsteps:\n  - publish: {routing_key: q}\n  - start: w\n"
    assert ran(consumer + "  - stop: w\nexpect: {consumers: {w: {acked: 1}}}").ok  # type: ignore[attr-defined]
    assert ran(consumer + "  - crash: w\n").ok  # type: ignore[attr-defined]
    assert ran(WORKER + "  - stop: w1\nexpect: {tasks: {t1: {state: SUCCESS}}, workers: {w1: {online: false}}}").ok  # type: ignore[attr-defined]
    killed = "  - stop: w1\n  - wait: 5s\n  - expect: {workers: {w1: {online: false}}}\n  - start: w1\nexpect: {workers: {w1: {online: true}}}"
    assert ran(WORKER + killed).ok  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", ["broker", "clean"])
def test_the_broker_restarts(how: str) -> None:
    text = f"queues: {{q: {{exclusive: false}}}}\nsteps: [publish: {{routing_key: q, delivery_mode: 1}}, restart: {how}]\n"
    assert ran(text + "expect: {lost: 1}").ok  # type: ignore[attr-defined]


def test_what_there_is_none_of() -> None:
    (found,) = errors("queues: {q: }\nconsumers: {packer: {queue: q}}\nsteps: [start: pakcer]")
    assert (found.code, found.cure) == ("unknown-consumer", "did you mean 'packer'?")

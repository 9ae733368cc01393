"""One table of verbs: everything that must be known of a step is there, and each engine carries out each step.

UPDATE_DOCS=1 writes the page of all steps, `routesim/docs/steps.md`, anew.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import routesim
from routesim import steps
from routesim.broker.rabbit_broker import HANDLERS
from routesim.clients.worker.commands import COMMANDS as CARRIED_OUT
from routesim.rabbitmq.engine import HANDLERS as ON_A_REAL_BROKER
from routesim.redis.broker import HANDLERS as ON_REDIS
from routesim.scenario import schema
from routesim.scenario.celery.celery_format import COMMANDS
from routesim.scenario.celery.celery_steps import VERBS as CELERY_ROWS
from routesim.scenario.celery.celery_steps import CeleryVerb
from routesim.scenario.format import declared
from routesim.scenario.format.kinds import Choice, Kind
from routesim.scenario.format.shapes import Either, ListOf, MapOf, Shape
from routesim.scenario.steps.verbs import CELERY_VERBS, NAMES, VERBS, Verb, kind_of

ROOT = Path(routesim.__file__).parent
ROWS: dict[str, Verb | CeleryVerb] = {**VERBS, **CELERY_ROWS}
STEP_TYPES = get_args(steps.Step)
# Engine -> the steps that it does not carry out, and why.
OF_AMQP = dict.fromkeys(
    (steps.OpenChannel, steps.CloseChannel, steps.Flow, steps.SelectConfirms, steps.AskExchange),
    "only clients of `routesim serve` say it, in AMQP",
)
UNASKED: dict[type, str] = {steps.Fetch: "RabbitMQ sends unasked, up to the prefetch"}
WHY_NOT: dict[str, dict[type, str]] = {
    "broker": UNASKED,
    "redis": OF_AMQP,
    "rabbitmq": {**UNASKED, steps.Flow: "its socket is full then, by itself"},
}


@pytest.mark.parametrize(
    ("engine", "handlers"),
    [("broker", HANDLERS), ("redis", ON_REDIS), ("rabbitmq", ON_A_REAL_BROKER)],
    ids=lambda item: str(item)[:8],
)
def test_each_engine_carries_out_each_step(engine: str, handlers: dict[type, object]) -> None:
    assert set(STEP_TYPES) - WHY_NOT[engine].keys() == set(handlers)


def test_celerys_verbs_are_those_of_its_own_table() -> None:
    assert tuple(CELERY_ROWS) == CELERY_VERBS
    assert tuple(ROWS) == NAMES
    assert all(ROWS[name].kind is kind_of(name) for name in NAMES)


def test_workers_know_every_command_that_a_step_can_send() -> None:
    assert COMMANDS.keys() == CARRIED_OUT.keys()


EXAMPLES = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("scenarios", "tests")
    for path in sorted((ROOT.parent / folder).rglob("*"))
    if path.suffix in (".yaml", ".py") and path != Path(__file__)
)


@pytest.mark.parametrize("name", NAMES)
def test_every_verb_is_whole(name: str) -> None:
    row, made = ROWS[name], schema.schema()["$defs"]["step"]
    assert row.help
    assert not row.help.endswith(".")
    assert name in made["properties"]
    assert {"required": [name]} in made["oneOf"]
    assert re.search(rf"(- \{{?|\"){name}: ", EXAMPLES), "no scenario or test shows it"


# The page of all steps -----------------------------------------------------------------------------------------------

PAGE = ROOT / "docs" / "steps.md"
HEAD = """# Steps

What may stand under `steps:`, one verb each. `fails: CODE` beside the verb: the step must fail with this reply code.
A field that holds more than one value names the part below in which its own fields stand.
"""


PARTS = """# What stands in them

The parts of a `declare` step stand in the same form in the sections at the top of a scenario, those of `expect` under `expect:`.
"""
CALLED = {id(declared.REPLY): "publish of a rule"}


def page() -> Iterator[str]:
    yield HEAD
    parts: dict[str, Shape] = {}
    for name, row in ROWS.items():
        kind = row.kind
        takes = "" if isinstance(kind, Shape) else f" Takes {kind.expects}."
        yield f"## {name}\n\n{row.help[0].upper()}{row.help[1:]}.{takes}\n"
        for shape in [kind] if isinstance(kind, Shape) else list(shapes_in(kind)):
            yield from table(shape, parts)
    yield PARTS
    told: set[str] = set()
    while left := [name for name in parts if name not in told]:
        told.add(left[0])
        yield f'## <a id="{left[0].replace(" ", "-")}"></a>{left[0]}\n'
        yield from table(parts[left[0]], parts)


def table(shape: Shape, parts: dict[str, Shape]) -> Iterator[str]:
    """The fields of a mapping; the mappings that stand in them are noted as parts."""
    yield "| field | |\n| --- | --- |"
    for field, (inner, doc, required) in shape.fields.items():
        options = f" ({', '.join(inner.options)})" if isinstance(inner, Choice) and inner.options[0] not in doc else ""
        links = []
        for part in shapes_in(inner):
            name = CALLED.get(id(part), part.what.removeprefix("the ").removeprefix("an ").removeprefix("a "))
            assert parts.setdefault(name, part) is part, f"two shapes are called {name}"
            links.append(f"[{name}](#{name.replace(' ', '-')})")
        see = f": {', '.join(links)}" if links else ""
        yield f"| `{field}`{' (required)' if required else ''} | {doc}{options}{see} |"
    yield ""


def shapes_in(kind: Kind) -> Iterator[Shape]:
    """The mappings with known keys that a field holds, in lists and under names too."""
    if isinstance(kind, Shape):
        yield kind
    elif isinstance(kind, ListOf | MapOf):
        yield from shapes_in(kind.item)
    elif isinstance(kind, Either):
        yield from dict.fromkeys(shape for form in schema._forms(kind) for shape in shapes_in(form))


def test_the_page_of_all_steps_is_current() -> None:
    text = "\n".join(page()).rstrip() + "\n"
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    "row",
    [
        "| `headers` | copy carries the delivery's headers over |",
        "| `restart` | with crash: the consumer comes back after so long |",
        "| `channel` | whose connection declares it, and so owns it where it is exclusive |",
        "| `exists` | false: it has been deleted |",
        "| `deaths` | condition: how often it has died, by x-death: such as '>= 3', or {queue: work, count: '>= 3'}: [deaths](#deaths) |",
        "| `started_at` | when its last run began: 5s, or such as '>= 5s'; a list: all its runs |",
    ],
)
def test_fields_within_fields_stand_on_the_page_too(row: str) -> None:
    assert row in PAGE.read_text(encoding="utf-8").splitlines()

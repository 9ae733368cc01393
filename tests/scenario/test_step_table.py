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
from routesim.clients.commands import COMMANDS as CARRIED_OUT
from routesim.rabbitmq.engine import HANDLERS as ON_A_REAL_BROKER
from routesim.redis.broker import HANDLERS as ON_REDIS
from routesim.scenario import schema
from routesim.scenario.celery.celery_format import COMMANDS
from routesim.scenario.celery.celery_steps import VERBS as CELERY_ROWS
from routesim.scenario.celery.celery_steps import CeleryVerb
from routesim.scenario.format.kinds import Choice
from routesim.scenario.format.shapes import Shape
from routesim.scenario.steps.verbs import CELERY_VERBS, NAMES, VERBS, Verb, kind_of

ROOT = Path(routesim.__file__).parent
ROWS: dict[str, Verb | CeleryVerb] = {**VERBS, **CELERY_ROWS}
STEP_TYPES = get_args(steps.Step)
# Engine -> the steps that it does not carry out, and why.
WHY_NOT: dict[str, dict[type, str]] = {"broker": {}, "redis": {}, "rabbitmq": {}}


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
"""


def page() -> Iterator[str]:
    yield HEAD
    for name, row in ROWS.items():
        kind = row.kind
        takes = "" if isinstance(kind, Shape) else f" Takes {kind.expects}."
        yield f"## {name}\n\n{row.help[0].upper()}{row.help[1:]}.{takes}\n"
        if isinstance(kind, Shape):
            yield "| field | |\n| --- | --- |"
            for field, (inner, doc, required) in kind.fields.items():
                options = f" ({', '.join(inner.options)})" if isinstance(inner, Choice) and inner.options[0] not in doc else ""
                yield f"| `{field}`{' (required)' if required else ''} | {doc}{options} |"
            yield ""


def test_the_page_of_all_steps_is_current() -> None:
    text = "\n".join(page())
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text

"""One table of verbs: everything that must be known of a step is there, and each engine carries out each step.

UPDATE_DOCS=1 writes the pages that are made of such tables, `routesim/docs/steps.md` and `format.md`, anew.
"""

import os
import re
from pathlib import Path
from typing import get_args

import pytest
from kits.format_pages import ROWS, Pages

import routesim
from routesim import steps
from routesim.broker.rabbit_broker import HANDLERS
from routesim.clients.worker.commands import COMMANDS as CARRIED_OUT
from routesim.rabbitmq.engine import HANDLERS as ON_A_REAL_BROKER
from routesim.redis.broker import HANDLERS as ON_REDIS
from routesim.scenario import schema
from routesim.scenario.celery.celery_format import COMMANDS
from routesim.scenario.celery.celery_steps import VERBS as CELERY_ROWS
from routesim.scenario.steps.verbs import CELERY_VERBS, NAMES, kind_of

ROOT = Path(routesim.__file__).parent
STEP_TYPES = get_args(steps.Step)
# Engine -> the steps that it does not carry out, and why.
UNASKED: dict[type, str] = {steps.Fetch: "RabbitMQ sends unasked, up to the prefetch"}
WHY_NOT: dict[str, dict[type, str]] = {
    "broker": UNASKED,
    "redis": {},
    "rabbitmq": {**UNASKED, **dict.fromkeys((steps.Flow, steps.Expire), "no scenario that has it runs there")},
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


# The pages of all steps and of the format ------------------------------------------------------------------------------

PAGES = {"steps": Pages().steps, "format": Pages().format}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str) -> None:
    path = ROOT / "docs" / f"{name}.md"
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(PAGES[name], encoding="utf-8")
    assert path.read_text(encoding="utf-8") == PAGES[name]


@pytest.mark.parametrize(
    "row",
    [
        "| `headers` | copy carries the delivery's headers over |",
        "| `restart` | with crash: the consumer comes back after so long |",
        "| `channel` | whose connection declares it, and so owns it where it is exclusive |",
        "| `exists` | false: it has been deleted |",
        "| `deaths` | condition: how often it has died, by x-death: such as '>= 3', or {queue: work, count: '>= 3'}: [deaths](#deaths) |",
        "| `celery` | Celery apps: expanded into the other sections, see `routesim celery expand`: [celery](#celery) |",
        "| `visibility_timeout` | redis: unacked for so long, a message comes back; default 1h |",
        "| `started_at` | when its last run began: 5s, or such as '>= 5s'; a list: all its runs |",
    ],
)
def test_fields_within_fields_stand_on_the_page_too(row: str) -> None:
    assert row in PAGES["format"].splitlines()

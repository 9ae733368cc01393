"""The table of failures says what the engines can do, and its page is current. UPDATE_DOCS=1 writes the page anew."""

import os
from collections.abc import Iterator

import pytest
from kits.paths import ROOT

from routesim.broker.rabbit_broker import HANDLERS
from routesim.failure_kinds import BROKER, EXPLORED, FAILURES, OF_CLIENTS, OPTIONS, OVERFLOWS, RABBITMQ, REDIS
from routesim.queues.arguments import OVERFLOWS as OF_QUEUES
from routesim.rabbitmq.engine import HANDLERS as ON_A_REAL_BROKER
from routesim.redis.broker import HANDLERS as ON_REDIS
from routesim.redis.sessions import only_in_amqp
from routesim.redis.topology import no_expiry, no_policies
from routesim.scenario.failure_plan import KINDS
from routesim.scenario.steps.verbs import VERBS
from routesim.serve.failing import DO as ON_ORDER
from routesim.serve.failing import KINDS as NAMED

NOT_ON_REDIS = (None, no_policies, no_expiry, only_in_amqp)  # each says so
PAGE = ROOT / "routesim" / "docs" / "failures.md"
HEAD = """# Failures

What can befall a connection or a broker, by one name everywhere. `step` is what every engine is asked; a scenario writes the verb
of the same name where there is one ([steps](steps.md)), and `restart: kill` for `kill`.

`routesim serve` does all of them on order ([serve](serve.md)), to what the last column names; those that last are over when they are
ended.

| failure | what it does | embedded engines | a real broker | on order | lasts | with |
| --- | --- | --- | --- | --- | --- | --- |
"""


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_carried_out_where_the_table_says_so(name: str) -> None:
    failure = FAILURES[name]
    if failure.step is None:
        assert (failure.engines, failure.real) == ((), "")
        return
    on_redis = ON_REDIS.get(failure.step) not in NOT_ON_REDIS
    assert (failure.step in HANDLERS, on_redis) == (RABBITMQ in failure.engines, REDIS in failure.engines)
    assert not failure.real or failure.step in ON_A_REAL_BROKER


def test_every_option_is_one_of_some_failure() -> None:
    assert {option for failure in FAILURES.values() for option in failure.options} == OPTIONS.keys() == KINDS.keys()
    assert set(OVERFLOWS) == set(OF_QUEUES)


def test_a_server_carries_out_every_failure() -> None:
    assert ON_ORDER.keys() == FAILURES.keys()
    assert {failure.befalls for failure in FAILURES.values()} == {*NAMED, BROKER}


@pytest.mark.parametrize("name", ["crash", "close"])
def test_a_verb_says_what_its_failure_does(name: str) -> None:
    assert FAILURES[name].effect in VERBS[name].help


OF_PROCESSES = """
## What befalls a client's own process

A broker is not asked for these, and sees only what follows. `routesim explore` tries them where `--failures` names them; a scenario
says them with what the last column names.

| failure | what it does | in a scenario |
| --- | --- | --- |
"""
TRIED = """
## Tried by explore

`routesim explore` tries these of both tables, at every moment at which each can happen ([explore](explore.md)): {}.
"""


def test_what_is_explored_is_in_the_tables() -> None:
    assert set(EXPLORED) <= FAILURES.keys() | OF_CLIENTS.keys()
    assert not FAILURES.keys() & OF_CLIENTS.keys()


def page() -> Iterator[str]:
    yield HEAD
    for name, failure in FAILURES.items():
        can = ", ".join(failure.engines) or "none: it is between broker and client"
        columns = (
            name,
            failure.effect,
            can,
            failure.real or "cannot",
            f"a {failure.befalls}" if failure.befalls != BROKER else "the broker",
        )
        yield f"| {' | '.join((*columns, 'yes' if failure.lasts else '', ', '.join(failure.options)))} |\n"
    yield OF_PROCESSES
    yield from (f"| {name} | {failure.effect} | `{failure.verb}` |\n" for name, failure in OF_CLIENTS.items())
    yield TRIED.format(", ".join(f"`{name}`" for name in EXPLORED))


def test_the_page_of_failures_is_current() -> None:
    text = "".join(page())
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text

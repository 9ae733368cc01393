"""The examples in scenarios/imports: each is imported, and what is written is a scenario that sends what was paid to `invoices`."""

import pytest
from kits.cli import within
from kits.paths import IMPORTS, ROOT

from routesim.scenario import load, load_source
from routesim.scenario.imports.sight import KINDS, kind_of
from routesim.scenario.topology_data import topology_of
from routesim.scenario.yaml.source import Source
from routesim.testing.api import loads, simulate

EXAMPLES = {
    "topology-operator": "topology-operator", "symfony": "messenger.yaml", "old-sound": "old_sound_rabbit_mq.yaml",
    "terraform": "terraform.json", "rascal": "rascal.json", "asyncapi": "asyncapi.yaml",
}  # fmt: skip
SECRET = "not-a-real-one"
PAID = """
steps:
  - publish: {id: paid, exchange: orders, routing_key: order.paid}
expect:
  messages: {paid: {invoices: ready}}
"""


def test_there_is_an_example_of_every_kind():
    assert EXAMPLES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_becomes_a_scenario_that_routes(kind):
    path = f"scenarios/imports/{EXAMPLES[kind]}"
    done = within("import", kind, path)
    assert (done.status, done.err) == (0, "")
    assert SECRET not in done.out
    result = simulate(loads(done.out.partition("\n# Publish something")[0] + PAID))
    assert result.failures == ()
    by_sight = within("import", path)
    assert by_sight.out == done.out


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_is_known_by_sight_to_every_command(kind):
    """As the same topology: `import` and a command that reads the file itself agree."""
    path = IMPORTS / EXAMPLES[kind]
    written = within("import", kind, f"scenarios/imports/{EXAMPLES[kind]}").out
    seen, imported = topology_of(load(str(path))), topology_of(load_source(Source("x.yaml", written), ""))
    assert [item.name for item in seen.queues] == [item.name for item in imported.queues]
    assert (seen.exchanges, seen.queues, seen.policies) == (imported.exchanges, imported.queues, imported.policies)
    for command in (
        ("check", "--fail-on", "error"),
        ("graph",),
        ("run", "-q"),
        ("explain", "route"),
        ("upgrade", "--from", "3.13", "--to", "4.0"),
    ):
        more = ("orders", "order.paid") if command[:2] == ("explain", "route") else ()
        done = (
            within(*command[:2], f"scenarios/imports/{EXAMPLES[kind]}", *more, *command[2:])
            if more
            else within(command[0], f"scenarios/imports/{EXAMPLES[kind]}", *command[1:])
        )
        assert done.status in (0, 1), (command, done.err)
        assert SECRET not in done.out + done.err
    same = within("diff", f"scenarios/imports/{EXAMPLES[kind]}", f"scenarios/imports/{EXAMPLES[kind]}")
    assert same.status == 0, same.err


def test_no_scenario_of_ours_is_taken_for_another_programs_file():
    for path in sorted(ROOT.glob("scenarios/**/*.yaml")):
        if IMPORTS not in path.parents:
            assert kind_of(path.read_text(encoding="utf-8")) is None, path
    assert kind_of('{"vhosts": [{"name": "/"}], "queues": []}') is None

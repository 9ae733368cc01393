"""Another program's file beside a scenario's own steps: `definitions: [rascal.json]`."""

import pytest
from kits.cli import within
from kits.paths import IMPORTS

from routesim.diagnostics import Invalid
from routesim.scenario import load
from routesim.testing.api import simulate

FILES = ("rascal.json", "terraform.json", "messenger.yaml", "old_sound_rabbit_mq.yaml", "asyncapi.yaml", "topology-operator")
PAID = """
steps: [{publish: {id: paid, exchange: orders, routing_key: order.paid}}]
expect: {messages: {paid: {invoices: ready}}}
"""


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_tests_what_another_program_declares(tmp_path, name):
    path = tmp_path / "s.yaml"
    path.write_text(f"definitions: [{IMPORTS / name}]\n{PAID}")
    assert simulate(load(str(path))).failures == ()


def refused(tmp_path, text):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(Invalid) as refusal:
        load(str(tmp_path / "s.yaml"))
    return [item.message for item in refusal.value.diagnostics if item.severity == "error"]


def test_nothing_is_included_in_silence(tmp_path):
    (tmp_path / "r.json").write_text('{"vhosts": {"shop": {"queues": ["q"], "connection": "amqp://u:hunter2@h"}}}')
    (tmp_path / "u.yaml").write_text("apiVersion: v1\nkind: Secret\nstringData: {password: hunter2}\n")
    assert refused(tmp_path, "definitions: [r.json]\n") == ["'r.json' declares nothing in vhost '/'"]
    assert refused(tmp_path, "definitions: [u.yaml]\n") == ["nothing of a topology is declared here"]
    (tmp_path / "s.yaml").write_text("definitions: [r.json]\nvhost: shop\n")
    assert list(load(str(tmp_path / "s.yaml")).topology.queues) == ["q"]


def test_no_line_of_such_a_file_is_shown_by_any_command(tmp_path):
    (tmp_path / "s.yaml").write_text('apiVersion: v1\nkind: Secret\nstringData: {password: "hunter2\n')
    for command in (
        ("run",),
        ("check",),
        ("graph",),
        ("celery", "expand"),
        ("export",),
        ("import",),
        ("upgrade", "--from", "3.13"),
    ):
        done = within(
            command[0], *command[1:2] * (command[0] == "celery"), "s.yaml", *command[1:] * (command[0] == "upgrade"), cwd=tmp_path
        )
        assert done.status == 2, command
        assert "hunter2" not in done.out + done.err, command

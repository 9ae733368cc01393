"""Whatever stands in another program's file beside its topology, nothing of it is told: not in what is written, not in an error."""

import json
import random

import pytest
import yaml
from kits.cli import within
from kits.foreign import read
from kits.paths import IMPORTS

from routesim.diagnostics import Invalid
from routesim.report.formats.diagnostics import full
from routesim.scenario.imports.sight import KINDS
from routesim.text import visible

SECRET = "hunter2"
FILES = {
    "topology-operator": "topology-operator/queues.yaml", "symfony": "messenger.yaml", "old-sound": "old_sound_rabbit_mq.yaml",
    "terraform": "terraform.json", "rascal": "rascal.json", "asyncapi": "asyncapi.yaml",
}  # fmt: skip
# What else such a file may hold, by its kind: as a document or a part of one.
SECRETS = {
    "topology-operator": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {SECRET: SECRET}},
    "symfony": {"framework": {"secret": SECRET, "messenger": {"transports": {"x": f"doctrine://u:{SECRET}@h", "y": {
        "dsn": f"amqp://u:{SECRET}@h/%2f/others?password={SECRET}", "options": {"password": SECRET, "login": SECRET}}}}}},
    "old-sound": {"old_sound_rabbit_mq": {"connections": {"default": {"url": f"amqp://{SECRET}:{SECRET}@h/x", "password": SECRET}}}},
    "terraform": {"values": {"outputs": {"p": {"value": SECRET}}, "root_module": {"resources": [
        {"mode": "managed", "type": "rabbitmq_user", "name": SECRET, "values": {"name": SECRET, "password": SECRET}},
        {"mode": "managed", "type": SECRET, "values": {SECRET: SECRET}},
        {"mode": "managed", "type": "rabbitmq_shovel", "name": "x", "values": {"info": [{"source_uri": f"amqp://u:{SECRET}@h"}]}}]}}},
    "rascal": {"vhosts": {"/": {"connection": {"url": f"amqp://u:{SECRET}@h", "management": {"password": SECRET}}, "connections": [
        {"password": SECRET}]}}, "encryption": {SECRET: {"key": SECRET}}},
    "asyncapi": {"servers": {"production": {"host": f"u:{SECRET}@h", "url": f"amqp://u:{SECRET}@h/x", "security": [{SECRET: []}],
                                            "variables": {"password": {"default": SECRET}}}}},
}  # fmt: skip


def with_secrets(kind: str) -> list[object]:
    """The documents of an example, with secrets beside what it declares."""
    documents = list(yaml.safe_load_all((IMPORTS / FILES[kind]).read_text(encoding="utf-8")))
    if kind == "topology-operator":
        return [*documents, SECRETS[kind]]
    return [merged(documents[0], SECRETS[kind])]


def merged(first: object, second: object) -> object:
    if isinstance(first, dict) and isinstance(second, dict):
        return {**first, **{key: merged(first[key], value) if key in first else value for key, value in second.items()}}
    return [*first, *second] if isinstance(first, list) and isinstance(second, list) else second


def everything_said(kind: str, text: str, file: str) -> str:
    try:
        found = read(kind, text, file=file, vhost=None)
        said = [*found.left_out, *(full(item, colour=False) for item in found.warnings), repr(found.topology)]
    except Invalid as invalid:
        said = [full(item, colour=False) for item in invalid.diagnostics]
    return "\n".join(said)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["yaml", "json", "one line"])
def test_nothing_of_a_secret_is_told(kind, form):
    documents = with_secrets(kind)
    text = yaml.safe_dump_all(documents) if form == "yaml" else json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": documents} if len(documents) > 1 else documents[0],
        indent=None if form == "one line" else 1,
    )  # fmt: skip
    said = everything_said(kind, text, "file.yaml" if form == "yaml" else "file.json")
    assert SECRET not in said
    assert "invoices" in said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(40))
def test_nothing_of_a_secret_is_told_of_a_file_that_is_damaged(kind, seed):
    """A value of any kind in the place of another, a key misspelled, text cut off, put in or taken out: errors, without the file."""
    draw = random.Random(f"{kind} {seed}")
    documents = with_secrets(kind)
    for _ in range(draw.randint(0, 3)):
        damage(draw, draw.choice(documents))
    text = yaml.safe_dump_all(documents) if draw.random() < 0.5 else json.dumps(documents[0])
    for _ in range(draw.randint(0, 2)):
        at = draw.randrange(len(text))
        text = (
            text[:at]
            + draw.choice(["", "*", "&", "!", "{", "]", '"', ": ", "\t", "{{ .Values.x }}", "{% if x %}", "%env(X)%"])
            + text[at + draw.randint(0, 3) :]
        )
    said = everything_said(kind, text, "file.yaml")
    assert SECRET[1:-1] not in said.replace(visible(SECRET), SECRET)


def damage(draw: random.Random, value: object) -> None:
    """Change one thing somewhere in the data, but not into something that names it."""
    while isinstance(value, (dict, list)) and value:
        key = draw.choice(list(value) if isinstance(value, dict) else range(len(value)))
        inner = value[key]
        if isinstance(inner, (dict, list)) and inner and draw.random() < 0.8:
            value = inner
            continue
        if SECRET not in json.dumps([key, inner]):
            value[key] = draw.choice([None, True, -1, 1.5, 2**70, "text", [], {}, [1], {"a": 1}, "{{ .Values.x }}", "x" * 300])
        return


@pytest.mark.parametrize("name", ["secret.yaml", "secret.json"])
def test_nor_by_the_command(tmp_path, name):
    """Also where the file is one line with an error in it, which other errors show."""
    queue = {"apiVersion": "rabbitmq.com/v1beta1", "kind": "Queue", "spec": {"name": "q", "durable": "maybe"}, "password": SECRET}
    path = tmp_path / name
    path.write_text(json.dumps(queue), encoding="utf-8")
    for command in (
        ("import",),
        ("import", "topology-operator"),
        ("check",),
        ("run",),
        ("graph",),
        ("export",),
        ("check", "--format", "json"),
    ):
        done = within(command[0], *command[1:2] * (command[0] == "import"), str(path), *command[1:] * (command[0] == "check"))
        assert done.status == 2, (command, done)
        assert "durable" in done.out + done.err
        assert SECRET not in done.out + done.err

"""Reading and checking: a long scenario, and a large definitions file."""

import json
from collections.abc import Iterator

import yaml
from pairs import paired, repeated
from processes import command, folder, python
from rows import Row, at_least, at_most, duration
from scale import Scale
from vocabulary import vocabulary
from workload import scenario_lines

from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source

TITLE = "Loading"


def measure(scale: Scale) -> Iterator[Row]:
    text = scenario_lines(scale.lines)
    lines = text.count("\n")
    loader = getattr(yaml, "CSafeLoader", None)
    read = repeated(lambda: load_source(Source("bench", text), ""))
    if loader is None:
        yield Row("PyYAML has no libyaml here: no floor to compare with")
    else:
        floor = paired(read, repeated(lambda: sum(1 for _ in yaml.parse(text, loader))), scale)
        what = f"a scenario of {lines:,} lines, read and checked"
        yield Row(what, duration(floor.first_s), floor.cost, "libyaml's event stream", at_most("G10", 2.5))
        usual = paired(read, repeated(lambda: yaml.load(text, loader)), scale)
        yield Row(what, duration(usual.first_s), usual.speed, "as fast as yaml.load", at_least("G10", 2.5))
    path, exchange, key = definitions(scale.defined)
    parsed = python("-c", f"import json; json.load(open({path!r}))")
    few = scale._replace(least_pairs=1)
    asked = paired(command("explain", "route", path, "--exchange", exchange, key), parsed, few)
    yield Row(
        f"explain route, {scale.defined:,} bindings in definitions", duration(asked.first_s), asked.cost, "the time of json.load",
        at_most("G10", 4),
    )  # fmt: skip
    loaded = paired(python("-c", f"from routesim.scenario import load; load({path!r})"), parsed, few)
    yield Row("loading them alone", duration(loaded.first_s), loaded.cost, "the time of json.load")


def definitions(bindings: int) -> tuple[str, str, str]:
    """A definitions file as a broker exports it; with an exchange of it and a key."""
    found = vocabulary(bindings, draws=1)
    path = folder() / f"definitions-{bindings}.json"
    with path.open("w", encoding="utf-8") as out:
        queues = [
            {"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {"x-queue-type": "classic"}}
            for name in found.queues
        ]
        head = {
            "rabbitmq_version": "4.1.0",
            "vhosts": [{"name": "/"}],
            "exchanges": [
                {
                    "name": "x", "vhost": "/", "type": "topic", "durable": True, "auto_delete": False, "internal": False,
                    "arguments": {},
                }
            ],
            "queues": queues,
        }  # fmt: skip
        out.write(json.dumps(head)[:-1] + ', "bindings": [')
        for index, (pattern, queue) in enumerate(found.bindings):
            binding = {
                "source": "x", "vhost": "/", "destination": queue, "destination_type": "queue", "routing_key": pattern,
                "arguments": {},
            }  # fmt: skip
            out.write(("," if index else "") + "\n" + json.dumps(binding))
        out.write("]}\n")
    return str(path), "x", found.distinct[0]

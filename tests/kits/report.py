"""Runs and reports for the tests of formats: what fails, and names that want to break out."""

import io
import json

from routesim.report.formats import run_report
from routesim.report.style import OutputStyle
from routesim.run import Result, Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

NASTY = (
    "\x1b[31mred\x1b[0m", "[red]x[/red]", "<script>alert(1)</script>", "\u202eabc", "]]>", "a\nb", "::error::x", "100%0A%", "a,b:c",
    "##[group]x", "# TODO", "\\", "\\n", "&amp;\"'", "\x00\x08\x7f\x85\u2028\ufffe", "é→漢", "x" * 255, "ok 1 - fine", "--- ...", "{a: b}",
)  # fmt: skip
FAILING = """
name: A shop
exchanges: {shop: topic}
queues: {audit: , parked: }
bindings: [{source: shop, destination: audit, routing_key: "#.shoes"}]
steps:
  - publish: {exchange: shop, routing_key: ship.boots}
  - expect: {queues: {audit: {ready: [m1]}}}
  - delete: {queue: parked}
  - purge: parked
expect: {lost: 1}
routes: [{exchange: shop, routing_key: a.shoes, queues: [parked]}]
never:
  - lost: true
"""


def scenario_of(text: str, file: str = "shop.yaml") -> Scenario:
    return load_source(Source(file, text), "")


def result_of(text: str, file: str = "shop.yaml") -> Result:
    return Runner(scenario_of(text, file), keep=False).run()


def hostile_scenario(name: str) -> Scenario:
    """One in which this name is everywhere, and everything fails."""
    named = json.dumps(name)
    shown = json.dumps(name.replace("\n", " "))  # RabbitMQ takes line breaks out of the names of exchanges and queues
    text = f"""
name: {named}
exchanges: {{{shown}: topic}}
queues: {{{shown}: , other: }}
bindings: [{{source: {shown}, destination: {shown}, routing_key: {shown}}}]
steps:
  - publish: {{exchange: {shown}, routing_key: other, id: {named}}}
  - publish: {{exchange: {shown}, routing_key: {shown}, id: second}}
  - purge: other
  - {{get: {{queue: {shown}}}, fails: 404}}
expect:
  queues: {{{shown}: {{ready: [{named}]}}}}
  messages: {{{named}: {{{shown}: ready}}}}
routes: [{{exchange: {shown}, routing_key: {shown}, headers: {{{named}: {named}}}, queues: []}}]
never:
  - {{messages: {named}, lost: true}}
"""
    return scenario_of(text, f"{name}.yaml")


def hostile(name: str) -> Result:
    return Runner(hostile_scenario(name), keep=False).run()


def written(format: str, *scenarios: Scenario, encoding: str = "utf-8", quiet: bool = False) -> str:
    """The scenarios run and reported, as `routesim run` does it."""
    data = io.BytesIO()
    with io.TextIOWrapper(data, encoding=encoding, newline="") as out:
        before, after = run_report(format).frame(len(scenarios))
        out.write(before)
        for scenario in scenarios:
            report = run_report(format)(out, scenario, OutputStyle(False, None, quiet))
            report.finish(Runner(scenario, report.listen, keep=report.needs_records and not quiet).run())
        out.write(after)
        out.flush()
        return data.getvalue().decode(encoding)

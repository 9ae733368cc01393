"""The work that throughput is measured with: a topic exchange, 10 queues, 10 bindings, each message reaches one queue."""

import os
from collections.abc import Callable
from functools import cache

from routesim.cli.shared.output import opened, style_of
from routesim.report.formats import run_report
from routesim.run import Runner
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source

QUEUES = 10
KEYS = [f"svc{number}.eu.created" for number in range(QUEUES)]
PATTERNS = [f"svc{number}.*.created" if number < QUEUES // 2 else f"svc{number}.#" for number in range(QUEUES)]
BODY = "the order 1234 has been created now"
NOWHERE = os.devnull


def text(
    messages: int,
    *,
    consumer: str = "",
    arguments: str = "",
    publish: str = "",
    more: str = "",
    consumers: bool = True,
    broker: str = "rabbitmq",
) -> str:
    """The scenario: `consumer`, `arguments` and `publish` are added to each consumer, queue and publish step.

    With fewer messages than queues it is one step that publishes them all with one key.
    """
    dead = ", dead: fanout" if more else ""
    lines = [f"broker: {{kind: {broker}}}", f"exchanges: {{shop: topic{dead}}}", "queues:"]
    given = f"{{arguments: {{{arguments}}}}}" if arguments else ""
    lines += [f"  q{number}: {given}" for number in range(QUEUES)]
    lines += [more] if more else []
    lines.append("bindings:")
    lines += [f"  - {{source: shop, destination: q{number}, routing_key: '{key}'}}" for number, key in enumerate(PATTERNS)]
    if more:
        lines.append("  - {source: dead, destination: parked}")
    if consumers:
        lines.append("consumers:")
        lines += [f"  c{number}: {{queue: q{number}, {consumer}}}" for number in range(QUEUES)]
    lines.append("steps:")
    share, rest = divmod(messages, QUEUES)
    counts = [share + (number < rest) for number in range(QUEUES)]
    lines += [
        f"  - publish: {{exchange: shop, routing_key: {key}, body: '{BODY}', count: {count}, {publish}}}"
        for key, count in zip(KEYS, counts, strict=True)
        if count
    ]
    return "\n".join(lines) + "\n"


def engine(format: str | None, ends: str = "acked", **given: str) -> Callable[[int], None]:
    """So many messages through the API; `format` None: statistics alone, nobody listens. `ends`: the ledger's column that
    they end in, but for one a queue."""

    @cache
    def scenario(messages: int) -> Scenario:
        return load_source(Source("bench", text(messages, **given)), "")

    def run(messages: int) -> None:
        found = scenario(messages)
        if format is None:
            ledger = Runner(found, None, keep=False).run().broker.ledger
        else:
            with opened(NOWHERE) as out:
                report = run_report(format)(out, found, style_of(out, format))
                ledger = Runner(found, report.listen, keep=False).run().broker.ledger
        assert ledger.published == messages
        assert getattr(ledger, ends) >= messages - QUEUES

    return run


def scenario_lines(lines: int) -> str:
    """A scenario of about so many lines as a person would write it: declarations, consumers, publish steps, expectations."""
    queues = max(2, lines // 40)
    found = ["name: generated", "exchanges:"]
    found += [f"  x{number}: {{type: {('topic', 'direct', 'fanout')[number % 3]}}}" for number in range(6)]
    found.append("queues:")
    for number in range(queues):
        found += [f"  queue.{number}:", "    arguments: {x-max-length: 1000}"]
    found.append("bindings:")
    bindings = max(2, lines // 3)
    found += [
        f"  - {{source: x{number % 6}, destination: queue.{number % queues}, routing_key: svc{number % 50}.*.act{number}.#}}"
        for number in range(bindings)
    ]
    found.append("consumers:")
    found += [f"  worker.{number}: {{queue: queue.{number}, prefetch: 10, takes: 5ms}}" for number in range(queues)]
    found.append("steps:")
    number = 0
    while len(found) < lines - 3:
        number += 1
        found += [
            "  - publish:",
            f"      exchange: x{number % 6}",
            f"      routing_key: svc{number % 50}.entity{number % 90}.act{number % 7}",
            f"      body: 'order {number} created'",
        ]
    found += ["expect:", "  ended: idle", "  returned: []"]
    return "\n".join(found) + "\n"

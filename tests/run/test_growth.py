"""A run four times as large takes four times the work: operations are counted, not seconds."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from kits.growth import KINDS, MOST, operations

from routesim.explain.failing.failures import failures
from routesim.report.formats.ndjson import Lines
from routesim.run.express import emitting
from routesim.run.runner import Runner
from routesim.scenario.load import load_source
from routesim.scenario.yaml import by_lines
from routesim.scenario.yaml.source import Source

SMALL = 120


def run(text: str) -> None:
    """With `---` before it a text of any size is read in the same way: without it a small one may be read line by line, and one
    with longer lines not. What fails is explained."""
    result = Runner(load_source(Source("growing.yaml", f"---\n{text}"), "."), lambda event: None).run()
    assert result.ended == "idle"
    failures(result)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_loading_and_running_grow_with_the_scenario(kind: Callable[[int], str]) -> None:
    run(kind(4 * SMALL))  # what is made once for all, as patterns that are compiled, is made now
    fixed, small, large = (operations(lambda size=size: run(kind(size))) for size in (2, SMALL, 4 * SMALL))
    assert (large - fixed) / (small - fixed) < MOST


def test_reading_line_by_line_grows_with_the_lines() -> None:
    def read(lines: int) -> int:
        text = "queues:\n  q:\nsteps:\n" + "  - publish: {routing_key: q, headers: {n: 'x'}}\n  - get:\n      queue: q\n" * lines
        assert by_lines.read(text) is not None
        return operations(lambda: by_lines.read(text))

    assert read(4 * SMALL) / read(SMALL) < MOST


def test_what_many_steps_bring_back_at_one_instant_is_no_livelock() -> None:
    consumers = "consumers: {" + ", ".join(f"c{i}: {{queue: q, prefetch: 1, takes: 1s}}" for i in range(1100)) + "}"
    steps = "steps:\n  - publish: {routing_key: q}\n" + "".join(f"  - crash: c{i}\n" for i in range(1100))
    run("queues: {q: {arguments: {x-single-active-consumer: true}}}\n" + consumers + "\n" + steps)


class PreparedLines(Lines):
    """What is prepared for it."""

    def __init__(self) -> None:
        super().__init__(lambda line: None)
        self.prepared: list[str] = []

    def prepare(self, batch: Sequence[Any]) -> Any:
        self.prepared.append(str(batch))
        return super().prepare(batch)


def test_what_a_consumer_does_is_prepared_once_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at a scenario asks for it, of each of the consumers."""
    monkeypatch.setattr(emitting, "REMEMBERED", 1)
    consumers = "consumers: {" + ", ".join(f"c{i}: {{queue: q, prefetch: 1, takes: 1s}}" for i in range(40)) + "}"
    text = f"queues: {{q: {{}}}}\n{consumers}\nsteps:\n  - publish: {{routing_key: q, count: 120}}\n"
    lines = PreparedLines()
    assert Runner(load_source(Source("growing.yaml", text), "."), lines).run().ended == "idle"
    of_consumers = [batch for batch in lines.prepared if "Published" not in batch]
    assert len(of_consumers) == 3 * 40


def test_the_offset_of_a_message_is_found_without_a_look_at_those_before_it() -> None:
    """Whoever shows or sends the messages of a stream asks for that of each."""

    def headers(messages: int) -> int:
        text = f"queues: {{s: {{type: stream}}}}\nsteps:\n  - publish: {{routing_key: s, count: {messages}}}\n"
        stream = Runner(load_source(Source("growing.yaml", text), "."), None).run().broker.queues["s"]
        copies = list(stream.ready())
        assert [stream.headers(copy) for copy in copies] == [{"x-stream-offset": offset} for offset in range(messages)]
        return operations(lambda: [stream.headers(copy) for copy in copies])

    assert headers(4 * SMALL) / headers(SMALL) < MOST

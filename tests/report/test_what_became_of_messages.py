"""The table of messages marks what is lost, whatever queues are called."""

import pytest

from routesim.report.summary.summary import SECTIONS
from routesim.run import Runner
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source
from routesim.tables import BAD, PLAIN


@pytest.mark.parametrize("queue", ["orders", "lost-property", "dropped"])
@pytest.mark.parametrize(("arguments", "tone"), [("{}", PLAIN), ("{x-max-length: 0}", BAD)])
def test_only_what_is_lost_is_marked(queue: str, arguments: str, tone: str) -> None:
    text = f"queues: {{{queue}: {{arguments: {arguments}}}}}\nsteps: [{{publish: {{routing_key: {queue}}}}}]\n"
    section = SECTIONS["messages"](Runner(load_source(Source("lost.yaml", text), "")).run())
    assert [row[-1].tone for row in section.rows] == [tone]

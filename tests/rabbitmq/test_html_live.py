"""The HTML report of a run on a real broker: the queues' depths are told for the end, which is all that is known."""

from io import StringIO

from routesim.report.formats import run_report
from routesim.report.style import OutputStyle
from routesim.run.on_rabbitmq.rehearsal import rehearsed
from routesim.run.on_rabbitmq.session import BrokerSession
from routesim.scenario import load_source
from routesim.scenario.yaml.source import Source


def test_the_end_is_what_the_broker_has(session: BrokerSession) -> None:
    text = "queues: {q: , r: }\nconsumers: {c: {queue: r, takes: 10ms}}\nsteps:\n"
    text += "  - publish: {routing_key: q, count: 2}\n  - publish: {routing_key: r}\n"
    scenario = load_source(Source("q.yaml", text), "", rabbitmq=session.profile)
    out = StringIO()
    report = run_report("html")(out, scenario, OutputStyle(False, None, False))
    report.finish(session.run(scenario, report.listen, plan=rehearsed(scenario)[1], speed=1))
    page = out.getvalue()
    assert "2 ready · 0 unacked" in page
    assert "known at the end only" in page
    assert "<h4>Ready messages</h4>" not in page
    assert "<h4>Unacked messages (in flight)</h4>" in page

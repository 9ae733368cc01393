"""What `import routesim` offers, and what it costs."""

from pathlib import Path

import pytest
from kits.paths import SCENARIOS
from kits.process import loaded_by

import routesim

SHOP = """
exchanges:
  shop: {type: topic, arguments: {alternate-exchange: rest}}
  rest: fanout
  docs: headers
  inside: {type: fanout, internal: true}
queues:
  warehouse:
  audit:
  unrouted:
  pdfs: {arguments: {x-max-length: 1, x-overflow: reject-publish}}
  short: {arguments: {x-max-length: 1, x-dead-letter-exchange: "", x-dead-letter-routing-key: audit}}
bindings:
  - {source: shop, destination: warehouse, routing_key: ship.*}
  - {source: shop, destination: audit, routing_key: "#.shoes"}
  - {source: rest, destination: unrouted}
  - {source: docs, destination: pdfs, arguments: {kind: pdf}}
"""


def test_a_dozen_names_and_each_is_there() -> None:
    assert len(routesim.__all__) <= 12
    assert all(getattr(routesim, name) is not None for name in routesim.__all__)
    assert dir(routesim) == sorted(routesim.__all__)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = routesim.lod  # type: ignore[attr-defined]


def test_importing_costs_nothing_and_the_command_line_does_not_import_it() -> None:
    ours = {name for name in loaded_by("import routesim") if name.startswith("routesim")}
    assert ours == {"routesim"}
    version = loaded_by(
        "import sys; sys.argv = ['routesim', '--version']\nfrom routesim.cli.main import main\ntry: main()\nexcept SystemExit: pass"
    )
    assert {name for name in version if name.startswith(("routesim.", "rich", "yaml"))} == {
        "routesim.cli", "routesim.cli.main", "routesim.cli.shared", "routesim.cli.shared.alone", "routesim.cli.shared.commands", "routesim.cli.shared.ending",
        "routesim.cli.shared.exits", "routesim.cli.shared.help", "routesim.cli.shared.output",
        "routesim.cli.shared.parameters", "routesim.cli.shared.plain_line", "routesim.named_tuples", "routesim.report",
        "routesim.report.style", "routesim.text",
    }  # fmt: skip
    plugin = loaded_by("import routesim.testing.plugin")
    assert {name for name in plugin if name.startswith("routesim")} == {
        "routesim", "routesim.testing", "routesim.testing.broker_fixtures", "routesim.testing.plugin",
    }  # fmt: skip


def test_publish_and_see_where_it_went() -> None:
    shop = routesim.Topology(routesim.loads(SHOP))
    assert shop.publish("shop", "ship.shoes").queues == {"warehouse", "audit"}
    assert shop.publish("shop", "refund").queues == {"unrouted"}
    assert shop.publish("", "audit") == (frozenset({"audit"}), False, False, "")
    assert shop.ready("audit") == 2
    assert shop.publish("docs", headers={"kind": "pdf"}) == (frozenset({"pdfs"}), False, False, "")
    assert shop.publish("docs", headers={"kind": "pdf"}) == (frozenset(), False, True, "")
    lost = shop.publish("docs", headers={"kind": "txt"})
    assert (lost.queues, lost.returned) == (frozenset(), False)
    assert lost.why == "no binding of exchange 'docs' matched and it has no alternate exchange"
    assert shop.publish("", "nobody", mandatory=True).returned


def test_what_a_full_queue_lets_go_is_no_part_of_it() -> None:
    shop = routesim.Topology(routesim.loads(SHOP))
    shop.publish("", "short")
    assert shop.publish("", "short", priority=1, correlation_id="7").queues == {"short"}
    assert (shop.ready("short"), shop.ready("audit")) == (1, 1)


def test_two_topologies_of_one_scenario_are_two() -> None:
    scenario = routesim.loads(SHOP)
    first, second = routesim.Topology(scenario), routesim.Topology(scenario)
    first.publish("", "audit")
    assert (first.ready("audit"), second.ready("audit")) == (1, 0)


def test_what_is_not_there_is_said_with_its_cure() -> None:
    shop = routesim.Topology(routesim.loads(SHOP))
    with pytest.raises(ValueError, match="no exchange 'shpo' is declared; did you mean 'shop'"):
        shop.publish("shpo")
    with pytest.raises(ValueError, match="no queue 'adit' is declared; did you mean 'audit'"):
        shop.ready("adit")
    with pytest.raises(ValueError, match="ACCESS_REFUSED"):
        shop.publish("inside")
    assert shop.publish("", "audit").queues == {"audit"}, "the next publish opens the channel again"


def test_simulate(tmp_path: Path) -> None:
    good = routesim.simulate(SCENARIOS / "shoes.yaml")
    assert (good.ok, good.ended, good.clock_ms, good.failures, good.lost) == (True, "idle", 1400, (), 0)
    assert good.queues["audit"] == ["m1", "m2"]
    bad = routesim.simulate(routesim.loads("queues: {q: }\nexpect: {queues: {q: {ready: 1}}}\n", "mine.yaml"))
    assert not bad.ok
    assert bad.failures == (
        "mine.yaml:2: queues.q.ready is 1\n  found    0\n  because  nothing was published, so nothing came into q",
    )
    with pytest.raises(routesim.Invalid) as caught:
        routesim.simulate(tmp_path / "none.yaml")
    assert [item.code for item in caught.value.diagnostics] == ["unreadable-file"]

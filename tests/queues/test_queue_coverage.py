"""Every rule about queues is tried somewhere, in every version that has rules of its own."""

import re

from kits.broker import ALL
from kits.paths import ROOT
from kits.rules import page

from routesim.versions import NEWEST_PATCH

NOT_TRIED = {
    "1.4": "the counts of declare-ok are not told",
    "1.6": "a passive declare has no step",
    "1.15": "names are given in full",
    "6.9": "segments are not simulated",
    "8.5": "segments are not simulated",
    "8.6": "the counts of declare-ok are not told",
    "9.2": "alarms are not simulated",
    "9.3": "channel.flow is not simulated",
    "9.4": "wires are not simulated",
}


def test_every_rule_is_tried():
    rules = re.findall(r'<a id="([1-9]\.\d+)">', page("queues"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))
    tried = set(re.findall(r"rules/queues#(\d+\.\d+)", text))
    for head in re.findall(r"^([\w.,#-]+) \S.*\n    ", text, re.MULTILINE):
        tried.update(head.split(","))
    assert {rule for rule in rules if rule not in tried} == NOT_TRIED.keys()


def test_rules_are_tried_in_every_version_that_differs():
    assert set(ALL) <= set(NEWEST_PATCH)

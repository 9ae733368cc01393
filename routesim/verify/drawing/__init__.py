"""Random scenarios, a function of (seed, number): a plain one, and in most of them one or two special kinds of things.

What is known to differ, or to be a race, is not drawn: a transaction on a quorum queue, the cancelling of a single active
consumer on a classic queue, several limits of one whole channel, policies of equal priority, expiry without a wait after it.
"""

from collections.abc import Iterable
from random import Random

from routesim.diagnostics import Invalid
from routesim.scenario import Scenario, load_source
from routesim.scenario.yaml.source import Source
from routesim.scenario.yaml.writing import text
from routesim.verify.drawing.everyday import Document, Drawing
from routesim.verify.drawing.kinds import KINDS, kinds_for
from routesim.versions import rules

__all__ = ["KINDS", "draw", "scenario_of"]

HOW_MANY = (0, 1, 1, 1, 2)  # special kinds in one scenario


def draw(
    seed: int, number: int, profile: str, types: frozenset[str], *, only: Iterable[str] | None = None, restarts: bool = False
) -> Document:
    """A scenario that loads. `only`: with these special kinds; None: with some. `restarts`: the broker may be restarted."""
    wanted = "".join(f" {name}" for name in only or ())
    for attempt in range(100):
        random = Random(f"{seed} {number} {attempt}{wanted}")
        drawing = Drawing(random, types)
        there = kinds_for(rules(profile), types, restarts=restarts)
        chosen = random.sample(there, random.choice(HOW_MANY)) if only is None else list(only)
        chosen = [name for name in chosen if "dice" in name] or chosen  # what depends on dice cannot be compared: no limits
        for name in chosen:
            KINDS[name].before(drawing)
        document = drawing.document(f"random-{seed}-{number}")
        for name in chosen:
            KINDS[name].after(drawing, document)
        try:
            scenario_of(document, profile)
        except Invalid:
            continue
        return document
    raise AssertionError("no scenario could be drawn")


def scenario_of(document: Document, profile: str) -> Scenario:
    """Raises `Invalid`."""
    return load_source(Source(f"{document['name']}.yaml", text(document)), "", rabbitmq=profile)

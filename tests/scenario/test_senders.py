"""Which step publishes a message: what the index says is what a walk over all steps finds."""

from random import Random

from kits.growth import rows_of_routes_that_fail

from routesim.model import Message
from routesim.scenario import ScenarioStep, load_source, sent_by
from routesim.scenario.scenario import PublishMany
from routesim.scenario.senders import Senders
from routesim.scenario.yaml.source import Source

IDS = ("", "m", "m1", "m2", "m11", "m12", "m01", "1", "0", "12", "a", "a3", "m1x", "m5", "m15", "m" + "1" * 25)


def test_the_index_finds_what_a_walk_over_the_steps_finds() -> None:
    chance = Random(7)
    empty = load_source(Source("s.yaml", rows_of_routes_that_fail(1)), ".")
    for _ in range(300):
        steps = []
        for place in range(chance.randint(1, 6)):
            first = chance.choice([None, 0, 1, 2, 5])
            times = 1 if first is None else chance.randint(1, 4)
            action = PublishMany("c", Message("", str(place)), chance.choice(["m", "m1", "", "a"]), first, times, 0)
            steps.append(ScenarioStep(place, "", action))
        scenario = empty._replace(steps=tuple(steps))
        senders = Senders(scenario)
        assert [senders.of(id) for id in IDS] == [sent_by(scenario, id) for id in IDS]

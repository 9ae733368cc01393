"""What is the same in all states of a scenario, and who hears what is done in one."""

from typing import Protocol

from routesim.broker import Broker
from routesim.explore.course import Stage
from routesim.named_tuples import NamedTuple
from routesim.queues import DeliveringQueue
from routesim.run.expecting.watches import RulesAbout
from routesim.scenario import Scenario
from routesim.steps import Step


class Scribe(Protocol):
    """Hears what a broker is asked, for whoever writes it down."""

    def step(self, step: Step, broker: Broker) -> None:
        """About to be carried out."""

    def refused(self, code: int) -> None:
        """The last step was refused."""

    def passes(self, ms: int) -> None:
        """So much time is about to pass."""


class WorldSetting(NamedTuple):
    """What is the same in all states. `queues`: by name, one that keeps no state alive; `most_attempts`: see `Hand.fingerprint`;
    `any_time`: a consumer may be faster or slower than any timer; `retry`: publishers send again what was not confirmed. At most
    `budget` failures happen, of each of the `kinds` at most as many as `most` says. `limit`: when
    the run ends, in ms. `most_ready`: so many messages may wait in a queue. `races`: each outcome is tried of what
    RabbitMQ leaves open. `most_deaths`: so far x-death counts, since nobody reads more; None: somebody does.
    `reaches`, `losses`: the rules of `never` that an event alone decides."""

    scenario: Scenario
    stages: tuple[Stage, ...]
    kinds: tuple[str, ...]
    queues: dict[str, DeliveringQueue]
    most_attempts: int | None
    any_time: bool
    retry: bool
    budget: int
    most: tuple[int, ...]
    limit: int | None
    most_ready: int | None
    races: bool = False
    most_deaths: int | None = None
    reaches: RulesAbout = RulesAbout({})
    losses: RulesAbout = RulesAbout({})

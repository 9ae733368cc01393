"""The first state: everything is declared, consumers consume, nobody has published."""

from routesim.broker import RabbitBroker
from routesim.broker.branches import branching
from routesim.clients.scripted_consumer import asks_for_rounds
from routesim.explore.bounds import Bounds
from routesim.explore.course import MANY, publishes, stages
from routesim.explore.facts import Overtaking
from routesim.explore.hands import Hand
from routesim.explore.properties import expectations_of
from routesim.explore.remembered import remembered_of
from routesim.explore.state.setting import WorldSetting
from routesim.explore.world import World
from routesim.run.expecting.ready_messages import is_of_ready
from routesim.run.expecting.watches import RulesAbout, rules_of
from routesim.scenario import Scenario
from routesim.steps import Consume
from routesim.versions import rules


class NotExplored(Exception):
    """A scenario that cannot be explored; the text says why, and what to do."""


def why_not(scenario: Scenario) -> str | None:
    """Why a scenario cannot be explored, None: it can."""
    if scenario.settings.kind != "rabbitmq":
        return "its broker is Redis, whose engine is not explored; take `broker:` out, or `routesim run` it"
    count = publishes(scenario)
    if count > MANY:
        return f"it publishes {count:,} messages, and each order of events is tried; let it publish a few"
    return None


def root_of(scenario: Scenario, bounds: Bounds) -> World:
    """Raises `NotExplored`."""
    problem = why_not(scenario)
    if problem is not None:
        raise NotExplored(problem)
    broker = RabbitBroker(
        rules(scenario.rabbitmq), vhost=scenario.vhost, seed=scenario.seed, settings=scenario.settings,
        channel_plans=scenario.channels,
    )  # fmt: skip
    published: dict[str, int] = {}
    rounds = any(asks_for_rounds(consumer) for consumer in scenario.consumers.values())
    origins: dict[str, str] | None = {} if rounds else None
    hands = []
    for number, (name, consumer) in enumerate(scenario.consumers.items()):
        plan = scenario.channels.get(consumer.channel)
        connection = plan.connection if plan else consumer.channel
        hand = Hand(consumer, connection, f"{name} (publish)", scenario.seed, number, published, origins)
        hands.append(hand.of_root())
    setting = WorldSetting(
        scenario, tuple(stages(scenario)), tuple(kind for kind, _ in bounds.kinds), {}, _most_attempts(scenario),
        bounds.any_time, bounds.retry, bounds.failures, tuple(most for _, most in bounds.kinds),
        scenario.until if isinstance(scenario.until, int) else None, bounds.most_ready, bounds.races,
        None if _reads_deaths(scenario, bounds) else 1,
        *(RulesAbout(rules_of(scenario.never, what)) for what in ("reaches", "lost")),
    )  # fmt: skip
    world = World(setting, broker, hands, published)
    if "order" in bounds.properties:
        world.facts.order = Overtaking()
    if "order-by-key" in bounds.properties:
        world.facts.order_by_key = Overtaking()
    world.facts.remembered = remembered_of(scenario, expectations_of(scenario) if bounds.expect is not None else ())
    for declaration in scenario.declarations:
        if isinstance(declaration.step, Consume):
            found = world.hand(declaration.step.consumer.name)
            assert found is not None
            world.consume(found)
        else:
            world.apply(declaration.step)
        world.settle()
    world.events.clear()
    branching.share(world.broker)
    return world


def _reads_deaths(scenario: Scenario, bounds: Bounds) -> bool:
    """Whether anything depends on how often a message has died: else a loop of dead letters comes to where it was."""
    rules = [rule for consumer in scenario.consumers.values() for rule in consumer.on_message]
    reads = any(rule.carries is not None or (rule.headers is not None and "x-death" in rule.headers) for rule in rules)
    return reads or (bounds.expect is not None and any(is_of_ready(item) for item in scenario.expect))


def _most_attempts(scenario: Scenario) -> int | None:
    """One more than the highest number of an attempt that a rule knows; None: what is published says the number itself."""
    highest = 0
    for consumer in scenario.consumers.values():
        for rule in consumer.on_message:
            if any("$attempt" in repr(reply.message) for reply in rule.publish):
                return None
            if rule.attempt is not None:
                highest = max(highest, rule.attempt[1])
    return highest + 1

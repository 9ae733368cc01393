"""What a scenario declares at its top without its clients: the part that a definitions file can hold as well."""

from typing import NamedTuple

from routesim import steps
from routesim.broker.topology import stripped
from routesim.model import Binding, Exchange, Policy, Queue
from routesim.scenario.scenario import Scenario
from routesim.values import table_identity


class DeclaredTopology(NamedTuple):
    """Each thing once, in the order of its declaration. `rabbitmq` is the version whose rules it was checked by."""

    vhost: str
    rabbitmq: str
    default_queue_type: str | None = None
    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = ()
    bindings: tuple[Binding, ...] = ()
    policies: tuple[Policy, ...] = ()


def topology_of(scenario: Scenario) -> DeclaredTopology:
    exchanges: dict[str, Exchange] = {}
    queues: dict[str, Queue] = {}
    bindings: dict[object, Binding] = {}
    policies: dict[object, Policy] = {}
    for _, step in scenario.declarations:
        if isinstance(step, steps.DeclareExchange):
            name = stripped(step.exchange.name)
            exchanges.setdefault(name, step.exchange._replace(name=name))
        elif isinstance(step, steps.DeclareQueue):
            name = stripped(step.queue.name)
            queues.setdefault(name, step.queue._replace(name=name))
        elif isinstance(step, steps.Bind):
            binding = step.binding
            binding = binding._replace(source=stripped(binding.source), destination=stripped(binding.destination))
            bindings.setdefault((*binding[:4], table_identity(binding.arguments)), binding)
        elif isinstance(step, steps.SetPolicy):
            policies[step.policy.operator, step.policy.name] = step.policy
    return DeclaredTopology(
        scenario.vhost, scenario.rabbitmq, scenario.settings.default_queue_type, tuple(exchanges.values()),
        tuple(queues.values()), tuple(bindings.values()), tuple(policies.values()),
    )  # fmt: skip

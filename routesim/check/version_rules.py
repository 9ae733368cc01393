"""What a version of RabbitMQ no longer takes."""

from collections.abc import Iterator
from typing import Any

from routesim import steps
from routesim.broker import RabbitBroker
from routesim.check.finding import Draft, Problem
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.diagnostics import ERROR
from routesim.replies import AmqpError
from routesim.scenario.topology_data import binding_form, broker_form, exchange_form, policy_form, queue_form
from routesim.versions import NEWEST_PATCH, deprecated, parse, rules

SMALLEST_HASHES = 3  # a binding key with fewer # is taken by every version


def _refusals(topology: CheckedTopology, version: str) -> Iterator[tuple[steps.Step, AmqpError]]:
    """What a broker of that version refuses of the top-level declarations."""
    scenario = topology.scenario
    broker = RabbitBroker(rules(version), vhost=scenario.vhost, settings=scenario.settings, channel_plans=scenario.channels)
    for declaration in scenario.declarations:
        step = declaration.step
        if isinstance(step, steps.Consume) or (
            isinstance(step, steps.Bind) and step.binding.routing_key.count("#") < SMALLEST_HASHES
        ):
            continue
        refused = broker.apply(step)
        if refused is not None and refused.code != 404:
            yield step, refused


def removed(topology: CheckedTopology) -> Iterator[Problem]:
    """Declarations that the version in question refuses, and what it carries out differently without a word."""
    version = topology.scenario.rabbitmq
    for step, refused in _refusals(topology, version):
        text = f"RabbitMQ {version} refuses this: {refused.text}"
        yield Problem(text, step, _inner(step, refused), _refusal_cure(refused), _refused_shown(topology, step, refused), ERROR)
    denied = deprecated.permitting(rules(version), topology.scenario.settings.permit).global_qos_denied
    if denied and any(plan.prefetch for plan in topology.scenario.channels.values()):
        text = f"RabbitMQ {version} takes a prefetch limit of a whole channel for one of each of its consumers"
        yield Problem(text, None, (), deprecated.cure("global_qos"))


def removed_later(topology: CheckedTopology) -> Iterator[Problem]:
    """What the file's own version takes, and a later one refuses."""
    own = topology.scenario.rabbitmq
    known = {id(step) for step, _ in _refusals(topology, own)}
    later = [version for version in NEWEST_PATCH if parse(version) > parse(own)]
    if not later or all(id(step) in known for step, _ in _refusals(topology, later[-1])):
        return
    alike: dict[tuple[str, str], list[tuple[steps.Step, AmqpError]]] = {}
    for version in later:
        for step, refused in _refusals(topology, version):
            if id(step) not in known:
                known.add(id(step))
                alike.setdefault((version, refused.text), []).append((step, refused))
    for (version, text), found in alike.items():
        step, refused = found[0]
        count = f" ({len(found)} declarations, this one the first)" if len(found) > 1 else ""
        cure = f"`routesim upgrade FILE --rabbitmq ..{version}` shows what else changes"
        shown = _refused_shown(topology, step, refused, version)
        yield Problem(f"from RabbitMQ {version} on this is refused{count}: {text}", step, _inner(step, refused), cure, shown)


def _refusal_cure(refused: AmqpError) -> str:
    feature = deprecated.denied_in(refused.text)
    return deprecated.cure(feature) if feature is not None else ""


def _inner(step: steps.Step, refused: AmqpError) -> tuple[str, ...]:
    if refused.argument is None:
        return ()
    if isinstance(step, steps.SetPolicy):
        return "definition", refused.argument
    if refused.argument in ("durable", "type"):
        return (refused.argument,)
    return "arguments", refused.argument


def _refused_shown(topology: CheckedTopology, step: steps.Step, refused: AmqpError, version: str | None = None) -> Draft | None:
    declared: dict[str, object]
    if isinstance(step, steps.DeclareQueue):
        declared = {"queues": {step.queue.name: queue_form(step.queue, short=False, widths=False)}}
    elif isinstance(step, steps.DeclareExchange):
        declared = {"exchanges": {step.exchange.name: exchange_form(step.exchange, short=False, widths=False)}}
    elif isinstance(step, steps.SetPolicy):
        section = "operator_policies" if step.policy.operator else "policies"
        declared = {section: [policy_form(step.policy, short=False, widths=False)]}
    elif isinstance(step, steps.Bind):
        binding = step.binding
        source = topology.broker.exchanges[binding.source].declared
        there = "queues" if binding.destination_type == "queue" else "exchanges"
        declared = {"exchanges": {source.name: exchange_form(source, short=False, widths=False)}}
        declared[there] = {**declared.get(there, {}), binding.destination: {}}  # type: ignore[dict-item]
        declared["bindings"] = [binding_form(binding)]
    else:
        return None
    data: dict[str, Any] = {"rabbitmq": str(version or topology.scenario.rabbitmq)}
    settings = topology.scenario.settings
    broker = broker_form(settings.default_queue_type, settings.permit)
    if broker:
        data["broker"] = broker
    data |= {"steps": [{"declare": declared, "fails": refused.code}]}
    return Draft(data, f"declare it: {refused.code}")

"""Policies that another one hides, arguments that mean nothing, plugins, and what a version of RabbitMQ no longer takes."""

from collections.abc import Iterator
from typing import Any

from routesim import steps
from routesim.broker import RabbitBroker
from routesim.broker.policies import POLICY_KEYS, matching
from routesim.check.celery_rules import DELAYING
from routesim.check.finding import Draft, Problem
from routesim.check.topology_rules import RESERVED, CheckedTopology, PublishPath
from routesim.check.witness import draft, publish_step, publishing
from routesim.diagnostics import ERROR, NOTE, did_you_mean
from routesim.explain.keys.key_sets import exactly
from routesim.explain.route import unused_alternate
from routesim.model import DEFAULT_EXCHANGE, Policy
from routesim.queues.declaring import taken_by
from routesim.replies import AmqpError
from routesim.scenario.topology_data import binding_form, broker_form, exchange_form, policy_form, queue_form
from routesim.values import plain
from routesim.versions import NEWEST_PATCH, deprecated, parse, rules

PLUGINS = {
    "x-consistent-hash": "rabbitmq_consistent_hash_exchange",
    "x-modulus-hash": "rabbitmq_sharding",
    "x-random": "rabbitmq_random_exchange",
    "x-recent-history": "rabbitmq_recent_history_exchange",
    "x-federation-upstream": "rabbitmq_federation",
    "x-delayed-message": "rabbitmq_delayed_message_exchange, which is not part of RabbitMQ's distribution",
}
EXCHANGE_ARGUMENTS = {
    "alternate-exchange": None, "x-delayed-type": "x-delayed-message", "hash-header": "x-consistent-hash",
    "hash-property": "x-consistent-hash", "x-recent-history-length": "x-recent-history", "x-recent-history-no-store": None,
    **dict.fromkeys(("x-max-hops", "x-downstream-name", "x-downstream-vhost"), "x-federation-upstream"),
}  # fmt: skip
SMALLEST_HASHES = 3  # a binding key with fewer # is taken by every version


# Policies --------------------------------------------------------------------------------------------------------------


def _contests(topology: CheckedTopology) -> Iterator[tuple[Policy, Policy, str]]:
    """(who applies, who would too, to what) for every exchange and queue that the keys of the second mean anything for."""
    broker = topology.broker
    things = [(name, "exchange", name) for name, _ in topology.exchanges()]
    things += [(queue.broker_name, queue.kind, name) for name, queue in broker.queues.items()]
    for broker_name, kind, name in things:
        for operator in (False, True):
            found = matching(broker, operator, broker_name, kind)
            for other in found[1:]:
                if _means_something(other, kind):
                    yield found[0], other, name


def _means_something(policy: Policy, kind: str) -> bool:
    """Whether one of its keys does anything to an exchange, or to a queue."""
    meant = ("exchanges" if kind == "exchange" else "queues", "both")
    return any(POLICY_KEYS[key].means in meant for key in policy.definition)


def policy_hidden(topology: CheckedTopology) -> Iterator[Problem]:
    hidden: dict[tuple[bool, str], list[tuple[Policy, Policy, str]]] = {}
    applies: dict[tuple[bool, str], int] = {}
    for name, kind in [(name, "exchange") for name, _ in topology.exchanges()]:
        _count(topology, name, kind, applies)
    for queue in topology.broker.queues.values():
        _count(topology, queue.broker_name, queue.kind, applies)
    for contest in _contests(topology):
        winner, other, _ = contest
        if other.priority < winner.priority and other.definition != winner.definition:
            hidden.setdefault((other.operator, other.name), []).append(contest)
    for (operator, name), contests in hidden.items():
        winner = contests[0][0]
        names = ", ".join(f"'{item[2]}'" for item in contests[:4]) + (" …" if len(contests) > 4 else "")
        everywhere = not applies.get((operator, name))
        how = "never applies" if everywhere else f"does not apply to {len(contests)} of what it matches ({names})"
        word = "operator policy" if operator else "policy"
        lost = sorted(contests[0][1].definition.keys() - winner.definition.keys())
        text = (
            f"{word} '{name}' {how}: '{winner.name}' has the higher priority ({winner.priority:g}), and only one policy applies"
        )
        if lost:
            text += f"; {', '.join(lost)} {'is' if len(lost) == 1 else 'are'} without effect"
        subject = topology.subject("operator" if operator else "policy", name)
        yield Problem(text, subject, (), "put all keys into one policy", None, None if everywhere else NOTE)


def _count(topology: CheckedTopology, name: str, kind: str, applies: dict[tuple[bool, str], int]) -> None:
    for operator in (False, True):
        for policy in matching(topology.broker, operator, name, kind)[:1]:
            if _means_something(policy, kind):
                applies[operator, policy.name] = applies.get((operator, policy.name), 0) + 1


def policy_tie(topology: CheckedTopology) -> Iterator[Problem]:
    ties: set[tuple[str, str]] = set()
    for winner, other, name in _contests(topology):
        if other.priority == winner.priority and other.definition != winner.definition and (winner.name, other.name) not in ties:
            ties.add((winner.name, other.name))
            text = (
                f"policies '{winner.name}' and '{other.name}' both match '{name}' with priority {other.priority:g}: "
                "which of them applies is undefined"
            )
            subject = topology.subject("operator" if other.operator else "policy", other.name)
            yield Problem(text, subject, ("priority",), "give them different priorities")


def policy_unused(topology: CheckedTopology) -> Iterator[Problem]:
    """An alternate exchange of the default exchange (rules/routing#R2)."""
    policy = unused_alternate(topology.broker)
    if policy is None:
        return
    target = str(plain(policy.definition["alternate-exchange"]))
    key = next(name for name in ("nobody", "nobody.else", "nobody.at.all") if name not in topology.broker.queues)
    way = PublishPath(DEFAULT_EXCHANGE, exactly(key))
    sections: dict[str, Any] = {"policies": [policy_form(policy, short=False, widths=False)]}
    state = topology.broker.exchanges.get(target)
    if state is not None and target not in RESERVED:
        sections["exchanges"] = {target: exchange_form(state.declared._replace(auto_delete=False), short=False, widths=False)}
    shown = draft(topology, f"{publishing(way, key)}: dropped", sections, [publish_step(way, key)], {"lost": 1})
    text = (
        f"policy '{policy.name}' gives the default exchange the alternate exchange '{target}', which is never used there: what "
        "no queue is named for is dropped or returned"
    )
    cure = "publish to an exchange of your own that has it, or with mandatory"
    yield Problem(text, topology.subject("policy", policy.name), ("definition", "alternate-exchange"), cure, shown)


# Arguments and plugins -------------------------------------------------------------------------------------------------


def meaningless(topology: CheckedTopology) -> Iterator[Problem]:
    broker = topology.broker
    for name, queue in broker.queues.items():
        for argument in queue.arguments:
            if taken_by(argument, queue.kind, broker.rules) is None:
                text = f"queue '{name}': no queue reads the argument '{argument}'; RabbitMQ stores it, and nothing happens"
                yield Problem(text, topology.subject("queue", name), ("arguments", argument), "mend its name, or take it out")
        limits = queue.settings
        unlimited = limits.max_length is None and limits.max_length_bytes is None
        asked = plain(queue.arguments.get("x-dead-letter-strategy"))
        wanted = asked == "at-least-once" or name in DELAYING  # the strategy asks for x-overflow: reject-publish
        if "x-overflow" in queue.arguments and unlimited and not queue.keeps_log and not wanted:
            text = f"queue '{name}': x-overflow means nothing without a length limit"
            yield Problem(text, topology.subject("queue", name), ("arguments", "x-overflow"), "set x-max-length, or take it out")
        if asked == "at-least-once" and limits.dead_letter_strategy != asked:
            text = (
                f"queue '{name}': at-least-once needs a dead-letter exchange and x-overflow reject-publish; without them "
                "dead letters are sent at most once"
            )
            where = ("arguments", "x-dead-letter-strategy")
            lacks = [] if limits.dead_letter_exchange is not None else ["x-dead-letter-exchange"]
            lacks += [] if limits.overflow == "reject-publish" else ["x-overflow: reject-publish"]
            if not lacks:  # a classic queue
                continue
            yield Problem(text, topology.subject("queue", name), where, f"set {' and '.join(lacks)}")
    for name, state in topology.exchanges():
        for argument in state.declared.arguments:
            only = EXCHANGE_ARGUMENTS.get(argument, "")
            if only is None or only == state.declared.type:
                continue
            text = f"exchange '{name}': an exchange of type {state.declared.type} does not read the argument '{argument}'"
            cure = did_you_mean(argument.removeprefix("x-"), EXCHANGE_ARGUMENTS) or "take it out"
            yield Problem(text, topology.subject("exchange", name), ("arguments", argument), cure)


def needs_plugin(topology: CheckedTopology) -> Iterator[Problem]:
    plugins = set()
    for name, state in topology.exchanges():
        kind = state.declared.type
        if kind in PLUGINS and kind not in plugins:
            plugins.add(kind)
            text = f"exchange '{name}' is of type {kind}, which needs the plugin {PLUGINS[kind]}"
            yield Problem(text, topology.subject("exchange", name), (), "without it the broker refuses the declaration")


def delayed(topology: CheckedTopology) -> Iterator[Problem]:
    """While a message waits in a delayed exchange it counts as unroutable (rules/routing#W3)."""
    for name, state in topology.exchanges():
        if state.declared.type != "x-delayed-message":
            continue
        if state.alternate is not None:
            text = (
                f"delayed exchange '{name}' has an alternate exchange, which gets every delayed message at once, before its time"
            )
            yield Problem(text, topology.subject("exchange", name), (), "bind what is to catch the rest with a key of its own")
        for index, message in topology.publishes:
            if message.exchange == name and message.mandatory:
                text = f"a mandatory publish to delayed exchange '{name}' is always returned, although it is delivered later"
                yield Problem(text, index, (), "publish without mandatory")


# Versions --------------------------------------------------------------------------------------------------------------


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
        cure = f"`routesim upgrade FILE --to {version}` shows what else changes"
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

"""A queue: what can reach it and by which keys, what its settings come to and who won, what it held over time."""

from routesim.broker import Broker
from routesim.broker.policies import matching
from routesim.content import Content
from routesim.explain.answer import Answer, CannotExplain, quoted
from routesim.explain.arrivals import arriving
from routesim.explain.futures import Future, as_data, futures
from routesim.explain.known import instead
from routesim.explain.queues.queue_history import contents_over_time, contents_section
from routesim.explain.queues.reaching import reaching, routes_section
from routesim.explain.queues.redis_queue import explain_redis_queue
from routesim.queues import QueueType
from routesim.run import Runner
from routesim.scenario import Scenario
from routesim.scenario.engines import topology
from routesim.tables import BAD, NOTICE, QUIET, Cell, Section
from routesim.values import plain


def explain_queue(scenario: Scenario, name: str) -> Answer:
    """Raises `CannotExplain` when the scenario declares no queue of that name, neither at the top nor while it runs."""
    if scenario.settings.kind == "redis":
        return explain_redis_queue(scenario, name)
    broker = topology(scenario)
    queue = broker.queues.get(name)
    if queue is None:
        broker = _after(scenario)
        queue = broker.queues.get(name)
    if queue is None:
        raise CannotExplain(f"no queue '{name}' is declared" + instead(name, broker.queues))
    found = reaching(broker, name)
    times = contents_over_time(scenario, name)
    arrived = arriving(broker, scenario, name)
    later = futures(broker, queue, arrived)
    sections = (_settings(broker, queue), routes_section(found), _later(later, arrived), contents_section(times))
    facts = [queue.kind, "durable" if queue.durable else "transient"]
    facts += [word for word, true in (("exclusive", queue.owner is not None), ("auto-delete", queue.auto_delete)) if true]
    policies = [item.name for operator in (False, True) for item in matching(broker, operator, queue.broker_name, queue.kind)[:1]]
    data = {
        "queue": name, "type": queue.kind, "durable": queue.durable,
        "settings": {setting: {"value": origin.value, "from": origin.source} for setting, origin in queue.origins.items()},
        "policies": policies,
        "reached_by": [{"exchange": start, "keys": [hop.routing_key for hop in path]} for start, path in found],
        "later": as_data(later),
        "over_time": [item.as_data() for item in times],
    }  # fmt: skip
    return Answer(f"queue {name}: {', '.join(facts)}", tuple(item for item in sections if item.rows), (), data)


def _after(scenario: Scenario) -> Broker:
    """What there is at the end of its run: a step, a caller or a worker may have declared more than stands at the top."""
    return Runner(scenario, keep=False).run().broker


def _settings(broker: Broker, queue: QueueType) -> Section:
    rows = []
    for setting, origin in sorted(queue.origins.items()):
        key = setting.replace("_", "-")
        note = origin.source
        for operator in (False, True):
            policies = matching(broker, operator, queue.broker_name, queue.kind)
            if origin.source == ("operator policy" if operator else "policy") and policies:
                note += f" '{policies[0].name}'"
        rows.append(
            (
                Cell(key),
                Cell(str(plain(origin.value)) or '""'),
                Cell(note),
                Cell(_beaten(broker, queue, key, origin.source), QUIET),
            )
        )
    for policy in matching(broker, False, queue.broker_name, queue.kind)[1:]:
        why = f"only one policy applies; its priority {policy.priority:g} is not the highest"
        rows.append((Cell("policy"), Cell(policy.name), Cell("without effect", NOTICE), Cell(why)))
    return Section("Settings in force", ("setting", "value", "from", ""), rows)


def _beaten(broker: Broker, queue: QueueType, key: str, source: str) -> str:
    """Who else wanted to set it."""
    wanted = []
    argument = queue.arguments.get(f"x-{key}")
    if source != "argument" and argument is not None:
        wanted.append(f"argument {plain(argument)}")
    for operator in (False, True):
        policies = matching(broker, operator, queue.broker_name, queue.kind)[:1]
        word = "operator policy" if operator else "policy"
        wanted += [
            f"{word} {plain(policy.definition[key])}" for policy in policies if key in policy.definition and source != word
        ]
    return f"instead of {', '.join(wanted)}" if wanted else ""


def _later(later: list[Future], arrived: Content) -> Section:
    rows = [
        (
            Cell("  " * item.depth + item.queue), Cell(item.when),
            Cell(f"→ {', '.join(item.queues)} {item.why}" if item.queues else item.why, BAD if item.ends_badly else NOTICE),
        )
        for item in later
    ]  # fmt: skip
    example = f", such as one with key {quoted(arrived.routing_key)}" if arrived.exchange else ""
    return Section(f"Where its messages can go next, beside an ack{example}", ("queue", "when", "then"), rows)

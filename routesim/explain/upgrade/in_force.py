"""What is in force on each queue and exchange under either version: which settings differ, who sets each, what brings that about,
and what it does to messages."""

from collections.abc import Iterable, Mapping
from typing import Any

from routesim.broker import Broker
from routesim.broker.policies import effective, matching
from routesim.explain.arrivals import arriving
from routesim.explain.futures import Future, futures
from routesim.explain.upgrade.refusals import RefusedObject
from routesim.named_tuples import NamedTuple
from routesim.queues import QueueType
from routesim.queues.settings import Origin, origins
from routesim.scenario import Scenario
from routesim.values import plain
from routesim.versions import DIFFERENCES

# The ways out of a queue (`explain.futures`) that a setting is about.
WAYS = {
    "delivery_limit": ("delivery_limit",),
    "message_ttl": ("expired",),
    "max_length": ("maxlen", "refused"),
    "max_length_bytes": ("maxlen", "refused"),
    "overflow": ("maxlen", "refused"),
    "dead_letter_exchange": ("rejected",),
    "dead_letter_routing_key": ("rejected",),
    "dead_letter_strategy": ("rejected",),
}
SAYS = {"expires": "the queue is deleted, with its messages, once nobody has used it for so long"}
UNSET = Origin(None, "")
TYPE = "type"


class RuleBehind(NamedTuple):
    """What makes a setting another one, in words, and the rule's source; `name`: of the difference between versions, "" where a
    policy is the cause."""

    text: str
    source: str = ""
    name: str = ""


class SettingInForce(NamedTuple):
    """A setting that is not the same under both versions, with who sets it, and the `objects` of which that is so; `does`: what
    it does to messages."""

    setting: str
    before: Origin
    after: Origin
    does: str
    objects: tuple[str, ...]
    cause: RuleBehind

    @property
    def key(self) -> str:
        """As arguments and policies write it: `delivery-limit`."""
        return self.setting.replace("_", "-")


def settings_in_force(
    old: tuple[Scenario, Broker], new: tuple[Scenario, Broker], refused: Iterable[RefusedObject]
) -> list[SettingInForce]:
    """Those that differ, of what both versions have, one cause after the other; objects of which the same is so are one."""
    causes = _Causes(old[1], new[1], {item.name: item for item in refused if item.kind == "policy"})
    told: dict[tuple[RuleBehind, str, str, str, Any], list[str]] = {}
    shown: dict[tuple[RuleBehind, str, str, str, Any], tuple[Origin, Origin, QueueType | None]] = {}
    for label, setting, before, after, cause, queue in (*_of_queues(new[0], causes), *_of_exchanges(causes)):
        key = (cause, setting, str(before), str(after), _dead_letters(queue))
        told.setdefault(key, []).append(label)
        shown.setdefault(key, (before, after, queue))
    order = {cause: at for at, (cause, *_) in reversed([*enumerate(told)])}
    found = []
    for key in sorted(told, key=lambda key: order[key[0]]):
        before, after, queue = shown[key]
        does = "" if queue is None else _does(key[1], queue.name, old, new)
        found.append(SettingInForce(key[1], before, after, does, tuple(told[key]), key[0]))
    return found


Found = Iterable[tuple[str, str, Origin, Origin, RuleBehind, QueueType | None]]


def _of_queues(new: Scenario, causes: "_Causes") -> Found:
    given = new.settings.default_queue_type
    for name, after in causes.new.queues.items():
        before = causes.old.queues.get(name)
        if before is None:
            continue
        if before.kind != after.kind:
            now = Origin(after.kind, "default queue type of the virtual host" if given else "default")
            was = Origin(before.kind, "default of the version")
            yield f"queue {name}", TYPE, was, now, _difference("import_gives_default_type"), after
        left, right = _named(causes.old, before), _named(causes.new, after)
        for setting in dict.fromkeys((*left, *right)):
            was, now = left.get(setting, UNSET), right.get(setting, UNSET)
            if was != now:
                yield f"queue {name}", setting, was, now, causes.of(setting, before, after), after


def _of_exchanges(causes: "_Causes") -> Found:
    for name, state in causes.new.exchanges.items():
        before = causes.old.exchanges.get(name)
        if before is not None and before.alternate != state.alternate:
            was, now = (_alternate(broker, name) for broker in (causes.old, causes.new))
            yield f"exchange {name}", "alternate_exchange", was, now, causes.of_policies(name, "exchange", "exchange"), None


def _alternate(broker: Broker, name: str) -> Origin:
    state = broker.exchanges[name]
    if state.alternate is None:
        return UNSET
    if "alternate-exchange" in state.declared.arguments:
        return Origin(state.alternate, "argument")
    return Origin(state.alternate, _policy(broker, name, "exchange", "policy"))


def _named(broker: Broker, queue: QueueType) -> dict[str, Origin]:
    """Every setting that something sets; of a policy with its name."""
    return {
        setting: Origin(plain(origin.value), _policy(broker, queue.broker_name, queue.kind, origin.source))
        for setting, origin in queue.origins.items()
    }


def _policy(broker: Broker, name: str, kind: str, source: str) -> str:
    if source == "default":
        return "default of the version"
    if source not in ("policy", "operator policy"):
        return source
    found = matching(broker, source == "operator policy", name, kind)
    return f"{source} '{found[0].name}'" if found else source


# What brings it about ------------------------------------------------------------------------------------------------


class _Causes:
    """Asked once for all that is alike. `refused`: the policies that the new version does not take."""

    def __init__(self, old: Broker, new: Broker, refused: Mapping[str, RefusedObject]) -> None:
        self.old, self.new, self.refused = old, new, refused
        self.known: dict[tuple[Any, ...], RuleBehind | None] = {}

    def of(self, setting: str, before: QueueType, after: QueueType) -> RuleBehind:
        """The difference between the versions that, carried out alone, makes the old value the new one; else what became of the
        policies; else the queue's type."""
        if before.kind != after.kind:
            return _difference("import_gives_default_type")
        policy = effective(self.old, before.broker_name, before.kind) if self.old.policies else {}
        now, key = after.origins.get(setting, UNSET), setting.replace("_", "-")
        alike = (setting, before.kind, str(before.arguments.get(f"x-{key}")), str(policy.get(key)), str(now))
        if alike not in self.known:
            self.known[alike] = self._rule(setting, before, policy, now)
        return self.known[alike] or self.of_policies(before.broker_name, before.kind, after.kind)

    def _rule(self, setting: str, before: QueueType, policy: Mapping[str, Origin], now: Origin) -> RuleBehind | None:
        for name in DIFFERENCES:
            changed = getattr(self.new.rules, name)
            if changed != getattr(self.old.rules, name):
                tried = origins(before.kind, before.arguments, policy, self.old.rules._replace(**{name: changed}))
                if tried.get(setting, UNSET) == now:
                    return _difference(name)
        return None

    def of_policies(self, name: str, before: str, after: str) -> RuleBehind:
        for operator in (False, True):
            left, right = matching(self.old, operator, name, before)[:1], matching(self.new, operator, name, after)[:1]
            lost = next((self.refused[policy.name] for policy in (*left, *right) if policy.name in self.refused), None)
            if lost is not None:
                return RuleBehind(f"{lost.label} is refused by RabbitMQ {self.new.rules.version}", "rules/routing#O10")
            if [policy.name for policy in left] != [policy.name for policy in right]:
                return RuleBehind(f"another policy applies: {_names(left)}, then {_names(right)}", "rules/routing#O2")
        return RuleBehind("several of the rules below, together")


def _names(policies: list[Any]) -> str:
    return f"'{policies[0].name}'" if policies else "none"


def _difference(name: str) -> RuleBehind:
    difference = DIFFERENCES[name]
    return RuleBehind(difference.what, difference.source, name)


# What it does --------------------------------------------------------------------------------------------------------


def _dead_letters(queue: QueueType | None) -> Any:
    """What has to be alike for queues to be told of together."""
    if queue is None:
        return None
    limits = queue.settings
    return limits.dead_letter_exchange, limits.dead_letter_routing_key, limits.dead_letter_strategy


def _does(setting: str, name: str, old: tuple[Scenario, Broker], new: tuple[Scenario, Broker]) -> str:
    """To a message of the queue, from now on or no longer."""
    if setting in SAYS:
        return SAYS[setting]
    for (scenario, broker), word in ((new, ""), (old, "no longer: ")):
        queue = broker.queues[name]
        ways = [
            item for item in futures(broker, queue, arriving(broker, scenario, name))
            if item.depth == 0 and item.reason in WAYS.get(setting, ())
        ]  # fmt: skip
        if ways:
            return word + "; ".join(_told(item) for item in ways)
    return ""


def _told(item: Future) -> str:
    return f"{item.when}: " + (f"→ {', '.join(item.queues)} {item.why}" if item.queues else item.why)

"""What is wrong with a topology before a message is sent. A rule is a function and a row in `RULES`."""

import re
from collections.abc import Callable, Collection, Hashable, Iterator
from functools import lru_cache
from typing import Any

from routesim.check import (
    binding_rules,
    consumer_rules,
    expiry_rules,
    limit_rules,
    loss_rules,
    name_rules,
    policy_effects,
    policy_rules,
    queue_rules,
    settings_rules,
    task_rules,
    version_rules,
)
from routesim.check.finding import Cause, OfTask, Problem
from routesim.check.loops import consumer_loops, dead_letter_loops, retry_copies
from routesim.check.topology.checked_topology import CheckedTopology
from routesim.check.witness import confirmed
from routesim.diagnostics import ERROR, NOTE, SEVERITIES, WARNING, Diagnostic
from routesim.explain.keys.key_sets import Remainders
from routesim.named_tuples import NamedTuple
from routesim.scenario import LoadableFile, Places, Scenario, Spot

IGNORE = re.compile(r"#\s*routesim:\s*ignore\[([^\]]*)\]")


NEVER_IMPORTED = ("definitions-pairs", "definitions-refused")  # what other commands read, and no RabbitMQ does


class CheckRule(NamedTuple):
    """`severity` is what its problems have unless one says otherwise; `find` looks for them. `on_redis`: also there.
    `asked`: only where it is asked for by its code, since what it says is true of most topologies, sound ones too."""

    severity: str
    find: Callable[[CheckedTopology], Iterator[Problem]]
    on_redis: bool = False
    asked: bool = False


RULES: dict[str, CheckRule] = {
    "exchange-drops-all": CheckRule(ERROR, loss_rules.drops_all),
    "exchange-drops-some": CheckRule(NOTE, loss_rules.drops_some, asked=True),
    "dead-letter-nowhere": CheckRule(ERROR, loss_rules.dead_letter_nowhere),
    "dead-letter-kept": CheckRule(WARNING, loss_rules.dead_letter_kept),
    "limit-loses": CheckRule(WARNING, limit_rules.limit_loses),
    "alternate-missing": CheckRule(ERROR, loss_rules.alternate_missing),
    "delivery-limit-drops": CheckRule(WARNING, queue_rules.limit_drops),
    "no-delivery-limit": CheckRule(NOTE, queue_rules.no_limit),
    "stream-keeps-all": CheckRule(WARNING, queue_rules.stream_keeps_all),
    "unbounded": CheckRule(NOTE, queue_rules.unbounded, asked=True),
    "parking-loses": CheckRule(ERROR, limit_rules.parking_loses),
    "parking-overlap": CheckRule(WARNING, dead_letter_loops.parking_overlap),
    "cycle-cut": CheckRule(ERROR, dead_letter_loops.cycle_cut),
    "retry-endless": CheckRule(WARNING, dead_letter_loops.retry_endless),
    "retry-uses-limit": CheckRule(WARNING, dead_letter_loops.retry_uses_limit),
    "retry-copies": CheckRule(WARNING, retry_copies.retry_copies),
    "requeue-endless": CheckRule(WARNING, consumer_loops.requeue_endless),
    "queue-expires": CheckRule(WARNING, expiry_rules.queue_expires),
    "expiry-late": CheckRule(NOTE, expiry_rules.expiry_late),
    "republish-endless": CheckRule(WARNING, consumer_loops.republish_endless),
    "wildcard-on-direct": CheckRule(ERROR, binding_rules.wildcard_on_direct),
    "star-is-one-word": CheckRule(WARNING, binding_rules.star_and_several_words),
    "binding-adds-nothing": CheckRule(NOTE, binding_rules.redundant),
    "headers-match-all": CheckRule(WARNING, binding_rules.headers_always),
    "headers-match-nothing": CheckRule(WARNING, binding_rules.headers_never),
    "headers-unsatisfied": CheckRule(WARNING, binding_rules.headers_unsatisfied),
    "same-binding": CheckRule(NOTE, binding_rules.same_binding),
    "queue-unreachable": CheckRule(NOTE, binding_rules.unreachable),
    "policy-hidden": CheckRule(WARNING, policy_rules.policy_hidden),
    "policy-tie": CheckRule(WARNING, policy_rules.policy_tie),
    "policy-matches-nothing": CheckRule(NOTE, policy_effects.policy_matches_nothing),
    "policy-without-effect": CheckRule(WARNING, policy_effects.policy_without_effect),
    "policy-unused": CheckRule(NOTE, policy_rules.policy_unused),
    "argument-meaningless": CheckRule(WARNING, settings_rules.meaningless),
    "setting-ignored": CheckRule(NOTE, settings_rules.ignored_settings),
    "priorities-expire-late": CheckRule(NOTE, settings_rules.priorities_expire_late),
    "names-alike": CheckRule(WARNING, name_rules.names_alike),
    "plugin-needed": CheckRule(NOTE, settings_rules.needs_plugin),
    "delayed-unroutable": CheckRule(WARNING, settings_rules.delayed),
    "version-refuses": CheckRule(WARNING, version_rules.removed),
    "version-will-refuse": CheckRule(WARNING, version_rules.removed_later),
    "queue-without-consumer": CheckRule(NOTE, consumer_rules.no_consumer, on_redis=True),
    "consumer-unreached": CheckRule(NOTE, consumer_rules.consumer_unreached),
    "prefetch-unlimited": CheckRule(WARNING, consumer_rules.prefetch_zero, on_redis=True),
    "prefetch-ignored": CheckRule(NOTE, consumer_rules.prefetch_ignored, on_redis=True),
    "confirms-needed": CheckRule(WARNING, consumer_rules.confirms_needed),
    "auto-ack-shared": CheckRule(WARNING, consumer_rules.auto_ack, on_redis=True),
    "task-outlives-timeout": CheckRule(ERROR, task_rules.outlives_timeout),
    "countdown-outlives-timeout": CheckRule(WARNING, task_rules.countdown_outlives_timeout),
    "late-acks-needed": CheckRule(WARNING, task_rules.late_acks_needed, on_redis=True),
}


def check_file(
    path: str,
    stdin: bytes | None = None,
    *,
    rabbitmq: str | None = None,
    vhost: str | None = None,
    asked: Collection[str] = (),
) -> list[Diagnostic]:
    """Everything that is found in a scenario or definitions file, in the order of its text. Raises `Invalid`.

    All vhosts of a definitions file, or `vhost` alone. `rabbitmq`: under the rules of this known version, whose refusals are
    findings. `asked`: codes of rules that are only used where they are asked for.
    """
    file, lenient = LoadableFile(path, stdin), rabbitmq is not None
    scenario, places = file.load(rabbitmq=rabbitmq, lenient=lenient, redis=True, vhost=vhost)
    others = [name for name in places.vhosts if name != scenario.vhost] if vhost is None else []
    found = [item for item in check(scenario, places, asked) if not others or item.code != "unknown-vhost"]
    for name in others:
        other, there = file.load(rabbitmq=rabbitmq, lenient=lenient, redis=True, vhost=name, whole=False)
        found += check(other, there, asked)
    return sorted(dict.fromkeys(found), key=_order)


def check(scenario: Scenario, places: Places, asked: Collection[str] = ()) -> list[Diagnostic]:
    """The findings; what a comment `# routesim: ignore[code]` on the line of the item silences is left out."""
    topology = CheckedTopology(scenario)
    found = [
        item._replace(severity=ERROR) if item.code in NEVER_IMPORTED and item.severity == WARNING else item
        for item in (*scenario.warnings, *scenario.findings)
        if item.code != "refused" and item.code not in _ignored(item.source)
    ]  # fmt: skip
    found = _once(_bugs_together(found))
    redis = scenario.settings.kind == "redis"
    if redis:
        text = "on Redis only consumers and tasks are looked at: the other rules are of RabbitMQ's exchanges, queues and policies"
        found.append(Diagnostic(NOTE, "not-simulated", text, places.whole().place))
    for code, rule in RULES.items():
        if (redis and not rule.on_redis) or (rule.asked and code not in asked):
            continue
        topology.work = Remainders()
        found += _findings(code, rule, topology, places)
    return sorted(found, key=_order)


def _once(found: list[Diagnostic]) -> list[Diagnostic]:
    """Without what says of a shovel or of a federation that it is not simulated, where it is told to need its plugin."""
    needing = {item.place for item in found if item.code == "plugin-needed"}
    return [item for item in found if item.code not in ("left-out", "not-simulated") or item.place not in needing]


def _bugs_together(found: list[Diagnostic]) -> list[Diagnostic]:
    """The bugs of one patch as one note, whose cure is one: a later patch."""
    bugs = [item for item in found if item.code == "known-bug"]
    if not bugs:
        return found
    others = [item for item in found if item.code != "known-bug"]
    text = bugs[0].message
    if len(bugs) > 1:
        what = "; ".join(item.message.split(", in ", 1)[-1] for item in bugs)
        text = f"{bugs[0].message.split(' has a bug')[0]} has {len(bugs)} bugs that are not simulated, in {what}"
    return [*others, bugs[-1]._replace(severity=NOTE, message=text, place=bugs[0].place, source=bugs[0].source)]


def _findings(code: str, rule: CheckRule, topology: CheckedTopology, places: Places) -> Iterator[Diagnostic]:
    """One for each problem, and one for all of those that have a cause in common."""
    causes: dict[Hashable, tuple[Diagnostic, Cause, list[Any]]] = {}
    for problem in rule.find(topology):
        spot = _spot(places, problem)
        if code in _ignored(spot.line) | _ignored(spot.first_line):
            continue
        cause = problem.cause
        if cause is not None and cause.key in causes:
            causes[cause.key][2].append(cause.name)
            continue
        finding = _finding(code, rule, problem, spot)
        if finding is not None and cause is None:
            yield finding
        elif finding is not None and cause is not None:
            causes[cause.key] = finding, cause, [cause.name]
    for finding, cause, names in causes.values():
        yield finding if len(names) == 1 else finding._replace(message=cause.text(names))


def _finding(code: str, rule: CheckRule, problem: Problem, spot: Spot) -> Diagnostic | None:
    """None where the engine does not confirm what the rule thought; an error without a draft is a warning."""
    severity = problem.severity or rule.severity
    witness = None
    if problem.draft is not None:
        witness = confirmed(problem.draft, f"Witness of {code}")
        if witness is None:
            return None
    elif severity == ERROR:
        severity = WARNING
    return Diagnostic(severity, code, problem.message, spot.place, problem.cure, spot.line, witness)


def _spot(places: Places, problem: Problem) -> Spot:
    subject = problem.subject
    if subject is None:
        return places.whole()
    if isinstance(subject, OfTask):
        return places.task(subject.name)
    if isinstance(subject, int):
        return places.step(subject)
    if isinstance(subject, str):
        return places.consumer(subject)
    return places.declared(subject, *problem.inner)


@lru_cache(maxsize=256)  # a file may be a single line, on which there is a finding for each queue
def _ignored(line: str) -> frozenset[str]:
    return frozenset(code.strip() for match in IGNORE.finditer(line) for code in match[1].split(","))


def _order(finding: Diagnostic) -> tuple[str, int, int, int]:
    place = finding.place
    at = (place.file, place.line, place.column) if place else ("", 0, 0)
    return (*at, SEVERITIES.index(finding.severity))


__all__ = ["RULES", "check", "check_file"]

"""How often definitions files that people have published have what `check` finds."""

from routesim.explain.pages.rules import RULE_PAGES

TRIED = 64  # definitions files in public repositories, of systems that somebody runs or shows, in which the rules were tried
# In how many of them each finding was, `version-refuses` being asked of 4.3.
FOUND = {
    "exchange-drops-all": 6, "exchange-drops-some": 40, "dead-letter-nowhere": 2, "limit-loses": 3, "retry-endless": 1,
    "no-delivery-limit": 1, "wildcard-on-direct": 1, "queue-unreachable": 5, "policy-hidden": 1, "policy-matches-nothing": 1,
    "argument-meaningless": 2, "setting-ignored": 1, "plugin-needed": 2, "upstream-missing": 1, "version-refuses": 3,
    "version-will-refuse": 3, "unbounded": 51, "password-in-clear": 11, "no-users": 2, "definitions-access": 2, "known-bug": 6,
    "definitions-refused": 2, "password-hash-useless": 2,
}  # fmt: skip
OF_SCENARIOS = frozenset({
    "requeue-endless", "republish-endless", "headers-unsatisfied", "queue-without-consumer", "prefetch-unlimited",
    "prefetch-ignored", "confirms-needed", "auto-ack-shared", "task-outlives-timeout", "late-acks-needed", "expiry-late",
    "consumer-unreached", "countdown-outlives-timeout",
})  # fmt: skip


def how_often(code: str) -> str:
    """In how many published files the finding of a rule was; empty where it is none of `check`."""
    if code in OF_SCENARIOS:
        return "in scenarios alone: definitions files say nothing of consumers, messages and tasks"
    if code not in RULE_PAGES and code not in FOUND:
        return ""
    number = FOUND.get(code, 0)
    return f"in {number or 'none'} of {TRIED} published definitions files"

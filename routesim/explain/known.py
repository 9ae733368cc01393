"""The names that there are, for whoever asked for one that there is not."""

from collections.abc import Iterable

from routesim.diagnostics import Invalid, did_you_mean
from routesim.scenario import Scenario, load

MOST = 10
WHAT = {"message": "messages", "queue": "queues", "task": "tasks"}


def instead(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that is none of these: the one that is near, and which there are, the first ten."""
    names = [item for item in known if item]
    cure = did_you_mean(name, names)
    there = listed(names)
    return f"; {cure} T{there[1:]}" if cure else f"; {there}" if there else ""


def listed(names: list[str]) -> str:
    """`there are a, b, c`; "" where there is none."""
    if not names:
        return ""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names[:MOST])}{more}"


def names_in(file: str, what: str) -> str:
    """The same of a file. `what`: message, queue or task; "" for anything else, and where the file cannot be used."""
    if what not in WHAT:
        return ""
    try:
        scenario = load(file)
    except Invalid:
        return ""
    return listed(names_of(scenario, what))


def names_of(scenario: Scenario, what: str) -> list[str]:
    """Those that a run of the scenario knows, or that it declares."""
    from routesim.run import Runner

    result = Runner(scenario).run()
    if what == "message":
        return list(result.messages.of)
    if what == "task":
        return list(result.tasks.of) if result.tasks is not None else []
    return list(result.broker.queues)

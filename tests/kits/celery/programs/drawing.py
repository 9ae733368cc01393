"""A small Celery program: settings, tasks, and what happens when. A function of the seed and a number."""

import random
from typing import Any, NamedTuple

TAKES = (0.0, 0.7, 1.1, 1.6, 2.3, 3.1)
WAITS = (0.4, 0.9, 1.3, 2.1)
COUNTDOWNS = (1.2, 1.9, 2.7)
QUEUE = "celery"
LEAVES = ("kill", "warm", "cold")
ONCE = {"requeue": {"redelivered": False}, "kill_child": {"redelivered": False}}  # or it would never end


class Program(NamedTuple):
    """`tasks`: name: {options: of app.task, rules: what a run does, the first that fits}. `steps`: ("call", id, fields),
    ("canvas", chain or chord, of (id, task) in their order, the last one its body), ("wait", seconds), ("revoke", id, terminate),
    ("worker", name, what). Times are in seconds."""

    settings: dict[str, Any]
    tasks: dict[str, dict[str, Any]]
    workers: tuple[str, ...]
    steps: tuple[tuple[Any, ...], ...]


def drawn(seed: int, number: int, *, redis: bool) -> Program:
    dice = random.Random(f"{seed} {number} {redis}")
    settings = {
        "worker_concurrency": dice.choice((1, 1, 2)),
        "worker_prefetch_multiplier": dice.choice((1, 2, 4)),
        "task_acks_late": dice.random() < 0.5,
        "worker_send_task_events": True,
    }
    tasks = {name: _task(dice) for name in ("a", "b", "c")[: dice.randint(1, 3)]}
    steps: list[tuple[Any, ...]] = []

    def apart(step: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """What is on its way has arrived before, and has its effect before what comes next."""
        return [("wait", dice.choice(WAITS)), step, ("wait", dice.choice(WAITS))]

    up, calls = True, 0
    for _ in range(dice.randint(4, 9)):
        kinds = {"call": 6, "chain": 1, "chord": 1 if redis else 0, "wait": 4, "revoke": 1, "worker": 1.2, "child": 0.6}
        what = dice.choices(list(kinds), list(kinds.values()))[0]
        if what == "call":
            for _ in range(dice.choice((1, 1, 2, 3))):
                calls += 1
                fields = {"countdown": dice.choice(COUNTDOWNS)} if dice.random() < 0.25 else {}
                if dice.random() < 0.1:
                    fields["expires"] = dice.choice(COUNTDOWNS) + 0.5
                steps.append(("call", f"t{calls}", {"task": dice.choice(list(tasks)), **fields}))
        elif what in ("chain", "chord"):
            members = tuple((f"t{calls + number}", dice.choice(list(tasks))) for number in range(1, dice.choice((2, 3)) + 1))
            calls += len(members)
            steps += apart(("canvas", what, members))
        elif what == "wait":
            steps.append(("wait", dice.choice(WAITS)))
        elif what == "revoke" and calls:
            steps += apart(("revoke", f"t{dice.randint(1, calls)}", dice.random() < 0.5))
        elif what == "child" and up:
            steps += apart(("worker", "w1", "kill_child"))
        elif what == "worker":
            steps += apart(("worker", "w1", dice.choice(LEAVES) if up else "start"))
            up = not up
    if not up and dice.random() < 0.8:
        steps += apart(("worker", "w1", "start"))
    return Program(settings, tasks, ("w1",), tuple(steps))


def slower(program: Program, factor: float) -> Program:
    """The same program with all its times so many times longer, for a machine that is busy."""

    def longer(fields: dict[str, Any], *names: str) -> dict[str, Any]:
        return {name: value * factor if name in names else value for name, value in fields.items()}

    tasks = {
        name: {
            "options": longer(task["options"], "time_limit"),
            "rules": [longer(rule, "takes", "countdown") for rule in task["rules"]],
        }
        for name, task in program.tasks.items()
    }
    steps = [
        ("wait", step[1] * factor) if step[0] == "wait"
        else (*step[:2], longer(step[2], "countdown", "expires")) if step[0] == "call"
        else step
        for step in program.steps
    ]  # fmt: skip
    return program._replace(tasks=tasks, steps=tuple(steps))


def _task(dice: random.Random) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, chance in {"acks_late": 0.4, "reject_on_worker_lost": 0.3, "acks_on_failure_or_timeout": 0.2}.items():
        if dice.random() < chance:
            options[name] = dice.random() < 0.7
    if dice.random() < 0.3:
        options["max_retries"] = dice.choice((0, 1, 2))
    if dice.random() < 0.1 and options.get("acks_on_failure_or_timeout") is not False:  # or it would run again for ever
        options["time_limit"] = 1.4
    rules: list[dict[str, Any]] = []
    if dice.random() < 0.6:
        ends = dice.choice(("exception", "retry", "retry", "ignore", "reject", "requeue", "kill_child"))
        when = ONCE.get(ends) or dice.choice(({}, {"retries": 0}, {"redelivered": False}))
        rules.append({**when, **_course(dice, ends)})
    return {"options": options, "rules": [*rules, _course(dice, "success")]}


def _course(dice: random.Random, ends: str) -> dict[str, Any]:
    course: dict[str, Any] = {"takes": dice.choice(TAKES), "ends": ends}
    if ends == "retry":
        course["countdown"] = dice.choice(COUNTDOWNS)
    return course

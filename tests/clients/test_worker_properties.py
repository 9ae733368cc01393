"""Whatever tasks, workers, commands and signals there are: limits are kept, nothing is lost but by a rule, no run is forgotten."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from kits.celery.notation import command, scenario, send, wait

from routesim import events
from routesim.broker import counts, imbalance
from routesim.celery.pools import POOLS
from routesim.events import Event
from routesim.run import Runner
from routesim.scenario import Scenario

DONE = (events.TaskSucceeded, events.TaskFailed, events.TaskIgnored, events.TaskRevoked)
ENDED = (*DONE, events.TaskRejected, events.TaskRetried, events.TaskUnsettled)
TASKS, QUEUES, WORKERS = ("a", "b"), ("q", "r"), ("w1", "w2")
ONCE = ("exception", "retry", "reject", "requeue", "ignore", "kill_child", "kill_worker")


def some(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=options)


times = st.sampled_from(["0", "10ms", "1s", "3s"])
courses = some(takes=times, ends=st.sampled_from(ONCE), countdown=st.sampled_from(["0", "1s", "5s"]))
tasks = st.builds(
    # What does not succeed does so for two runs at most: nothing goes on for ever.
    lambda takes, task, rule: {"takes": takes, **task, "runs": [{"run": "< 3", **rule}]},
    times,
    some(
        acks=st.sampled_from(["early", "late"]), time_limit=st.just("2s"), soft_time_limit=st.just("500ms"),
        on_failure=st.sampled_from(["ack", "reject"]), on_timeout=st.sampled_from(["ack", "requeue"]), max_retries=st.just(1),
        on_worker_lost=st.sampled_from(["ack", "requeue", "retry"]), rate_limit=st.sampled_from(["1/s", "2/m"]),
        countdown=st.sampled_from(["1s", "5s"]), retry_headers=st.sampled_from(["copy", "clean"]),
    ),
    courses,
)  # fmt: skip
workers = st.fixed_dictionaries(
    {"queues": st.sampled_from([["q"], ["r"], ["q", "r"]])},
    optional={
        "concurrency": st.integers(1, 3), "prefetch": st.integers(0, 4), "eta_limit": st.integers(1, 5),
        "prefetch_of": st.sampled_from(["channel", "consumer"]), "cancels_on_loss": st.booleans(), "restart": st.just("2s"),
        "reduces_prefetch": st.booleans(), "start": st.booleans(), "deduplicates": st.booleans(),
        "pool": st.sampled_from(list(POOLS)), "soft_shutdown": st.just("3s"), "soft_shutdown_on_idle": st.booleans(),
        "autoscale": st.just({"max": 3, "min": 1}), "lowers_consumers": st.booleans(), "broker_heartbeat": st.just("1s"),
    },
)  # fmt: skip
headers = some(
    eta=st.sampled_from(["2026-01-01T00:00:02+00:00", "2026-01-01T00:00:08+00:00"]),
    expires=st.sampled_from(["2026-01-01T00:00:01+00:00", "2026-01-01T00:00:09+00:00"]),
)
publishes = st.tuples(
    st.integers(1, 5),
    st.sampled_from([*TASKS, *TASKS, "unheard.of"]),
    st.sampled_from(QUEUES),
    headers,
    some(expiration=st.just("1500")),
)
signals = st.builds(
    lambda name, do: {"worker": {"name": name, "do": do}},
    st.sampled_from(WORKERS), st.sampled_from(["start", "term", "warm", "cold", "cold", "kill", "disconnect", "kill_child"]),
)  # fmt: skip
commands = st.one_of(
    st.builds(lambda number, terminate: ("revoke", {"task_id": f"t{number}.0", "terminate": terminate}), st.integers(0, 8), st.booleans()),
    st.builds(lambda task, rate: ("rate_limit", {"task_name": task, "rate_limit": rate}), st.sampled_from(TASKS),
              st.sampled_from(["0", "1/s"])),
    st.builds(lambda do, queue: (do, {"queue": queue}), st.sampled_from(["cancel_consumer", "add_consumer"]),
              st.sampled_from(QUEUES)),
    st.builds(lambda do, n: (do, {"n": n}), st.sampled_from(["pool_grow", "pool_shrink"]), st.integers(1, 2)),
    st.just(("shutdown", {})),
)  # fmt: skip
steps = st.lists(
    st.one_of(publishes, publishes, signals, commands, st.sampled_from(["100ms", "1s", "4s"])), min_size=3, max_size=12
)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    told: list[Any] = []
    for number, step in enumerate(draw(steps)):
        if isinstance(step, str):
            told.append(wait(step))
        elif isinstance(step, dict):
            told.append(step)
        elif len(step) == 2:
            do = command(step[0], **step[1])["publish"]
            told.append({"publish": {**do, "id": f"c{number}"}})
        else:
            count, task, queue, more, fields = step
            told += [send(f"t{number}.{each}", task, routing_key=queue, headers=more, **fields) for each in range(count)]
    quorum = draw(st.booleans())
    each = {name: {**draw(workers), "control": f"{name}.inbox"} for name in WORKERS}
    for step in told:
        told_to = step.get("worker", {"name": "", "do": ""})
        pool = POOLS[each.get(told_to["name"], {}).get("pool", "prefork")]
        if (told_to["do"] == "cold" and not pool.cold) or (told_to["do"] == "kill_child" and not pool.process):
            told_to["do"] = "kill"  # the others are refused
    if quorum:
        each = {name: {**worker, "prefetch_of": "consumer"} for name, worker in each.items()}
    return scenario(
        exchanges={"celery.pidbox": "fanout"},
        queues={
            **{name: {"arguments": {"x-queue-type": "quorum"}} if quorum else {} for name in QUEUES},
            **{f"{name}.inbox": {} for name in WORKERS},
        },
        bindings=[{"source": "celery.pidbox", "destination": f"{name}.inbox"} for name in WORKERS],
        tasks={name: draw(tasks) for name in TASKS}, workers=each, steps=told, until="10m",
        seed=draw(st.integers(0, 9)),
    )  # fmt: skip


class Watched:
    """A run that is looked at after each step of the broker, with what was heard of it."""

    def __init__(self, what: Scenario) -> None:
        self.scenario = what
        self.heard: list[Event] = []
        self.limits: dict[str, int] = {}  # of a channel, or of one of its consumers
        self.runner = Runner(what, self.hear)
        self.apply = self.runner.broker.apply
        self.runner.broker.apply = self.checked  # type: ignore[method-assign, assignment]
        self.result = self.runner.run()

    def checked(self, step: Any) -> Any:
        refused = self.apply(step)
        assert imbalance(counts(self.runner.broker)) is None
        assert self.runner.processes is not None
        for process in self.runner.processes.by_name.values():
            assert len(process.running) - len(process.over) <= max(process.size, process.limit(), 3)
        return refused

    def hear(self, event: Event) -> None:
        self.heard.append(event)
        if isinstance(event, events.QosSet) and event.whole_channel:
            self.limits[event.channel] = event.prefetch
        elif isinstance(event, events.ConsumerStarted) and event.channel in WORKERS:
            plan = self.scenario.workers[event.channel]
            if plan.prefetch_of == "consumer":
                process = self.runner.processes.by_name[event.channel]  # type: ignore[union-attr]
                self.limits[event.consumer] = process.prefetch.announced
        elif isinstance(event, events.Delivered) and not event.auto_ack:
            self.within(event)

    def within(self, event: events.Delivered) -> None:
        held = list(self.runner.broker.channels[event.channel].unacked.values())
        for name, count in ((event.channel, len(held)), (event.consumer, self.of(held, event.consumer))):
            limit = self.limits.get(name, 0)
            assert limit == 0 or count <= limit, (event, count, limit)

    def of(self, held: list[Any], consumer: str) -> int:
        return sum(item.subscription is not None and item.subscription.name == consumer for item in held)


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_limits_are_kept_and_the_ledger_balances(what: Scenario) -> None:
    watched = Watched(what)
    assert watched.result.ended in ("time", "idle")


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_every_run_ends_or_its_worker_does(what: Scenario) -> None:
    watched = Watched(what)
    open_runs: Counter[tuple[str, str]] = Counter()
    for event in watched.heard:
        if isinstance(event, events.TaskStarted):
            open_runs[event.worker, event.task] += 1
        elif isinstance(event, ENDED) and open_runs[event.worker, event.task]:
            open_runs[event.worker, event.task] -= 1
        elif isinstance(event, events.WorkerOffline):
            open_runs = Counter({key: count for key, count in open_runs.items() if key[0] != event.worker})
    assert +open_runs == Counter()


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_no_task_is_lost_but_by_a_rule(what: Scenario) -> None:
    """By a rule: its message was acknowledged at the start and the worker died in it; it expired; no such task, or rejected."""
    watched = Watched(what)
    published = {event.message for event in watched.heard if isinstance(event, events.Published) and event.message[0] == "t"}
    tasks = {message.partition("-retry-")[0] for message in published}
    left = {
        copy.message.partition("-retry-")[0]
        for queue in watched.result.broker.queues.values()
        for copy in (
            *queue.ready(),
            *(item.copy for line in watched.result.broker.channels.values() for item in line.unacked.values()),
        )
    }
    over, running = set(), {}
    for event in watched.heard:
        if isinstance(event, DONE) or (isinstance(event, events.TaskRejected) and not event.requeue):
            over.add(event.task)
        elif isinstance(event, events.Dropped) and event.reason == "expired":
            over.add(event.message.partition("-retry-")[0])
        elif isinstance(event, events.TaskStarted):
            running[event.task] = event
        elif isinstance(event, events.WorkerOffline):
            over |= {id for id, run in running.items() if run.worker == event.worker and what.tasks[run.name].acks == "early"}
    assert tasks - over - left == set()


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_what_the_broker_holds_open_for_a_worker_is_what_it_is_at(what: Scenario) -> None:
    result = Watched(what).result
    assert result.processes is not None
    for name, process in result.processes.by_name.items():
        line = result.broker.channels.get(name)
        waiting = [
            *process.reserved,
            *process.held.values(),
            *(item for each in process.buckets.values() for item in each.waiting),
        ]
        at_it = [job.request for job in process.running.values() if job.request.life == process.life]
        tags = {item.delivery.tag for item in (*waiting, *at_it) if not item.settled}
        assert tags == ({item.tag for item in line.unacked.values()} if line is not None else set())
        assert not process.reserved or len(process.running) >= process.size or process.stopping


@settings(max_examples=30, deadline=None)
@given(scenarios())
def test_the_same_seed_is_the_same_run(what: Scenario) -> None:
    assert Watched(what).heard == Watched(what).heard

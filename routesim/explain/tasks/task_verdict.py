"""How it stands with a task at the end of a run: one honest sentence, and what would have helped."""

from collections.abc import Callable

from routesim import events
from routesim.celery import fates
from routesim.durations import duration_text, seconds
from routesim.explain.refusals import cure_of
from routesim.explain.tasks.task_life import TaskLife, TaskRunTold
from routesim.named_tuples import NamedTuple
from routesim.narration import sentence_of
from routesim.redis.state import VISIBILITY_TIMEOUT_MS
from routesim.run.result import Result
from routesim.run.tasks.fates import Fate, unconsumed

LATE = "acks_late=True, so that the message comes back when its worker ends, with reject_on_worker_lost=True for a killed child"
LATE_AND_CHILD = "acks_late=True with reject_on_worker_lost=True, so that the message comes back when its child is killed"


class Verdict(NamedTuple):
    """`cure` "": there is nothing to cure."""

    sentence: str
    cure: str = ""


def verdict_of(life: TaskLife, fate: Fate, result: Result) -> Verdict:
    """The sentence begins with the id of the task."""
    found = VERDICTS[fate.name](life, fate, result)
    return found._replace(sentence=f"{life.task} {found.sentence}")


def _lost(life: TaskLife, fate: Fate, result: Result) -> Verdict:
    run = next((run for run in reversed(life.runs) if type(run.ended) is events.TaskLost), None)
    if run is None:
        return Verdict(
            f"is lost: it was acknowledged as it was delivered to {fate.where}, which had not begun it when it ended "
            f"({fate.why}); nothing will run it again",
            "consume that queue with acknowledgements (no_ack off), and acks_late=True",
        )  # fmt: skip
    late = result.scenario.tasks[life.name].acks == "late"
    when = "when it was delivered" if late else "when it began"
    after = duration_text(run.ended.at_ms - run.started_ms)
    return Verdict(
        f"is lost: it was acknowledged {when}, and its worker {run.worker} {_ended(fate.why)} {after} later; nothing will run "
        "it again", LATE if not late else "",
    )  # fmt: skip


def _ended(why: str) -> str:
    return {"killed": "was killed", "cold shutdown": "was stopped cold"}.get(why, f"ended ({why})")


def _waiting(life: TaskLife, fate: Fate, result: Result) -> Verdict:
    if fate.where not in result.broker.queues:
        return Verdict(f"waits: exchange '{fate.where}' holds its message back, {fate.why}")
    back = ""
    if life.back is not None:
        back = f", where its message came back at {seconds(life.back.at_ms)} s ({life.back.why})"
    nobody = next((item for item in unconsumed(result, {life.task: fate}) if item.queue == fate.where), None)
    if nobody is None:
        return Verdict(f"waits in {fate.where}{back}; a worker will get it when its turn comes")
    if nobody.workers:
        names = " and ".join(nobody.workers)
        refused = next((text for name in nobody.workers if (text := _refusal(name, result))), "")
        if refused:
            cure = cure_of(result.scenario, refused, of_worker=True)
            return Verdict(f"waits in {fate.where}{back}; RabbitMQ refuses {names}, who would run it: {refused}", cure)
        died = f": {life.died.why} at {seconds(life.died.at_ms)} s" if life.died is not None else ""
        verb = "do" if len(nobody.workers) > 1 else "does"
        return Verdict(
            f"waits in {fate.where}{back}; {names}, who would run it, {verb} not consume{died}", f"start {names} again"
        )
    why = f" (it went there because {life.why_routed})" if life.why_routed else ""
    return Verdict(
        f"waits in {fate.where}{back}; no worker consumes that queue, so nothing will run it{why}",
        f"start a worker with -Q {fate.where}, or route the task to a queue that one consumes",
    )


def _refusal(worker: str, result: Result) -> str:
    """What RabbitMQ said when this worker tried to connect last; "": it let it."""
    return result.processes.by_name[worker].refusal if result.processes is not None else ""


def _unacked(life: TaskLife, fate: Fate, result: Result) -> Verdict:
    died = f" since {life.died.worker} ended ({life.died.why})" if life.died is not None else ""
    if result.scenario.settings.kind == "redis":
        given = result.scenario.settings.visibility_timeout
        after = duration_text(VISIBILITY_TIMEOUT_MS if given is None else given)
        return Verdict(
            f"stands in Redis's unacked set, of {fate.where}{died}: nobody is at it, and it comes back only when the "
            f"visibility timeout ({after}) is over and some worker looks", "a shorter visibility_timeout, longer than any task",
        )  # fmt: skip
    return Verdict(f"is unacked, of {fate.where} and {fate.why}: nobody is at it{died}")


def _succeeded(life: TaskLife, fate: Fate, result: Result) -> Verdict:
    run = next((run for run in reversed(life.runs) if type(run.ended) is events.TaskSucceeded), None)
    at = f" at {seconds(run.ended.at_ms)} s" if run is not None else ""
    times = len(life.runs)
    more = times - 1 - len(life.retries)
    text = f"succeeded on {fate.where}{at}"
    if times > 1:
        text += f", in its {_nth(times)} run" if not more else f"; its body was begun {times} times"
    cure = "make the task idempotent: with late acknowledgement a body may run more than once" if more > 0 else ""
    return Verdict(text, cure)


def _nth(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _failed(life: TaskLife, fate: Fate, result: Result) -> Verdict:
    run = next((run for run in reversed(life.runs) if type(run.ended) is events.TaskFailed), None)
    at = f" at {seconds(run.ended.at_ms)} s" if run is not None else ""
    why = fate.why or "exception"
    text = f"failed on {fate.where}{at}: {why}; nothing will run it again"
    plan = result.scenario.tasks.get(life.name)
    if "WorkerLostError" in why:
        return Verdict(f"{text}, for it was acknowledged {_acked_when(run)}", LATE_AND_CHILD)
    if "TimeLimitExceeded" in why and plan is not None and not why.startswith("Soft"):
        return Verdict(text, "acks_late=True with acks_on_timeout=False, so that the message comes back, or a longer time limit")
    return Verdict(text, "autoretry_for, or self.retry() in the body" if not life.retries else "")


def _acked_when(run: TaskRunTold | None) -> str:
    early = run is not None and run.acknowledged_ms == run.started_ms and run.acknowledged_ms != run.ended.at_ms
    return "when it began" if early else "all the same"


def _rejected(life: TaskLife, fate: Fate, result: Result) -> Verdict:
    left = life.rows[-1].text if life.rows else ""
    return Verdict(f"was rejected by {fate.where}: {fate.why}; of its message: {left}")


def _gone(life: TaskLife, fate: Fate, result: Result) -> Verdict:
    last = next((row for row in reversed(life.rows) if row.text), None)
    why = fate.why if last is None or "taken by" not in fate.why else f"{last.label}: {last.text}"
    if life.runs:
        return Verdict(
            f"began {len(life.runs)} times, and the message in which it was sent anew is gone: {why}".replace("1 times", "once")
        )
    return Verdict(f"never ran, and its message is gone: {why}")


def _retried(life: TaskLife) -> str:
    return f", as retry {len(life.retries)} of it ({life.retries[-1].message})" if life.retries else ""


VERDICTS: dict[str, Callable[[TaskLife, Fate, Result], Verdict]] = {
    fates.LOST: _lost,
    fates.WAITING: _waiting,
    fates.UNACKED: _unacked,
    fates.SUCCEEDED: _succeeded,
    fates.FAILED: _failed,
    fates.REJECTED: _rejected,
    fates.GONE: _gone,
    fates.REVOKED: lambda life, fate, result: Verdict(
        f"was revoked by {fate.where}: {fate.why}" + ("" if life.runs else "; its body never ran")
    ),
    fates.IGNORED: lambda life, fate, result: Verdict(f"ended on {fate.where} by Ignore; no state is recorded"),
    fates.RUNNING: lambda life, fate, result: Verdict(f"is still running on {fate.where} when the run ends{_retried(life)}"),
    fates.RESERVED: lambda life, fate, result: Verdict(
        f"is with {fate.where}, which has not begun it when the run ends: it waits for a free child, or its rate limit"
    ),
    fates.SCHEDULED: lambda life, fate, result: Verdict(
        f"is held by {fate.where} until its ETA, {seconds(life.received[-1].due_ms or 0)} s{_retried(life)}"
    ),
    fates.UNREPORTED: lambda life, fate, result: Verdict(
        f"came to its end, and {fate.where} ended before it could tell anybody; nothing will run it again"
    ),
}


def result_of(life: TaskLife, result: Result) -> str:
    """Where the result went: into which queue, or why nowhere."""
    plan = result.scenario.tasks.get(life.name)
    workers = [result.scenario.workers[item.worker] for item in life.received if item.worker in result.scenario.workers]
    if life.results:
        message, last = list(life.results.items())[-1]
        return f"message {message}: {sentence_of(last)}"
    if plan is not None and plan.ignore_result:
        return "nowhere: the task ignores its result"
    if workers and not any(worker.results for worker in workers):
        return "nowhere that is a queue: results do not go through the broker here (no rpc:// backend)"
    return "none was sent" if life.runs else "none: it has not run"

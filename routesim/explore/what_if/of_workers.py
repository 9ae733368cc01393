"""Failures in the run of a scenario with worker processes: steps that are put into it, each at the end of its instant."""

from collections.abc import Sequence
from typing import Any

from routesim import events
from routesim.explore.courses import RESTARTS, SIGNALS, said_failure, with_failures
from routesim.explore.moves import Move
from routesim.explore.what_if.possible import Branch, PossibleFailure
from routesim.run import Runner
from routesim.run.recording import Recording
from routesim.scenario import Scenario


class CourseOfWorkers:
    """`failures`: those that were put in before."""

    def __init__(self, scenario: Scenario, heard: Sequence[Any], failures: tuple[Move, ...] = ()) -> None:
        self.scenario, self.heard, self.failures = scenario, heard, failures

    def choices(self, since: int, at: int) -> list[PossibleFailure]:
        now = self.heard[at - 1].at_ms if at else 0
        online: dict[str, None] = {}
        for event in self.heard[:at]:
            if type(event) is events.WorkerOnline:
                online[event.worker] = None
            elif type(event) is events.WorkerOffline:
                online.pop(event.worker, None)
        found = [Move(do, name, now, "crash") for name in online if name in self.scenario.workers for do in SIGNALS]
        found += [Move(kind, "", now, kind) for kind in RESTARTS]
        return [PossibleFailure(move.failure, said_failure(move), now, move) for move in found]

    def carried_out(self, choice: PossibleFailure) -> Branch:
        failures = (*self.failures, choice.move)
        own = self.scenario
        failing = with_failures(own, failures)._replace(expect=own.expect, never=own.never, routes=own.routes)
        recording = Recording()
        result = Runner(failing, recording.hear).run()
        course = CourseOfWorkers(self.scenario, recording.events, failures)
        return Branch(course, recording, result, self._after(recording.events, choice), frozenset(), ())

    def _after(self, heard: Sequence[Any], choice: PossibleFailure) -> int:
        """How many events there are with the failure and what it sets off at its instant."""
        text = f"FAILURE: {said_failure(choice.move)}"
        begin = next(
            index for index, event in enumerate(heard)
            if type(event) is events.StepStarted and event.text == text and event.at_ms == choice.at_ms
        )  # fmt: skip
        end = begin + 1
        while end < len(heard) and type(heard[end]) is not events.StepStarted and heard[end].at_ms == choice.at_ms:
            end += 1
        return end

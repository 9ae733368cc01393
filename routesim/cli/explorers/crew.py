"""Processes for an exploration: each keeps what it has come to from one question to the next."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from routesim.cli.shared.processes import Died, Pool, attend_any
from routesim.named_tuples import NamedTuple


class CrewLost(Exception):
    """One of the processes has ended before its time."""


class _Answer(NamedTuple):
    found: Any
    memory_mb: float


class ExploringCrew:
    """`count` processes, each started when it is first asked. `memory_mb`: what they have taken together, at most."""

    def __init__(self, pools: list[Pool]) -> None:
        self.pools = pools
        self.memories = [0.0] * len(pools)
        self.asked: set[int] = set()  # who works at a question

    @property
    def count(self) -> int:
        return len(self.pools)

    @property
    def memory_mb(self) -> float:
        return sum(self.memories)

    def ask(self, task: Callable[[Any], Any], questions: Sequence[Any]) -> list[Any]:
        """A question for each of the first so many; their answers. Raises `CrewLost`, and what the task raises."""
        asked = list(zip(range(self.count), questions, strict=False))
        for who, question in asked:
            self.give(who, task, question)
        answers: dict[int, Any] = {}
        while len(answers) < len(asked):
            answers.update(self.heard())
        return [answers[who] for who, _ in asked]

    def give(self, who: int, task: Callable[[Any], Any], question: Any) -> None:
        """To one that has answered what it was asked before."""
        self.pools[who].ask(_measured, [(task, question)])
        self.asked.add(who)

    def heard(self) -> list[tuple[int, Any]]:
        """Waits for an answer, and returns those that are there, with who gives it; none where nobody works. Raises `CrewLost`,
        and what the task raises."""
        attend_any([self.pools[who] for who in self.asked])
        found = []
        for who in sorted(self.asked):
            if self.pools[who].answered(0):
                self.asked.discard(who)
                answer = self.pools[who].take(0)
                if isinstance(answer, Died):
                    raise CrewLost(f"a process of the search {answer}")
                self.memories[who] = answer.memory_mb
                found.append((who, answer.found))
        return found


@contextmanager
def exploring_crew(count: int) -> Iterator[ExploringCrew | None]:
    """None: this process is enough. Whatever happens, none is left running after it."""
    if count < 2:
        yield None
        return
    with ExitStack() as stack:
        yield ExploringCrew([stack.enter_context(Pool(1)) for _ in range(count)])


def _measured(question: tuple[Callable[[Any], Any], Any]) -> _Answer:
    task, asked = question
    return _Answer(task(asked), memory_mb())


def memory_mb() -> float:
    """What this process has taken of the memory at most; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

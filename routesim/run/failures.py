"""What the broker closed during a step, kept in little room however often the same happens."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from routesim.broker import StepFailure

if TYPE_CHECKING:
    from routesim.run.result import StepError

EACH = 10  # so many of the same are kept
MANY = 100


def told_once(errors: list["StepError"]) -> Iterator["StepError"]:
    """What happens again and again outside the steps in one, with how often it happened again."""
    outside: dict[tuple[str, bool], list[StepError]] = {}
    for error in errors:
        if error.step is None:
            outside.setdefault((error.text, error.expected), []).append(error)
    for error in errors:
        alike = outside.pop((error.text, error.expected), None) if error.step is None else [error]
        if alike:
            yield error._replace(more=sum(1 + each.more for each in alike) - 1)


class Failures:
    """Of one step; the broker's own list is what is kept."""

    def __init__(self) -> None:
        self.more: Counter[tuple[int | None, str]] = Counter()
        self.look_at = MANY

    def look(self, failures: list[StepFailure]) -> None:
        """To be called now and then: a client that is refused again and again must not fill the memory."""
        if len(failures) >= self.look_at:
            self._shorten(failures)
            self.look_at = max(MANY, 2 * len(failures))

    def _shorten(self, failures: list[StepFailure]) -> None:
        seen: Counter[tuple[int | None, str]] = Counter()
        kept = []
        for failure in failures:
            kind = failure.code, failure.text
            seen[kind] += 1
            if seen[kind] <= EACH:
                kept.append(failure)
            else:
                self.more[kind] += 1
        failures[:] = kept

    def taken_from(self, failures: list[StepFailure]) -> Iterator[tuple[StepFailure, int]]:
        """Each that was kept, the last of a kind with how many more there were; then the step is over."""
        if not failures:
            return
        self._shorten(failures)
        last = {(failure.code, failure.text): index for index, failure in enumerate(failures)}
        kept, more = [*failures], self.more
        failures.clear()
        self.more, self.look_at = Counter(), MANY
        for index, failure in enumerate(kept):
            kind = failure.code, failure.text
            yield failure, more[kind] if last[kind] == index else 0

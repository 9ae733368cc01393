"""Chords whose header is on its way: what the result backend counts (celery/backends/redis.py: on_chord_part_return)."""

from typing import Any

from routesim.named_tuples import NamedTuple

DONE, FAILED, LOST, WAITS = "done", "failed", "lost", "waits"


class Part(NamedTuple):
    """What a task of a header has returned: its place in the group, its state and its result."""

    place: int
    state: str
    result: Any


class CountedChord:
    """`size` None: nobody has said by now how many tasks must return. `ended` is DONE or FAILED once all have; `gone` are those
    that never will, each with why."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.body = ""
        self.size: int | None = None
        self.parts: dict[str, Part] = {}
        self.gone: dict[str, str] = {}
        self.ended = ""

    @property
    def state(self) -> str:
        """`lost`: the rest of the header will not return, and the body never runs."""
        return self.ended or (LOST if self.gone else WAITS)

    @property
    def why_never(self) -> str:
        """Why its body never runs; nothing where it does, or may."""
        if self.state == FAILED:
            return f"{', '.join(self.failed)} failed: {self.body} never runs"
        gone = ", ".join(f"{id} ({why})" for id, why in self.gone.items())
        return f"{gone} never return{'s' if len(self.gone) == 1 else ''}: {self.body} never runs" if self.state == LOST else ""

    def facts(self) -> dict[str, Any]:
        """For a report: who has not returned is only known of those that never will."""
        return {
            "body": self.body, "state": self.state, "size": self.size, "returned": list(self.parts), "failed": self.failed,
            "gone": self.gone,
        }  # fmt: skip

    def results(self) -> list[Any]:
        return [part.result for part in sorted(self.parts.values(), key=lambda part: part.place)]

    @property
    def failed(self) -> list[str]:
        return [id for id, part in self.parts.items() if part.state != "SUCCESS"]


class Chords:
    """Of all workers together, by the id of the header's group: the backend is one place."""

    def __init__(self) -> None:
        self.by_group: dict[str, CountedChord] = {}

    def of(self, group: str, body: str = "") -> CountedChord:
        found = self.by_group.get(group)
        if found is None:
            found = self.by_group[group] = CountedChord(group)
        found.body = found.body or body
        return found

    def expect(self, group: str, size: int) -> None:
        """So many tasks must return. A group that is called again begins anew."""
        chord = self.of(group)
        chord.size = size
        if chord.ended:
            chord.ended = ""

    def returned(self, group: str, id: str, part: Part, body: str) -> CountedChord | None:
        """A task of the header has ended; the chord, where it was the last one. The same task counts once."""
        chord = self.of(group, body)
        if chord.ended:
            return None
        chord.gone.pop(id, None)
        chord.parts.setdefault(id, part)
        if chord.size is None or len(chord.parts) != chord.size:
            return None
        chord.ended = FAILED if chord.failed else DONE
        return chord

    def lose(self, group: str, id: str, why: str, body: str) -> None:
        """A task of the header has ended, or vanished, and nothing of it will return."""
        chord = self.of(group, body)
        if not chord.ended and id not in chord.parts:
            chord.gone[id] = why

"""A queue as kombu keeps it in Redis: one list a priority step. LPUSH is to the tail, RPUSH to the head, BRPOP from the head."""

from bisect import bisect
from collections import deque
from collections.abc import Iterator
from typing import Any

from routesim.content import Content
from routesim.queues import Copy, QueueType, Subscription
from routesim.queues.base import Host
from routesim.queues.fingerprint import ConsumerNumbers, Fingerprint
from routesim.values import Table
from routesim.versions import Rules

LOWEST, HIGHEST = 0, 9  # what a priority is limited to; a message without one has 0


class RedisList(QueueType):
    """State:

    - `steps`, `levels`: the priority steps and the list of each; the first one is served first;
    - `ends_at`: when each list expires (PEXPIRE), None: never. A list that is empty does not exist, and has no end;
    - `expires`: x-expires in ms, None: not given;
    - `fanout`: the fanout exchange and the pattern that a consumer of this queue subscribes to, from its last such binding;
    - `in_sockets`: copies that PUBLISH has sent to a channel that takes nothing now, by the channel's name.
    """

    kind = "list"

    def __init__(
        self, name: str, steps: tuple[int, ...], arguments: Table, *, auto_delete: bool = False, rules: Rules, vhost: str = "/",
    ) -> None:  # fmt: skip
        super().__init__(name, name, arguments, auto_delete=auto_delete, rules=rules, vhost=vhost)
        self.steps = steps
        self.levels: list[deque[Copy]] = [deque() for _ in steps]
        self.ends_at: list[int | None] = [None] * len(steps)
        self.expires: int | None = None
        self.fanout: tuple[str, str] | None = None
        self.in_sockets: deque[tuple[str, Copy]] = deque()

    def level(self, content: Content) -> int:
        """The number of the list: the priority rounded down to a step."""
        priority = min(max(content.priority or 0, LOWEST), HIGHEST)
        return (bisect(self.steps, priority) - 1) % len(self.steps)

    def push(self, copy: Copy, *, head: bool) -> None:
        level = self.levels[self.level(copy.content)]
        if head:
            level.appendleft(copy)
        else:
            level.append(copy)

    def pop(self, level: int) -> Copy:
        copy = self.levels[level].popleft()
        if not self.levels[level]:
            self.ends_at[level] = None
        return copy

    def get(self, host: Host) -> Copy | None:
        level = next((number for number, copies in enumerate(self.levels) if copies), None)
        copy = None if level is None else self.pop(level)
        self.prolong(host)
        return copy

    def purge(self, host: Host) -> list[Copy]:
        gone = list(self.ready())
        for number, level in enumerate(self.levels):
            level.clear()
            self.ends_at[number] = None
        return gone

    def prolong(self, host: Host) -> None:
        """PEXPIRE on every list that is there: done by a publish and by a get, by nothing else."""
        if self.expires is None:
            return
        for number, level in enumerate(self.levels):
            if level:
                self.ends_at[number] = host.now + self.expires
        self._arm(host)

    def _arm(self, host: Host) -> None:
        ends = [at_ms for at_ms in self.ends_at if at_ms is not None]
        if ends:
            host.arm(self, min(ends))

    def tick(self, host: Host) -> None:
        for number, at_ms in enumerate(self.ends_at):
            if at_ms is not None and at_ms <= host.now:
                gone = list(self.levels[number])
                self.levels[number].clear()
                self.ends_at[number] = None
                for copy in gone:
                    host.dead_letter(self, copy, "expired")
        self._arm(host)

    def ready(self) -> Iterator[Copy]:
        for level in self.levels:
            yield from level

    def ready_count(self) -> int:
        return sum(map(len, self.levels))

    def held_back(self) -> list[Copy]:
        return [copy for _, copy in self.in_sockets]

    def headers(self, copy: Copy, *, got: bool = False) -> Table:
        """A restored message says so in a header too."""
        headers = super().headers(copy, got=got)
        return {**headers, "redelivered": True} if copy.redelivered else headers

    def _unshare(self, twins: dict[int, Subscription]) -> None:
        self.levels = [level.copy() for level in self.levels]
        self.ends_at, self.in_sockets = self.ends_at.copy(), self.in_sockets.copy()

    def _own_fingerprint(self, prints: Fingerprint, numbers: ConsumerNumbers) -> tuple[Any, ...]:
        return (
            tuple(map(prints.copies, self.levels)), tuple(map(prints.after, self.ends_at)), self.expires, self.fanout,
            tuple((channel, prints.copy(copy)) for channel, copy in self.in_sockets),
        )  # fmt: skip

"""`--speed N`: every duration that a scenario sends to a broker, N times shorter, exactly or not at all."""

from typing import Any

from routesim.model import Message, Policy, Queue
from routesim.named_tuples import NamedTuple
from routesim.queues.arguments import ARGUMENTS, SCALES
from routesim.rabbitmq.problems import NotOnARealBroker
from routesim.values import Typed, is_integer, raw

DURATIONS = tuple(name.removeprefix("x-") for name, row in ARGUMENTS.items() if row.duration == SCALES)
LEASE = "expires"
DELAY_HEADER = "x-delay"


class Pace(NamedTuple):
    """Times are divided by `speed` on their way to the broker, and multiplied on their way back.

    `leases` False: no unused queue goes in the whole run, so x-expires stays as it is; a shorter one might run out while the
    clients are still coming.
    """

    speed: int = 1
    leases: bool = True

    def down(self, ms: int, what: str) -> int:
        if ms % self.speed:
            raise NotOnARealBroker(f"--speed {self.speed} cannot be exact: {what} is {ms} ms, which {self.speed} does not divide")
        return ms // self.speed

    def queue(self, queue: Queue) -> Queue:
        return queue if self.speed == 1 else queue._replace(arguments=self._table(queue.arguments, "x-", queue.name))

    def policy(self, policy: Policy) -> Policy:
        return policy if self.speed == 1 else policy._replace(definition=self._table(policy.definition, "", policy.name))

    def _table(self, table: dict[str, Any], prefix: str, where: str) -> dict[str, Any]:
        scaled = dict(table)
        for name in DURATIONS:
            value = table.get(prefix + name) if self.leases or name != LEASE else None
            if is_integer(value) and raw(value) > 0:
                fresh = self.down(raw(value), f"{prefix}{name} of {where}")
                scaled[prefix + name] = Typed(value.type, fresh) if isinstance(value, Typed) else fresh
        return scaled

    def message(self, message: Message) -> Message:
        if self.speed == 1:
            return message
        if message.expiration is not None and message.expiration.isascii() and message.expiration.isdigit():
            message = message._replace(expiration=str(self.down(int(message.expiration), "expiration of a message")))
        delay = (message.headers or {}).get(DELAY_HEADER)
        if is_integer(delay) and raw(delay) > 0:
            assert message.headers is not None
            message = message._replace(headers={**message.headers, DELAY_HEADER: self.down(raw(delay), "x-delay of a message")})
        return message

    def up(self, expiration: str | None) -> str | None:
        """An `expiration` as the scenario wrote it."""
        if self.speed == 1 or expiration is None or not (expiration.isascii() and expiration.isdigit()):
            return expiration
        return str(int(expiration) * self.speed)

    def up_headers(self, headers: dict[str, Any]) -> dict[str, Any]:
        """Headers with the times in them as the scenario wrote them."""
        if self.speed == 1:
            return headers
        scaled = dict(headers)
        deaths = scaled.get("x-death")
        if isinstance(deaths, list):
            scaled["x-death"] = [
                {**death, "original-expiration": self.up(str(raw(death["original-expiration"])))}
                if isinstance(death, dict) and "original-expiration" in death
                else death
                for death in deaths
            ]
        delay = scaled.get(DELAY_HEADER)
        if is_integer(delay):
            scaled[DELAY_HEADER] = raw(delay) * self.speed
        return scaled

"""Whoever waits for a queue stands in its line: who has been blocked longest is found without looking at them all."""

from bisect import bisect, insort

from routesim.redis.lists import RedisList
from routesim.redis.state import BRPOP_TIMEOUT_MS, Client, LinePlace, RedisState

MOST_GONE = 8  # places of clients that are gone from a line, beside as many as consume


def stand_in_line(broker: RedisState, client: Client) -> None:
    """The client waits from now on. A place that it had before is its own no longer: it has another turn."""
    place = _place(client)
    for name in client.cycle:
        line = broker.lines.get(name)
        if line is None:
            continue
        if len(line) > 2 * len(broker.queues[name].subscriptions) + MOST_GONE:
            line[:] = [each for each in line if _is_taken(each)]
        insort(line, place)


def longest_blocked(broker: RedisState, queue: RedisList) -> Client | None:
    """A client asks again whenever its BRPOP has timed out, and stands at the end of the line then: of two that have waited for
    long, the one goes first whose time is up sooner."""
    line = broker.lines.get(queue.name)
    if line is None:
        consuming = (broker.clients.get(name) for name in dict.fromkeys(name for name, _ in queue.subscriptions))
        waiting = [client for client in consuming if client is not None and client.waiting and queue.name in client.cycle]
        line = broker.lines[queue.name] = sorted(map(_place, waiting))
    at = bisect(line, broker.now % BRPOP_TIMEOUT_MS, key=_began)
    for _ in range(len(line)):
        at %= len(line)
        place = line[at]
        if not _is_taken(place):
            del line[at]
        elif place.client.has_room() and _consumes(place.client, queue):
            return place.client
        else:
            at += 1
    return None


def _place(client: Client) -> LinePlace:
    return LinePlace(client.since_ms % BRPOP_TIMEOUT_MS, client.turn, client)


def _began(place: LinePlace) -> int:
    return place.at_ms


def _is_taken(place: LinePlace) -> bool:
    return place.client.waiting and place.client.turn == place.turn


def _consumes(client: Client, queue: RedisList) -> bool:
    name = client.channel.name
    return any((name, tag) in queue.subscriptions for tag in client.channel.subscriptions)

"""Who gets what: BRPOP of every channel, prefetch counted by the client, PUB/SUB for fanout."""

from routesim import events
from routesim.content import Content
from routesim.queues import Copy, Subscription
from routesim.redis.exchanges import hears
from routesim.redis.lines import longest_blocked, stand_in_line
from routesim.redis.lists import RedisList
from routesim.redis.state import Client, Flight, RedisState, UnackedEntry

# How the keys of one BRPOP are ordered within a priority step, and what happens to the queue that a message came from.
ROUND_ROBIN, SORTED, PRIORITY = "round_robin", "sorted", "priority"


def push(broker: RedisState, queue: RedisList, copy: Copy, *, head: bool, prolong: bool = False) -> None:
    """Into its list, and out again to the client that has been waiting longest. `prolong`: x-expires begins anew."""
    queue.push(copy, head=head)
    if prolong:
        queue.prolong(broker)
    serve(broker, queue)


def serve(broker: RedisState, queue: RedisList) -> None:
    """Clients that wait for this queue get one message each, the one that has been blocked longest first.

    They ask again when the step that pushes is over: a client that pushes several messages has no pause between them.
    """
    while queue.ready_count():
        client = longest_blocked(broker, queue)
        if client is None:
            return
        client.waiting = False
        broker.woken.append(client)
        _pop(broker, client)


def ask_again(broker: RedisState) -> None:
    """The step is over: those that got something while they waited ask for more."""
    while broker.woken:
        client = broker.woken.popleft()
        if broker.clients.get(client.channel.name) is client:
            fill(broker, client)


def fill(broker: RedisState, client: Client) -> None:
    """The client asks (again), unless it waits already: it takes as much as there is and as it has room for, then waits."""
    _take_from_socket(broker, client)
    if client.waiting and client.has_room():
        return
    while client.asks() and _pop(broker, client):
        pass
    _wait(broker, client)


def _wait(broker: RedisState, client: Client) -> None:
    broker.turns += 1
    client.since_ms, client.turn, client.waiting = broker.now, broker.turns, client.asks()
    if client.waiting:
        stand_in_line(broker, client)


def _pop(broker: RedisState, client: Client) -> bool:
    """One BRPOP: the first list that is not empty, all queues at the first priority step, then all at the next."""
    order = sorted(client.cycle) if broker.queue_order == SORTED else client.cycle
    for level in range(len(broker.priority_steps)):
        for name in order:
            queue: RedisList = broker.queues[name]
            if queue.levels[level]:
                copy = queue.pop(level)
                if broker.queue_order == ROUND_ROBIN:
                    client.cycle.remove(name)
                    client.cycle.append(name)
                if client.allowance:
                    client.allowance -= 1
                receiver = broker.receiver(client.channel.connection, queue)
                assert receiver is not None
                hand_to(broker, queue, receiver, copy)
                return True
    return False


def hand_to(broker: RedisState, queue: RedisList, subscription: Subscription, copy: Copy) -> None:
    """The client has it. Without auto_ack it is noted in the unacked set."""
    channel = subscription.channel
    tag = channel.next_tag
    broker.deliver(queue, subscription, copy)
    if not subscription.auto_ack:
        hold(broker, Flight(queue.name, copy, subscription.name, channel.name, channel.number, tag))


def hold(broker: RedisState, flight: Flight) -> None:
    message = flight.copy.message
    before = broker.held.pop(message, None)
    broker.turns += 1
    flights = (*before.flights, flight) if before is not None else (flight,)
    wakes = not broker.held
    broker.held[message] = UnackedEntry(broker.now, broker.turns, flight.copy.content, flights)
    if wakes:
        broker.wake_sweepers()


# Fanout --------------------------------------------------------------------------------------------------------------


def broadcast(broker: RedisState, exchange: str, message: str, content: Content) -> int:
    """PUBLISH: whoever is subscribed now gets it, nobody else ever. Returns how many got it."""
    heard = 0
    for client in list(broker.clients.values()):
        into = client.heard.get(exchange)
        if into is None:
            continue
        # Once for each of its patterns that fits.
        for _ in range(sum(hears(key, content.routing_key) for source, key in client.subscribed if source == exchange)):
            queue = broker.list_of(into)
            broker.serial += 1
            broker.ledger.enqueued += 1
            if broker.listen:
                broker.listen(events.Enqueued(broker.now, message, queue.name, broker.serial, "published", ()))
            copy = Copy(broker.serial, message, content)
            heard += 1
            receiver = broker.receiver(client.channel.connection, queue)
            if receiver is not None and client.has_room():
                hand_to(broker, queue, receiver, copy)
            else:
                queue.in_sockets.append((client.channel.name, copy))
    return heard


def subscribe(broker: RedisState, client: Client, fanout: tuple[str, str]) -> None:
    """PSUBSCRIBE. A channel of kombu does it once, with all the queues that it consumes by then; later ones hear nothing."""
    if client.subscribed_ms is None:
        client.subscribed_ms = broker.now
    if client.subscribed_ms == broker.now:
        client.subscribed |= {fanout}
    elif fanout not in client.subscribed:
        broker.warn(f"channel '{client.channel.name}' has subscribed before, and kombu does not do it again: it hears nothing")


def _take_from_socket(broker: RedisState, client: Client) -> None:
    for name in dict.fromkeys(client.heard.values()):
        queue: RedisList = broker.list_of(name)
        unread, mine = queue.in_sockets, client.channel.name
        while (at := next((at for at, (channel, _) in enumerate(unread) if channel == mine), None)) is not None:
            receiver = broker.receiver(client.channel.connection, queue)
            if receiver is None or not client.has_room():
                return
            copy = unread[at][1]
            del unread[at]
            hand_to(broker, queue, receiver, copy)

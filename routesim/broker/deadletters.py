"""Dead-lettering: what becomes of a copy that was rejected, expired, or driven out of its queue (rules/routing#4)."""

from typing import Any

from routesim import events
from routesim.broker import publishing
from routesim.broker.records import NO_EXCHANGE, PendingDeadLetter, RememberedRoute
from routesim.broker.routing import route
from routesim.broker.state import State
from routesim.content import Content
from routesim.queues import Copy, QueueType
from routesim.values import Table, Typed, raw, wire_type
from routesim.versions import Rules

REJECTED = "rejected"
REMEMBERED_DEATHS = 1024


def drain(broker: State) -> None:
    """Carry out what is waiting to be dead-lettered, first come first served, until nothing is left."""
    pending_dead_letters = broker.pending_dead_letters
    while pending_dead_letters and broker.livelock is None:
        burial = pending_dead_letters.popleft()
        dead_letter(broker, burial)
        if burial.entered and burial.queue.burying:
            burial.queue.buried(burial.copy)
            burial.queue.awaiting_changed(broker)


def dead_letter(broker: State, burial: PendingDeadLetter) -> None:
    queue, copy, reason = burial.queue, burial.copy, burial.reason
    if burial.overdue is not None:
        broker.overdue(burial.overdue)
    exchange = queue.settings.dead_letter_exchange
    if exchange is None:  # a policy took it away meanwhile
        broker.drop(queue, copy, reason, NO_EXCHANGE, burial.by, entered=burial.entered)
        return
    if exchange not in broker.exchanges:
        _nowhere(broker, burial, f"its dead-letter exchange '{exchange}' does not exist")
        return
    key = queue.settings.dead_letter_routing_key
    content, deaths = _died(broker, burial, exchange, key)
    found = route(broker, exchange, copy.message, content)
    targets, why = _targets(broker, burial, found, deaths)
    if not targets and not found.delayed_by:
        _nowhere(broker, burial, why or f"{_named(exchange)} takes it nowhere: {found.why_nowhere}")
        return
    if burial.entered:
        broker.ledger.dead_lettered += 1
    if broker.listen:
        broker.listen(
            events.DeadLettered(
                broker.now, copy.message, queue.name, copy.serial, reason, exchange, content.routing_key, burial.by
            )
        )
    for delayed_exchange, delay_ms in found.delayed_by:
        publishing.delay(broker, delayed_exchange, delay_ms, copy.message, content, counted_as_delayed=False)
    for target, path in targets:
        _enter(broker, target, path, copy.message, content, _publisher(queue))


def foreseen(broker: State, burial: PendingDeadLetter) -> tuple[Content, tuple[tuple[QueueType, events.Path], ...]] | None:
    """What the dead letter becomes, and the queues that it enters. None: its route is not remembered, or more happens than that.

    Nothing is carried out; it holds for all that die alike within the second.
    """
    settings = burial.queue.settings
    exchange = settings.dead_letter_exchange
    if exchange is None or exchange not in broker.exchanges or _publisher(burial.queue) is not None:
        return None
    content, deaths = _died(broker, burial, exchange, settings.dead_letter_routing_key)
    found = broker.routes.get((exchange, content.keys))
    if found is None or found.delayed_by or not found.queues:
        return None
    if any(is_cycle(target.broker_name, deaths) or target.keeps_log for target, _ in found.queues):
        return None
    return content, found.queues


def _died(broker: State, burial: PendingDeadLetter, exchange: str, key: str | None) -> tuple[Content, list[Table]]:
    """What `record_death` makes of it. Copies of one message that die alike within a second share that."""
    queue, copy = burial.queue, burial.copy
    content, time_s, count = copy.content, broker.epoch_s + broker.now // 1000, queue.carried_count(copy)
    if broker.most_deaths is not None and not any(each.counts_returns for each in broker.queues.values()):
        count = min(count, broker.most_deaths)
    alike = (id(content), queue.broker_name, burial.reason, exchange, key, time_s, count)
    known = broker.deaths.get(alike)
    if known is not None and known[0] is content:
        return known[1], known[2]
    dead, deaths = record_death(broker.rules, content, queue, burial.reason, exchange, key, time_s, delivery_count=count)
    if broker.most_deaths is not None and raw(deaths[0]["count"]) > broker.most_deaths:
        deaths[0]["count"] = Typed("long", broker.most_deaths)
    if len(broker.deaths) >= REMEMBERED_DEATHS:
        broker.deaths.clear()
    broker.deaths[alike] = content, dead, deaths
    return dead, deaths


def _targets(
    broker: State, burial: PendingDeadLetter, found: RememberedRoute, deaths: list[Table]
) -> tuple[list[tuple[QueueType, events.Path]], str]:
    """The queues that take the dead letter, and why those that were to take it do not."""
    targets, cut, full, deaf = [], [], [], []
    publisher = _publisher(burial.queue)
    for target, path in found.queues:
        if is_cycle(target.broker_name, deaths):
            cut.append(target.name)
        elif target.keeps_log and publisher is None and not broker.rules.stream_takes_dead_letters:
            deaf.append(target.name)
            why = "up to 3.11 streams take no dead letters, and nobody is told"
            broker.warn(f"the dead letter of {burial.copy.message} does not come into {target.name}: {why}")
        elif target.refusal(burial.copy.content, publisher) is not None and target.settings.overflow != "reject-publish-dlx":
            full.append(target.name)
        else:
            targets.append((target, path))
    if broker.listen:
        for name in cut:
            broker.listen(events.CycleCut(broker.now, burial.copy.message, name, not targets))
    if cut:
        does = "keeps it" if burial.queue.settings.dead_letter_strategy == "at-least-once" else "drops it"
        return targets, f"it would return to {', '.join(cut)} without a rejection: RabbitMQ takes that for a cycle and {does}"
    if deaf and not full:
        return targets, f"{', '.join(deaf)} is a stream, which takes no dead letters up to 3.11"
    return targets, f"{', '.join(full)} is full" if full else ""


def _named(exchange: str) -> str:
    return f"its dead-letter exchange '{exchange}'" if exchange else "the default exchange"


def _publisher(queue: QueueType) -> str | None:
    """As whom a queue publishes its dead letters: at-least-once waits for confirms like any publisher (rules/queues#6.8)."""
    return f"(dead letters of {queue.name})" if queue.settings.dead_letter_strategy == "at-least-once" else None


def _enter(broker: State, target: QueueType, path: events.Path, message: str, content: Content, publisher: str | None) -> None:
    broker.serial += 1
    broker.ledger.dead_letter_copies += 1
    if broker.listen:
        broker.listen(
            events.Enqueued(broker.now, message, target.name, broker.serial, "dead-lettered", path, target.taken_over(content))
        )
    broker.came_back(message, target.name)
    fresh = Copy(broker.serial, message, content, target.expires_at(content, broker.now))
    if target.refusal(content, publisher) is None:
        target.publish(broker, fresh, publisher)
    else:  # a full queue with reject-publish-dlx hands it on (rules/queues#6.8)
        broker.dead_letter(target, fresh, "maxlen")


def _nowhere(broker: State, burial: PendingDeadLetter, why: str) -> None:
    queue, copy = burial.queue, burial.copy
    brought = copy.content.delivery_count
    if burial.reason == "delivery_limit" and brought and broker.rules.dead_letter_counts == "all":
        why += f"; of its {copy.failures} failed deliveries it brought {brought} along from before it was dead-lettered"
    if burial.entered and queue.settings.dead_letter_strategy == "at-least-once" and not queue.deleted:
        queue.keep_back(copy, burial.reason)
        if len(queue.awaiting) == 1:
            broker.retry_dead_letter(queue)
        if broker.listen:
            broker.listen(events.Awaiting(broker.now, copy.message, queue.name, copy.serial, burial.reason, why))
        return
    broker.drop(queue, copy, burial.reason, why, burial.by, entered=burial.entered)


def retry(broker: State, name: str) -> None:
    """Try the at-least-once dead letters of a queue again (rules/routing#D19)."""
    queue = broker.queues.get(name)
    if queue is None:
        return
    waiting = queue.take_kept_back()
    for copy, reason in waiting:
        queue.bury(copy)
        broker.pending_dead_letters.append(PendingDeadLetter(queue, copy, reason, "", True))
    drain(broker)
    if len(queue.awaiting) < len(waiting):
        broker.changed(0)
    queue.settings_changed(broker, queue.settings)  # what waited counted towards its limit


def is_cycle(target: str, deaths: list[Table]) -> bool:
    """RabbitMQ's rule: been there before, and no rejection since, by the order of `x-death` (rules/routing#D16)."""
    for death in deaths:
        if death["reason"] == REJECTED:
            return False
        if death["queue"] == target:
            return True
    return False


def record_death(
    rules: Rules,
    content: Content,
    queue: QueueType,
    reason: str,
    exchange: str,
    key: str | None,
    time_s: int,
    *,
    delivery_count: int = 0,
) -> tuple[Content, list[Table]]:
    """The message as it is published to the dead-letter exchange, and its deaths as the cycle rule reads them."""
    headers = dict(content.headers or {})
    annotations = None
    queue_name = queue.broker_name
    entry: Table = {
        "count": Typed("long", 1), "reason": reason, "queue": queue_name, "time": Typed("timestamp", time_s),
        "exchange": content.exchange, "routing-keys": _shown_keys(content),
    }  # fmt: skip
    if content.expiration is not None:
        entry["original-expiration"] = content.expiration
    if rules.deaths_are_annotations:
        annotations, deaths = _annotated(rules, content, entry)
    else:
        deaths = _in_header(headers, entry)
    routing_key = content.routing_key if key is None else key
    keys = content.keys if key is None else (key,)
    if key is not None and rules.dead_letter_key_removes_cc:
        headers.pop("CC", None)
    dead = Content(
        exchange, routing_key, keys, headers or None, content.body, size=content.size, priority=content.priority,
        delivery_mode=content.delivery_mode, properties=content.properties, annotations=annotations,
        delivery_count=delivery_count,
    )  # fmt: skip
    return dead, deaths


def _shown_keys(content: Content) -> list[str]:
    """The routing key and those of CC, never of BCC (rules/routing#D11)."""
    if len(content.keys) == 1:
        return [content.routing_key]
    cc = publishing.texts((content.headers or {}).get("CC"))
    return list(content.keys[: 1 + len(cc)])


def _in_header(headers: Table, entry: Table) -> list[Table]:
    """3.10-3.12: `x-death` is a header; from the third death on the tail comes out reversed (rules/routing#D10,
    rules/routing#S3)."""
    known = headers.get("x-death")
    if known is None:
        headers["x-first-death-reason"] = entry["reason"]
        headers["x-first-death-queue"] = entry["queue"]
        headers["x-first-death-exchange"] = entry["exchange"]
    if wire_type(known) != "array":
        deaths = [entry]
    else:
        grouped = _grouped(known)
        same = next((item for item in grouped if _same_death(item, entry)), None)
        rest = [item for item in grouped if item is not same]
        if same is not None:
            entry = {**same, "count": Typed("long", raw(same.get("count", 0)) + 1)}
        deaths = [{key: entry[key] for key in sorted(entry)}, *rest]
    headers["x-death"] = deaths
    return deaths


def _grouped(known: Any) -> list[Table]:
    """Entries of the same queue and reason merged; two or more come out in reversed order.

    An entry that a client made without a count gets the number of those it stands for.
    """
    entries = [item for item in known if isinstance(item, dict)]
    if len(entries) < 2:
        return entries
    groups: list[Table] = []
    for item in entries:
        if not any(_same_death(group, item) for group in groups):
            alike = sum(_same_death(other, item) for other in entries)
            groups.append(item if "count" in item else {"count": Typed("long", alike), **item})
    return groups[::-1]


def _same_death(left: Table, right: Table) -> bool:
    return left.get("queue") == right.get("queue") and left.get("reason") == right.get("reason")


def _annotated(rules: Rules, content: Content, entry: Table) -> tuple[Table, list[Table]]:
    """3.13+: deaths are kept beside the headers, newest first (rules/routing#D13, rules/routing#D14)."""
    annotations = dict(content.annotations or {})
    known: list[Table] = annotations.get("x-death", [])
    if not known and rules.client_x_death == "recovered":
        sent = (content.headers or {}).get("x-death")
        known = [item for item in sent if isinstance(item, dict)] if isinstance(sent, list) else []
    same = next((item for item in known if _same_death(item, entry)), None)
    newest = {**same, "count": Typed("long", raw(same.get("count", 0)) + 1)} if same is not None else entry
    deaths = [newest, *(item for item in known if item is not same)]
    for name in ("reason", "queue", "exchange"):
        annotations.setdefault(f"x-first-death-{name}", entry[name])
        annotations[f"x-last-death-{name}"] = entry[name]
    annotations["x-death"] = deaths
    return annotations, deaths

"""What a page is told while it is open: rows of the trace with their ways, and what has changed in queues and consumers."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from routesim import events
from routesim.control.hub import Heard, Hub
from routesim.control.page import seen
from routesim.graph import EventEdges
from routesim.report.trace.rows import Rows
from routesim.serve.server import Server
from routesim.serve.vhosts import Vhost

LOOK_S = 0.5
MOST_ROWS = 200  # at once: of what comes faster the rest is counted
DRAWN = frozenset({
    events.ExchangeDeclared, events.ExchangeDeleted, events.QueueDeclared, events.QueueDeleted, events.Bound, events.Unbound,
    events.PolicySet, events.PolicyDeleted, events.ConsumerStarted, events.ConsumerCancelled, events.Restarted, events.SetBack,
    *events.CUTS_OFF,
})  # fmt: skip


class Feed:
    """Of one virtual host to one page. `write` takes a piece of a stream of server-sent events."""

    def __init__(self, server: Server, vhost: Vhost, hub: Hub, write: Callable[[bytes], None]) -> None:
        self.server, self.vhost, self.hub, self.write = server, vhost, hub, write
        self.rows, self.ways = Rows(), EventEdges()
        self.rows.in_steps = True
        self.told: list[dict[str, Any]] = []
        self.left_out = 0
        self.queues: set[str] = set()
        self.consumers: set[str] = set()
        self.redrawn = False
        self.planned = False
        self.connections: list[dict[str, Any]] = []
        self.timer: asyncio.TimerHandle | None = None
        hub.hearers.add(self.hear)
        self.flush()
        self._look()

    def end(self) -> None:
        self.hub.hearers.discard(self.hear)
        if self.timer is not None:
            self.timer.cancel()

    def _look(self) -> None:
        """No event tells of a client that only connects, or goes without having done anything."""
        if seen.connections(self.server, self.vhost) != self.connections:
            self.flush()
        self.timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def hear(self, heard: Heard) -> None:
        if heard.vhost != self.vhost.name:
            return
        event = heard.event
        self._note(event)
        row = self.rows.row(event)
        if row is not None:
            self.ways.hear(event)
            if len(self.told) < MOST_ROWS:
                self.told.append({
                    "at_ms": event.at_ms, "depth": row.depth, "tone": row.tone, "texts": row.texts,
                    "message": getattr(event, "message", None),
                    "ways": [[*source, *target, kind] for source, target, kind in self.ways.edges],
                    "back": type(event) is events.Requeued,
                })  # fmt: skip
            else:
                self.left_out += 1
        if not self.planned:
            self.planned = True
            asyncio.get_running_loop().call_soon(self.flush)

    def _note(self, event: Any) -> None:
        """What is to be looked at again when all has come to rest."""
        if type(event) in DRAWN:
            self.redrawn = True
        queue, consumer = getattr(event, "queue", None), getattr(event, "consumer", None) or getattr(event, "by", None)
        if isinstance(queue, str):
            self.queues.add(queue)
            there = self.vhost.broker.queues.get(queue)
            if there is not None and len(there.subscriptions) <= MOST_ROWS:
                self.consumers.update(each.name for each in there.subscriptions.values())
        if isinstance(consumer, str):
            self.consumers.add(consumer)

    def flush(self) -> None:
        self.planned = False
        vhost = self.vhost
        self.connections = seen.connections(self.server, vhost)
        found = {
            "now_ms": vhost.broker.now, "rows": self.told, "left_out": self.left_out, "redrawn": self.redrawn,
            "depths": seen.depths_of(vhost, self.queues), "holds": seen.holdings(vhost, self.consumers),
            "ledger": seen.ledger(vhost), "connections": self.connections,
        }  # fmt: skip
        self.told, self.left_out, self.redrawn = [], 0, False
        self.queues, self.consumers = set(), set()
        self.write(f"data: {json.dumps(found)}\n\n".encode())

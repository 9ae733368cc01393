"""What the body of a task's message says is to follow it (celery/app/amqp.py: as_task_v2)."""

import json
from collections.abc import Iterator

from routesim.celery.canvas.signatures import Canvas, from_json
from routesim.named_tuples import NamedTuple

NOTHING_FOLLOWS = '"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'  # how nearly every body ends


class Follows(NamedTuple):
    """`callbacks` when it succeeds, `errbacks` when it fails; `chain` has the next one at its end; `chord`: the body that is
    called when all of its group have ended."""

    callbacks: list[Canvas] = []
    errbacks: list[Canvas] = []
    chain: list[Canvas] = []
    chord: Canvas | None = None

    def all(self) -> Iterator[Canvas]:
        for canvas in (*self.callbacks, *self.errbacks, *self.chain, *([self.chord] if self.chord is not None else [])):
            yield canvas
            if "chord" in canvas.options:
                yield canvas.options["chord"]


NOTHING = Follows()


def follows_of(body: str | bytes) -> Follows:
    """What is no signature is nothing."""
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace")
    if body.endswith(NOTHING_FOLLOWS):
        return NOTHING
    try:
        embedded = json.loads(body)[2]
        lists = [[from_json(each) for each in embedded.get(key) or ()] for key in ("callbacks", "errbacks", "chain")]
        callbacks, errbacks, chain = lists
        return Follows(callbacks, errbacks, chain, from_json(embedded["chord"]) if embedded.get("chord") else None)
    except (ValueError, LookupError, TypeError, AttributeError):
        return NOTHING

"""What messages of worker processes are called."""

from routesim.clients.worker.worker_state import WorkerState
from routesim.model import Message
from routesim.steps import Publish

GENERATIONS = 8  # of tasks that call tasks, each told by the name of its message
LONGEST = 230  # bytes of a task's id in such a name: with what follows they make a short string


def publish(state: WorkerState, channel: str, message: Message, base: str) -> Publish:
    """The step that sends a message of the process's own, named after `base`."""
    number = state.shared.published[base] = state.shared.published.get(base, 0) + 1
    state.sends += 1
    return Publish(channel, message, f"{base}-{number}")


def of_task(id: str, what: str) -> str:
    """What messages that a task's run publishes are named after. Tasks that call tasks that call tasks have ever longer names;
    from some generation on they are counted on under the last one, for an id travels in a short string, and a run must not
    grow faster than its events."""
    if what == "sub" and id.count("-sub-") >= GENERATIONS:
        id = id.rpartition("-sub-")[0]
    if len(id) > LONGEST // 4 and len(encoded := id.encode("utf-8", "surrogatepass")) > LONGEST:
        id = encoded[:LONGEST].decode("utf-8", "ignore")
    return f"{id}-{what}"


def named(state: WorkerState, id: str) -> str:
    """The name of a task's message: its id, and what is sent under the same id again is numbered."""
    number = state.shared.named[id] = state.shared.named.get(id, 0) + 1
    return id if number == 1 else f"{of_task(id, 'again')}-{number - 1}"

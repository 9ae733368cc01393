"""What is measured in a process of its own, because the memory of a process remembers all that it ever did.

    python child.py QUESTION ARGUMENT...

Prints one object of JSON on the last line.
"""

import gc
import json
import sys
import time

MIB = 2**20


def resident(field: str = "VmRSS") -> int | None:
    """Bytes of this process in memory, now or (VmHWM) at most; None where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))
    except OSError:
        return None


def growth(before: int | None) -> int | None:
    gc.collect()
    now = resident()
    return None if now is None or before is None else now - before


class Noted:
    """The least that a binding costs: an entry of a dict, by turns with what is measured. They are let go by the thousand."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.entries: dict[tuple[object, ...], object] = {}

    def note(self, binding: tuple[object, ...]) -> None:
        begin = time.process_time()
        self.entries[binding[:4]] = binding
        self.seconds += time.process_time() - begin
        if len(self.entries) == 1000:
            self.entries.clear()


def bind_matcher(path: str) -> dict[str, float | None]:
    """Bindings from a file into a topic exchange's index, binding objects and texts included."""
    from routesim.exchanges import EXCHANGE_TYPES
    from routesim.model import Binding, Exchange
    from routesim.versions import NEWEST, rules

    exchange = EXCHANGE_TYPES["topic"](Exchange("x", "topic"), rules(NEWEST))
    names: dict[str, str] = {}
    before, count, took, floor = resident(), 0, 0.0, Noted()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            pattern, queue = line.rstrip("\n").split("\t")
            binding = Binding("x", names.setdefault(queue, queue), "queue", pattern)
            floor.note(binding)
            begin = time.process_time()
            exchange.add(binding)
            took += time.process_time() - begin
            count += 1
    grew = growth(before)
    return {"bytes": None if grew is None else grew / count, "seconds": took, "floor_s": floor.seconds}


def bind_broker(path: str) -> dict[str, float | None]:
    """The same as steps of a whole broker, with its queues declared before."""
    from routesim.broker import RabbitBroker
    from routesim.model import DECLARE_CHANNEL, Binding, Exchange, Queue
    from routesim.steps import Bind, DeclareExchange, DeclareQueue
    from routesim.versions import NEWEST, rules

    broker = RabbitBroker(rules(NEWEST))
    broker.apply(DeclareExchange(DECLARE_CHANNEL, Exchange("x", "topic")))
    names: dict[str, str] = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            queue = line.rstrip("\n").split("\t")[1]
            if queue not in names:
                names[queue] = queue
                broker.apply(DeclareQueue(DECLARE_CHANNEL, Queue(queue)))
    gc.collect()
    before, count, took, floor = resident(), 0, 0.0, Noted()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            pattern, queue = line.rstrip("\n").split("\t")
            step = Bind(DECLARE_CHANNEL, Binding("x", names[queue], "queue", pattern))
            floor.note(step.binding)
            begin = time.process_time()
            refused = broker.apply(step)
            took += time.process_time() - begin
            assert refused is None
            count += 1
    grew = growth(before)
    return {"bytes": None if grew is None else grew / count, "seconds": took, "floor_s": floor.seconds}


def backlog(messages: str) -> dict[str, float | None]:
    """Messages that wait in queues, their content shared as it is for `count`."""
    from workload import text

    from routesim.run import Runner
    from routesim.scenario import load_source
    from routesim.scenario.yaml.source import Source

    def runner(count: int) -> Runner:
        return Runner(load_source(Source("bench", text(count, consumers=False)), ""), None, keep=False)

    runner(1000).run()
    waiting = runner(int(messages))
    gc.collect()
    before = resident()
    result = waiting.run()
    grew = growth(before)
    assert sum(queue.ready_count() for queue in result.broker.queues.values()) == int(messages)
    return {"bytes": None if grew is None else grew / int(messages)}


def kombu_backlog(messages: str) -> dict[str, float | None]:
    """The same in kombu's memory transport: published, not yet drained."""
    from kombu import Connection, Exchange, Queue
    from workload import BODY, KEYS, PATTERNS

    channel = Connection("memory://").channel()
    exchange = Exchange("x", type="topic")
    for number, pattern in enumerate(PATTERNS):
        Queue(f"q{number}", exchange, routing_key=pattern)(channel).declare()

    def publish(count: int) -> None:
        for index in range(count):
            message = channel.prepare_message(BODY.encode(), 0, "application/json", "binary", {}, {})
            channel.basic_publish(message, "x", KEYS[index % len(KEYS)])

    publish(1000)
    gc.collect()
    before = resident()
    publish(int(messages))
    grew = growth(before)
    return {"bytes": None if grew is None else grew / int(messages)}


def command(*arguments: str) -> dict[str, float | None]:
    """A run of the command line: its time and the most memory that it had."""
    from routesim.cli.main import main

    sys.argv = ["routesim", *arguments]
    begin = time.process_time()
    status: object = 0
    try:
        main()
    except SystemExit as ended:
        status = ended.code
    assert status == 0, status
    most = resident("VmHWM")
    return {"seconds": time.process_time() - begin, "bytes": most}


def trace_rows(rows: str) -> dict[str, float | None]:
    """Rows of the table trace, drawn one after the other."""
    from drawing import trace

    draw = trace()
    draw(1000)
    before = resident("VmHWM")
    draw(int(rows))
    most = resident("VmHWM")
    return {"bytes": None if most is None or before is None else most - before}


QUESTIONS = {
    "bind-matcher": bind_matcher,
    "bind-broker": bind_broker,
    "backlog": backlog,
    "kombu-backlog": kombu_backlog,
    "command": command,
    "trace-rows": trace_rows,
}

if __name__ == "__main__":
    print(json.dumps(QUESTIONS[sys.argv[1]](*sys.argv[2:])))  # noqa: T201

"""Words that people try first, from pika, the management page, Celery or everyday language, and what routesim calls them.

For the errors alone: nothing is read by them.
"""

from routesim.queues.arguments import ARGUMENTS

# Of each shape, by what it is called in sentences: key tried -> the key that is meant.
RENAMES: dict[str, dict[str, str]] = {
    "publish": {
        **dict.fromkeys(("times", "repeat", "copies", "number"), "count"),
        **dict.fromkeys(("key", "routing", "routingKey", "topic"), "routing_key"),
        **dict.fromkeys(("message", "payload", "data", "text", "content"), "body"),
        **dict.fromkeys(("to", "ex"), "exchange"), **dict.fromkeys(("interval", "period"), "every"), "ttl": "expiration",
        "name": "id",
    },
    "a binding": {
        **dict.fromkeys(("exchange", "from", "src"), "source"), **dict.fromkeys(("queue", "to", "dest", "target"), "destination"),
        **dict.fromkeys(("key", "pattern", "binding_key", "routing", "routingKey"), "routing_key"),
        **dict.fromkeys(("headers", "args"), "arguments"),
    },
    "a consumer": {
        **dict.fromkeys(("qos", "prefetch_count"), "prefetch"), **dict.fromkeys(("no_ack", "autoack", "autoAck"), "auto_ack"),
        **dict.fromkeys(("duration", "time", "works", "processing_time", "sleep", "wait"), "takes"), "from": "queue",
        **dict.fromkeys(("on", "rules", "does", "answer", "answers"), "on_message"), "workers": "concurrency",
    },
    "a rule": {"key": "routing_key", **dict.fromkeys(("reply", "send"), "publish"), **dict.fromkeys(("answer", "then", "action"), "do"), **dict.fromkeys(("delay", "sleep", "wait"), "takes")},
    "a queue": {"args": "arguments", "kind": "type"},
    "an exchange": {"args": "arguments", "kind": "type"},
    "a policy": {"apply_to": "apply-to", "match": "pattern", "definitions": "definition"},
    "a route": {"key": "routing_key", **dict.fromkeys(("to", "queue", "reaches"), "queues")},
    "a scenario": {
        **dict.fromkeys(("version", "rabbitmq_version", "rabbit"), "rabbitmq"), "exchange": "exchanges",
        "queue": "queues", "binding": "bindings", "consumer": "consumers", "policy": "policies", "worker": "workers",
        "task": "tasks", "title": "name", **dict.fromkeys(("events", "actions", "script"), "steps"),
        **dict.fromkeys(("expected", "expects", "expectations", "assert", "asserts", "then"), "expect"),
    },
    "expect": {"message": "messages", "queue": "queues", "consumer": "consumers", "task": "tasks"},
    "the expectation of a queue": {
        **dict.fromkeys(("messages_ready", "count", "length", "depth", "size", "contains"), "ready"),
        "messages_unacknowledged": "unacked",
    },
    "the expectation of a consumer": {
        **dict.fromkeys(("got", "received", "receives", "gets", "messages", "deliveries"), "delivered"), "acks": "acked",
    },
    "a Celery task": {"time": "takes", "duration": "takes", "acks": "acks_late"},
    "call": {"name": "task", "times": "count", "delay": "countdown", "kwarg": "kwargs", "arg": "args"},
}  # fmt: skip
# The shape -> key tried -> what to write, where that is more than another name.
HINTS: dict[str, dict[str, str]] = {
    "a consumer": {
        **dict.fromkeys(("tag", "consumer_tag", "name"), "its name is its tag: write `consumers: {NAME: {queue: …}}`"),
        "ack": "acknowledgements are manual unless `auto_ack: true`; `on_message:` says what it answers (ack, reject, requeue …)",
        "queues": "a consumer has one queue: write `queue: NAME`, and one consumer for each",
        "requeue": "write `on_message: requeue`, or a rule: `on_message: [{redelivered: false, do: requeue}]`",
        **dict.fromkeys(("nack", "reject"), "write `on_message: reject`, which dead-letters it, or `on_message: requeue`"),
        "crash": "write `on_message: crash`, or a step `crash: NAME`",
    },
    "a rule": {
        **dict.fromkeys(("if", "when", "match"), "conditions stand beside `do:`, as `routing_key: a.*`, `redelivered: true` or `attempt: '>= 3'`"),
        **dict.fromkeys(("to", "forward"), "write `publish: {routing_key: QUEUE}` beside `do:`, with `exchange: NAME` for another one than the default"),
        "requeue": "write `do: requeue`, or `do: reject`, which dead-letters it",
    },
    "publish": {
        "persistent": "write `delivery_mode: 2` (the default) or 1", "queue": 'the default exchange takes it there: `routing_key: NAME`',
        "delay": "write `after: 5s`, or the header x-delay for an exchange of type x-delayed-message",
    },
    "a queue": {
        **dict.fromkeys(ARGUMENTS, "it stands under `arguments:`"), "x-queue-type": "write `type: quorum`",
        "ttl": "write `arguments: {x-message-ttl: 5000}`, in ms", "message_ttl": "write `arguments: {x-message-ttl: 5000}`, in ms",
        "dlx": "write `arguments: {x-dead-letter-exchange: NAME}`",
        "dead_letter_exchange": "write `arguments: {x-dead-letter-exchange: NAME}`",
        "max_length": "write `arguments: {x-max-length: 10}`",
        "bindings": "they stand at the top, beside `queues:`", "binding": "it stands under `bindings:` at the top",
    },
    "an exchange": {"alternate": "write `arguments: {alternate-exchange: NAME}`",
                    "alternate_exchange": "write `arguments: {alternate-exchange: NAME}`",
                    "bindings": "they stand at the top, beside `exchanges:`"},
    "declare": {
        "queue": "write `queues: {NAME: {}}`, as at the top", "exchange": "write `exchanges: {NAME: topic}`, as at the top",
        "binding": "write `bindings: [{source: EXCHANGE, destination: QUEUE, routing_key: KEY}]`, as at the top",
    },
    "a scenario": {
        **dict.fromkeys(("publish", "publishes", "messages"), "write `steps: [publish: {…}]`"),
        "vhosts": "a scenario has one vhost: `vhost: NAME`",
    },
}  # fmt: skip
# What a consumer may answer: word tried -> what to write.
TRIED_ANSWERS: dict[str, str] = {
    **dict.fromkeys(("nack", "basic.nack", "basic_nack", "dead-letter", "fail"), "write reject (dead-letters it) or requeue"),
    **dict.fromkeys(("publish", "forward", "reply", "retry"), "`publish: {…}` stands beside `do:`, and is sent before the answer: write `do: ack`"),
    **dict.fromkeys(("acknowledge", "accept", "ok"), "write ack"), **dict.fromkeys(("drop", "discard"), "write reject, or ack"),
    **dict.fromkeys(("ignore", "wait", "nothing", "none"), "write hold, which answers nothing"),
    **dict.fromkeys(("kill", "die", "disconnect"), "write crash"),
}  # fmt: skip
# Shapes, by what they are called: the mapping to write where a mere value stands; `{}` is the value.
FORMS: dict[str, str] = {
    "a consumer": "{queue: {}}", "the expectation of a queue": "{ready: {}}", "the expectation of a consumer": "{acked: {}}",
    "the expectation of a task": "{state: {}}", "the expectation of a worker": "{succeeded: {}}", "publish": "{routing_key: {}}",
    "get": "{queue: {}}", "delete": "{queue: {}}", "ack": "{consumer: NAME, message: {}}", "nack": "{consumer: NAME, message: {}}",
    "reject": "{consumer: NAME, message: {}, requeue: false}", "recover": "{consumer: {}}", "qos": "{channel: NAME, prefetch: {}}",
    "a worker step": "{name: {}, do: kill}", "a worker": "{queues: {}}", "a queue": "{type: {}}", "a channel": "{connection: {}}",
    "call": "{task: {}}", "a binding": "{source: {}, destination: QUEUE, routing_key: KEY}", "tx": "{channel: {}, do: select}",
    "a policy": "{name: {}, pattern: QUEUE, definition: {…}}", "declare": "{queues: {{}: {}}}", "expect": "{queues: {NAME: {ready: {}}}}",
    "a task": "{takes: {}}", "flow": "{channel: {}, active: false}", "a route": "{exchange: {}, routing_key: KEY, queues: [QUEUE]}",
    "a rule": "{do: {}}",
}  # fmt: skip
# Verbs of steps: word tried -> what to write.
STEPS: dict[str, str] = {
    **dict.fromkeys(("sleep", "pause", "delay", "advance", "tick"), "write `wait: 5s`"),
    **dict.fromkeys(("kill", "terminate", "die"), "write `crash: NAME` for a connection, `worker: {name: NAME, do: kill}`, `restart: kill` for the broker"),
    **dict.fromkeys(("begin", "run", "launch", "spawn", "start_consumer", "start_worker"), "write `start: NAME`"),
    **dict.fromkeys(("end", "shutdown", "quit", "stop_consumer", "stop_worker"), "write `stop: NAME`"),
    **dict.fromkeys(("reboot", "restart_broker"), "write `restart: broker`"),
    **dict.fromkeys(("send", "produce", "emit", "message", "messages", "publishes", "basic_publish", "push", "dispatch"), "write `publish: {…}`"),
    **dict.fromkeys(("subscribe", "basic_consume", "listen", "receive"), "write `start: NAME` of a consumer that `consumers:` names"),
    **dict.fromkeys(("unsubscribe", "basic_cancel"), "write `cancel: NAME`"),
    **dict.fromkeys(("fetch", "pull", "basic_get", "pop"), "write `get: {queue: NAME}`"),
    **dict.fromkeys(("acknowledge", "basic_ack"), "write `ack: {consumer: NAME, message: ID}`"),
    **dict.fromkeys(("basic_nack", "requeue"), "write `nack: {consumer: NAME, message: ID}`"),
    **dict.fromkeys(("basic_reject", "refuse"), "write `reject: {consumer: NAME, message: ID, requeue: false}`"),
    **dict.fromkeys(("prefetch", "basic_qos"), "write `qos: {channel: NAME, prefetch: 1}`, or `prefetch:` of the consumer"),
    **dict.fromkeys(("assert", "check", "verify", "test", "expects", "should", "then"), "write `expect: {…}`"),
    **dict.fromkeys(
        ("create", "queue", "exchange", "queue_declare", "exchange_declare", "add"),
        "write `declare: {queues: {NAME: {}}}`, with the sections that stand at the top",
    ),
    **dict.fromkeys(("binding", "queue_bind", "exchange_bind"), "write `bind: {source: EXCHANGE, destination: QUEUE, routing_key: KEY}`"),
    **dict.fromkeys(("drop", "remove", "queue_delete", "exchange_delete"), "write `delete: {queue: NAME}`"),
    **dict.fromkeys(("empty", "clear", "queue_purge"), "write `purge: NAME`"),
    **dict.fromkeys(("disconnect", "close_connection"), "write `close: NAME`, or `crash: NAME`"),
    **dict.fromkeys(("task", "apply_async", "send_task"), "write `call: {task: NAME}`"),
    **dict.fromkeys(("fail", "failure"), "write `crash: NAME` for a connection or `restart: kill` for the broker; `fails: 404` beside a verb expects an error"),
    **dict.fromkeys(("repeat", "loop", "times"), "there are no loops: write `publish: {routing_key: KEY, count: 10, every: 1s}`, or the steps one by one"),
    **dict.fromkeys(("reconnect", "resume"), "write `start: NAME`, behind `crash: NAME` or `stop: NAME`"),
    **dict.fromkeys(("note", "comment", "log", "print", "echo"), "write a comment behind the step: `wait: 5s  # …`"),
    "revoke": "write `control: {do: revoke, id: ID}`",
    "policy": "write `declare: {policies: [...]}`",
}  # fmt: skip
# Words for steps of their own that stand among the keys of another step -> what to write.
OWN_STEPS: dict[str, str] = {
    **dict.fromkeys(("sleep", "wait", "pause"), "that is a step of its own, behind this one: write `- wait: 5s`"),
    **{word: f"that is a step of its own, behind this one: write `- {word}: …`"
       for word in ("publish", "get", "ack", "start", "stop", "crash", "restart", "worker", "purge", "expect", "call")},
}  # fmt: skip
# Of these words another step is meant where it is the broker that it befalls, or somebody in place of a time.
OF_THE_BROKER = frozenset(
    {"shutdown", "quit", "end", "kill", "terminate", "die", "fail", "failure", "reboot", "disconnect", "begin", "launch"}
)
PAUSED = frozenset({"pause", "sleep"})

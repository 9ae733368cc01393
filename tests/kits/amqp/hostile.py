"""A scenario whose names are everything that output could trip over: the same for every command and format."""

ESC = "\x1b"
NAMES = {
    "markup": "[red]markup[/red] [/] [link=http://x]:warning:",
    "ansi": f"{ESC}[31mansi{ESC}[2J{ESC}[H",
    "osc": f"{ESC}]8;;http://x{ESC}\\osc{ESC}]8;;{ESC}\\{ESC}]52;c;cHduZWQ=\x07{ESC}]0;title\x07",
    "c1": "\x9b31mc1\x9d0;t\x9c\x85\x7f\x00\x08\x01",
    "html": "<script>alert(1)</script>]]>&amp;&lt;<!--",
    "quotes": "quotes \"double\" 'single' `back` \\back\\ %25 {brace} $HOME #hash",
    "bidi": "\u202ebidi\u202c\u2066iso\u2069\u200f\u200e\u061c",
    "zero": "\u200bzero\u200d\u2060\ufeff\u00ad",
    "combining": "c\u0301o\u0302m\u0303\u0336b\u0941\u0e31",
    "wide": "靴箱👟👩\u200d👩\u200d👧🇩🇪",
    "long": "l" * 255,
    "dash": "--format=json",
    "lines": "li\r\nnes\ttab\u2028sep\u2029\x0b\x0c",
    "github": "::error file=x::pwned%0A::set-output name=a::b ##[error]x",
    "tap": "ok 1 - tap # SKIP\n1..0 # TODO Bail out!",
    "dot": 'dot"]; n9 [label="x',
    "mermaid": 'mermaid"]] --> n9; click n0 "javascript:alert(1)"\nend',
    "yaml": "- yaml: {a: [b]}",
}


def text(value: str) -> str:
    """`value` as YAML that holds nothing but letters, digits and escapes."""
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'


def cut(value: str) -> str:
    """RabbitMQ takes line breaks out of the names of exchanges and queues; a name has 255 bytes."""
    return value.replace("\r", "").replace("\n", "")


def celery_scenario() -> str:
    """Every name as an app, worker, task, queue, key, id, argument and entry of beat, and as a task and a worker without Celery."""
    every = [(number, cut(each)[:100]) for number, each in enumerate(NAMES.values())]
    lines = [f"name: {text(' '.join(NAMES.values())[:2000])}", "until: 10s", "celery:", "  apps:"]
    for number, each in every:
        routes = f"task_routes: {{{text(each)}: {{queue: {text(each)}, routing_key: {text(each)}}}}}"
        lines.append(f"    {text(each)}: {{{routes}, result_backend: 'rpc://', task_acks_late: {str(number % 2 == 0).lower()}}}")
    lines.append("  tasks:")
    for number, each in every:
        ends = ("success", "exception", "retry")[number % 3]
        lines.append(f"    {text(each)}: {{app: {text(each)}, takes: {number}s, ends: {ends}, max_retries: 1}}")
    lines.append("  workers:")
    lines += [f"    {text('w' + each)}: {{app: {text(each)}, queues: [{text(each)}]}}" for _, each in every]
    lines.append("  beats:")
    for _, each in every:
        lines.append(
            f"    {text('b' + each)}: {{app: {text(each)}, schedule: {{{text(each)}: {{task: {text(each)}, every: 4s}}}}}}"
        )
    lines += ["  producers:", *(f"    {text('p' + each)}: {{app: {text(each)}}}" for _, each in every)]
    lines += [f"queues: {{{text('plain' + NAMES['ansi'])}: }}", f"tasks: {{{text('t' + NAMES['osc'])}: {{takes: 2s}}}}"]
    lines.append(f"workers: {{{text('v' + NAMES['c1'])}: {{queues: [{text('plain' + NAMES['ansi'])}]}}}}")
    lines.append("steps:")
    for _, each in every:
        said = f"task: {text(each)}, by: {text('p' + each)}, id: {text('i' + each)}, args: [{text(each)}]"
        lines.append(f"  - call: {{{said}}}")
    lines.append(f"  - publish: {{routing_key: {text('plain' + NAMES['ansi'])}, headers: {{task: {text('t' + NAMES['osc'])}}}}}")
    lines.append("  - wait: 3s")
    lines += [f"  - worker: {{name: {text('w' + each)}, do: disconnect}}" for number, each in every if number % 2 == 0]
    return "\n".join(lines) + "\n"


def programs() -> dict[str, str]:
    """Modules of kombu and of FastStream, whose queues, exchanges and keys have the names."""
    names = [cut(each)[:100] for each in NAMES.values()]
    kombu = "from kombu import Exchange, Queue\n"
    kombu += f"QUEUES = [Queue(name, Exchange('x' + name), routing_key=name) for name in {names!r}]\n"
    stream = "from faststream.rabbit import RabbitBroker, RabbitExchange, RabbitQueue\nbroker = RabbitBroker()\n"
    stream += f"for name in {names!r}:\n    broker.subscriber(RabbitQueue('q' + name), RabbitExchange('x' + name))(print)\n"
    return {"hostile_kombu": kombu, "hostile_stream": stream}


def celery_app() -> str:
    """A module with a Celery app that has every name as a queue, a routing key, a task and its route, an entry of beat."""
    names = [cut(each)[:200] for each in NAMES.values()]
    return f"""from celery import Celery
from kombu import Queue

NAMES = {names!r}
app = Celery("hostile", broker="amqp://guest:guest@localhost")
app.conf.task_queues = [Queue(name, routing_key=name, queue_arguments={{"x-" + name[:100]: name}}) for name in NAMES]
app.conf.task_routes = {{name: {{"queue": name, "routing_key": name}} for name in NAMES}}
app.conf.beat_schedule = {{name: {{"task": name, "schedule": 4.0, "args": [name]}} for name in NAMES}}


def work():
    pass


for name in NAMES:
    app.task(work, name=name)
"""


def scenario(name: str = "hostile", *, mended: bool = False) -> str:
    """Every name as an exchange, queue, consumer, key, id, header and body; some is lost, some expectations fail."""
    lines = [f"name: {text(NAMES[name] if name in NAMES else ' '.join(NAMES.values())[:2000])}"]
    lines += [f"description: {text(' '.join(NAMES.values()))}", "rabbitmq: '4.1'", "exchanges:"]
    for number, each in enumerate(NAMES.values()):
        kind = ("topic", "direct", "fanout", "headers")[number % 4]
        arguments = f", arguments: {{alternate-exchange: {text('a' + each[:200])}}}" if number % 3 == 0 and not mended else ""
        lines.append(f"  {text(cut(each))}: {{type: {kind}{arguments}}}")
    lines.append("queues:")
    for number, each in enumerate(NAMES.values()):
        arguments = f"x-dead-letter-exchange: {text(cut(each))}" if number % 2 else f"x-max-length: 1, x-{number}: {text(each)}"
        lines.append(f"  {text(cut(each))}: {{arguments: {{{arguments}}}}}")
    lines.append("bindings:")
    for number, each in enumerate(NAMES.values()):
        kept = ", arguments: {x-match: all, " + text(each[:200]) + ": " + text(each) + "}" if number % 4 == 3 else ""
        if not mended or number % 5:
            lines.append(
                f"  - {{source: {text(cut(each))}, destination: {text(cut(each))}, routing_key: {text(each[:200])}{kept}}}"
            )
    lines.append("consumers:")
    for number, each in enumerate(NAMES.values()):
        if number % 3 == 1:
            rules = "[{do: reject}]" if number % 2 == 0 else "[{attempt: 1, do: requeue}, {do: ack}]"
            lines.append(f"  {text(each)}: {{queue: {text(cut(each))}, on_message: {rules}}}")
    lines.append("steps:")
    for each in NAMES.values():
        headers = f"{{{text(each[:200])}: {text(each)}}}"
        lines.append(
            f"  - publish: {{exchange: {text(cut(each))}, routing_key: {text(each[:200])}, id: {text(each)}, body: {text(each)}, headers: {headers}}}"
        )
        lines.append(f"  - publish: {{routing_key: {text(cut(each) if mended else each)}, mandatory: true}}")
    lines.append(f"  - {{publish: {{exchange: {text('gone ' + NAMES['ansi'])}}}, fails: 404}}")
    lines.append(f"  - {{get: {{queue: {text('gone ' + NAMES['bidi'])}}}, fails: 404}}")
    lines += ["expect:", "  queues:"]
    lines += [f"    {text(cut(each))}: {{ready: [{text(each)}]}}" for each in NAMES.values()]
    lines.append("  messages:")
    lines += [f"    {text(each)}: {{{text(cut(each))}: acked}}" for each in NAMES.values()]
    lines.append("routes:")
    lines += [
        f"  - {{exchange: {text(cut(each))}, routing_key: {text('no ' + each[:200])}, queues: {text(cut(each))}}}"
        for each in NAMES.values()
    ]
    lines += ["never:", f"  - {{lost: true, queues: [{', '.join(text(cut(each)) for each in NAMES.values())}]}}"]
    return "\n".join(lines) + "\n"

"""Rules as tables: what RabbitMQ does, in the commands and events of `kits.broker`, run over every kind of queue and version.

    test_rules = queue_rules('''
    2.8 where a requeue goes: without a delivery limit to the tail, until 4.2 [quorum limited]
        queue q {kind}; send q 1 2 3; get ch q; nack ch 1
        drain q = 1* 2 3 | quorum <4.3: 2 3 1*
    ''')

A rule begins with its ids on the page (`2.8,S1`; of another page `routing#D7`), then its name, which is the test's
(`pytest -k where-a-requeue-goes`, `-k 2.8`), after a colon what it says; in brackets what it is run over: kinds of queue
(`kinds`: all three), versions (`<4.3`, `>=4.0`, `4.0 4.2`; all of them, if none are named), other names with their values
(`how=nack reject`). `{kind}`, `{version}` and `{how}` stand for their values.

A command is a method of `Bench` or of `Script`, with dashes for underscores: its words (`0..3` is 0 1 2 3), its flags, and
`option=value`. A value is a number, a word, JSON, or text in double quotes (`"x"*9`: nine of it). An option that the
method does not have is an argument of the queue, exchange or consumer (`max-length=3`: x-max-length), or a field of the
message. `!406 text` demands a refusal, `= …` an answer, `| condition: …` after it another answer where the condition holds
(the last such counts); `[condition]` before a command runs it only there. A condition is made of versions and values
that must all hold.
"""

import functools
import inspect
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from kits.broker import ALL, KINDS, Bench, deaths
from kits.paths import ROOT
from routesim import events
from routesim.values import plain

Values = dict[str, str]
_HEAD = re.compile(r"(\S+) ([^:\[]+?)(?:: ([^\[]*?))?(?: \[([^\]]*)\])?")
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_VERSION = re.compile(r"(<|>=|)(\d+\.[\d.]+)")


class Rule(NamedTuple):
    ids: list[str]
    name: str
    over: dict[str, list[str]]
    commands: list[str]


@functools.cache
def page(name: str) -> str:
    return (ROOT / "routesim" / "docs" / "rules" / f"{name}.md").read_text(encoding="utf-8")


def queue_rules(text: str) -> Callable[..., None]:
    return _test_of("queues", text)


def routing_rules(text: str) -> Callable[..., None]:
    return _test_of("routing", text)


def _test_of(own_page: str, text: str) -> Callable[..., None]:
    """The test of all rules in the text."""
    params = []
    for rule in _read(text):
        for id in rule.ids:
            _check(*id.split("#") if "#" in id else (own_page, id))
        name = re.sub(r"\W+", "-", rule.name).strip("-")
        for combination in itertools.product(*rule.over.values()):
            values = dict(zip(rule.over, combination, strict=True))
            params.append(pytest.param(rule, values, id="-".join([",".join(rule.ids), name, *combination])))

    @pytest.mark.parametrize(("rule", "values"), params)
    def run(rule: Rule, values: Values) -> None:
        script = Script(values, set().union(*rule.over.values()))
        for command in rule.commands:
            script.run(command)

    return run


def _check(name: str, anchor: str) -> None:
    assert f'<a id="{anchor}"></a>' in page(name), f"rules/{name} has no rule {anchor}"


def _read(text: str) -> Iterator[Rule]:
    for block in re.split(r"\n+(?=\S)", inspect.cleandoc(text)):
        head, *body = block.split("\n")
        if head.startswith("#"):
            continue
        found = _HEAD.fullmatch(head)
        assert found, head
        ids, name, _, over = found.groups()
        commands = [part.strip() for line in body for part in line.split(";")]
        yield Rule(ids.split(","), name, _over(over or ""), list(filter(None, commands)))


def _over(text: str) -> dict[str, list[str]]:
    over: dict[str, list[str]] = {}
    versions = list(ALL)
    for part in filter(None, text.split(", ")):
        name, assigns, values = part.partition("=")
        if _VERSION.match(part):
            words = part.split()
            versions = [one for one in ALL if any(_holds(word, one) for word in words)]
            versions += [word for word in words if word.count(".") == 2]  # a patch version
        elif assigns:
            over[name] = values.split()
        else:
            over["kind"] = list(KINDS) if part == "kinds" else part.split()
    return {**over, "version": versions}


def _holds(condition: str, version: str) -> bool:
    found = _VERSION.fullmatch(condition)
    assert found, condition
    one, other = ([int(part) for part in text.split(".")] for text in (version, found[2]))
    return one < other if found[1] == "<" else one >= other if found[1] else one == other


class Script:
    """Runs commands on a broker; those that `Bench` does not have, or answers with what is no text, are methods here."""

    def __init__(self, values: Values, known: set[str]) -> None:
        self.values, self.known = values, known  # this run's, and those of all runs of the rule
        self.b = Bench(values["version"])

    def run(self, command: str) -> None:
        command = re.sub(r"\{(\w+)\}", lambda found: self.values[found[1]], command)
        try:
            self._run(command)
        except AssertionError as error:
            error.add_note(f"at: {command}")
            raise

    def _run(self, command: str) -> None:
        if command.startswith("["):
            condition, _, command = command[1:].partition("] ")
            if not self._meets(condition):
                return
        command, has_answer, answers = f"{command} ".partition(" = ")
        command, fails, refusal = command.partition(" !")
        verb, *words = _WORD.findall(command)
        method = getattr(self, verb.replace("-", "_"), None) or getattr(self.b, verb.replace("-", "_"))
        if not callable(method):
            answer = method
        else:
            names, options = _arguments(words, inspect.signature(method).parameters)
            if fails:
                code, _, text = refusal.strip().partition(" ")
                options["fails"] = (int(code), text)
            answer = method(*names, **options)
        if has_answer:
            expected = self._chosen(answers)
            assert _shown(answer) == expected

    def _meets(self, condition: str) -> bool:
        words = condition.split()
        assert all(word in self.known or _VERSION.fullmatch(word) for word in words), f"no such value: {condition}"
        version, values = self.values["version"], set(self.values.values())
        return all(_holds(word, version) if _VERSION.fullmatch(word) else word in values for word in words)

    def _chosen(self, answers: str) -> str:
        chosen, *others = f"{answers} ".split("| ")
        for other in others:
            condition, _, answer = other.partition(": ")
            if self._meets(condition):
                chosen = answer
        return chosen.strip()

    # Commands --------------------------------------------------------------------------------------------------------

    def broker(self, **settings: Any) -> None:
        """A new broker, with settings."""
        self.b = Bench(self.values["version"], **settings)

    def send(self, queue: str, *ids: str, mandatory: bool = False, **fields: Any) -> None:
        self.b.publish("", queue, *ids, mandatory=mandatory, **fields)

    def publish(self, exchange: str, key: str, *ids: str, mandatory: bool = False, **fields: Any) -> None:
        self.b.publish(exchange, key, *ids, mandatory=mandatory, **fields)

    def route(self, exchange: str, key: str = "", mandatory: bool = False, **fields: Any) -> str:
        return self.b.route(exchange, key, mandatory=mandatory, **fields)

    def policy(
        self,
        name: str,
        pattern: str,
        apply_to: str = "all",
        priority: float = 0,
        operator: bool = False,
        fails: Any = None,
        **keys: Any,
    ) -> None:
        definition = {key.replace("_", "-"): value for key, value in keys.items()}
        self.b.policy(name, pattern, definition, apply_to=apply_to, priority=priority, operator=operator, fails=fails)

    def send_by_priority(self, queue: str, *messages: str) -> None:
        """`a:5 b`: each with its priority, or with none."""
        for message in messages:
            id, _, priority = message.partition(":")
            self.b.send(queue, id, **({"priority": int(priority)} if priority else {}))

    def consumers(self, queue: str, *names: str, **options: Any) -> None:
        """Several alike."""
        for name in names:
            self.b.consume(name, queue, **options)

    def transaction(self, channel: str) -> None:
        """A channel without confirms begins one."""
        self.b.channel(channel, confirms=False)
        self.b.tx(channel, "select")

    def die(self, queue: str) -> None:
        """The head of the queue dies of a rejection."""
        self.b.get("killer", queue)
        self.b.reject("killer", self.b.letters[-1].tag)

    def give_back(self, how: str, channel: str, tag: int) -> None:
        if how in ("nack", "reject"):
            getattr(self.b, how)(channel, tag, requeue=True)
        else:
            getattr(self.b, how)(channel)  # recover, close

    def deliveries(self, queue: str, how: str, most: int = 30) -> int | str:
        """How often a message is got before it dies of being given back."""
        for count in range(most):
            if self.b.get("ch", queue) == "-":
                return count
            self.give_back(how, "ch", self.b.letters[-1].tag)
        return "no end"

    # Answers ---------------------------------------------------------------------------------------------------------

    def confirms(self) -> str:
        """`0:ack 1:nack`."""
        return " ".join(f"{message}:{answer}" for message, answer in self.b.confirms.items())

    def confirm_of(self, message: Any) -> str:
        return self.b.confirms.get(str(message), "-")

    def dropped(self, queue: str) -> str:
        return self.b.died(queue, dropped=True)

    def deaths(self, queue: str) -> str:
        """Take a message; its x-death."""
        return " ".join(f"{queue}:{reason}:{count}" for queue, reason, count in deaths(self.b.take(queue)))

    def header(self, name: str) -> list[Any]:
        """Of every message that was received, `-` where it has none."""
        return [plain(letter.headers).get(name, "-") for letter in self.b.letters]

    def number_of(self, consumer: str) -> int:
        """How many messages the consumer was sent."""
        return sum(letter.consumer == consumer for letter in self.b.letters)

    def received(self) -> list[Any]:
        """The delivery tags."""
        return [letter.tag for letter in self.b.letters]

    def cancelled(self) -> list[str]:
        """The consumers that the broker cancelled."""
        return [event.consumer for event in self.b.all(events.ConsumerCancelled)]

    def ended(self) -> list[str]:
        """The consumers that ended without their doing; `:lost` with their channel."""
        return [ended.consumer + ":lost" * ended.channel_lost for ended in self.b.ended]

    def types(self) -> str:
        """The types of the queues that were declared."""
        return " ".join(f"{event.queue}:{event.type}" for event in self.b.all(events.QueueDeclared))

    def active(self) -> list[str]:
        """The consumers that became the single active one."""
        return [event.consumer for event in self.b.all(events.ConsumerActive)]

    def cut(self) -> list[str]:
        """The queues that a dead letter was not to come back to."""
        return [event.queue for event in self.b.all(events.CycleCut)]

    def closed(self) -> list[int]:
        """Why channels were closed."""
        return [event.code for event in self.b.all(events.ChannelClosed)]


def _arguments(words: list[str], parameters: Any) -> tuple[list[Any], dict[str, Any]]:
    """What the method is called with."""
    flags = {name for name, parameter in parameters.items() if isinstance(parameter.default, bool)}
    takes_table = "args" in parameters and not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    names: list[Any] = []
    options: dict[str, Any] = {}
    for word in words:
        name, has_value, value = word.partition("=")
        if found := re.fullmatch(r"(\d+)\.\.(\d+)", word):
            names += range(int(found[1]), int(found[2]) + 1)
        elif word.replace("-", "_") in flags:
            options[word.replace("-", "_")] = True
        elif not has_value or name.startswith('"'):
            names.append(_value(word))
        elif name.startswith("x-") or (takes_table and name.replace("-", "_") not in parameters):
            options.setdefault("args", {})[name] = _value(value)
        elif name == "dead-letter":
            options |= {"dead_letter_exchange": "", "dead_letter_routing_key": value}
        else:
            options[name.replace("-", "_")] = value.strip('"') if name == "expiration" else _value(value)
    return names, options


def _value(text: str) -> Any:
    if found := re.fullmatch(r'("[^"]*")\*(\d+)', text):
        return json.loads(found[1]) * int(found[2])
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(answer: Any) -> str:
    if type(answer) in (list, tuple):
        return " ".join(map(str, answer))
    return str(answer)

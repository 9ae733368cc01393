"""What a newcomer types before having read anything gets an answer that says what to type, and what is typed then works."""

import json
import re
import shlex
from pathlib import Path

import pytest
from kits.cli import within
from kits.paths import ROOT

from routesim.cli.shared.commands import COMMANDS, GROUPS
from routesim.cli.shared.synonyms import COMMANDS as WORDS
from routesim.cli.shared.synonyms import TEMPLATES
from routesim.scenario.starting import templates

THREE = {
    "rabbitmq_version": "3.13.7",
    "vhosts": [{"name": "/"}, {"name": "shop"}, {"name": "billing"}],
    "queues": [
        {"vhost": vhost, "name": f"{vhost}.q", "durable": True, "auto_delete": False, "arguments": {}}
        for vhost in ("shop", "billing")
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.scenario.yaml").write_text(
        (ROOT / "scenarios" / "shoes.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (tmp_path / "three.json").write_text(json.dumps(THREE), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("validate shop.scenario.yaml", "`routesim check shop.scenario.yaml`"), ("lint shop.scenario.yaml", "`routesim check shop.scenario.yaml`"),
        ("test shop.scenario.yaml", "`routesim run shop.scenario.yaml`"), ("init", "`routesim new shop`"), ("trace shop", "`routesim run shop`"),
        ("help", "`routesim --help`"), ("topics", "`routesim explain topic KEY PATTERN...`"), ("examples", "`routesim run --list`"),
        ("list", "`routesim run --list`"), ("new x -t fanout", "did you mean 'pubsub'?"), ("new x -t direct", "did you mean 'routing'?"),
        ("new x -t ack", "did you mean 'crash'?"), ("upgrade hello", "--rabbitmq 3.13..4.3"), ("run three.json", "choose one with --vhost"),
        ("explain queue three.json shop.q", "choose one with --vhost"), ("graph three.json --vhost shp", "choose one of: 'shop', 'billing'"),
        ("run shop --until 5", "5s or 5ms?"), ("explain route shop shop ship.shoes -e shop", "leave out --exchange"),
        ("run shop -f json -o r.html", "--format json does not go into r.html"), ("check shop -o c.html", "there is no html here"),
        ("list_queues", "`routesim graph FILE`"), ("exchanges shop", "`routesim graph FILE`"), ("queue shop", "`routesim explain queue FILE QUEUE`"),
        ("get queue=warehouse", "`routesim explain queue FILE QUEUE`"), ("declare queue name=x", "`routesim docs format`"), ("purge warehouse", "`routesim docs steps`"),
        ("rabbitmqadmin list queues", "`routesim import --management URL`"), ("inspect active", "`routesim celery monitor FILE`"),
        ("celery worker", "`routesim celery monitor FILE`"), ("celery -A proj worker", "`routesim import celery APP`"), ("task shop m1", "`routesim explain task FILE ID`"),
        ("explain dead letter", "`routesim explain dead-letter`"), ("explain visibility timeout", "`routesim explain visibility-timeout`"),
        ("explain m3", "`routesim explain message FILE m3`"), ("explain x-death", "`routesim explain dead-letter`"), ("explain ha-all", "gone from RabbitMQ 4.0 on"),
        ("explain route shop --routing-key x", "`--key KEY`"), ("run shop --host localhost", "`--broker amqp://"), ("run shop --filter m1", "`--message`, `--queue`"),
        ("run shop --timeout 5", "`--until 30s`"), ("new x --type fanout", "`--template NAME`"), ("run shop --version 3.13", "`--rabbitmq VERSION`"),
        ("versions 4.0", "`routesim versions --rabbitmq 3.13..4.0`"), ("upgrade shop 4.3", "`routesim upgrade shop --rabbitmq 3.13..4.3`"), ("pytest", "`routesim docs ci`"),
        ("explain mingle", "`routesim docs celery`"), ("help run", "`routesim run --help`"),
        ("publish x", "`routesim explain route FILE EXCHANGE KEY`"), ("shop", "`routesim run shop`"), ("hello", "`routesim run hello`"),
        ("shop.scenario.yaml", "`routesim run shop.scenario.yaml`"), ("-v", "`routesim --version`"), ("-V", "`routesim --version`"),
        ("tutorial", "`routesim docs tutorial`"), ("why", "`routesim explain message FILE ID`"), ("run shop --json", "`--format json`"),
        ("run shop --html", "`--format html`"), ("run shop --verbose", "all events are printed without it"), ("docs ttl", "`routesim docs --search ttl`"),
        ("docs search ttl", "`routesim docs --search ttl`"), ("docs no such", "`routesim docs --search 'no such'`"),
        ("explain lazy", "`routesim docs --search lazy`"), ("explain vhost", "`vhost: NAME`"), ("explain blah", "the words are binding"),
        ("new -t fanout", "`routesim new shop --template pubsub`"), ("run hell", "did you mean 'hello'?"), ("run shoop.yaml", "there is no such file"),
        ("run mine", "`routesim new mine`"), ("run shop.yaml", "did you mean 'shop.scenario.yaml'?"),
        ("versions 3.13 4.3", "`routesim versions --rabbitmq 3.13..4.3`"), ("upgrade shop 3.13 4.3", "`routesim upgrade shop --rabbitmq 3.13..4.3`"),
        ("celery import proj", "`routesim import celery proj`"), ("explain shop.scenario.yaml m2", "`routesim explain message shop.scenario.yaml m2`"),
        ("explain consumer shop packer", "`routesim run shop --consumer packer`"), ("explain ack shop", "alone explains the word"),
        ("explain message shop m2 warehouse", "`routesim explain queue shop warehouse`"), ("explain message shop", "there are m1"),
        ("explain message shop m99", "there are m1"), ("explain queue shop", "there are warehouse, audit"),
        ("explain queue shop wharehouse", "did you mean 'warehouse'? There are warehouse, audit"), ("explain queue shop xyz", "there are warehouse"),
        ("run shop --dry-run", "nothing is sent anywhere"), ("check shop --strict", "`--fail-on warning`"), ("check shop --fix", "`--witness FILE`"),
        ("run shop --strict", "`--fail-on-loss`"), ("upgrade shop -q", "the exit status"), ("diff shop shop --quiet", "the exit status"),
        ("diff shop shop --rabbitmq 4.0", "`rabbitmq: VERSION`"), ("celery compare shop --rabbitmq 4.0", "`rabbitmq: VERSION`"),
        ("explain event dead-lettered", "`routesim docs trace`"),
        ("completion bash --install", "`routesim completion bash >> ~/.bash_completion`"),
        ("completion fish --install", "`routesim completion fish > ~/.config/fish/completions/routesim.fish`"),
        ("import rabbitmq", "`routesim import --management http://HOST:15672`"),
        ("import http://localhost:15672/api/definitions", "`routesim import --management http://localhost:15672`"),
        ("import https://me:secret@mq.example/api", "`routesim import --management https://USER:PASSWORD@mq.example`"),
        ("import amqp://mq.example:5672/shop", "`routesim import --management http://mq.example:15672`"),
        ("plan three.json", "`routesim diff OLD NEW`"), ("apply shop", "`routesim export FILE`"), ("ps", "`routesim run FILE`"), ("sim shop", "`routesim run shop`"),
        ("logs", "`--message`, `--queue`"), ("describe queue warehouse", "`routesim explain queue FILE QUEUE`"), ("ui", "`routesim run FILE -o report.html`"),
        ("import_definitions three.json", "`routesim import three.json`"), ("export_definitions out.json", "`routesim export out.json`"),
        ("fmt shop.scenario.yaml", "`routesim docs format`"), ("doctor", "`routesim check FILE`"), ("replay shop", "`routesim run shop`"), ("status", "`routesim celery monitor FILE`"),
        ("search ttl", "`routesim docs --search WORD`"), ("config", "`routesim COMMAND --help`"), ("redis", "`routesim celery compare FILE`"), ("chaos shop", "`routesim explore shop`"),
        ("kill w1", "`routesim docs failures`"), ("three.json", "`routesim check three.json`"), ("-A shop worker", "`routesim import celery APP`"), ("-", "`routesim run -`"),
        ("prefetch", "`routesim explain prefetch`"), ("dead-letter", "`routesim explain dead-letter`"), ("explain ladder", "`routesim run delay-ladder`"), ("explain backoff", "`routesim explain retry`"),
        ("run shop --interactive", "`--step`"), ("run shop --cov", "`--coverage`"), ("run shop --summary", "`--quiet`"), ("run shop --svg", "`routesim graph FILE -o graph.svg`"),
        ("run shop --debug", "before the command"), ("run shop -x", "the status is 1 where one fails"), ("run shop --file shop", "without an option"),
        ("run shop -k m1", "`--message`, `--queue`"), ("run shop --detach", "`routesim serve FILE`"), ("frobnicate", "the commands are"),
        ("upgrade three.json --rabbitmq 3.10-4.3", "write 3.10..4.3"), ("versions --rabbitmq 3.13.1:4.3", "write 3.13.1..4.3"),
        ("explain route shop shpo a.b", "did you mean 'shop'? There are shop, "),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_to_type(folder: Path, words: str, answer: str) -> None:
    done = within(*shlex.split(words), cwd=folder)
    assert (done.status, done.out) == (2, "")
    assert answer in done.err


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("run shop", "OK  Shoes leave the warehouse"), ("run hello", "OK  Hello"), ("run hello -q", "OK  Hello"), ("run .", "OK  Shoes"),
        ("check shop", ""), ("graph shop", "shop"), ("run --list", "hello "), ("run shop --rabbitmq 3.13", "RabbitMQ 3.13"),
        ("explain route shop shop ship.shoes", "reaches audit, warehouse"), ("explain route shop ship.shoes", "routesim explain route"),
        ("explain route shop -e shop ship.shoes", "reaches audit, warehouse"), ("explain route shop shop -k ship.shoes", "reaches audit, warehouse"),
        ("explain route shop warehouse", "reaches warehouse"),
        ("explain route shop shop", "'shop' is an exchange: add a routing key: routesim explain route shop.scenario.yaml shop KEY"),
        ("explain route shop m2", "'m2' is a message: routesim explain message shop.scenario.yaml m2"), ("explain quorum", "quorum"),
        ("explain message shop m2", "routesim explain route shop.scenario.yaml shop ship.shoes tells why a queue was not reached"),
        ("explain publisher-confirm", "confirms"), ("run three.json --vhost shop", "shop.q"), ("graph three.json --vhost billing", "billing.q"),
        ("explain queue three.json shop.q --vhost shop", "shop.q"), ("upgrade three.json --from 3.13 --to 4.3", "2 vhosts"),
        ("upgrade three.json --rabbitmq 3.13..4.3 --vhost shop", "nothing changes from RabbitMQ 3.13 to 4.3"),
        ("versions --from 3.13 --to 4.3", "From RabbitMQ 3.13 to 4.3"), ("versions --rabbitmq 3.13..4.3", "From RabbitMQ 3.13 to 4.3"),
    ],
)  # fmt: skip
def test_what_works_at_once(folder: Path, words: str, shown: str) -> None:
    done = within(*shlex.split(words), cwd=folder)
    assert done.status == 0, done
    assert shown in done.out


def test_a_template_of_that_name_is_told(tmp_path: Path) -> None:
    done = within("new", "retry", cwd=tmp_path)
    assert "`routesim new retry --template retry --force`" in done.err
    assert "template" not in within("new", "shop", cwd=tmp_path).err


def test_of_many_names_ten_are_listed(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(f"queues: {{{', '.join(f'q{number}: ' for number in range(30))}}}\n", encoding="utf-8")
    assert within("explain", "queue", "many.yaml", "x", cwd=tmp_path).err.rstrip().endswith("q9 and 20 more")


def test_every_answer_names_commands_that_there_are() -> None:
    assert not WORDS.keys() & COMMANDS.keys()
    for word, sentence in WORDS.items():
        named = re.findall(r"`routesim (--help|--version|COMMAND|[a-z]+(?: celery)?)", sentence)
        assert named, word
        for name in named:
            assert name.startswith("--") or name == "COMMAND" or name in COMMANDS or name.split()[0] in COMMANDS, (word, name)
    assert set(TEMPLATES.values()) <= templates().keys()
    assert not TEMPLATES.keys() & templates().keys()


def test_every_command_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) <= COMMANDS.keys()
    shown = within("--help").out
    positions = [shown.index(f"\n{group}:\n") for group in GROUPS]
    assert positions == sorted(positions)
    assert all(f"\n  {name} " in shown for name in COMMANDS)


def test_a_file_in_the_folder_wins_over_a_name(folder: Path) -> None:
    (folder / "hello.yaml").write_text("name: Mine\nqueues: {q: }\n", encoding="utf-8")
    assert "OK  Mine" in within("run", "hello", "-q", cwd=folder).out


def test_a_folder_without_scenarios(folder: Path) -> None:
    (folder / "empty").mkdir()
    done = within("run", "empty", cwd=folder)
    assert (done.status, "has no scenario in it" in done.err) == (2, True)


def test_a_folder_has_its_scenario_files_before_other_yaml(folder: Path) -> None:
    (folder / "docker-compose.yaml").write_text("services: {}\n", encoding="utf-8")
    (folder / "sub").mkdir()
    (folder / "sub" / "a.scenario.yml").write_text("queues: {q: }\n", encoding="utf-8")
    assert within("run", ".", "-q", cwd=folder).out.splitlines()[-1] == "2 scenarios: 2 OK"


def test_only_the_virtual_host_with_something_in_it_is_taken_by_itself(folder: Path) -> None:
    one = {**THREE, "queues": THREE["queues"][:1]}
    (folder / "one.json").write_text(json.dumps(one), encoding="utf-8")
    done = within("run", "one.json", cwd=folder)
    assert (done.status, done.err, "shop.q" in done.out) == (0, "", True)


def test_of_several_the_default_one_is_taken_and_the_others_are_told(folder: Path) -> None:
    slash = {"vhost": "/", "name": "home", "durable": True, "auto_delete": False, "arguments": {}}
    (folder / "all.json").write_text(json.dumps({**THREE, "queues": [slash, *THREE["queues"]]}), encoding="utf-8")
    done = within("run", "all.json", cwd=folder)
    assert done.status == 0
    assert "only vhost '/' is looked at; the file has 'shop', 'billing' as well" in done.err
    assert "home" in done.out


@pytest.mark.parametrize(
    ("command", "name", "begins"),
    [
        ("run shop", "r.html", "<!DOCTYPE html>"), ("run shop", "r.json", '{"format": 1'), ("run shop", "r.xml", "<?xml"),
        ("run shop", "r.ndjson", '{"seq": 1'), ("run shop", "r.tap", "TAP version 14"), ("run shop", "r.txt", "  time s"),
        ("run shop -f ndjson", "r.json", '{"seq": 1'), ("run shop -f junit", "r.txt", "<?xml"), ("graph shop", "g.svg", "<svg"),
        ("graph shop", "g.mmd", "flowchart"), ("graph shop", "g.json", "{"), ("check shop", "c.sarif", "{"), ("check shop", "c.xml", "<?xml"),
        ("explain route shop shop ship.shoes", "e.json", '{"format": 1'), ("explain route shop shop ship.shoes", "e.svg", "<svg"),
        ("upgrade shop --rabbitmq 3.13..4.3", "u.json", '{"format": 1'), ("run shop --seeds 1..2", "s.json", '{"format": 1'),
    ],
)  # fmt: skip
def test_the_ending_chooses_the_format(folder: Path, command: str, name: str, begins: str) -> None:
    done = within(*command.split(), "-o", name, cwd=folder)
    assert (done.status in (0, 1), done.out) == (True, ""), done
    assert (folder / name).read_text(encoding="utf-8").startswith(begins)


def test_rows_are_chosen_and_nothing_else() -> None:
    whole = within("run", "shoes").out
    some = within("run", "shoes", "--message", "m3", "--hide-infrastructure").out
    assert some.partition("\nQueues\n")[2] == whole.partition("\nQueues\n")[2]
    rows = some.partition("\nQueues\n")[0].splitlines()[2:]
    assert rows
    assert all(" m3 " in row or not row.strip() for row in rows)
    assert "no event is left by --message m99" in within("run", "shoes", "-m", "m99").out
    by_queue = within("run", "shoes", "--queue", "parked", "--format", "ndjson").out.splitlines()
    assert {json.loads(line).get("queue", "parked") for line in by_queue} == {"parked"}
    numbers = [json.loads(line)["seq"] for line in by_queue]
    assert numbers == sorted(set(numbers))
    assert len(numbers) < numbers[-1]  # those that they have among all
    assert all(
        "packer" in row or "dead-lettered" in row  # what its reject set off
        for row in within("run", "shoes", "--consumer", "packer").out.partition("\nQueues\n")[0].splitlines()[2:]
        if row.strip()
    )
    assert within("run", "shoes", "-m", "m3", "-f", "json").status == 2
    assert within("run", "shoes", "-m", "m3", "--seeds", "1..2").status == 2


def test_a_run_that_checks_too(folder: Path) -> None:
    drops = "exchanges: {shop: topic}\nqueues: {q: }\n"
    (folder / "drops.scenario.yaml").write_text(drops, encoding="utf-8")
    assert within("run", "-q", "drops", cwd=folder).status == 0
    done = within("run", "-q", "--check", "drops", cwd=folder)
    assert (done.status, "exchange-drops-all" in done.err) == (1, True)


def test_the_action_annotates(folder: Path) -> None:
    import yaml

    action = yaml.safe_load((ROOT / ".github" / "action.yml").read_text(encoding="utf-8"))
    commands = [step["run"] for step in action["runs"]["steps"] if step["run"].startswith("routesim")]
    assert len(commands) == 2
    assert all(step["shell"] == "bash" for step in action["runs"]["steps"])
    for command in commands:
        words = (
            re.sub(r"\$\{RABBITMQ:\+[^}]*\}", "", command)
            .replace("$FILES", str(ROOT / "tests" / "cli" / "failing.yaml"))
            .split()[1:]
        )
        assert "::" in within(*words, cwd=folder).out

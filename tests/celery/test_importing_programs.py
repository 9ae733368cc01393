"""`import faststream` and `import kombu`: what of a program reaches the scenario, and what one that misbehaves does: nothing."""

import re
import sys
from pathlib import Path

import pytest
from kits.cli import within

from routesim.celery_app.programs.seen import LIBRARIES, topology_of_answer
from routesim.cli.importers.importing_programs import import_program
from routesim.cli.shared.exits import NO_VERDICT, OK, UNUSABLE, UsageError

SEEN = Path(__file__).with_name("seen")
EXAMPLES = Path(__file__).parents[2] / "scenarios" / "imports"


def imported(kind, app, directory=SEEN, *, python=None, timeout=60.0, rabbitmq="3.13", debug=False):
    return import_program(kind, app, None, None, str(directory), python, timeout, rabbitmq, debug=debug)


@pytest.fixture(autouse=True)
def _library(request):
    for name in ("faststream", "kombu"):
        pytest.importorskip(name, reason=f"{name} is not installed")


@pytest.fixture
def project(tmp_path):
    """Writes a package `shop` with these modules."""

    def write(**modules):
        (tmp_path / "shop").mkdir(exist_ok=True)
        for name, text in {"__init__": "", **modules}.items():
            (tmp_path / "shop" / f"{name}.py").write_text(text)
        return tmp_path

    return write


STREAMING = """
rabbitmq: "3.13"
vhost: shop

exchanges:
  everything: {type: fanout, durable: false, auto_delete: true}
  match: headers
  orders: {type: topic, arguments: {alternate-exchange: amq.fanout}}
  results: direct

queues:
  alone: {type: classic}
  by-header: {type: classic}
  eu.mails: {type: classic, auto_delete: true, arguments: {x-message-ttl: 60000}}
  invoices: {type: quorum, arguments: {x-delivery-limit: 3}}
  log: {type: stream, arguments: {x-max-age: "1D"}}

bindings:
  - {source: amq.topic, destination: log, routing_key: log}
  - {source: everything, destination: orders, destination_type: exchange, routing_key: ignored}
  - source: match
    destination: by-header
    routing_key: by-header
    arguments: {x-match: all, size: 42, red: true}
  - {source: orders, destination: eu.mails, routing_key: eu.mails}
  - {source: orders, destination: invoices, routing_key: order.paid}
"""
QUEUED = """
rabbitmq: "3.13"
vhost: shop

exchanges:
  logs: {type: fanout, durable: false, auto_delete: true}
  match: headers
  orders: {type: topic, arguments: {alternate-exchange: amq.fanout}}

queues:
  alone:
  invoices: {type: quorum, arguments: {x-delivery-limit: 3}}
  limited: {arguments: {x-expires: 60000, x-message-ttl: 1500, x-max-length: 10, x-max-priority: 5}}
  twice: {auto_delete: true}

bindings:
  - {source: match, destination: twice, arguments: {x-match: any, size: 42}}
  - {source: orders, destination: invoices, routing_key: order.paid}
  - {source: orders, destination: limited, routing_key: order.#}
  - {source: orders, destination: twice, routing_key: a}
"""


@pytest.mark.parametrize(("kind", "app", "expected"), [("faststream", "streaming:app", STREAMING), ("kombu", "queued", QUEUED)])
def test_everything_that_a_program_can_say(capsys, kind, app, expected):
    assert imported(kind, app) == OK
    out, err = capsys.readouterr()
    head, _, rest = out.partition("\nrabbitmq:")
    assert (f"\nrabbitmq:{rest}".partition("\n# Publish")[0], err) == (expected, "")
    assert re.match(rf'# Imported from "?{app}"? \(a program of {LIBRARIES[kind].called}\), vhost shop\.', head)


@pytest.mark.parametrize(
    ("kind", "app"), [("faststream", "streaming"), ("faststream", "streaming:broker"), ("kombu", "queued:QUEUES")]
)
def test_a_module_or_a_part_of_it_will_do(capsys, kind, app):
    assert imported(kind, app) == OK
    assert "destination: invoices, routing_key: order.paid" in capsys.readouterr().out


def test_what_a_program_leaves_to_others_is_told(project, capsys):
    where = project(
        streams="from faststream import FastStream\nfrom faststream.rabbit import RabbitBroker, RabbitExchange, RabbitQueue\n"
        "broker = RabbitBroker()\napp = FastStream(broker)\n"
        "@broker.subscriber(RabbitQueue('there', declare=False))\nasync def one(m): ...\n"
        "@broker.subscriber(RabbitQueue('', exclusive=True), RabbitExchange('x'))\nasync def two(m): ...\n"
        "@app.on_startup\nasync def more(): raise SystemExit\n",
        queues="from kombu import Queue\nfrom kombu.common import Broadcast\nfrom kombu.mixins import ConsumerMixin\n"
        "Q = Queue('q')\nB = Broadcast('news')\nclass W(ConsumerMixin): ...\n",
    )
    assert imported("faststream", "shop.streams:app", where) == OK
    assert sorted(line.strip("# ") for line in capsys.readouterr().out.split("Left out:")[1].split("\n\n")[0].splitlines() if line.strip()) == [
        "2 subscribers: their queues are here; that they take messages is written as consumers",
        "a queue without a name: the broker makes one up", "queue there: it is expected to be there, and not declared",
        "what hooks of the app's start declare: no hook is run",
    ]  # fmt: skip
    assert imported("kombu", "shop.queues", where) == OK
    out = capsys.readouterr().out
    assert "a queue whose name each process makes up (bcast.…)" in out
    assert "what the consumers of W declare: get_consumers is code" in out
    assert "news: fanout" in out


def test_no_password_is_told(capsys):
    assert "swordfish" in (SEEN / "streaming.py").read_text()
    for kind, app in (
        ("faststream", "streaming"),
        ("faststream", "streaming:orders"),
        ("kombu", "queued"),
        ("kombu", "queued:NOTHING"),
    ):
        imported(kind, app, debug=True)
    assert "swordfish" not in "".join(capsys.readouterr())


CONNECTS = {
    "faststream": "import asyncio\nfrom faststream.rabbit import RabbitBroker\nbroker = RabbitBroker('amqp://u:swordfish@h')\nasyncio.run(broker.connect())\n",
    "kombu": "from kombu import Connection\nc = Connection('amqp://u:swordfish@127.0.0.1:1').channel()\n",
}
STREAMS = "from faststream import FastStream\nfrom faststream.rabbit import RabbitBroker\n"


@pytest.mark.parametrize(
    ("kind", "text", "app", "status", "said"),
    [
        ("kombu", "X = 1\n", "shop.app", UNUSABLE, "error: shop.app has no exchange, queue or consumer of kombu"),
        ("kombu", "X = 1\n", "shop.app:X", UNUSABLE, "error: shop.app:X is no exchange, queue or consumer of kombu but a int"),
        ("kombu", "X = 1\n", "shop.ap", UNUSABLE, "did you mean 'shop.app'?"),
        ("kombu", "import nothing_there\n", "shop.app", UNUSABLE, "error: shop/app.py:1: shop.app cannot be imported: ModuleNotFoundError"),
        ("kombu", "raise OSError('password=swordfish')\n", "shop.app", UNUSABLE, "password=***"),
        ("kombu", "import os\nos._exit(3)\n", "shop.app", UNUSABLE, "error: the process that imported shop.app ended with status 3"),
        ("kombu", CONNECTS["kombu"], "shop.app", UNUSABLE, "error: shop/app.py:2: shop.app talks to its broker while it is imported"),
        ("faststream", CONNECTS["faststream"], "shop.app", UNUSABLE, "error: shop/app.py:4: shop.app talks to its broker"),
        ("faststream", STREAMS + "a = FastStream(RabbitBroker())\nb = FastStream(RabbitBroker())\n", "shop.app", UNUSABLE, "take shop.app:a or shop.app:b"),
        ("faststream", STREAMS + "a = FastStream()\n", "shop.app", UNUSABLE, "error: shop.app has no FastStream app with a RabbitBroker"),
        ("faststream", "import time\ntime.sleep(60)\n", "shop.app", NO_VERDICT, "was not imported within 3 s"),
    ],
)  # fmt: skip
def test_a_program_that_misbehaves(project, capsys, kind, text, app, status, said):
    where = project(app=text)
    assert imported(kind, app, where, timeout=3.0 if "sleep" in text else 60.0) == status
    err = capsys.readouterr().err
    assert said in err
    assert "swordfish" not in err
    assert "Traceback" not in err


def test_what_rabbitmq_refuses_of_a_program_is_refused(project, capsys):
    where = project(app="from kombu import Queue\nQ = Queue('q', queue_arguments={'x-max-length': 'many'})\n")
    assert imported("kombu", "shop.app", where) == UNUSABLE
    assert "invalid arg 'x-max-length' for queue 'q' in vhost '/'" in capsys.readouterr().err


def test_an_interpreter_without_the_library(tmp_path, capsys):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    assert imported("kombu", "queued", python=str(bare)) == UNUSABLE
    assert "error: kombu is not installed for" in capsys.readouterr().err


@pytest.mark.parametrize("app", ["", "-x", "./app", "app.py"])
def test_what_is_no_name_of_a_program(app):
    with pytest.raises(UsageError):
        imported("kombu", app)


@pytest.mark.parametrize(("kind", "app"), [("faststream", "faststream_app:app"), ("kombu", "kombu_app")])
def test_the_examples_send_what_was_paid_to_invoices(kind, app):
    done = within("import", kind, app, "--chdir", str(EXAMPLES))
    assert (done.status, done.err) == (0, "")
    assert "{source: orders, destination: invoices, routing_key: order.paid}" in done.out
    assert "not-a-real-one" not in done.out


@pytest.mark.parametrize("library", ["aio-pika", "pika"])
def test_what_declares_on_a_live_channel_is_told_its_way(library):
    done = within("import", library, "app.py")
    assert done.status == UNUSABLE
    assert done.err.startswith(
        f"error: {library} declares on a live channel: what it declares is known only when the program runs\n"
    )
    assert "`routesim serve --record shop.yaml`" in done.err


def test_what_is_declared_twice_differently_is_refused():
    things = [
        {"what": "queue", "name": "q", "durable": True, "arguments": {}},
        {"what": "queue", "name": "q", "durable": False, "arguments": {}},
    ]
    answer = {"version": "1", "vhost": None, "things": things, "notes": [], "consumed": []}
    with pytest.raises(Exception, match="declared with other properties"):
        topology_of_answer(LIBRARIES["kombu"], "app", answer, rabbitmq="3.13")

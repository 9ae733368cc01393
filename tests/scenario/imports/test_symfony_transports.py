"""Symfony Messenger and RabbitMqBundle: what their configuration declares, which is what the libraries' code declares."""

import pytest
from kits.foreign import read, told, topology

from routesim.model import Binding, Exchange, Queue
from routesim.values import Typed


def messenger(transport: str, more: str = "") -> str:
    return f"framework:\n  messenger:\n    transports:\n      orders: {transport}\n{more}"


NO_RETRY = "retry_strategy: {max_retries: 0}"


def test_a_transport_of_a_dsn_alone_has_an_exchange_messages_and_a_queue_of_that_name():
    found = topology("symfony", messenger("{dsn: 'amqp://rabbit', " + NO_RETRY + "}"))
    assert found.exchanges == (Exchange("messages", "fanout"), Exchange("delays", "direct"))
    assert found.queues == (Queue("messages"),)
    assert found.bindings == (Binding("messages", "messages"),)
    assert found.vhost == "/"


@pytest.mark.parametrize(
    ("dsn", "vhost", "exchange"),
    [
        ("amqp://guest:guest@localhost:5672/%2f/messages", "/", "messages"),
        ("amqp://localhost/shop", "shop", "messages"),
        ("amqp://localhost/shop/orders", "shop", "orders"),
        ("amqp://localhost/", "/", "messages"),
        ("amqps://localhost/a%20b/orders?cacert=/etc/ca.pem", "a b", "orders"),
    ],
)
def test_the_path_of_a_dsn_names_vhost_and_exchange(dsn, vhost, exchange):
    found = topology("symfony", messenger(f"{{dsn: '{dsn}', {NO_RETRY}}}"))
    assert (found.vhost, found.exchanges[0].name, found.queues[0].name) == (vhost, exchange, exchange)


def test_an_exchange_that_options_name_leaves_the_queue_its_name():
    """`fromDsn` makes the queue of what the dsn calls the exchange."""
    found = topology("symfony", messenger(f"{{dsn: 'amqp://x', options: {{exchange: {{name: orders}}}}, {NO_RETRY}}}"))
    assert found.bindings == (Binding("orders", "messages"),)


def test_options_of_the_query_come_last():
    dsn = "amqp://h?exchange[name]=b&exchange[type]=topic&queues[q][binding_keys][0]=k.%23&queues[q][arguments][x-max-length]=5"
    options = "{exchange: {name: a}, queues: {q: {binding_keys: [old, other]}}}"
    found = topology("symfony", messenger(f"{{dsn: '{dsn}', options: {options}, {NO_RETRY}}}"))
    assert found.exchanges[0] == Exchange("b", "topic")
    assert found.queues == (Queue("q", arguments={"x-max-length": 5}),)
    assert [item.routing_key for item in found.bindings] == ["k.#", "other"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("!php/const AMQP_DURABLE", Queue("q")),
        ("2", Queue("q")),
        ("!php/const \\AMQP_NOPARAM", Queue("q", durable=False)),
        ("18", Queue("q", auto_delete=True)),
        ("10", Queue("q", exclusive=True)),
    ],
)
def test_flags_are_the_bits_of_php_amqp(flags, expected):
    text = messenger("\n        dsn: amqp://x\n        retry_strategy: {max_retries: 0}\n        options:\n          queues:\n"
                     f"            q:\n              flags: {flags}\n")  # fmt: skip
    assert topology("symfony", text, rabbitmq="3.13").queues == (expected,)


def test_a_retry_has_a_queue_for_each_delay_of_each_queue():
    strategy = "retry_strategy: {max_retries: 3, delay: 500, multiplier: 4, max_delay: 3000}"
    found = topology("symfony", messenger(f"{{dsn: 'amqp://x/%2f/ex', options: {{queues: {{a: ~, b: ~}}}}, {strategy}}}"))
    names = [queue.name for queue in found.queues if queue.name.endswith("_retry")]
    assert names == [f"delay_ex_{queue}_{delay}_retry" for queue in "ab" for delay in (500, 2000, 3000)]
    assert next(queue.arguments for queue in found.queues if queue.name == names[1]) == {
        "x-message-ttl": 2000, "x-expires": 12_000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "a",
    }  # fmt: skip
    assert Binding("delays", names[1], "queue", names[1]) in found.bindings


def test_delays_may_have_other_names():
    delay = "delay: {exchange_name: later, queue_name_pattern: 'wait_%%routing_key%%_%%delay%%'}"
    text = messenger(f"{{dsn: 'amqp://x', options: {{queues: {{q: ~}}, {delay}}}, retry_strategy: {{max_retries: 1}}}}")
    found = topology("symfony", text)
    assert [queue.name for queue in found.queues] == ["q", "wait_q_1000_retry"]
    assert Binding("later", "wait_q_1000_retry", "queue", "wait_q_1000_retry") in found.bindings


def test_what_is_known_only_when_the_program_runs_is_told():
    options = "{exchange: {name: 'orders_%env(STAGE)%'}, queues: {q: {arguments: {x-message-ttl: '%env(int:TTL)%'}}}}"
    found = read("symfony", messenger(f"{{dsn: '%env(DSN)%', options: {options}, {NO_RETRY}}}"))
    assert found.topology.exchanges[0].name == "orders_%env(STAGE)%"
    assert found.topology.queues == (Queue("q"),)
    dsn, name, ttl = found.left_out
    assert "%env(DSN)%, known only when the program runs" in dsn
    assert "%env(STAGE)%" in name
    assert name.endswith("it is kept as it is written")
    assert ttl.endswith("this argument is left out")


def test_parameters_of_the_file_are_filled_in():
    text = "parameters: {stage: dev, 'env(DSN)': 'amqp://h/%%2f/of_%stage%'}\n" + messenger(f"{{dsn: '%env(DSN)%', {NO_RETRY}}}")
    assert topology("symfony", text).exchanges[0].name == "of_dev"


def test_other_transports_and_what_the_library_does_itself_is_told():
    more = "      mail: 'doctrine://default'\n    failure_transport: mail\n    routing: {App\\A: orders}\n"
    more += "when@prod: {framework: {messenger: {transports: {}}}}\n"
    found = read("symfony", messenger(f"{{dsn: 'amqp://x', {NO_RETRY}}}", more))
    assert [sentence.partition(":")[0] for sentence in found.left_out] == [
        "when@prod",
        "transport mail",
        "failure_transport",
        "routing",
    ]


@pytest.mark.parametrize(
    ("transport", "errors"),
    [
        ("{dsn: 'amqp://x', options: {exchnge: {name: a}}}",
         ["file.yaml:4:43 unknown-key Symfony refuses 'exchnge': the AMQP transport has no such option; did you mean 'exchange'?"]),
        ("{dsn: 'amqp://x', options: {queues: {q: {bindings: [a]}}}}",
         ["file.yaml:4:56 unknown-key Symfony refuses 'bindings': a queue has no such option; did you mean 'binding_keys'?"]),
        ("{options: {}}", ["file.yaml:4:7 missing-key transport orders needs a 'dsn'"]),
        ("{dsn: 'redis://x'}", ["file.yaml:1:1 empty-file nothing of a topology is declared here; left out: transport orders: it is "
                                "none of AMQP (redis://)"]),
        ("{dsn: 'amqp://x', retry_strategy: {max_retries: 100000}}",
         ["file.yaml:4:33 wrong-value expected 0 to 100 retries, no negative delay, and a multiplier of 1 or more"]),
    ],
)  # fmt: skip
def test_what_symfony_refuses_is_refused(transport, errors):
    assert told("symfony", messenger(transport)) == errors


# RabbitMqBundle ------------------------------------------------------------------------------------------------------


def bundle(sections: str) -> str:
    return f"old_sound_rabbit_mq:\n{sections}"


def test_a_consumer_declares_its_exchange_and_its_queue_bound_with_the_queues_arguments():
    text = bundle("""\
  connections: {default: {vhost: shop, password: hunter2}}
  consumers:
    upload:
      exchange_options: {name: upload, type: topic, internal: true}
      queue_options: {name: upload-q, durable: true, routing_keys: [a.*, b], arguments: {x-message-ttl: ['I', 20000]}}
      callback: svc
""")
    found = topology("old-sound", text)
    ttl = {"x-message-ttl": 20_000}
    assert found.vhost == "shop"
    assert found.exchanges == (Exchange("upload", "topic", internal=True),)
    assert found.queues == (Queue("upload-q", arguments=ttl),)
    assert found.bindings == (
        Binding("upload", "upload-q", "queue", "a.*", ttl),
        Binding("upload", "upload-q", "queue", "b", ttl),
    )


def test_every_kind_of_client_declares_what_the_bundle_lets_it():
    text = bundle("""\
  producers:
    plain: {}
    out: {exchange_options: {name: out, type: fanout, durable: false, auto_delete: true}}
    quiet: {exchange_options: {name: there, type: fanout, declare: false}}
  multiple_consumers:
    both: {exchange_options: {name: main, type: topic}, queues: {one: {name: one, routing_keys: [x]}, two: {name: two}}}
  rpc_servers: {random_int: {callback: s}}
  anon_consumers: {logs: {exchange_options: {name: logs, type: fanout}}}
  rpc_clients: {ask: {}}
  bindings:
    - {exchange: main, destination: out, destination_is_exchange: true, routing_key: '#'}
""")
    found = read("old-sound", text)
    assert [item.name for item in found.topology.exchanges] == ["out", "main", "logs", "random_int"]
    assert [item.name for item in found.topology.queues] == ["one", "two", "random_int-queue"]
    assert found.topology.bindings == (
        Binding("main", "one", "queue", "x"), Binding("main", "two"), Binding("random_int", "random_int-queue"),
        Binding("main", "out", "exchange", "#"),
    )  # fmt: skip
    assert [sentence.partition(":")[0] for sentence in found.left_out] == [
        "the queue of logs (anon_consumers)", "multiple_consumers, anon_consumers, rpc_servers", "rpc_clients",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("{x_max_length: ['I', 5]}", {"x-max-length": 5}),
        ("{x-n: ['l', 5], x-s: ['s', '7']}", {"x-n": Typed("long", 5), "x-s": Typed("short", 7)}),
        ("'x-max-length:5:I,x-queue-mode:lazy'", {"x-max-length": 5, "x-queue-mode": "lazy"}),
        ("{x-single-active-consumer: ['t', true]}", {"x-single-active-consumer": True}),
    ],
)
def test_arguments_are_pairs_of_a_type_and_a_value(arguments, expected):
    text = bundle(f"  consumers: {{c: {{queue_options: {{name: q, arguments: {arguments}}}}}}}\n")
    found = dict(topology("old-sound", text, rabbitmq="3.13").queues[0].arguments)
    assert {key: getattr(value, "value", value) for key, value in found.items()} == {
        key: getattr(value, "value", value) for key, value in expected.items()
    }


def test_a_value_without_its_type_is_told():
    text = bundle("  consumers: {c: {queue_options: {name: q, arguments: {x-max-length: 5}}}}\n")
    found = read("old-sound", text)
    assert [item.message for item in found.warnings] == ["php-amqplib takes 'x-max-length' as a pair of a type and a value"]


def test_an_option_that_the_bundle_does_not_know_is_refused():
    text = bundle(
        "  consumers: {c: {queue_options: {name: q, routing_key: a}, exchange_options: {name: x, type: topic, durabel: true}}}\n"
    )
    assert [error.partition(" ")[2] for error in told("old-sound", text)] == [
        "unknown-key the bundle refuses 'routing_key': there is no such option; did you mean 'routing_keys'?",
        "unknown-key the bundle refuses 'durabel': there is no such option; did you mean 'durable'?",
    ]


def test_what_is_said_of_delays_and_not_carried_over_is_told():
    found = read("symfony", messenger(f"{{dsn: 'amqp://x', options: {{delay: {{arguments: {{}}}}}}, {NO_RETRY}}}"))
    assert [item.message for item in found.warnings] == ["'arguments' of the delays is not carried over"]


def test_an_exchange_that_two_declare_differently_is_refused():
    text = bundle(
        "  producers:\n    a: {exchange_options: {name: x, type: topic}}\n    b: {exchange_options: {name: x, type: fanout}}\n"
    )
    (error,) = told("old-sound", text)
    assert error.startswith(
        "file.yaml:4:9 refused exchange 'x' is declared with other properties at file.yaml:3: RabbitMQ refuses"
    )

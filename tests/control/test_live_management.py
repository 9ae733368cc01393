"""The management API of a real broker and that of `serve`, asked the same: status, and the answer key by key.

What is not compared: `VOLATILE`, whose types are; and `LEFT_OUT`, which `serve` does not say, each with the reason.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pika
import pytest
from kits.live import URLS, live_session
from kits.management import AskedApi
from kits.management_requests import CHANGES, LOOKS, Asked
from kits.serving import Served, serving

from routesim.rabbitmq.http.features import to_permit
from routesim.rabbitmq.scratch import fresh_name, scratch_vhost
from routesim.rabbitmq.url import amqp_address

STATISTICS_S = 30  # so long a real broker may take to have counted
# What differs by nature, be it text or number: the type is compared.
VOLATILE = {
    "node", "cluster_name", "original_cluster_name", "explanation", "management_version", "product_version", "rabbitmq_version",
    "rabbit_version", "rates_mode", "uptime", "connected_at", "password_hash", "port", "peer_port", "ports", "missing", "protocols",
    "listeners", "contexts", "cluster_links", "object_totals", "queue_totals", "exchange_types", "auth_mechanisms", "enabled_plugins", "applications",
    "consumer_timeout", "user_who_performed_action", "members", "online", "leader", "cluster_state", "messages_ram", "ip_address",
    "total_count", "doc_url", "mem_alarm", "disk_free_alarm", "deprecation_phase",
}  # fmt: skip
RATES = "rates: nothing is sampled"
MEMORY = "memory and the store: there is none"
ERLANG = "of Erlang and its processes"
LIMITS = "limits of the node: it has none"
RAFT = "of the logs of quorum queues and streams"
OCTETS = "octets and frames of a connection are not counted"
TLS = "certificates are not looked at"
LEFT_OUT = {
    **dict.fromkeys(("garbage_collection", "reductions", "erlang_version", "erlang_full_version", "crypto_lib_version"), ERLANG),
    **dict.fromkeys(("memory", "messages_ram", "messages_ready_ram", "messages_unacknowledged_ram", "messages_persistent"), MEMORY),
    **dict.fromkeys(("message_bytes_ram", "message_bytes_persistent", "message_bytes_paged_out", "messages_paged_out"), MEMORY),
    **dict.fromkeys(("backing_queue_status", "head_message_timestamp", "storage_version", "recoverable_slaves"), MEMORY),
    **dict.fromkeys(("consumer_utilisation", "consumer_capacity", "idle_since", "sample_retention_policies"), RATES),
    **dict.fromkeys(("churn_rates", "disk_reads", "disk_writes", "pending_raft_commands", "cached_segments"), RATES),
    **dict.fromkeys(("open_files", "publishers", "readers", "segments", "first_timestamp", "messages_delayed"), RAFT),
    **dict.fromkeys(("messages_ready_high", "messages_ready_normal", "messages_ready_returned", "delayed_retry"), RAFT),
    **dict.fromkeys(("messages_active_priorities", "messages_by_priority", "message_bytes_dlx", "single_active_consumer_ctag"), RAFT),
    **dict.fromkeys(("recv_oct", "recv_cnt", "send_oct", "send_cnt", "send_pend"), OCTETS),
    **dict.fromkeys(("ssl_cipher", "ssl_hash", "ssl_key_exchange", "ssl_protocol"), TLS),
    **dict.fromkeys(("peer_cert_issuer", "peer_cert_serial_number", "peer_cert_subject", "peer_cert_validity"), TLS),
    **dict.fromkeys(("release_series_support_status", "require_definition_json_extension"), "of the product"),
    **dict.fromkeys(("socket_opts", "tls", "ssl_opts", "cowboy_opts", "ip"), "of its sockets"),
}  # fmt: skip
OF_A_NODE = re.compile(r"^(mem|disk|fd|io|gc|mnesia|msg_store|queue_index|queue|sockets|proc|connection|channel|ra|metrics)_\w+$")
NODE_LIMITS = {
    "os_pid", "run_queue", "processors", "log_files", "db_dir", "config_files", "net_ticktime", "context_switches", "db_stats",
}  # fmt: skip


class Pair(NamedTuple):
    version: str
    vhost: str
    real: AskedApi
    served: AskedApi
    ports: tuple[int, int]  # of AMQP


@pytest.fixture(params=list(URLS))
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    session = live_session(request.param)
    permit = to_permit(session.features, session.profile)
    with scratch_vhost(session.management) as vhost:
        file = tmp_path / "empty.yaml"
        permitted = f"broker: {{permit: [{', '.join(permit)}]}}\n" if permit else ""
        file.write_text(f'rabbitmq: "{session.profile}"\nvhost: {vhost}\n{permitted}')
        with serving("--management-port", "0", str(file)) as server:
            real = amqp_address(URLS[request.param]).port
            yield Pair(request.param, vhost, AskedApi(real + 10_000), AskedApi(_port(server)), (real, server.port))


def _port(server: Served) -> int:
    found: int = server.address["management_port"]
    return found


def test_changes_are_answered_alike(pair: Pair) -> None:
    other = fresh_name()
    try:
        found = _differences(pair, CHANGES, other)
    finally:
        for path in (f"vhosts/{other}", f"users/{other}"):
            pair.real("DELETE", path)
    assert not found, "\n".join(found)


def test_a_policy_that_is_refused_in_one_virtual_host_leaves_all_without_queues(pair: Pair) -> None:
    """rules/routing#F23"""
    other = fresh_name()
    queues = [
        {"vhost": vhost, "name": "q", "durable": True, "auto_delete": False, "arguments": {}} for vhost in (pair.vhost, other)
    ]
    exchange = {
        "vhost": other,
        "name": "x",
        "type": "topic",
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }
    policy = {
        "vhost": pair.vhost,
        "name": "p",
        "pattern": ".*",
        "apply-to": "all",
        "priority": 0,
        "definition": {"no-such-key": 1},
    }
    file = {"vhosts": [{"name": other}], "queues": queues, "exchanges": [exchange], "bindings": [], "policies": [policy]}
    try:
        for api in (pair.real, pair.served):
            assert api("POST", "definitions", file).status == 400
            assert [api("GET", f"queues/{vhost}").body for vhost in (pair.vhost, other)] == [[], []]
            assert "x" in [item["name"] for item in api("GET", f"exchanges/{other}").body]
    finally:
        pair.real("DELETE", f"vhosts/{other}")


def test_looks_are_answered_alike(pair: Pair) -> None:
    connections = [_client(port, pair.vhost) for port in pair.ports]
    try:
        _counted(pair, connections[0])
        found = _differences(pair, LOOKS, "nowhere")
        named = [_connection(api, pair.vhost) for api in (pair.real, pair.served)]
        for path in ("connections/{}", "connections/{}/channels", "channels/{}%20(1)"):
            pieces = [api("GET", path.format(name)) for api, name in zip((pair.real, pair.served), named, strict=True)]
            found += _unlike(pair, path, pieces[0], pieces[1])
        for api, name, connection in zip((pair.real, pair.served), named, connections, strict=True):
            assert api("DELETE", f"connections/{name}", x_reason="enough").status == 204
            with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as closed:
                connection.sleep(5)
            assert (closed.value.reply_code, closed.value.reply_text) == (320, "CONNECTION_FORCED - enough")
    finally:
        for connection in connections:
            if connection.is_open:
                connection.close()
    assert not found, "\n".join(found)


def _client(port: int, vhost: str) -> pika.BlockingConnection:
    """The same things, and somebody who consumes them."""
    parameters = pika.URLParameters(f"amqp://guest:guest@127.0.0.1:{port}/{vhost}")
    parameters.client_properties = {"connection_name": "looked at"}
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.exchange_declare("x", "topic", durable=True, arguments={"alternate-exchange": "amq.fanout"})
    channel.queue_declare("q", durable=True, arguments={"x-max-length": 10})
    channel.queue_declare("qq", durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_declare("s", durable=True, arguments={"x-queue-type": "stream"})
    channel.queue_declare("own", exclusive=True)
    channel.queue_bind("q", "x", "a.#")
    channel.queue_bind("qq", "x", "b", {"k": 1, "t": "x"})
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=2)
    channel.basic_consume("q", lambda *_: None, consumer_tag="ctag", arguments={"x-priority": 5})
    for _ in range(3):
        channel.basic_publish("x", "a.b", b"hello")
    second = connection.channel()
    second.tx_select()
    second.basic_publish("", "q", b"in a transaction")
    method, _, _ = connection.channel().basic_get("q", auto_ack=True)
    assert method is not None
    connection.process_data_events(0.1)
    return connection


def _counted(pair: Pair, connection: pika.BlockingConnection) -> None:
    """Wait until the real broker has counted what was done."""
    end = time.monotonic() + STATISTICS_S
    while time.monotonic() < end:
        connection.process_data_events(0.5)
        queue = pair.real("GET", f"queues/{pair.vhost}/q").body
        others = [pair.real("GET", f"queues/{pair.vhost}/{name}").body for name in ("qq", "s", "own")]
        channels = pair.real("GET", f"vhosts/{pair.vhost}/channels").body
        counted = queue.get("message_stats", {}).get("get_no_ack") == 1 and queue.get("messages_unacknowledged") == 2
        counted = counted and "message_bytes" in others[0]  # which come after the others
        if counted and all("messages" in each for each in others) and all("confirm" in each for each in channels):
            connections = pair.real("GET", f"vhosts/{pair.vhost}/connections").body
            if connections[0].get("channels") == 3 and len(channels) == 3:
                return
    pytest.fail("the broker does not count")


def _connection(api: AskedApi, vhost: str) -> str:
    (found,) = api("GET", f"vhosts/{vhost}/connections").body
    return str(found["name"]).replace(" ", "%20").replace(">", "%3E").replace(":", "%3A")


def _differences(pair: Pair, requests: tuple[Asked, ...], other: str) -> list[str]:
    found = []
    for asked in requests:
        if asked.only and pair.version not in asked.only:
            continue
        path = asked.path.replace("{v}", pair.vhost).replace("{w}", other)
        answers = [api(asked.method, path, asked.body) for api in (pair.real, pair.served)]
        said = (
            f"{asked.method} {asked.path} {json.dumps(asked.body)[:100] if not isinstance(asked.body, bytes) else asked.body!r}"
        )
        found += _unlike(pair, said, *answers)
    return found


def _unlike(pair: Pair, said: str, real: Any, served: Any) -> list[str]:
    where = f"RabbitMQ {pair.version}: {said}"
    if real.status == 500:  # a fault of RabbitMQ's, where it is one of the client
        return [] if served.status in (400, 404) else [f"{where}: {real.status}, not {served.status} {served.body}"]
    if real.status != served.status:
        return [f"{where}: {real.status} {json.dumps(real.body)[:300]}, not {served.status} {json.dumps(served.body)[:300]}"]
    found = [
        f"{where}: header {name}: {real.headers[name]}, not {served.headers.get(name)}"
        for name in ("location", *(("allow",) if real.status == 405 else ()))
        if name in real.headers and real.headers[name] != served.headers.get(name)
    ]
    bodies = [_plain(answer.body, pair, said) for answer in (real, served)]
    return found + [f"{where}: {each}" for each in _compared("", *bodies)]


def _plain(body: Any, pair: Pair, said: str) -> Any:
    """With the same names for what has one of its own on each side. What is counted of a whole broker is not one's own."""
    if said.startswith("GET overview") and isinstance(body, dict):
        body.pop("message_stats", None)
    text = json.dumps(body)
    text = re.sub(r"\\n +", "", text)  # Erlang breaks long terms into lines
    text = re.sub(r"127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+", "CLIENT", text)
    return json.loads(re.sub(r"(rabbit\d*|routesim)@(localhost|vm)", "NODE", text))


def _compared(path: str, real: Any, served: Any) -> Iterator[str]:
    key = path.rsplit(".", 1)[-1].rstrip("[]0123456789")
    if _kind(real) != _kind(served):
        yield f"{path}: {json.dumps(real)[:200]}, not {json.dumps(served)[:200]}"
    elif key in VOLATILE:
        return
    elif isinstance(real, dict):
        for name in served.keys() - real.keys():
            yield f"{path}.{name} is not there, but {json.dumps(served[name])[:100]}"
        for name in real:
            if name in served:
                yield from _compared(f"{path}.{name}", real[name], served[name])
            elif not _may_lack(name):
                yield f"{path}.{name} is lacking: {json.dumps(real[name])[:100]}"
    elif isinstance(real, list):
        if len(real) != len(served):
            yield f"{path}: {json.dumps(real)[:500]}, not {json.dumps(served)[:500]}"
            return
        if key in UNORDERED:
            real, served = (sorted(items, key=_order) for items in (real, served))
        for index, (one, other) in enumerate(zip(real, served, strict=True)):
            yield from _compared(f"{path}[{index}]", one, other)
    elif real != served:
        yield f"{path}: {json.dumps(real)[:300]}, not {json.dumps(served)[:300]}"


UNORDERED = {"queues", "exchanges", "bindings", "policies", "parameters", "consumer_details", ""}


def _order(item: Any) -> str:
    return json.dumps(item.get("name", item) if isinstance(item, dict) else item, sort_keys=True)


def _kind(value: Any) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def _may_lack(name: str) -> bool:
    details = name.endswith("_details") and name not in (
        "consumer_details",
        "channel_details",
        "connection_details",
        "owner_pid_details",
    )
    return details or name in LEFT_OUT or name in NODE_LIMITS or OF_A_NODE.match(name) is not None

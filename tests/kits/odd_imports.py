"""More small definitions files, odder than those that people are known to have: users, hashes, wrong types, names twice."""

from kits.import_items import Item, V, b, op, p, q, without, x

USER = f"{V}-user"
HASH = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"  # of nobody's password


def u(**more: object) -> Item:
    return {"name": USER, "tags": ""} | more


def permission(**more: object) -> Item:
    return {"user": USER, "vhost": V, "configure": ".*", "write": ".*", "read": ".*"} | more


def parameter(**more: object) -> Item:
    return {"vhost": V, "component": "vhost-limits", "name": "limits", "value": {"max-queues": 9}} | more


ODD: dict[str, Item] = {
    "user with a hash": {"queues": [q()], "users": [u(password_hash=HASH)], "permissions": [permission()]},
    "user without password and hash": {"queues": [q()], "users": [u()]},
    "user with an empty password": {"queues": [q()], "users": [u(password="")]},
    "user with an empty hash": {"queues": [q()], "users": [u(password_hash="")]},
    "user with password and hash": {"queues": [q()], "users": [u(password_hash=HASH, password="a")]},
    "hash that is no base64": {"queues": [q()], "users": [u(password_hash="not base64 at all")]},
    "hash that is too short": {"queues": [q()], "users": [u(password_hash="AAAA")]},
    "hash of another algorithm": {
        "queues": [q()], "users": [u(password_hash=HASH, hashing_algorithm="rabbit_password_hashing_sha512")],
    },
    "hash of an unknown algorithm": {
        "queues": [q()], "users": [u(password_hash=HASH, hashing_algorithm="rabbit_password_hashing_none")],
    },
    "hash that is a number": {"queues": [q()], "users": [u(password_hash=5)]},
    "user without tags": {"queues": [q()], "users": [without(u(password_hash=HASH), "tags")]},
    "user with a list of tags": {"queues": [q()], "users": [u(password_hash=HASH, tags=["monitoring"])]},
    "user with tags that are a number": {"queues": [q()], "users": [u(password_hash=HASH, tags=5)]},
    "users null": {"queues": [q()], "users": None},
    "a user no object": {"queues": [q()], "users": ["app"]},
    "permission without configure": {
        "queues": [q()], "users": [u(password_hash=HASH)], "permissions": [without(permission(), "configure")],
    },
    "permission without vhost": {
        "queues": [q()], "users": [u(password_hash=HASH)], "permissions": [without(permission(), "vhost")],
    },
    "topic permission of nobody": {
        "queues": [q()],
        "topic_permissions": [{"user": "nobody-here", "vhost": V, "exchange": "amq.topic", "write": ".*", "read": ".*"}],
    },
    "topic permission with a bad regex": {
        "queues": [q()], "users": [u(password_hash=HASH)],
        "topic_permissions": [{"user": USER, "vhost": V, "exchange": "amq.topic", "write": "*", "read": ".*"}],
    },
    "limits of a vhost": {"queues": [q()], "parameters": [parameter()]},
    "limit that is text": {"queues": [q()], "parameters": [parameter(value={"max-queues": "many"})]},
    "limit of an unknown name": {"queues": [q()], "parameters": [parameter(value={"max-exchanges": 5})]},
    "parameter without component": {"queues": [q()], "parameters": [without(parameter(), "component")]},
    "parameter without value": {"queues": [q()], "parameters": [without(parameter(), "value")]},
    "parameter whose value is text": {"queues": [q()], "parameters": [parameter(value="9")]},
    "parameter without vhost": {"queues": [q()], "parameters": [without(parameter(), "vhost")]},
    "operator policy with an unknown key": {"queues": [q()], "parameters": [op({"max-size": 5})]},
    "operator policy that is empty": {"queues": [q()], "parameters": [op({})]},
    "operator policy without definition": {
        "queues": [q()], "parameters": [{**op({}), "value": without(op({})["value"], "definition")}],
    },
    "policy of an unlisted vhost": {"queues": [q()], "policies": [p({"max-length": 5}, vhost=f"{V}-gone")]},
    "policy whose definition is text": {"queues": [q()], "policies": [p("max-length: 5")]},
    "policy whose pattern is a number": {"queues": [q()], "policies": [p({"max-length": 5}, pattern=5)]},
    "two policies of one name": {"queues": [q()], "policies": [p({"max-length": 5}), p({"max-length": 6})]},
    "policy for streams": {"queues": [q()], "policies": [p({"max-age": "7D"}, **{"apply-to": "streams"})]},
    "policy dlx no text": {"queues": [q()], "policies": [p({"dead-letter-exchange": 5})]},
    "policy ttl as text": {"queues": [q()], "policies": [p({"message-ttl": "60000"})]},
    "policy overflow unknown": {"queues": [q()], "policies": [p({"overflow": "drop-tail"})]},
    "policy of two faults": {"queues": [q()], "policies": [p({"message-ttl": -1, "max-size": 5})]},
    "binding key that is a number": {"queues": [q()], "exchanges": [x()], "bindings": [b(routing_key=5)]},
    "binding twice": {"queues": [q()], "exchanges": [x()], "bindings": [b(), b()]},
    "binding to a missing exchange": {"exchanges": [x()], "bindings": [b(destination="gone", destination_type="exchange")]},
    "binding of an unlisted vhost": {"queues": [q()], "exchanges": [x()], "bindings": [b(vhost=f"{V}-gone")]},
    "binding with arguments that are text": {"queues": [q()], "exchanges": [x()], "bindings": [b(arguments="a")]},
    "binding by x-match a number": {
        "queues": [q()], "exchanges": [x(type="headers")], "bindings": [b(arguments={"x-match": 5, "a": 1})],
    },
    "binding by a list": {
        "queues": [q()], "exchanges": [x(type="headers")], "bindings": [b(arguments={"x-match": "all", "a": [1, "b"]})],
    },
    "exchange type that is a number": {"exchanges": [x(type=5)]},
    "exchange internal as text": {"exchanges": [x(internal="true")]},
    "exchange durable as text": {"exchanges": [x(durable="true")]},
    "exchange of an alternate one that is missing": {"exchanges": [x(arguments={"alternate-exchange": "gone"})]},
    "exchange with arguments that are text": {"exchanges": [x(arguments="a")]},
    "delayed exchange without its type": {"exchanges": [x(type="x-delayed-message")]},
    "queue with auto_delete as text": {"queues": [q(auto_delete="false")]},
    "queue that is exclusive": {"queues": [q(exclusive=True)]},
    "queue with arguments that are text": {"queues": [q(arguments="x-max-length")]},
    "queue type in capitals": {"queues": [q(arguments={"x-queue-type": "Quorum"})]},
    "queue type no text": {"queues": [q(arguments={"x-queue-type": 5})]},
    "classic with a delivery limit": {"queues": [q(arguments={"x-queue-type": "classic", "x-delivery-limit": 5})]},
    "length that is a fraction": {"queues": [q(arguments={"x-max-length": 5.5})]},
    "length that is true": {"queues": [q(arguments={"x-max-length": True})]},
    "ttl that is 1.0": {"queues": [q(arguments={"x-message-ttl": 1.0})]},
    "expires beyond 32 bits": {"queues": [q(arguments={"x-expires": 2**40})]},
    "single active consumer as text": {"queues": [q(arguments={"x-single-active-consumer": "true"})]},
    "256 priorities": {"queues": [q(arguments={"x-max-priority": 256})]},
    "no priorities": {"queues": [q(arguments={"x-max-priority": 0})]},
    "queue version 3": {"queues": [q(arguments={"x-queue-version": 3})]},
    "queue mode unknown": {"queues": [q(arguments={"x-queue-mode": "eager"})]},
    "leader locator unknown": {"queues": [q(arguments={"x-queue-type": "quorum", "x-queue-leader-locator": "there"})]},
    "strategy unknown": {"queues": [q(arguments={"x-queue-type": "quorum", "x-dead-letter-strategy": "once"})]},
    "delivery limit as text": {"queues": [q(arguments={"x-queue-type": "quorum", "x-delivery-limit": "5"})]},
    "age of a stream that is bad": {"queues": [q(arguments={"x-queue-type": "stream", "x-max-age": "soon"})]},
    "stream that is auto-delete": {"queues": [q(auto_delete=True, arguments={"x-queue-type": "stream"})]},
    "queue twice, of two types": {"queues": [q(), q(arguments={"x-queue-type": "quorum"})]},
    "version that is a number": {"queues": [q()], "rabbitmq_version": 3},
    "global parameter that is text": {"queues": [q()], "global_parameters": [{"name": f"{V}-parameter", "value": "text"}]},
    "two faults": {"queues": [q(arguments={"x-max-length": -1})], "policies": [p({"max-size": 5})]},
}  # fmt: skip

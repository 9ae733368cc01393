"""A topology of 45 queues in three families, as larger companies have them, and queues that are all alike."""

SERVICES = (
    "orders", "billing", "shipping", "mail", "search", "stock", "audit", "fraud", "loyalty", "returns", "invoices", "prices", "customers",
    "reports", "carts",
)  # fmt: skip


def of_45_queues() -> str:
    """Each service has a quorum queue with a consumer, one of retries and one of what is dead; five retry something."""
    queues, bindings, consumers, steps = [], [], [], []
    for name in SERVICES:
        queues += [
            f"  {name}.process: {{arguments: {{x-queue-type: quorum, x-dead-letter-exchange: dlx, x-dead-letter-routing-key: {name}}}}}",
            f"  {name}.retry.30s: {{arguments: {{x-message-ttl: 30000, x-dead-letter-exchange: '', x-dead-letter-routing-key: {name}.process}}}}",
            f"  {name}.dead:",
        ]
        bindings += [
            f"  - {{source: events, destination: {name}.process, routing_key: '{name}.*.created'}}",
            f"  - {{source: dlx, destination: {name}.dead, routing_key: {name}}}",
            f"  - {{source: retry, destination: {name}.retry.30s, routing_key: {name}}}",
        ]
        consumers.append(f"  {name}-worker: {{queue: {name}.process, prefetch: 1, takes: 1s}}")
        steps.append(f"  - publish: {{exchange: events, routing_key: {name}.eu.created}}")
    steps += [f"  - publish: {{exchange: retry, routing_key: {name}}}" for name in SERVICES[:5]]
    return "\n".join([
        "name: Forty-five queues", "exchanges: {events: topic, dlx: topic, retry: direct}", "queues:", *queues, "bindings:", *bindings,
        "consumers:", *consumers, "steps:", *steps, "",
    ])  # fmt: skip


def of_alike_queues(count: int = 12) -> str:
    names = [f"copies.of.orders.{number}" for number in range(count)]
    return "\n".join([
        "name: Alike", "exchanges: {events: fanout}", "queues:", *(f"  {name}:" for name in names), "bindings:",
        *(f"  - {{source: events, destination: {name}}}" for name in names), "steps:", "  - publish: {exchange: events}", "",
    ])  # fmt: skip


LOST_TASK = """
celery:
  apps: {shop: {task_routes: {orders.tasks.send_receipt: mail}}}
  workers: {w1: {queues: [celery, mail], concurrency: 1}}
  tasks: {orders.tasks.charge: {takes: 10s}, orders.tasks.send_receipt: {takes: 5s}}
steps:
  - call: {task: orders.tasks.charge, id: c1}
  - call: {task: orders.tasks.send_receipt, id: s1}
  - wait: 5s
  - worker: {name: w1, do: kill}
"""

"""What helps where RabbitMQ refuses the queues that Celery declares for itself: from 4.3 on it denies transient queues that are
not exclusive, which those of commands and events are up to Celery 5.6 (rules/celery#1.2)."""

from collections.abc import Iterable

from routesim.celery import inboxes
from routesim.celery.versions import DIFFERENCES, EXCLUSIVE, SETTINGS_SINCE, CeleryRules
from routesim.model import Queue
from routesim.scenario.celery.app_workers import App, AppWorker

PERMITTED = "`broker: {permit: [transient_nonexcl_queues]}` where the broker permits them"
MEANT = "`workers: {%s: {fails: 541}}` where this is meant"


def inbox_cures(workers: Iterable[AppWorker], flower: App | None) -> dict[str, str]:
    """By the names of the queues."""
    found: dict[str, str] = {}
    for worker in workers:
        settings = worker.app.settings
        inbox, _ = inboxes.inbox(settings, worker.name)
        gossip, _ = inboxes.events(settings, worker.name, "")
        replies, _ = inboxes.replies(settings, worker.name)
        found |= dict.fromkeys(_denied((inbox, gossip, replies)), f"{_cure(settings.rules)}, {MEANT % worker.name}")
    if flower is not None:
        found |= dict.fromkeys(_denied(inboxes.events(flower.settings, "flower", "#")[:1]), _cure(flower.settings.rules))
    return found


def _denied(queues: Iterable[Queue]) -> list[str]:
    return [queue.name for queue in queues if not queue.durable and not queue.exclusive]


def _cure(rules: CeleryRules) -> str:
    since = DIFFERENCES["exclusive_inboxes"].since
    ways = [] if rules.exclusive_inboxes else [f'Celery {since} (`version: "{since}"`)']
    if all(rules.knows(SETTINGS_SINCE[name]) for name in EXCLUSIVE):
        ways.append(" and ".join(f"`{name}: true`" for name in EXCLUSIVE))
    return f"{', or '.join(ways)}; {PERMITTED}"

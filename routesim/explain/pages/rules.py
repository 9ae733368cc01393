"""A page for every rule of `routesim check`."""

from routesim.named_tuples import NamedTuple


class Page(NamedTuple):
    """What a code means, an example that brings it about, and the cure. `ignore`: of a rule of `check`, where it is right to ignore
    it."""

    means: str
    example: str
    cure: str
    ignore: str = ""


RULE_PAGES: dict[str, Page] = {
    "exchange-drops-all": Page(
        "Nothing is bound to an exchange, or only exchanges that lead to no queue, and no alternate exchange catches anything. "
        "Every message is dropped, and its publisher gets a confirm all the same. All of one file are one finding; a note "
        "where the file declares no queue at all.",
        "exchanges: {orders: topic}\nqueues: {jobs: }",
        "Bind a queue, set alternate-exchange, or publish with mandatory: true to be told.",
        "where consumers declare their queues themselves, and nobody misses what is published before.",
    ),
    "exchange-drops-some": Page(
        "Some keys match no binding of an exchange that has no alternate exchange; such messages are dropped silently. That is "
        "true of nearly every direct and topic exchange, so this rule is off unless `--select exchange-drops-some` asks for it.",
        "bindings: [{source: orders, destination: jobs, routing_key: order.*}]",
        "Set alternate-exchange, or publish with mandatory: true.",
        "where other keys are nobody's business, which is so of most exchanges.",
    ),
    "dead-letter-nowhere": Page(
        "A queue dead-letters to an exchange that does not exist, or that leads to no queue for keys that can arrive in the "
        "queue. What is rejected, expires or is driven out is lost.",
        "queues: {jobs: {arguments: {x-dead-letter-exchange: dlx}}}, with nothing bound to dlx",
        "Bind a parking queue to the dead-letter exchange, for those keys or with x-dead-letter-routing-key.",
        "where what is rejected or expires is not to be kept, and the dead-letter exchange is only there for those who want to look.",
    ),
    "dead-letter-kept": Page(
        "A quorum queue dead-letters at least once, and no queue takes its dead letters: their exchange is missing or leads nowhere, "
        "or the queue behind is full and refuses them. They are kept back in their own queue and tried again every three minutes: "
        "neither ready nor unacked, in its total alone, and they count towards its length limit.",
        "queues: {retry: {type: quorum, arguments: {x-dead-letter-strategy: at-least-once, x-overflow: reject-publish, "
        "x-dead-letter-exchange: gone}}}",
        "Bind a queue that takes them; what was kept back comes to it by itself.",
        "until the queue for them, which somebody else declares, is there: nothing is lost by it.",
    ),
    "limit-loses": Page(
        "A time-to-live or a length limit drops messages, and no dead-letter exchange keeps them. For data that is worthless when "
        "it is old this is right; for work it is a loss. Queues whose names say the former (metrics, logs, cache, status, prices, "
        "live and the like) are left out, and a policy is one finding, whatever it matches.",
        "queues: {jobs: {arguments: {x-message-ttl: 60000}}}",
        "Set x-dead-letter-exchange; or, for lengths, x-overflow: reject-publish.",
        "where only the newest messages are worth anything.",
    ),
    "parking-loses": Page(
        "A queue that only dead letters reach has itself a time-to-live or a length limit and no dead-letter exchange. What was "
        "put aside to be looked at is gone before anybody looks. An error where that is a matter of minutes or of a handful of "
        "messages (less than an hour, less than 100), a note below three days, which a weekend is; longer is as it should be.",
        "queues: {parked: {arguments: {x-message-ttl: 600000}}}",
        "Take the limit out, often a policy whose pattern matches too much, or dead-letter again.",
        "where somebody is told at once of each dead letter, by an alarm or an issue, and what is kept is only for comfort.",
    ),
    "parking-overlap": Page(
        "A dead letter reaches its parking queue, and by the same key also a queue where it is worked on.",
        'x-dead-letter-routing-key: order.failed, while a work queue is bound by "order.#"',
        "Use a key that no work binding matches, or an exchange for dead letters alone.",
        "where the work queue is one that collects everything, for an audit or for search.",
    ),
    "cycle-cut": Page(
        "Expiry or a delivery limit sends a message round to a queue in which it has died before, without a rejection on the way. "
        "RabbitMQ takes that for a cycle and drops the message without a word.",
        "two queues with x-message-ttl that dead-letter to each other",
        "Let the loop include a rejection, or end it in a queue that the message has not been in.",
        "where the message has had its last chance by then, and the drop is what ends the loop.",
    ),
    "retry-endless": Page(
        "A rejected message waits and comes back, and nothing in the topology ever ends that; a message that always fails goes "
        "round for ever.",
        "jobs dead-letters to jobs.wait, which expires back to jobs",
        "Let the consumer count x-death and park the message; `attempt:` rules show that in a scenario.",
        "where consumers count x-death, as a definitions file cannot say, and park the message or give it up.",
    ),
    "retry-uses-limit": Page(
        "From RabbitMQ 4.3 on a dead letter brings its failed deliveries along, and a rejection is one of them. In a retry loop, where "
        "a quorum queue rejects into a queue that sends back after a while, every round uses up a part of the delivery limit, 20 "
        "by default. The limit is looked at only when a message is returned: after so many rounds one crash of its consumer "
        "drops it, as RabbitMQ takes its way back for a cycle.",
        "rabbitmq: \"4.3\", a quorum queue that rejects into a queue with x-message-ttl, which dead-letters back to it",
        "Park a message before that, counting x-death; or x-delivery-limit: -1.",
        "where a message is parked by its consumer well before the delivery limit.",
    ),
    "requeue-endless": Page(
        "A consumer requeues whatever it gets, or dies of it. A queue without a delivery limit delivers the message again, for ever; "
        "from 4.3 on one with a limit too, if it is requeued by basic.nack. It never becomes a dead letter.",
        "consumers: {worker: {queue: jobs, on_message: requeue}}",
        "Reject into a dead-letter exchange, or use a quorum queue with a delivery limit.",
        "in a scenario that is to show just this.",
    ),
    "queue-expires": Page(
        "A queue with x-expires, by argument or policy, is deleted when it has had no consumer, no basic.get and no declaration for "
        "so long. Publishing to it does not count. What is in it then is gone; it is never dead-lettered.",
        "queues: {jobs.delayed: {arguments: {x-expires: 60000}}}",
        "Take it out of queues whose messages matter, or declare the queue anew with every publish.",
        "of queues that belong to a client, such as replies, and are worth nothing when it has gone.",
    ),
    "expiry-late": Page(
        "Only the head of a queue expires. A message with a short time to live that stands behind one with a long time to live, or "
        "without any, stays until that one is gone, and is dead-lettered so much later. In a classic queue with priorities a "
        "message that comes to the front by its priority gets no timer: it stays, or is delivered, although it is due.",
        'expiration: "60000", then expiration: "1000", published to one queue that nobody consumes',
        "Use a queue for each time to live, as most delay and retry topologies do; no time to live beside priorities.",
        "where nobody waits for the moment at which it expires.",
    ),
    "republish-endless": Page(
        "A consumer publishes whatever it gets anew, and what it publishes comes back to its queue. Each round is a new message, so "
        "`attempt` is 1 for ever, and nothing ends it.",
        "consumers: {worker: {queue: jobs, on_message: [{publish: {routing_key: jobs}}]}}",
        "Count the rounds, in a header of your own or with `round` in a scenario, and park the message after some of them.",
        "of a consumer that stands for a source that never ends, such as a poll that sends itself the next one.",
    ),
    "wildcard-on-direct": Page(
        "A binding of a direct exchange has * or # as a word. There they are ordinary words; only a publish with that very key "
        "matches.",
        'a direct exchange with routing_key: "*"',
        "Make the exchange a topic exchange, or bind the keys themselves.",
        "where publishers really send a key that is *, or that has it as a word.",
    ),
    "star-is-one-word": Page(
        "A binding key ends with *, which stands for exactly one word, while longer keys that begin alike are in use.",
        "routing_key: ship.*, and a publish with key ship.shoes.eu",
        "Write # where any number of words is meant.",
        "where the longer keys are meant for others.",
    ),
    "binding-adds-nothing": Page(
        "Other bindings between the same two ends match every key that this one matches. A queue gets one copy in any case.",
        'routing_key: ship.* beside routing_key: "ship.#"',
        "Take it out.",
        "while a narrower binding is about to take the place of the wider one.",
    ),
    "headers-match-all": Page(
        "A headers binding has no criteria left: x-match all and any pass over arguments whose names begin with x-. Without "
        "criteria all matches every message.",
        "arguments: {x-match: all, x-tier: gold}",
        "Use all-with-x, or rename the header.",
        "where everything is meant; then a fanout exchange says so.",
    ),
    "headers-match-nothing": Page(
        "A headers binding with x-match any has no criteria left, so it matches nothing.",
        "arguments: {x-match: any}",
        "Name the headers that it is about.",
        "while nothing is to arrive, as a switch that is off.",
    ),
    "headers-unsatisfied": Page(
        "The scenario publishes to a headers exchange, and none of these messages satisfies the binding. Values must be equal in "
        "type too.",
        'arguments: {size: "42"}, and a publish with headers: {size: 42}',
        "Mend the criteria or the headers; `routesim explain headers` shows why.",
        "where the scenario publishes only a part of what there is.",
    ),
    "same-binding": Page(
        "Several queues whose names differ in a number alone are bound to one exchange by the same key. Each gets a copy of every "
        "message: right for different applications, twice the work for instances of one.",
        "the queues worker-1 and worker-2, both bound by order.*",
        "Let consumers that share the work share one queue.",
        "where each instance must see every message, as a cache that is to be emptied.",
    ),
    "queue-unreachable": Page(
        "Nothing is bound to a queue, or what is bound lets no key through. A publish to the default exchange with its name still "
        "reaches it. A warning where the name says that dead letters or retries are meant to arrive, such as jobs.dlq.",
        "a queue without a binding, in a file that uses exchanges",
        "Bind it, or remove it.",
        "where its publishers name the queue itself, as Celery does.",
    ),
    "policy-hidden": Page(
        "Of all policies that match a queue or exchange only the one with the highest priority applies; they are not merged. This "
        "one never applies, or not to everything that it matches.",
        "two policies with pattern .* and priorities 0 and 1",
        "Put all keys into one policy. `routesim explain queue` shows which settings are in force.",
        "where the policy of higher priority is an exception on purpose, and has all keys that are needed.",
    ),
    "policy-tie": Page(
        "Two policies with the same priority match the same thing. Which of them applies is undefined.",
        "two policies with pattern .* and priority 0",
        "Give them different priorities.",
        "where both say the same.",
    ),
    "policy-unused": Page(
        "A policy with alternate-exchange matches the default exchange, whose name is empty. RabbitMQ never looks for an alternate "
        "exchange there: a publish with a key that no queue has for a name is dropped, or returned if it is mandatory.",
        "policies: [{name: catch-all, pattern: .*, apply-to: exchanges, definition: {alternate-exchange: unrouted}}]",
        "Publish to an exchange of your own, or with mandatory. For other exchanges the policy is right: ignore the note.",
        "where the policy is for other exchanges as well: there it is right.",
    ),
    "argument-meaningless": Page(
        "An argument that nothing reads there: misspelt, of another type of exchange, or without the one that it depends on. "
        "RabbitMQ stores it without a word.",
        "queues: {jobs: {arguments: {x-overflow: reject-publish}}}, without a length limit",
        "Mend it, or take it out.",
        "where a program reads the argument itself, from the management API.",
    ),
    "plugin-needed": Page(
        "An exchange of a type that a plugin brings; of a definitions file also shovels, federation and sharding. Where the plugin is not "
        "enabled the broker refuses the declaration, or the whole import.",
        "exchanges: {later: {type: x-delayed-message, arguments: {x-delayed-type: direct}}}",
        "Enable the plugin on every node.",
        "where the plugin is enabled on every node, as by enabled_plugins beside the file.",
    ),
    "delayed-unroutable": Page(
        "While a message waits in a delayed exchange it has reached no queue yet: a mandatory publish is returned although it is "
        "delivered later, and an alternate exchange gets the message at once.",
        "publish: {exchange: later, mandatory: true, headers: {x-delay: 5000}}",
        "Do without mandatory and without an alternate exchange there.",
        "where publishers know that such a return means nothing.",
    ),
    "version-refuses": Page(
        "The version of RabbitMQ that was asked for with --rabbitmq refuses this declaration, or carries it out differently.",
        "ha-mode in a policy, checked with --rabbitmq 4.1",
        "Take it out before the upgrade; `routesim upgrade` shows what else changes.",
        "where the broker permits the feature by its configuration: say so with `broker: {permit: [...]}` instead.",
    ),
    "version-will-refuse": Page(
        "The version of RabbitMQ that the file is for accepts this declaration, a later one refuses it.",
        "a queue that is neither durable nor exclusive, from 4.3 on",
        "Change it before the upgrade.",
        "where no upgrade is planned.",
    ),
    "queue-without-consumer": Page(
        "The scenario declares consumers, none of them for this queue, where messages arrive that are neither parked nor waiting.",
        "two work queues, one consumer",
        "Add a consumer, or let the messages expire into another queue.",
        "of a queue that is consumed by somebody who is not in the scenario.",
    ),
    "consumer-unreached": Page(
        "A scenario has a consumer of a queue to which nothing is bound, and to which nobody publishes by its name: it waits for ever. Told "
        "where the scenario says who publishes.",
        "consumers: {mailer: {queue: mial}}, with a queue mial beside the queue mail that is bound",
        "Bind the queue, publish to it, or mend its name.",
        "where others publish to the queue, who are not in the scenario.",
    ),
    "prefetch-unlimited": Page(
        "Several consumers share a queue, and one of them has no prefetch limit: it is sent everything that waits, however slow it "
        "is.",
        "two consumers of one queue, without prefetch",
        "Set prefetch.",
        "where messages are few, and all consumers equally fast.",
    ),
    "auto-ack-shared": Page(
        "A consumer takes from a shared queue with auto_ack. No prefetch limit holds it back, and what it has not worked on is "
        "lost when it crashes.",
        "consumers: {mailer: {queue: mail, auto_ack: true}}, beside another one",
        "Acknowledge by hand, with a prefetch limit.",
        "where a lost message does no harm, such as a reading that is followed by the next.",
    ),
    "task-outlives-timeout": Page(
        "A task is acknowledged when it has ended, and it takes longer than RabbitMQ waits for an acknowledgement, 30 minutes by "
        "default. The broker closes the channel and takes the message back; the task runs again, and never comes to its end.",
        "tasks: {report: {takes: 40m, acks: late}}, with rabbitmq: \"3.10\"",
        "Split the task, acknowledge early, or raise consumer_timeout above the time that it takes.",
        "where the broker's consumer_timeout is longer: say so with `broker: {consumer_timeout: ...}` instead.",
    ),
    "countdown-outlives-timeout": Page(
        "A task is called with a countdown or an eta. Its worker takes the message at once and holds it, unacknowledged, until it is due, "
        "however the task acknowledges. RabbitMQ waits 30 minutes by default, then closes the channel and delivers the message again: to "
        "this worker, or to another one.",
        'rabbitmq: "3.10", and - call: {task: report, countdown: 1h}',
        "Raise consumer_timeout above the longest countdown, or keep what is not due elsewhere.",
        "where the broker's consumer_timeout is longer: say so with `broker: {consumer_timeout: ...}` instead.",
    ),
    "late-acks-needed": Page(
        "A task says what becomes of its message after a failure, a time limit or the death of its child, but the message is "
        "acknowledged before the task begins: nothing is left to be rejected or put back.",
        "tasks: {report: {on_worker_lost: requeue}}; in Celery reject_on_worker_lost without acks_late",
        "Set acks: late, acks_late in Celery; or take it out.",
        "where the same options serve tasks of both kinds.",
    ),
    "alternate-missing": Page(
        "An exchange has an alternate exchange that does not exist. What none of its bindings matches was to be caught there, and is dropped; "
        "the publisher gets a confirm all the same.",
        "exchanges: {orders: {type: topic, arguments: {alternate-exchange: unrouted}}}, with a binding, and no exchange unrouted",
        "Declare the alternate exchange, and bind a queue to it; often its name is misspelt.",
        "where somebody else declares the alternate exchange, before anything is published.",
    ),
    "delivery-limit-drops": Page(
        "A quorum queue has a delivery limit, from 4.0 on 20 where none is set, and no dead-letter exchange. A message that has been returned "
        "more often, by requeueing or because its consumers died, is dropped. Queues that only dead letters reach are left out.",
        'rabbitmq: "4.0"\nqueues: {jobs: {type: quorum}}',
        "Set x-dead-letter-exchange, and bind a queue to it.",
        "where a message that fails so often is worth nothing.",
    ),
    "no-delivery-limit": Page(
        "A quorum queue has no delivery limit, as before 4.0 where none is set. A message that its consumer dies of, or that is always "
        "requeued, comes back for ever, and keeps a consumer busy. Queues that only dead letters reach are left out.",
        'rabbitmq: "3.13"\nqueues: {jobs: {type: quorum}}',
        "Set x-delivery-limit, with a dead-letter exchange that keeps what exceeds it.",
        "where consumers count for themselves, and reject what they cannot do.",
    ),
    "stream-keeps-all": Page(
        "A stream has neither max-age nor max-length-bytes, by argument or policy. It keeps every message, read or not, until the disk is "
        "full; then the whole broker blocks its publishers.",
        "queues: {log: {type: stream}}",
        "Set x-max-age or x-max-length-bytes, or a policy.",
        "where the whole history is what the stream is for, and the disk is watched.",
    ),
    "unbounded": Page(
        "A queue has no limit of length or time: while nobody consumes it grows. That is true of most queues, so this rule is off unless "
        "`--select unbounded` asks for it.",
        "queues: {jobs: }",
        "Set x-max-length with x-overflow: reject-publish, which tells publishers that confirm, or a policy for all queues.",
        "where consumers keep up, and memory and disk are watched, which is so of most queues.",
    ),
    "retry-copies": Page(
        "A queue retries by letting rejected messages wait in another queue, which sends them back through an exchange. Other queues are bound "
        "there by the same key, and get the message again at every retry.",
        "billing.again expires into the exchange events, to which billing and mail are both bound by order.created",
        "Let the waiting queue dead-letter to the default exchange, with the name of the queue as x-dead-letter-routing-key.",
        "where the others know a message that they have had.",
    ),
    "policy-matches-nothing": Page(
        "A policy applies to nothing that the file declares: its pattern matches no name, apply-to says another kind, or its keys keep it "
        "from that type of queue. A warning where a name is near the pattern, or would match but for apply-to; else a note.",
        "queues: {orders: }\npolicies: [{name: cap, pattern: ^order$, definition: {max-length: 5}}]",
        "Mend the pattern or apply-to; `routesim explain queue` shows which policy is in force.",
        "where clients declare what it is for.",
    ),
    "policy-without-effect": Page(
        "Keys of a policy do nothing to any of what the policy matches: they are of exchanges and only queues are matched, or of another type of "
        "queue. Or a queue says otherwise by an argument, which counts: a note.",
        "queues: {jobs: }\npolicies: [{name: p, pattern: .*, apply-to: queues, definition: {alternate-exchange: rest, max-length: 5}}]",
        "Take the keys out, or let the policy match what it is meant for.",
        "where the policy is one for many clusters, and what its keys are for is declared elsewhere.",
    ),
    "setting-ignored": Page(
        "A setting that the version of RabbitMQ takes, and does nothing with: lazy mode from 3.12 on, x-queue-master-locator from 4.0 on, "
        "x-ha-policy in every version.",
        'rabbitmq: "3.13"\nqueues: {jobs: {arguments: {x-queue-mode: lazy}}}',
        "Take it out. Of a queue that is there already: only with its next declaration from scratch.",
        "until the queue is declared anew anyway.",
    ),
    "priorities-expire-late": Page(
        "A classic queue has priorities and a time-to-live. Only what stands at the head expires: what is due waits behind messages of "
        "higher priority, and what comes to the front by its priority gets no timer.",
        "queues: {jobs: {arguments: {x-max-priority: 5, x-message-ttl: 60000}}}",
        "Use a queue for each priority, or do without one of the two.",
        "where nothing hangs on the moment at which messages expire.",
    ),
    "names-alike": Page(
        "The names of two queues, or two exchanges, differ in small and capital letters only, or in a blank at an end. To RabbitMQ they are two; "
        "a publisher and a consumer that disagree never meet.",
        "queues: {orders: , Orders: }",
        "Give them names that nobody takes for each other.",
        "where one of the two is going to be deleted, once it is empty.",
    ),
    "prefetch-ignored": Page(
        "A consumer has auto_ack and a prefetch limit. What is acknowledged as it is sent is never unacknowledged, so the limit holds nothing "
        "back.",
        "consumers: {mailer: {queue: mail, auto_ack: true, prefetch: 10}}",
        "Acknowledge by hand, or take the limit out.",
        "where the same options serve consumers that acknowledge.",
    ),
    "confirms-needed": Page(
        "A scenario publishes without confirms to a queue that rejects what is beyond its limit. The refusal is told by a confirm alone.",
        "channels: {app: {confirms: false}}, and a publish to a queue with x-overflow: reject-publish",
        "Publish with confirms.",
        "where what the queue refuses may be lost.",
    ),
}  # fmt: skip

"""A page for every code of a diagnostic: one table, with the pages of `check`'s rules in it."""

from routesim.explain.pages.rules import RULE_PAGES, Page

PAGES: dict[str, Page] = {
    "ambiguous-value": Page(
        "A header or argument is written in a form that YAML readers take for different things: a date, a time of day, an "
        "octal number, yes or no.",
        "headers: {since: 2024-01-31}",
        'Quote what is text ("2024-01-31"); write true or false; write {timestamp: 1706659200} for a timestamp.',
    ),
    "auto-ack-answer": Page(
        "With auto_ack the broker forgets a message as it sends it, so a consumer can neither reject nor requeue it.",
        "consumers: {mailer: {queue: mail, auto_ack: true, on_message: requeue}}",
        "Take out auto_ack, or let the rule answer ack, hold or crash.",
    ),
    "celery-beside-list": Page(
        "Beside a celery section the plain sections must be mappings: the queues of Celery are put into them.",
        "celery: {apps: {shop: }}\nqueues: [{name: jobs}]",
        "Put the list into a file and name that under `definitions:`.",
    ),
    "celery-raises": Page(
        "Celery itself would raise an exception here, so that nothing is sent or the worker does not start.",
        "apps: {shop: {task_create_missing_queues: false}}\nsteps: [{call: {task: add, queue: typo}}]",
        "The text says what Celery answers; name a queue that exists, or change the setting.",
    ),
    "changed-by-export": Page(
        "A definitions file has JSON's types alone. A value of this binding comes back as another type, so a headers exchange "
        "would match other headers than before.",
        "bindings: [{source: documents, destination: old, arguments: {since: {timestamp: 1700000000}}}]",
        "Let a client bind it, or compare with text or a whole number.",
    ),
    "definitions-binding": Page(
        "A binding in a definitions file lacks its source or destination, or names one that is not declared. RabbitMQ up to "
        "3.13.5 passes over it silently: a warning. Later ones refuse the whole import: an error.",
        '"bindings": [{"destination": "jobs", "destination_type": "queue"}]',
        "Complete the binding, or declare what it names.",
    ),
    "definitions-access": Page(
        "A definitions file gives a permission to a user whom it does not have, names a virtual host that its section `vhosts` does not "
        "list, or has a permission that is no regular expression. RabbitMQ refuses the whole import, unless it has that user or "
        "virtual host already.",
        '"vhosts": [{"name": "/"}], "queues": [{"name": "jobs", "vhost": "shop"}]',
        "Add the user or the virtual host to the file.",
    ),
    "definitions-refused": Page(
        "Users, permissions or parameters of a definitions file keep every version of RabbitMQ from importing it, whatever the topology "
        "is: a password_hash that is no Base64 or stands beside a password, a user without tags, a permission without configure, write "
        "or read, a limit of a virtual host that is no number. `check` calls it an error; the topology can be run all the same.",
        '"users": [{"name": "app", "password_hash": "secret", "tags": ""}]',
        "Mend it; what `rabbitmqctl export_definitions` writes has all of them.",
    ),
    "definitions-incomplete": Page(
        "An item of a definitions file lacks a field that RabbitMQ's import needs, in the version that the file is read for.",
        '"exchanges": [{"name": "orders", "vhost": "/"}]',
        "Add the field; an exported file always has it.",
    ),
    "definitions-limits": Page(
        "The limit max-queues of a virtual host is below the number of its queues. An import of RabbitMQ 4 answers that all is well, and "
        "leaves out what is beyond the limit.",
        '"parameters": [{"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 2}}]',
        "Raise the limit, or take it out.",
    ),
    "definitions-pairs": Page(
        "The definition of a policy is written as pairs, as rabbitmqctl of 3.x to 4.1.5 exports operator policies. No version of RabbitMQ "
        "imports that; here it is read all the same, and `check` calls it an error.",
        '"definition": [["max-length", 500]]',
        'Write an object, {"max-length": 500}; `routesim import` and `routesim export` do.',
    ),
    "no-users": Page(
        "A definitions file declares a topology, has a section users or permissions, and no user in it. A node that loads it as it boots (load_definitions) makes no user of its own, "
        "not even guest: nobody can connect. Told by `check` alone.",
        '{"users": [], "vhosts": [{"name": "/"}], "queues": [{"name": "jobs", "vhost": "/"}]}',
        "Add a user with its permissions.",
        "where the file is imported into a broker that has its users.",
    ),
    "upstream-missing": Page(
        "A policy federates with an upstream, or a set of them, that the definitions file does not declare. RabbitMQ takes the policy, and "
        "nothing comes. Told by `check` alone.",
        '"policies": [{"name": "fed", "pattern": "^shop", "definition": {"federation-upstream": "europe"}}]',
        "Add the upstream to the parameters, or mend its name.",
    ),
    "password-hash-useless": Page(
        "RabbitMQ imports the password_hash of a user as it is. This one is no salt of 4 bytes and hash of its hashing_algorithm, so no "
        "password fits it: often it was made by another tool, or is the password itself in Base64.",
        '"users": [{"name": "app", "password_hash": "c2VjcmV0", "tags": ""}]',
        "`rabbitmqctl hash_password` makes one.",
    ),
    "password-in-clear": Page(
        "A definitions file has a user's password itself, which whoever reads the file may use. Told by `check` alone, which never shows it.",
        '"users": [{"name": "app", "password": "...", "tags": []}]',
        "Write password_hash, as an export of the broker does; `rabbitmqctl hash_password` makes it.",
        "where the broker lives for a test alone.",
    ),
    "declared-twice": Page(
        "A definitions file declares a name twice, with different properties. Which of them wins is a race in RabbitMQ; here the first does.",
        '"queues": [{"name": "jobs", "arguments": {}}, {"name": "jobs", "arguments": {"x-max-length": 10}}]',
        "Take one of them out.",
    ),
    "definitions-no-vhost": Page(
        "The file names vhosts, but this item does not say to which one it belongs. RabbitMQ refuses such a file.",
        '"queues": [{"name": "jobs", "durable": true}]',
        'Add "vhost": "/".',
    ),
    "definitions-null": Page(
        "An argument is null, or a whole section, on which RabbitMQ's import fails.",
        '"arguments": {"x-message-ttl": null}',
        "Take it out.",
    ),
    "definitions-type": Page(
        "In a definitions file a queue's `type` is only informational; what counts is its argument x-queue-type. Likewise the default "
        "queue type of a virtual host counts in its metadata alone.",
        '{"name": "jobs", "type": "quorum", "arguments": {}}',
        'Set "arguments": {"x-queue-type": "quorum"}.',
    ),
    "duplicate-consumer": Page(
        "Two consumers with different options have one name.",
        "a consumer at the top and another one in a declare step",
        "Rename one.",
    ),
    "duplicate-name": Page(
        "What a celery section stands for has the name of something in a plain section, and differs.",
        "celery: {apps: {shop: }, workers: {w1: }}\nqueues: {celery: {durable: false}}",
        "Rename one of them, or declare it as Celery does: `routesim celery expand` shows how.",
    ),
    "duplicate-id": Page(
        "Two messages would have the same id. Without an id messages are called m1, m2 … in the order of the file.",
        "- publish: {id: m2}\n- publish: {}",
        "Choose ids of your own that are not m and a number.",
    ),
    "duplicate-key": Page(
        "A mapping has the same key twice; YAML readers would silently keep one of them.",
        "queues: {jobs: , jobs: }",
        "Remove one.",
    ),
    "beat-twice": Page(
        "Two beats send the same task when it is due. Beats know no lock, so each of them sends, and the task runs twice.",
        "beats: {b1: {schedule: {tick: {task: add, every: 30s}}}, b2: {schedule: {tick: {task: add, every: 30s}}}}",
        "Let one beat run; a supervisor or a scheduler with a lock sees to it that there is never a second one.",
    ),
    "empty-file": Page(
        "There is nothing in the file.", "an empty file", "Write a scenario; scenarios/hello.yaml is the smallest."
    ),
    "endless-beat": Page(
        "A beat publishes for ever, so the scenario must say how long it lasts.",
        "celery: {apps: {shop: }, beats: {beat: {schedule: {tick: {task: add, every: 3s}}}}}",
        "Say `until: 60s`, or wait in the steps.",
    ),
    "includes-itself": Page("`definitions` names the scenario itself.", "definitions: shop.yaml", "Name the exported JSON file."),
    "left-out": Page(
        "A definitions file has shovels, federation or limits of virtual hosts. They are not simulated, so what they bring, take "
        "away or refuse does not happen here.",
        '"parameters": [{"vhost": "/", "component": "shovel", "name": "s", "value": {}}]',
        "Write steps that publish, or consumers that take away, what they would.",
    ),
    "lost-by-export": Page(
        "A definitions file that a broker exported does not say all that was in the broker: before 3.11 exchanges whose name "
        "begins with amq are missing, rabbitmqctl leaves out internal ones, and a void value is written as the text undefined.",
        'a binding of an exchange "amqp_events" that is not in the file',
        "Add to the file what is missing; mend the value in the scenario.",
    ),
    "missing-key": Page("Something needs a key that is not there.", "bindings: [{source: shop}]", "Add the key."),
    "many-messages": Page(
        "A step publishes more than ten million messages, and nobody consumes. They are published, but what nobody consumes stays in memory, as in a "
        "broker: some 200 bytes each.",
        "steps: [{publish: {routing_key: jobs, count: 1000000000}}]",
        "A lower `count` shows the same; or have the queue consumed, or limited by x-max-length.",
    ),
    "never-due": Page(
        "An entry of a beat's schedule is not due before the scenario ends.",
        'until: 60s, and an entry with crontab: "0 3 * * *"',
        "Say a later `until`, or with `starts` what time it is when the scenario begins.",
    ),
    "no-celery": Page(
        "The step needs something of the celery section that is not there.",
        "steps: [{call: {task: add}}]",
        "Add `celery:` with an app, or the part that is named.",
    ),
    "no-results": Page(
        "Only with result_backend: rpc:// are results messages, which a caller can wait for.",
        "steps: [{call: {task: add, get: true}}]",
        "Set result_backend: rpc://, or take out `get`.",
    ),
    "not-explored": Page(
        "`routesim explore` tries each order of events, and this scenario has what it cannot try: a broker that is Redis, more "
        "messages than there can be orders of, or worker processes where random walks are asked for.",
        "broker: {kind: redis}",
        "The text says what to change. `routesim run` carries out the one course of events that the file says.",
    ),
    "not-exported": Page(
        "A definitions file holds what outlives clients: exchanges, queues, bindings, policies. Consumers, steps, exclusive and "
        "server-named queues, void values and settings of the broker itself are not part of it.",
        "queues: {replies: {exclusive: true}}",
        "Nothing is wrong; let the client declare what belongs to it.",
    ),
    "not-json": Page(
        "A definitions file is not JSON.", '{"queues": [}', "Export it again, or mend it at the place that is shown."
    ),
    "not-simulated": Page(
        "RabbitMQ has this, and routesim does not simulate it: it refuses rather than pretend, and warns where the rest is true.",
        "exchanges: {selected: x-jms-topic}",
        "Leave it out, or use something that says the same.",
    ),
    "not-text": Page("The file is not text in UTF-8 or UTF-16.", "a file saved in Latin-1", "Save it as UTF-8."),
    "refused": Page(
        "RabbitMQ would refuse this declaration; the text is what it answers, the first number its reply code.",
        "queues: {jobs: {arguments: {x-message-ttl: -1}}}",
        "Change what the text names. In a step with `fails: 406` a refusal can be shown on purpose.",
    ),
    "several-documents": Page(
        "The file holds more than one YAML document.", "name: a\n---\nname: b", "Put each into its own file."
    ),
    "template": Page(
        "The file is a template, of Helm or Jinja, say: what it declares is known once it is rendered.",
        "name: {{ .Values.queue }}",
        "Give what it renders: `helm template CHART | routesim import topology-operator -`.",
    ),
    "too-deep": Page("The file is nested deeper than any scenario needs to be.", "[[[[[[…", "Flatten it."),
    "too-large": Page("Aliases expand to millions of values.", "a chain of *anchors that each double the last", "Write less."),
    "too-long": Page(
        "A name or key is longer than the 255 bytes that AMQP carries.",
        "routing_key: 300 letters",
        "Shorten it. Bytes count, not letters.",
    ),
    "unknown-app": Page("No app of the celery section has this name.", "workers: {w1: {app: shpo}}", "Correct the name."),
    "unknown-argument": Page(
        "No type of queue reads this argument. RabbitMQ stores it without a word, and nothing happens.",
        "arguments: {x-message-tll: 1000}",
        "Mend the name.",
    ),
    "unknown-beat": Page("No beat has this name.", "- beat: {name: baet, do: stop}", "Mend the name."),
    "unknown-channel": Page(
        "A step answers on a channel that nothing uses.", "- ack: {channel: wroker, delivery_tag: 1}", "Mend the name."
    ),
    "unknown-chord": Page(
        "An expectation names a chord by an id that no group has.",
        "steps: [{call: {chord: {header: [a, a], body: b}, id: pages}}]\nexpect: {chords: {page: {state: done}}}",
        "The id of a chord is that of its call; without one it is chord-1, chord-2 and so on.",
    ),
    "unknown-consumer": Page("No consumer has this name.", "- crash: packr", "Mend the name, or declare the consumer."),
    "unknown-exchange": Page(
        "An exchange is named that is declared nowhere. Where RabbitMQ would answer 404 this is an error; for an alternate or "
        "dead-letter exchange, which need not exist, a near miss is a warning.",
        "bindings: [{source: shpo, destination: jobs}]",
        "Mend the name, declare the exchange, or say `fails: 404` where the 404 is the point.",
    ),
    "unknown-key": Page(
        "A key that means nothing here.", "queues: {jobs: {durabel: true}}", "Mend the key; the message lists what there is."
    ),
    "unknown-message": Page(
        "No message has this id.", "expect: {messages: {m9: {jobs: ready}}}", "Mend the id; without ids they are m1, m2 …"
    ),
    "unknown-policy": Page("No policy has this name.", "- delete: {policy: tll}", "Mend the name."),
    "unknown-producer": Page(
        "`by` names a producer that is not under `producers:`.",
        "steps: [{call: {task: add, by: wbe}}]",
        "Correct the name, or declare it. A call without `by` comes from `client`.",
    ),
    "unknown-queue": Page(
        "A queue is named that is declared nowhere, where RabbitMQ would answer 404.",
        "consumers: {packer: {queue: warehose}}",
        "Mend the name, declare the queue, or say `fails: 404` where the 404 is the point.",
    ),
    "unknown-step": Page("A step begins with a word that is no verb.", "- publsh: {}", "Mend the verb."),
    "bare-duration": Page(
        "A number without a unit is seconds to some and milliseconds to others, so routesim's own keys and options take none but 0. "
        "Keys that Celery has are seconds as there, and RabbitMQ's (arguments, `expiration`, `consumer_timeout`) milliseconds.",
        "steps: [{wait: 10}]",
        "Write `10s` or `10ms`. Until routesim refused it, it was taken for milliseconds.",
    ),
    "message-lost": Page(
        "A message, or a copy of one, ended without its publisher knowing and without a consumer that was done with it, and no "
        "expectation of the scenario is about that. The verdict is RAN or HELD instead of OK; the status is 1 with --fail-on-loss.",
        "exchanges: {shop: topic} with steps: [publish: {exchange: shop, routing_key: ship.shoes}] and nothing bound",
        "`routesim explain message FILE ID` and `routesim explain route FILE EXCHANGE KEY` tell why. Where it is meant, say so: "
        "`expect: {lost: 1}`, the message's end by `messages:`, or what is left in its queue by `queues:`.",
    ),
    "task-lost": Page(
        "A task was acknowledged when it began, and its worker was killed or stopped before it was done: nothing runs it again, and "
        "nobody is told.",
        "tasks: {charge: {takes: 10s}} with a worker that is killed meanwhile",
        "acks_late brings it back (`routesim explain task FILE ID` tells how it went); `expect: {lost_tasks: [...]}` says that it is "
        "known.",
    ),
    "unknown-task": Page(
        "No task has this name or id. A worker drops a message whose task it does not know.",
        "steps: [{call: {task: mail.snd}}]",
        "Correct the name, or say under `tasks:` what it does.",
    ),
    "no-effect": Page(
        "What is written here changes nothing under this version of RabbitMQ.",
        "broker: {permit: [classic_queue_mirroring]} under 4.0, which removed it",
        "Take it out, or choose the version that it is meant for.",
    ),
    "known-bug": Page(
        "The patch release that `rabbitmq:` names has a bug which this scenario may show, and which is not simulated.",
        "rabbitmq: 4.0.2, and a quorum queue",
        "Upgrade the broker to the version in which it is mended; or simulate that one.",
    ),
    "unknown-version": Page(
        "There are no rules for this version of RabbitMQ.", 'rabbitmq: "2.8"', "`routesim versions` lists what is known."
    ),
    "unknown-vhost": Page(
        "The definitions file declares nothing in this vhost.", "vhost: shop", "Name one of the file's vhosts with `vhost:`."
    ),
    "unknown-worker": Page(
        "Something names a worker that is declared nowhere.", "steps: [{worker: {name: w9, do: kill}}]", "Correct the name."
    ),
    "unreadable-file": Page(
        "The file cannot be read: it is not there, it is no file but a folder, a device or a named pipe, or it is larger than any "
        "scenario or definitions file.",
        "routesim run nosuch.yaml",
        "Mend the path or its permissions.",
    ),
    "which-app": Page(
        "There are several apps, and nothing says which one this belongs to.",
        "apps: {shop: , blog: }\nworkers: {w1: }",
        "Add `app:`.",
    ),
    "wrong-crontab": Page(
        "This is no crontab of Celery's: five fields, of which all five must hold.",
        'crontab: "60 * * * *"',
        "minute hour day_of_month month_of_year day_of_week, each *, 5, 1-5, */2, mon-fri, or several with commas.",
    ),
    "wrong-time": Page("This is no time.", "eta: tomorrow", "Write it as 2026-01-01T00:00:30; without a zone it is UTC."),
    "wrong-type": Page(
        "Something of one kind stands where another is expected.", "prefetch: many", "The message says what is expected."
    ),
    "wrong-value": Page("The kind is right, the value is not.", "do: rejct", "The message lists the values."),
    "yaml-syntax": Page(
        "The text is not YAML.",
        "steps: [publish: {exchange: shop]",
        "Mend it at the place that is shown; often a quote or a bracket.",
    ),
    "yaml-tag": Page(
        "YAML tags have no meaning in a scenario.", "routing_key: !!int 3", "Remove the tag; typed values are written {long: 3}."
    ),
    **RULE_PAGES,
}

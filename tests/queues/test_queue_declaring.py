"""rules/queues#1: declaring, deleting and purging queues, and who may do it. Their arguments are in test_queue_arguments."""

import pytest
from kits.broker import Bench, versions
from kits.rules import queue_rules

from routesim import events

test_names_and_flags = queue_rules("""
1.2 names, reserved prefix: amq. with its dot is 403; amqfoo and AMQ.foo are free
    queue amq.foo !403 queue name 'amq.foo' contains reserved prefix 'amq.*'; queue amqfoo; queue AMQ.foo
    queues = AMQ.foo amqfoo
1.3 flags of a quorum queue or stream: durable and shared, looked at in the order auto-delete, exclusive, durable [quorum stream]
    queue q {kind} auto-delete=true exclusive=true durable=false !406 invalid property 'auto-delete' for queue 'q' in vhost '/'
    queue q {kind} exclusive=true durable=false !406 invalid property 'exclusive-owner' for queue 'q' in vhost '/'
    queue q {kind} exclusive=true !406 invalid property 'exclusive-owner' for queue 'q' in vhost '/'
    queue q {kind} durable=false !406 invalid property 'non-durable' for queue 'q' in vhost '/'
    queue q {kind} auto-delete=true !406 invalid property 'auto-delete' for queue 'q' in vhost '/'; queues =
1.10 default queue type of the vhost: where durable, exclusive and auto-delete allow it
    broker default-queue-type=quorum; queue q; queue mine exclusive; queue auto auto-delete; queue asked x-queue-type=classic
    types = q:quorum mine:classic auto:classic asked:classic
1.10,1.8 default queue type of the vhost, declared again: injected into the second declaration too
    broker default-queue-type=quorum; queue q; queue q; queue q x-queue-type=quorum; queue q x-queue-type=classic !406
""")

test_auto_delete = queue_rules("""
1.5 auto-delete with the last consumer
    queue q auto-delete; consumers q A B; cancel A; queues = q; cancel B; queues =
1.5 auto-delete with the last channel
    queue q auto-delete; consumers q A B; close A; queues = q; ack B 99 !406; queues =
1.5 auto-delete needs a consumer first: basic.get does not count
    queue q auto-delete; send q 0; get ch q; close ch; drain q = 0*
1.5,S23 auto-delete loses ready and unacked messages: nothing is dead-lettered, the tags stay good [how=close cancel]
    queue dlq; queue q auto-delete dead-letter=dlq; send q 0 1 2; get ch q; consume A q prefetch=1; {how} A; queues = dlq
    ack ch 1; [cancel] ack A 1; drain dlq =
1.5 auto-delete waits for a consumer again after a restart: one without a consumer, in 3.x one with a consumer too
    queue q auto-delete; [<4.0] consume A q; restart; queues = q; [<4.0] close A; queues = q; consume B q; cancel B; queues =
1.5 auto-delete ends with the connections: which go before the broker does, at a clean stop [>=4.0]
    queue q auto-delete; send q 0; consume A q prefetch=1; restart; queues =
""")

test_exclusive = queue_rules("""
1.7 exclusive queue, other connections are locked out [ask=declare declare-shared consume get purge delete bind]
    channel own owner; exchange x fanout; queue q exclusive channel=own
    [declare] queue q exclusive channel=foreign !405 RESOURCE_LOCKED; [declare-shared] queue q channel=foreign !405 RESOURCE_LOCKED
    [consume] consume A q channel=foreign !405 RESOURCE_LOCKED; [get] get foreign q !405 RESOURCE_LOCKED
    [purge] purge q channel=foreign !405 RESOURCE_LOCKED; [delete] delete-queue q channel=foreign !405 RESOURCE_LOCKED
    [bind] bind x q channel=foreign !405 RESOURCE_LOCKED; queues = q
1.7,routing#B6 exclusive queue, what other connections may do: publish, and unbind what is not bound
    channel own owner; channel own2 owner; exchange x fanout; queue q exclusive channel=own; send q 0 channel=foreign
    unbind x q "no such key" channel=foreign; bind x q channel=own; unbind x q channel=foreign !405 RESOURCE_LOCKED
    get own2 q = 0
1.7 exclusive queue belongs to the connection: not to a channel of it
    channel own owner; channel own2 owner; queue q exclusive channel=own; consume A q channel=own2
    ack own 99 !406; queues = q; send q 0; news = A:0; close owner; queues =
1.7,S32 exclusive queue, the flag may not change: not even for the owner; durable does not count
    channel own owner; channel own2 owner; queue q exclusive channel=own; queue q exclusive durable=true channel=own
    queue q exclusive durable=false channel=own; queue q channel=own2 !405 RESOURCE_LOCKED; queue shared
    queue shared exclusive channel=own2 !405 RESOURCE_LOCKED
""")

test_delete = queue_rules("""
1.13 delete a missing queue: fine, whatever the flags
    delete-queue nope; delete-queue nope if-unused if-empty
1.13 delete, conditions of a classic queue: if-empty before if-unused; empty means no ready messages
    queue q; send q 0; consume A q prefetch=1; send q 1; delete-queue q if-empty if-unused !406 queue 'q' in vhost '/' not empty
    delete-queue q if-unused !406 queue 'q' in vhost '/' in use; purge q = 1; delete-queue q if-empty; queues =
1.13 delete, conditions of a stream: ignored
    queue s stream; send s 0; consume A s prefetch=1; delete-queue s if-unused if-empty; queues =
1.13,S18 delete, conditions of a quorum queue: 540 [flag=if-unused if-empty]
    queue q quorum; delete-queue q {flag} !540; queues = q
1.13,2.13,9.1 delete drops everything: unacked tags may be acked once; consumers are cancelled [kinds]
    queue dlq; queue q {kind} dead-letter=dlq; send q 0 1 2; consume A q prefetch=1; get ch q; delete-queue q; drain dlq =
    cancelled = A; ended = A; ack A 1; nack ch 1; ack ch 1 !406
9.1,1.13 delete frees consumer tags [kinds]
    queue q {kind}; consume A q; delete-queue q; queue q {kind}; consume A q; send q 0; news = A:0
1.13 delete, declared again it starts empty: what was out does not come back either [kinds]
    queue q {kind}; send q 0 1; get ch q; delete-queue q; queue q {kind}; drain q =; nack ch 1; close ch; drain q =
1.13,2.11 delete takes delayed retries along [4.3]
    queue q quorum delayed-retry-type=all delayed-retry-min=1000; send q 0; get ch q; nack ch 1; delete-queue q; wait 5000
    queues =
routing#D7,1.13 delete takes waiting dead letters along [>=4.0]
    queue q quorum dead-letter-strategy=at-least-once overflow=reject-publish dead-letter-exchange=later; send q 0; get ch q
    reject ch 1; delete-queue q; wait 400000; queues =
""")

test_purge = queue_rules("""
1.14 purge takes the ready messages: unacked ones may come back; nothing is dead-lettered [kinds]
    queue dlq; queue q {kind} dead-letter=dlq; send q 0 1 2; get ch q; purge q = 2; count q = 0 1; drain dlq =; nack ch 1
    drain q = 0*
1.14 purge of a stream or a missing queue: 540, 404
    queue s stream; purge s !540; purge nope !404 no queue 'nope' in vhost '/'
1.14 purge takes delayed retries [4.3]
    queue q quorum delayed-retry-type=all delayed-retry-min=1000; send q 0 1; get ch q; nack ch 1; purge q = 2; wait 5000
    drain q =
1.14 purge takes waiting dead letters: from 4.3 on
    queue q quorum dead-letter-strategy=at-least-once overflow=reject-publish dead-letter-exchange=later dead-letter-routing-key=dlq
    queue dlq; send q 0 1; get ch q; reject ch 1; purge q = 1 | 4.3: 2; exchange later fanout; bind later dlq; wait 400000
    drain dlq = 0 | 4.3:
""")


@versions()
def test_names_1_1_line_ends_are_taken_out(version):
    """rules/queues#1.1: CR and LF do not count; a space does."""
    b = Bench(version)
    b.queue("a\r\nb")
    b.queue(" ")
    assert b.queues == "  ab"
    b.delete_queue("a\nb")
    assert b.queues == " "


@versions()
def test_names_1_1_server_named_queues(version):
    """rules/queues#1.1: the broker draws amq.gen- and 22 characters, for classic queues only."""
    b = Bench(version)
    b.queue("mine", server_named=True)
    b.queue("other", server_named=True)
    names = [event.broker_name for event in b.all(events.QueueDeclared)]
    assert len(set(names)) == 2
    for name in names:
        assert name.startswith("amq.gen-")
        assert len(name) == len("amq.gen-") + 22
    for kind in ("quorum", "stream"):
        b.queue("third", kind, server_named=True, fails=(406, "Cannot declare a server-named queue for type"))


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("auto_delete", [True, False])
@versions()
def test_flags_1_3_classic_queues_take_all_combinations(version, durable, exclusive, auto_delete):
    """rules/queues#1.3, rules/queues#S34: from 4.3 on none that is neither durable nor exclusive."""
    denied = version == "4.3" and not durable and not exclusive
    b = Bench(version)
    b.queue("q", durable=durable, exclusive=exclusive, auto_delete=auto_delete, fails=541 if denied else None)
    assert b.queues == ("" if denied else "q")

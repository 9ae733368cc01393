"""rules/queues#7: what a restart of the broker leaves. Clean stops and kills."""

from kits.rules import queue_rules

test_restart = queue_rules("""
7.1 restart, queues: durable ones that are not exclusive survive [clean=true false]
    queue c; queue auto auto-delete=true; queue k quorum; queue s stream; queue mine exclusive; [<4.3] queue lost durable=false
    restart clean={clean}; queues = auto c k s
7.1 restart, bindings: both their ends must be durable [clean=true false, <4.2]
    exchange x fanout; exchange lost fanout durable=false; queue q; queue t durable=false; bind x q
    bind x t; bind lost q; restart clean={clean}; exchanges = x; exchange lost fanout durable=false
    queue t durable=false; route x = q; route lost =
7.2 restart, messages: a classic queue keeps the persistent ones, a quorum queue all [kinds, clean=true false]
    queue q {kind}; send q 0; send q 1 delivery-mode=1; send q 2; restart clean={clean}
    drain q = 0 1 2 | classic true: 0 2 | classic false: 0* 2*
7.2,S28 restart, messages of a quorum queue: transient ones too; the count of those that were out grows [clean=true false]
    queue q limited; send q 0 1 2 delivery-mode=1; get ch q; restart clean={clean}; get new q 2 = 0* 1
    header x-delivery-count = - 1 - | 3.10: 0 1 0; ack new 1 2; drain q = 2
7.2 restart, messages of a stream: all
    queue s stream; send s 0 delivery-mode=1; send s 1; restart; consume A s prefetch=10 x-stream-offset=first; news = A:0 A:1
7.2,routing#D22 restart, the delivery mode goes on with the dead letter: in a classic queue it counts again
    queue dlq; queue q quorum dead-letter=dlq; send q 0 delivery-mode=1; restart; get ch q; reject ch 1; ready dlq = 0 | 4.3: 0*; restart
    drain dlq =
7.3,S27 restart, redelivered: after a kill all of a classic queue, otherwise what was out [kinds, clean=true false]
    queue q {kind}; send q 0 1 2; get ch q; restart clean={clean}; drain q = 0* 1 2 | classic false: 0* 1* 2*
7.3 restart, redelivered, to a consumer [kinds]
    queue q {kind}; send q 0 1 2; consume A q prefetch=1; restart clean=false; drain q = 0* 1 2 | classic: 0* 1* 2*
7.3,2.8 restart, places: a classic queue has what was out in its place, a quorum queue first [kinds]
    queue q {kind}; send q 0..3; get ch q 3; ack ch 1; nack ch 3; restart
    drain q = 2* 1* 3 | classic: 1* 2* 3 | quorum <4.3: 1* 3 2*
7.3 restart, priority queues keep the levels [clean=true false]
    queue q max-priority=5; send-by-priority q 0:1 1:5 2:1; get ch q; restart clean={clean}; drain q = 1* 0 2 | false: 1* 0* 2*
7.3 restart, nobody is sent anything by it: all connections end at once, and it is one return [kinds, clean=true false]
    queue q {kind}; consumers q A B prefetch=1; send q 0; news = A:0; restart clean={clean}; news =
    get ch q = 0*; header x-delivery-count = - 1 | classic: - -
    header x-acquired-count = - - | quorum 4.3: - 1 | limited 4.3: - 1
7.2,7.3 restart, nothing is lost to an automatic consumer: it does not get what another's connection held [kinds, clean=true false]
    queue q {kind}; consume A q prefetch=1 priority=1; consume auto q auto-ack; send q 0; news = A:0; restart clean={clean}
    drain q = 0*
7.3,2.10 restart, a delivery limit is not used up twice [clean=true false]
    queue q x-queue-type=quorum delivery-limit=1; consumers q A B C prefetch=1; send q 0; restart clean={clean}; drain q = 0*
7.3 restart, consumers and channels are gone: tags begin anew [clean=true false]
    queue q; consume A q; send q 0; restart clean={clean}; ended = A:lost; ack A 1 !406; consume A q; news = A:0 A:0*
    received = 1 1
7.4 restart, TTL goes on [kinds]
    queue q {kind} message-ttl=1000; send q 0; wait 600; restart; wait 399; count q = 1 0; wait 1; count q = 0 0
""")

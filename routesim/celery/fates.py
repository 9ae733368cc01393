"""What becomes of a task, in one word: at any moment each task that was sent has exactly one of these fates.

A state is what Celery tells, and a fate what is so: of a task whose worker was killed Celery tells nothing, its state stays
STARTED for ever, while its fate is `waiting` where its message has come back to its queue, or `lost` where it had been
acknowledged.
"""

SUCCEEDED, FAILED, REVOKED, REJECTED, IGNORED = "succeeded", "failed", "revoked", "rejected", "ignored"
RUNNING, RESERVED, SCHEDULED, UNACKED, WAITING = "running", "reserved", "scheduled", "unacked", "waiting"
UNREPORTED, LOST, GONE = "unreported", "lost", "gone"

FATES: dict[str, str] = {
    SUCCEEDED: "its body came to its end",
    FAILED: "it ended in an exception, by a time limit or with its child, and Celery tells that",
    REVOKED: "it was revoked, had expired or was terminated",
    REJECTED: "a worker turned its message away, or its body did",
    IGNORED: "its body ended it by Ignore: no state is recorded",
    RUNNING: "a worker is at it",
    RESERVED: "a worker has it, and has not begun it",
    SCHEDULED: "a worker holds it until its ETA",
    UNACKED: "its message is with a client that is not at it",
    WAITING: "its message waits in a queue, or in an exchange that delays it",
    UNREPORTED: "its body came to its end, and its worker ended before it could tell anybody",
    LOST: "its message was acknowledged, its worker ended before the task was done, and nothing will run it again",
    GONE: "its message ended before a worker was done with it: in no queue, dropped, expired, purged, deleted …",
}
OVER = frozenset({SUCCEEDED, FAILED, REVOKED, REJECTED, IGNORED})

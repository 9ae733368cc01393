"""What may be said of the body of a task: how long it runs, how it ends, what it calls and returns."""

from routesim.scenario.format.canvases import CANVAS, Data
from routesim.scenario.format.counts import Seconds
from routesim.scenario.format.declared import REPLY
from routesim.scenario.format.kinds import Choice, Duration
from routesim.scenario.format.shapes import Field, ListOf

ENDS = ("success", "exception", "retry", "reject", "requeue", "ignore", "kill_child", "kill_worker")
CALLS = Field(ListOf(CANVAS, single=True), "what the body calls just before it ends")
OF_BODIES = {
    "calls": CALLS,
    "returns": Field(Data(), "its result, which goes on to what follows it; default nothing"),
    "errback": Field(
        Choice("called", "sent"),
        "as link_error: called (request, exc, traceback) in the worker that saw the failure, the default; or sent (task_id)",
    ),
}
RUN_COURSE = {
    "takes": Field(Duration(), "how long the body runs; default 0"),
    "ends": Field(Choice(*ENDS), "how the body ends; default success"),
    "countdown": Field(Seconds(), "of a retry; default 3m"),
    "publish": Field(ListOf(REPLY, single=True), "what the body publishes just before it ends"),
    "calls": CALLS,
}

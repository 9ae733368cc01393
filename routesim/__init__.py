"""RabbitMQ's message routing, simulated: where a message goes and why.

`load` reads a scenario or definitions file, `loads` a text; `simulate` carries one out. `Topology` is for tests in Python:
publish to it and see where the message went; `serving` is a RabbitMQ that their code
connects to. All are imported when they are first asked for.
"""

TYPE_CHECKING = False  # that of `typing`, whose import would be the longest part of this one
if TYPE_CHECKING:
    from typing import Any

    from routesim.diagnostics import Diagnostic, Invalid
    from routesim.scenario.scenario import Scenario
    from routesim.testing.api import Outcome, Sent, Topology, load, loads, simulate
    from routesim.testing.served_broker import ServedBroker, serving

__version__ = "0.1.0"
__all__ = [
    "Diagnostic", "Invalid", "Outcome", "Scenario", "Sent", "ServedBroker", "Topology", "__version__", "load", "loads", "serving",
    "simulate",
]  # fmt: skip

_HOMES = {
    "Diagnostic": "routesim.diagnostics",
    "Invalid": "routesim.diagnostics",
    "Scenario": "routesim.scenario.scenario",
    **dict.fromkeys(("ServedBroker", "serving"), "routesim.testing.served_broker"),
    **dict.fromkeys(("Outcome", "Sent", "Topology", "load", "loads", "simulate"), "routesim.testing.api"),
}


def __getattr__(name: str) -> "Any":
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'routesim' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)

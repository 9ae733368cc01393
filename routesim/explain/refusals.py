"""What helps where RabbitMQ refuses something in a run."""

from routesim.scenario import Scenario
from routesim.versions import deprecated


def cure_of(scenario: Scenario, text: str, *, of_worker: bool) -> str:
    """Against a refusal in these words; "": nothing is known. `of_worker`: it is about a queue of a worker's own."""
    feature = deprecated.denied_in(text)
    if feature is None:
        return ""
    own = next(iter(scenario.cures.values()), "") if of_worker else ""
    return own or deprecated.cure(feature)

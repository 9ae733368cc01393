"""What helps where RabbitMQ refuses something in a run."""

from routesim.broker.channels import TAG_IN_USE
from routesim.scenario import Scenario
from routesim.versions import deprecated


def cure_of(scenario: Scenario, text: str, *, of_worker: bool) -> str:
    """Against a refusal in these words; "": nothing is known. `of_worker`: it is about a queue of a worker's own."""
    if TAG_IN_USE in text:
        return "a consumer of that tag runs, from the beginning save with `start: false`: leave the step out, or stop it before"
    feature = deprecated.denied_in(text)
    if feature is None:
        return ""
    own = next(iter(scenario.cures.values()), "") if of_worker else ""
    return own or deprecated.cure(feature)

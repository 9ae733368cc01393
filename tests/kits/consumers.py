"""A consumer at work on one queue."""

from kits.scenario import Outcome, play


def worked(on_message: str, steps: str, *, options: str = "", extra: str = "") -> Outcome:
    """One consumer `c` of `q` with these rules; `r` is another queue."""
    return play(f"""
queues: {{q: , r: }}
consumers:
  c: {{queue: q, {options}on_message: {on_message}}}
steps:
{steps}
{extra}
""")


ONE = "  - publish: {routing_key: q}\n"
TWO = "  - publish: {routing_key: q, count: 2}\n"

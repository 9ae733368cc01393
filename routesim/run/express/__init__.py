"""The fast way through a run."""

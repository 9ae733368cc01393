"""A counterexample as a scenario that `run` repeats."""

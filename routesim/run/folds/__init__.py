"""Folds over the events of a run."""

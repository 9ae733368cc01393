"""The `steps` section: its verbs as one table, their checks, the engine steps that they stand for."""

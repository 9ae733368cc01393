"""The end of a run as sections of rows."""

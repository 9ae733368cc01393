"""Sets of routing keys."""

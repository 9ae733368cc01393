"""One scenario under many seeds."""

"""Pages: a sentence and a cure for every code, every rule, every version."""

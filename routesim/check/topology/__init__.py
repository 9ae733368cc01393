"""What the rules look at: the topology of a scenario, and the ways that messages take in it."""

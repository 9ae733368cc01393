"""Why and why not: questions about a key, a binding, a message, a queue. The matchers that route are what answers."""

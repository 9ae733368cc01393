"""Why an expectation failed, or a message was lost: the events that witness it."""

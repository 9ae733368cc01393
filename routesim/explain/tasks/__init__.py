"""What became of a task, step by step, and why."""

"""Step mode: one moment of a recorded run as a screen."""

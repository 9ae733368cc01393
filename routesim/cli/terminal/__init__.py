"""Terminals: keys, screens, step mode, watch mode."""

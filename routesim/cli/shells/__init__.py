"""Completion: what shells ask about a half-written command line."""

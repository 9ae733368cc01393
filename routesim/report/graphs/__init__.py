"""Topologies as pictures."""

"""Canvases: what chains, groups and chords are, and what a call of one sends."""

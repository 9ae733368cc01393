"""Recordings on the command line: of a server of one's own, and of a real broker."""

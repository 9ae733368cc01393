"""Branches of a broker: copies that share what neither side changes, and how two of them are told apart."""

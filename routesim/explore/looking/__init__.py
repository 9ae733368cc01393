"""What comes of a state, and which moves have nothing to do with each other."""

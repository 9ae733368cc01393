"""Messages that come back: the circles that dead letters can make, and what consumers do again and again."""

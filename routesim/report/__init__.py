"""Everything that a person or a script sees. One file a format; nobody below this layer prints."""

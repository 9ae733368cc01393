"""Events as the rows of a trace."""

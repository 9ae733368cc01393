"""What tasks call, and what follows their runs."""

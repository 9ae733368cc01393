"""What commands other than `run` answer."""

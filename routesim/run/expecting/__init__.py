"""What a scenario expects, held against what happened."""

"""Text to nodes and values to text: YAML and JSON with positions."""

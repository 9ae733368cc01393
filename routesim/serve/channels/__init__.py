"""The channels of clients: what comes on one, by which steps the engine is asked, and what goes back."""

"""For the tests of `check`."""

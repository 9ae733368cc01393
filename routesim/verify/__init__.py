"""The embedded engine held against a real broker: the same scenario on both, observation by observation."""

from routesim.verify.verifying import TRIES, Verdict, verify

__all__ = ["TRIES", "Verdict", "verify"]

"""The embedded engine held against a real broker: the same scenario on both, observation by observation."""

from routesim.verify.verifying import TRIES, VerifyVerdict, verify

__all__ = ["TRIES", "VerifyVerdict", "verify"]

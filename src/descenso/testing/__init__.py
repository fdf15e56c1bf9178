"""What a test of code that uses descenso can run: conformance checks and small data sets."""

from descenso.testing.conformance import check_rule

__all__ = ["check_rule"]

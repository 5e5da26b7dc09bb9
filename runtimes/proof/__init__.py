"""Proof: intervals, tests, gates and measured speed."""

"""Metrics: outputs against references, as sums that can be resampled."""

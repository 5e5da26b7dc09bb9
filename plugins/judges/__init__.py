"""Judges: outputs looked at by somebody who has no reference."""

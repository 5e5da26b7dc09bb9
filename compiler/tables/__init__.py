"""Data with dates: what is true of the world outside, and when somebody looked."""

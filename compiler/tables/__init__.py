"""Data with dates: what is known about the world that no file of a spec says."""

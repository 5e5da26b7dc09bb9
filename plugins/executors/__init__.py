"""Executors: they run the work of a plan; which of the five contracts each can run, its manifest says."""

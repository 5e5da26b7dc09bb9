"""Engines: they run a model, or rules that answer like one."""

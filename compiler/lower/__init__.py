"""Lowering: the steps of a spec become stages, each with its inputs, its config with every default written out, and its key.

`graph.py` holds what has been lowered so far; one file a section turns a step into stages. Steps are lowered in an order in which
each finds its inputs; where that order leaves a choice, the file's order decides.
"""

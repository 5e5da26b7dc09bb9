"""Quantizers: a trained model in, an export that an engine reads out."""

"""Targets: where a student goes once it is proven."""

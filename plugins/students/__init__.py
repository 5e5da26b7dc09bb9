"""Smaller models cut from larger ones."""

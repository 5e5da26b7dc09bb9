"""The language: text to checked, located values."""

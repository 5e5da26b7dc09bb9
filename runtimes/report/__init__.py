"""The report: a terminal table, one HTML page, and the pictures on it. Pure functions from plain dicts to text."""

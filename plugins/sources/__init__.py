"""Where rows come from: docstrings of installed packages, JSON Lines, CSV."""

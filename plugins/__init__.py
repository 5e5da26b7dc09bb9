"""Everything that can be swapped."""

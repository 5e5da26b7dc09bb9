"""A plan as something to read: a tree for people, JSON for programs."""

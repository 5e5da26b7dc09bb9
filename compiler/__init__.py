"""The compiler: a checked spec and a table of plugins become a plan."""

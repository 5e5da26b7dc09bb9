"""What happens when a stage runs: one file a stage kind."""

"""Who trains: this machine, or somebody's platform."""

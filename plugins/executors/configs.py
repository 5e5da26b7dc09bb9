"""What may be said to an executor."""

from distillc.spec.fields import Config


class LocalConfig(Config):
    """One machine, one process a stage. Threads are the engine's own business, because they change sums."""

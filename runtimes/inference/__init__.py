"""What the engines share: prompts, loading, attention without padding, generation in batches."""

from distillc.runtimes.inference import process as process  # first: torch reads its settings when it is loaded

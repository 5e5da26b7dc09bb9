"""What the engines share: prompts, loading, attention without padding, generation in batches."""

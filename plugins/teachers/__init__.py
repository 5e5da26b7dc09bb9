"""Where models come from: weights on disk, weights made up for tests, rules without weights."""

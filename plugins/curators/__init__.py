"""What drops rows, and says why: duplicates, lengths, test data among the training data."""

"""What is known of a model without running it, read from the headers of its files: bounded, without a library behind it."""

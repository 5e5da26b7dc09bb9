"""What makes rows from rows: errors put into clean text, answers of a model."""

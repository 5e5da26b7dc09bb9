"""What a machine elsewhere needs: calls, files and jobs over HTTP, and what they cost. Knows no config and no plugin."""

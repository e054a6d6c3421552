"""What the source says of itself, read without running any of it."""

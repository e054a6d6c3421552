"""Decide which wheels are owed, on what they are tried, and what is left out."""

"""The recipe: what was asked."""

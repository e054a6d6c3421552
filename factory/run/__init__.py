"""From recipes to a Run."""

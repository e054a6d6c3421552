"""From recipes to a Run: what the command line calls, and any other program that builds wheels."""

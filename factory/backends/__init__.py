"""Build commands as data: what each backend is given, and its environment."""

"""Build commands as data: what each backend is told, and in which environment."""

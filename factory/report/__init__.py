"""Plan or Run as something a person reads."""

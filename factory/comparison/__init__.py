"""Comparison: what a wheel has lost and gained against another one, such as that of an older release."""

"""Trials as data: what is tried of a wheel, and the commands that try it."""

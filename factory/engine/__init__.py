"""Containers: the only room that speaks to a container engine."""

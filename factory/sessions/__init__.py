"""Containers at work, and the services that a run lends to every stage."""

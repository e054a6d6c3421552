"""Wheel factory: from a recipe to proven Linux wheels."""

__version__ = "0.2.0"

"""Strict YAML forms: text to nodes that know their places, kinds and fields that read them, problems as text."""

"""The stages of a run, whose results are remembered: one module each."""

"""The jobs of a run, the order in which they begin, and the workers that carry them out."""

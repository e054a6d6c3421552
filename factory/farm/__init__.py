"""The jobs of a run, and who carries them out."""

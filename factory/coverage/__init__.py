"""Coverage: the file of a release that pip and uv take in each environment."""

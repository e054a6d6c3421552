"""Sources, each read into a `Tree`: an sdist of the index, an archive, a commit or a folder; nothing in them is run."""

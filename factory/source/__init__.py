"""Sources: a release's sdist from the index, or a folder of this machine, each as a `Tree` value; nothing is run."""

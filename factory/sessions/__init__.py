"""Sessions in containers, and the services of a run that stages use."""

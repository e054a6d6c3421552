"""ELF objects read the way the dynamic loader reads them."""

"""PE files, Windows' modules, libraries and programs, read the way its loader reads them."""

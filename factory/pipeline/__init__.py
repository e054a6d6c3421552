"""The order of work: source, plan, images, then each cell's prepare, build, repair, audit and trials."""

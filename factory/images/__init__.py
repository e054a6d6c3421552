"""Images: declared, bootstrapped or pulled, prepared for recipes, probed before use."""

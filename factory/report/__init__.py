"""Plans, runs and audits as people and CI servers read them."""

"""What is remembered by its key: one module for each stage."""

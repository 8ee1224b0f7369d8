"""What exists: Dagster assets and checks, and the pure functions that make them."""

"""What we talk to: the catalogue, the engine, files, Great Expectations, the published file."""

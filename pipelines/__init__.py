"""When and how it runs: definitions, the lock, settings and the command line."""

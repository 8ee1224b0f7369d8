"""What readers get: one publication of all bi tables, numbered, with digests, history and surrogate keys.

Belongs here: writing a publication, what changed since the one before, and reading it back. Does not belong here: computing
the tables (assets), and other places that show it (targets).
"""

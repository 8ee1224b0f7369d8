"""What we talk to: files and servers, the compute engine, Great Expectations, and the places that readers read.

A delivery goes through `sources` (fetching), `landing` (kept as received), `reading` (text cells) and `intake` (judged and
merged); what is computed goes through `publication` to `targets`. `catalogue` holds all that is declared, and `proposing` makes
a mapping from a file. What stands beside these serves more than one of them.
"""

"""The publication in a PostgreSQL database: schema `bi` for readers, its rows in `bi_store` beside it.

Belongs here: everything that speaks PostgreSQL. Does not belong here: what is published.
"""

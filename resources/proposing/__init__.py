"""Proposing a mapping for a file that no mapping knows, with the reason of every choice.

Belongs here: looking at headings and a sample of values, and wording what follows from them. Does not belong here: reading a
form of files (the readers), judging rows (judging); nothing here is ever applied without a person.
"""

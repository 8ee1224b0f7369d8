"""The synthetic facility chain of the first run: a generator of a deployment folder like any customer's."""

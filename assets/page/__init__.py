"""The page beside the published file, and a page for each indicator of the catalogue.

Belongs here: what the pages tell, and the templates that lay it out. Does not belong here: any figure that is not
published or, for the source rows of the worked example, in core; and how a number is written (resources.wording).
"""

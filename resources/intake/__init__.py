"""From landed bytes to core: every row of a delivery is accepted, set aside with its reason, or ignored with its reason.

Belongs here: judging, correcting, settling repeats, expectations and merging, dataset by dataset. Does not belong here: reading
the bytes of a file (reading), keeping them (landing), what the data mean (the declarations).
"""

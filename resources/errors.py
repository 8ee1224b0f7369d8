"""The one error people see: a clear sentence that names the place and the repair.

Belongs here: the exception. Does not belong here: where it is raised or shown.
"""

from __future__ import annotations


class KetenError(Exception):
    """Something the operator can repair; its message is one clear sentence."""

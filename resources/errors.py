"""The one error people see: a clear sentence that names the place and the repair.

Belongs here: the exception, and guessing what a misspelt word meant. Does not belong here: where it is raised or shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection


class KetenError(Exception):
    """Something the operator can repair; its message is one clear sentence."""


def meant(word: str, known: Collection[str]) -> str:
    """The end of an error message: the known word that is closest, if one is close."""
    plain = {k.lower(): k for k in known}
    close = difflib.get_close_matches(word.lower(), plain, 1)
    return f"; did you mean '{plain[close[0]]}'?" if close else ""

"""A delivered file as bytes: what its name says of its form, and its content piece by piece, unpacked.

Belongs here: names, compression, limits. Does not belong here: what the bytes hold (the readers).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from resources.errors import KetenError

Kind = Literal["csv", "xlsx", "json", "jsonl", "xml"]
MAX_TEXT_BYTES = 4 * 1024**3
MAX_LINE_BYTES = 64 * 1024**2
PIECE = 4 * 1024**2
_KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xml": "xml",
    ".xaf": "xml",
}


def is_compressed(name: str) -> bool:
    """Whether a name says that the file is compressed with gzip."""
    return name.lower().endswith(".gz")


def told_kind(name: str) -> Kind | None:
    """The form that a name tells, of a file or at the end of a pattern for names; None when it tells none."""
    plain = name.lower().rstrip("*").removesuffix(".gz")
    return next((kind for suffix, kind in _KINDS.items() if plain.endswith(suffix)), None)


def kind_of(name: str) -> Kind:
    """The form in which a file is read; a name that tells none is that of a CSV file."""
    return told_kind(name) or "csv"


def stored_suffix(name: str) -> str:
    """What a stored file is named by, so that its form can be told again."""
    return f".{kind_of(name)}{'.gz' if is_compressed(name) else ''}"


def pieces(path: Path, limit: int | None = None) -> Iterator[bytes]:
    """The bytes of a text file, unpacked. Raises KetenError when it cannot be read to its end or is above the limit."""
    limit = limit or MAX_TEXT_BYTES
    opener = gzip.open if is_compressed(path.name) else open
    total = 0
    try:
        with opener(path, "rb") as source:
            while piece := source.read(PIECE):
                total += len(piece)
                if total > limit:
                    raise KetenError(f"it holds more than {limit} bytes when unpacked; split the file")
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise KetenError(f"it cannot be read to its end ({error}); ask for it to be sent again") from None


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a text file, without their ends. Raises KetenError as `pieces` does, and for a line beyond all measure."""
    rest = b""
    for piece in pieces(path):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE_BYTES:
            raise KetenError(f"it holds a line of more than {MAX_LINE_BYTES} bytes; split it")
    if rest:
        yield rest

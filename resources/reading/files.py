"""A delivered file as bytes: what its name says of its form, and its content piece by piece, unpacked.

Belongs here: names, compression, which file of an archive, limits. Does not belong here: what the bytes hold (the readers).

Nothing is ever unpacked to disk, so the name of a file within an archive leads nowhere.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Literal, cast

from resources.errors import KetenError

Kind = Literal["csv", "xlsx", "xls", "json", "jsonl", "parquet", "xml"]
MAX_TEXT_BYTES = 4 * 1024**3
MAX_LINE_BYTES = 64 * 1024**2
# What was packed may be this many times as large, and always this large. Repeated text seldom packs better than 1 to 60,
# zeros up to 1 to 1,030.
MAX_RATIO = 250
FREE_BYTES = 16 * 1024**2
PIECE = 4 * 1024**2
_MOST_TOLD = 10
_KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xml": "xml",
    ".xaf": "xml",
}
_PACKED = (".gz", ".zip")
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError)


def packing(name: str) -> str:
    """How a name says that the file is packed: `.gz`, `.zip` or nothing."""
    return next((suffix for suffix in _PACKED if name.lower().endswith(suffix)), "")


def told_kind(name: str) -> Kind | None:
    """The form that a name tells, of a file or at the end of a pattern for names; None when it tells none."""
    plain = name.lower().rstrip("*")
    plain = plain.removesuffix(packing(plain))
    return next((kind for suffix, kind in _KINDS.items() if plain.endswith(suffix)), None)


def kind_of(name: str) -> Kind:
    """The form in which a file is read; a name that tells none is that of a CSV file."""
    return told_kind(name) or "csv"


def delivered_kind(path: Path, member: str | None) -> Kind:
    """The form of what a file holds: of an archive, that of the file in it. Raises KetenError as `pieces` does."""
    if packing(path.name) != ".zip":
        return kind_of(path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            return told_kind(_chosen(archive, member).filename) or kind_of(path.name)
    except _BROKEN as error:
        raise _unreadable(error) from None


def stored_suffix(name: str) -> str:
    """What a stored file is named by, so that its form can be told again."""
    return f".{kind_of(name)}{packing(name)}"


def pieces(path: Path, member: str | None = None, limit: int | None = None) -> Iterator[bytes]:
    """The bytes of a file, unpacked; `member` is a pattern for the file of an archive that is meant.

    Raises KetenError when it cannot be read to its end, is above the limit, or unpacks to far more than was sent.
    """
    limit = limit or MAX_TEXT_BYTES
    packed = path.stat().st_size if packing(path.name) else 0
    total = 0
    try:
        with ExitStack() as opened:
            source = _opened(path, member, opened)
            while piece := source.read(PIECE):
                total += len(piece)
                if total > limit:
                    raise KetenError(f"it holds more than {limit} bytes when unpacked; split the file")
                if packed and total > FREE_BYTES and total > MAX_RATIO * packed:
                    raise KetenError(
                        f"it unpacks to more than {MAX_RATIO} times its {packed} bytes, which no data do; ask for it unpacked"
                    )
                yield piece
    except _BROKEN as error:
        raise _unreadable(error) from None


def _opened(path: Path, member: str | None, stack: ExitStack) -> IO[bytes]:
    kind = packing(path.name)
    if kind == ".gz":
        return cast("IO[bytes]", stack.enter_context(gzip.open(path, "rb")))
    if kind == ".zip":
        archive = stack.enter_context(zipfile.ZipFile(path))
        return stack.enter_context(archive.open(_chosen(archive, member)))
    return stack.enter_context(path.open("rb"))


def _chosen(archive: zipfile.ZipFile, member: str | None) -> zipfile.ZipInfo:
    """The one file of data in an archive. Raises KetenError that tells which there are when it is not one."""
    found = [part for part in archive.infolist() if not part.is_dir() and not _is_attendant(part.filename)]
    wanted = [part for part in found if re.search(member, part.filename)] if member else found
    if len(wanted) != 1:
        told = ", ".join(part.filename for part in found[:_MOST_TOLD]) + (", ..." if len(found) > _MOST_TOLD else "")
        what = f"{len(wanted)} files that match format.member '{member}'" if member else f"{len(found)} files"
        repair = "name one by a pattern in the mapping: `format: {member: ...}`" if found else "ask for it again"
        raise KetenError(f"the archive holds {what}, where one is read; found: {told or 'none'}; {repair}")
    if wanted[0].flag_bits & 1:
        raise KetenError("it is protected with a password; ask for it without")
    return wanted[0]


def _is_attendant(name: str) -> bool:
    """What a system adds to an archive by itself."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def _unreadable(error: Exception) -> KetenError:
    return KetenError(f"it cannot be read to its end ({error}); ask for it to be sent again")


def lines(path: Path, member: str | None = None) -> Iterator[bytes]:
    """The lines of a text file, without their ends. Raises KetenError as `pieces` does, and for a line beyond all measure."""
    rest = b""
    for piece in pieces(path, member):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE_BYTES:
            raise KetenError(f"it holds a line of more than {MAX_LINE_BYTES} bytes; split it")
    if rest:
        yield rest

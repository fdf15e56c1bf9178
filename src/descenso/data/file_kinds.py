"""Tell what a file is by its first bytes, and open it decompressed, within bounds."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from descenso.errors import DataError
from descenso.language import N_, _

TEXT, PARQUET, FEATHER, SHEETS, ARRAYS = "text", "parquet", "feather", "sheets", "arrays"
SHEET_FILES = (".xlsx", ".xlsm", ".xls", ".ods")
# A compressed file may hold this many bytes, or ``_MOST_FOLD`` times its own size if that is more.
_MOST_BYTES = 2**28
_MOST_FOLD = 100
_HEAD = 4096

#: How files begin that hold no table we read, and what they are.
_OTHERS = (
    (b"%PDF", N_("a PDF document")),
    (b"SQLite format 3\0", N_("an SQLite database; export the table as CSV")),
    (b"\x89HDF", N_("an HDF5 file; export the table as CSV or Parquet")),
    (b"\x89PNG", N_("a picture")),
    (b"\xff\xd8\xff", N_("a picture")),
    (b"\x93NUMPY", N_("a single NumPy array; save inputs x and targets y with numpy.savez")),
    (b"\x80\x04", N_("a pickle; pickles run code, so save the table as CSV or Parquet")),
    (b"\x80\x05", N_("a pickle; pickles run code, so save the table as CSV or Parquet")),
    (b"7z\xbc\xaf\x27\x1c", N_("a 7z archive; unpack it first")),
    (b"Rar!", N_("a RAR archive; unpack it first")),
    (b"RDX", N_("an R data file; write it with write.csv")),
)
_TEXT_OTHERS = (
    (b"<!doctype html", N_("an HTML page; save the table itself as CSV")),
    (b"<html", N_("an HTML page; save the table itself as CSV")),
    (b"<table", N_("an HTML page; save the table itself as CSV")),
    (b"<?xml", N_("an XML file; export the table as CSV")),
    (
        b"{}{",
        N_("JSON lines; write the table as CSV: pandas.read_json(..., lines=True).to_csv(...)"),
    ),
    (b"{", N_("JSON; write the table as CSV, such as pandas.read_json(...).to_csv(...)")),
    (b"[{", N_("JSON; write the table as CSV, such as pandas.read_json(...).to_csv(...)")),
    (b"[[", N_("JSON; write the table as CSV, such as pandas.read_json(...).to_csv(...)")),
    (b"@relation", N_("an ARFF file; write the table as CSV")),
    (b"version https://git-lfs", N_("a Git LFS pointer, not the data; run git lfs pull")),
)


_READ_ME = re.compile(
    r"(^|/)(\.[^/]*|readme|read_me|leeme|léeme|license|licence|licencia|copying|citation|changelog|notice)"
    r"(\.[^/]*)?$|\.(md|rst|pdf|html?|png|jpe?g|svg|docx?|py|r|ipynb|bib)$",
    re.IGNORECASE,
)


class _Bounded(io.RawIOBase):
    """What a compressed file holds, up to a number of bytes."""

    def __init__(self, inner: IO[bytes], most: int, path: Path):
        self._inner, self._left, self._most, self._path = inner, most, most, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        read = self._inner.read(len(buffer))
        self._left -= len(read)
        if self._left < 0:
            raise DataError(
                _(
                    "{path}: it holds more than {most} MB once decompressed, {fold} times its own "
                    "size; decompress it first if that is meant"
                ).format(path=self._path, most=self._most // 2**20, fold=_MOST_FOLD)
            )
        buffer[: len(read)] = read
        return len(read)

    def close(self) -> None:
        self._inner.close()
        super().close()


def check_regular(path: Path) -> None:
    """Check that ``path`` is a regular file.

    Raises
    ------
    DataError
        If there is none, or it is a folder, a device or a pipe.
    """
    if not path.exists():
        raise DataError(_("there is no file {path}").format(path=path))
    if path.is_dir():
        raise DataError(_("{path} is a folder, not a file").format(path=path))
    if not path.is_file():
        raise DataError(
            _("{path} is a device or a pipe; save what it gives to a file first").format(path=path)
        )


def most_bytes(path: Path) -> int:
    """Return how many bytes a compressed file may expand to."""
    return max(_MOST_BYTES, _MOST_FOLD * path.stat().st_size)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, decompressed where it is gzip, bzip2, xz, Zstandard or a zip of one table.

    The first bytes tell the compression, whatever the name says.

    Raises
    ------
    DataError
        If the archive does not hold exactly one table, or (while reading) holds too much.
    OSError, EOFError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(6)
    for magic, open_inner in _COMPRESSED.items():
        if head.startswith(magic):
            most = most_bytes(path)
            return io.BufferedReader(_Bounded(open_inner(path), most, path))
    return path.open("rb")


def read_bytes(path: Path, most: int) -> bytes:
    """Return all bytes of a file, decompressed.

    Raises
    ------
    DataError
        If there are more than ``most``.
    """
    with open_bytes(path) as opened:
        read = opened.read(most + 1)
    if len(read) > most:
        raise DataError(
            _("{path} holds more than {most} MB; keep the columns and rows that are needed").format(
                path=path, most=most >> 20
            )
        )
    return read


def kind_of(path: Path) -> str:
    """Return what a file is: ``text``, ``parquet``, ``feather``, ``sheets`` or ``arrays``.

    Raises
    ------
    DataError
        If it is none of these: the message says what it is and what to do.
    """
    check_regular(path)
    with path.open("rb") as file:
        start = file.read(_HEAD)
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return SHEETS
    with open_bytes(path) as opened:
        head = opened.read(_HEAD)
    if head.startswith(b"PAR1"):
        return PARQUET
    if head.startswith((b"ARROW1", b"FEA1")):
        return FEATHER
    _refuse_others(path, head)
    return TEXT


def _refuse_others(path: Path, head: bytes) -> None:
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    bare = re.sub(rb"^\[\s+(?=[\[{])", b"[", bare)  # indented JSON
    bare = re.sub(rb"^\{[^\n]*\}\s*\n\s*\{", b"{}{", bare)
    found = next((what for magic, what in _OTHERS if head.startswith(magic)), None)
    found = found or next((what for magic, what in _TEXT_OTHERS if bare.startswith(magic)), None)
    if found is None and b"\0" in head and not wide_encoding(head):
        found = N_("a binary file, not a text")
    if found is not None:
        raise DataError(_("{path} is {what}").format(path=path, what=_(found)))


def wide_encoding(head: bytes) -> str:
    """Return UTF-16 or UTF-32 where the first bytes are of it, else an empty text."""
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Without a mark: in a table most characters are ASCII, half of whose bytes are zero then.
    pairs = len(head) // 2
    if pairs >= 4 and head[1::2].count(0) > 0.6 * pairs and not head[0::2].count(0):
        return "utf-16-le"
    if pairs >= 4 and head[0::2].count(0) > 0.6 * pairs and not head[1::2].count(0):
        return "utf-16-be"
    return ""


def _kind_of_zip(path: Path) -> str:
    with _zip(path) as archive:
        names = archive.namelist()
        if any(name.startswith("xl/") for name in names) or "content.xml" in names:
            check_expanded(path)
            return SHEETS
        if names and all(name.endswith(".npy") for name in names):
            return ARRAYS
    with open_bytes(path) as opened:
        _refuse_others(path, opened.read(_HEAD))
    return TEXT


def check_expanded(path: Path) -> None:
    """Check that a zip archive does not expand beyond the bounds; other files pass.

    Raises
    ------
    DataError
        If it does, or there is no such file.
    """
    check_regular(path)
    if not zipfile.is_zipfile(path):
        return
    most = most_bytes(path)
    with _zip(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > most:
        raise DataError(
            _("{path}: it holds more than {most} MB once decompressed").format(
                path=path, most=most >> 20
            )
        )


def _zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise DataError(
            _("{path} begins as a zip archive but is damaged or cut off").format(path=path)
        ) from error


def _open_zip(path: Path) -> IO[bytes]:
    archive = _zip(path)
    names = [
        name
        for name in archive.namelist()
        if not name.endswith("/") and not name.startswith("__MACOSX/")
    ]
    if len(names) > 1:  # a table beside what is said of it
        tables = [name for name in names if not _READ_ME.search(name)]
        names = tables if len(tables) == 1 else names
    if len(names) != 1:
        shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
        raise DataError(
            _(
                "{path}: the archive holds {count} files ({names}); unpack it and name the table"
            ).format(path=path, count=len(names), names=shown)
        )
    if archive.getinfo(names[0]).flag_bits & 1:
        raise DataError(_("{path}: the archive asks for a password; unpack it").format(path=path))
    return archive.open(names[0])


def _open_gzip(path: Path) -> IO[bytes]:
    import gzip

    return cast("IO[bytes]", gzip.open(path))


def _open_bzip2(path: Path) -> IO[bytes]:
    import bz2

    return bz2.open(path)


def _open_xz(path: Path) -> IO[bytes]:
    import lzma

    return lzma.open(path)


def _open_zstandard(path: Path) -> IO[bytes]:
    try:
        import zstandard
    except ImportError as error:
        raise DataError(
            _("{path}: reading Zstandard needs zstandard: pip install 'descenso[tables]'").format(
                path=path
            )
        ) from error
    opened: IO[bytes] = zstandard.open(path, "rb")
    return opened


_COMPRESSED: dict[bytes, Callable[[Path], IO[bytes]]] = {
    b"\x1f\x8b": _open_gzip,
    b"BZh": _open_bzip2,
    b"\xfd7zXZ\0": _open_xz,
    b"\x28\xb5\x2f\xfd": _open_zstandard,
    b"PK\x03\x04": _open_zip,
}

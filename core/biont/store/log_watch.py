"""Log watch: notices that the write-ahead log of the open database was truncated or overwritten.

Committed changes are in the log until a checkpoint copies them into the database. SQLite reads the
log again only at the next start, and ignores everything after the first wrong byte. So changes
after a truncation look kept, and are gone after the next crash.

A log that shrinks is no sign by itself: a checkpoint may truncate the log too. The index, the file
`-shm`, knows the difference. The index has the number of committed frames and their salts, and a
checkpoint sets this number to 0 before the log shrinks. The layout of both files:
https://sqlite.org/fileformat2.html#walformat and https://sqlite.org/walformat.html.

The index is opened once and stays open: closing the file would drop all locks that SQLite holds on
it (https://sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

_HEADER_SIZE = 32
_FRAME_HEADER_SIZE = 24
_INDEX_HEADER = struct.Struct("=8xIBxHI12x8s8x")
_BIG_ENDIAN_CHECKSUMS = 1
_LARGEST_PAGE = 65536


@dataclass(frozen=True, slots=True)
class _Index:
    """The header of the index.

    Attributes:
        change: a number that changes with each transaction.
        frames: the number of committed frames in the log.
        page_size: the bytes of a page.
        salts: the bytes that mark the header and each frame of the present log.
    """

    change: int
    frames: int
    page_size: int
    salts: bytes


class LogWatch:
    """Compares the log of one database with its index.

    Args:
        path: the database.
    """

    def __init__(self, path: Path) -> None:
        self._paths = f"{path}-wal", f"{path}-shm"
        self._files: tuple[int, int] | None = None
        self._valid_header = b""
        self._checked: _Index | None = None
        self._change: str | None = None

    def find_change(self) -> str | None:
        """Return the change as a participle; None while the log has all committed frames.

        A lost frame never comes back, so that a change is found again until the process ends.
        """
        files = self._files or self._open()
        if files is None or self._change is not None:
            return self._change
        log, index = files
        before = self._read_index(index)
        change = None if before is None else self._compare(log, before)
        # Read again, because another process may have written or truncated meanwhile. Then the
        # next look decides.
        if before == self._read_index(index):
            self._checked, self._change = before, change
        return self._change

    def close(self) -> None:
        """Close the files; call this method when the database is closed."""
        files, self._files = self._files, None
        for file in files or ():
            os.close(file)

    def _open(self) -> tuple[int, int] | None:
        log, index = self._paths
        try:
            opened = os.open(log, os.O_RDONLY)
        except OSError:
            # No log yet, or no free descriptor: the next look tries again.
            return None
        try:
            self._files = opened, os.open(index, os.O_RDONLY)
        except OSError:
            os.close(opened)
        return self._files

    def _read_index(self, file: int) -> _Index | None:
        """Return the header of the index; None while a process changes the header."""
        size = _INDEX_HEADER.size
        content = os.pread(file, 2 * size, 0)
        # There are two copies, so that a reader notices a change.
        if len(content) < 2 * size or content[:size] != content[size:]:
            return None
        change, is_initialised, page_size, frames, salts = _INDEX_HEADER.unpack(content[:size])
        if not is_initialised:
            return None
        return _Index(change, frames, _LARGEST_PAGE if page_size == 1 else page_size, salts)

    def _compare(self, log: int, index: _Index) -> str | None:
        if index.frames == 0:
            return None
        header = os.pread(log, _HEADER_SIZE, 0)
        if header != self._valid_header:
            if len(header) < _HEADER_SIZE:
                return "truncated"
            if header[16:24] != index.salts or not _is_valid(header):
                return "overwritten"
            self._valid_header = header
        frames = {index.frames}
        checked = self._checked
        # A log that was truncated and written since is long enough, but has a hole.
        if checked is not None and checked.salts == index.salts and checked.frames:
            frames.add(checked.frames)
        return next(filter(None, (_check_frame(log, index, frame) for frame in frames)), None)


def _check_frame(log: int, index: _Index, number: int) -> str | None:
    place = _HEADER_SIZE + (number - 1) * (_FRAME_HEADER_SIZE + index.page_size)
    # With the last byte of the frame: the log may be cut in the middle of the frame.
    header = os.pread(log, _FRAME_HEADER_SIZE, place)
    end = os.pread(log, 1, place + _FRAME_HEADER_SIZE + index.page_size - 1)
    if not end:
        return "truncated"
    return None if header[8:16] == index.salts else "truncated or overwritten"


def _is_valid(header: bytes) -> bool:
    """Return whether the checksum in the header of the log is right."""
    (magic,) = struct.unpack_from(">I", header)
    order = ">" if magic & _BIG_ENDIAN_CHECKSUMS else "<"
    numbers = struct.unpack(f"{order}6I", header[:24])
    first = second = 0
    for even, odd in zip(numbers[::2], numbers[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return struct.unpack(">2I", header[24:]) == (first, second)

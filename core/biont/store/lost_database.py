"""Lost database: refuses to create an empty database where there was one before.

A missing database is a disk that is not mounted, a wrong path or an accident. A workbench that
starts with an empty database then looks well, while all data and keys of its users are gone.
"""

from __future__ import annotations

from pathlib import Path

from biont.exceptions import StoreConflict


def check_existence(path: Path, key_file: Path, *, is_new: bool = False) -> None:
    """Check that the database at `path` exists, or was never there.

    Args:
        path: the database.
        key_file: the key file of the vault, which the first start creates after the database.
        is_new: whether the operator asks for an empty database.

    Raises:
        StoreConflict: the database is missing although it was used before, or is there although
            the operator asks for an empty one, or there is a folder at `path`.
    """
    if path.exists() and not path.is_file():
        raise StoreConflict(f"{path} is no file; correct database.url")
    if _has_content(path):
        if is_new:
            raise StoreConflict(f"the database {path} exists; start without --new-database")
        return
    log = path.with_name(f"{path.name}-wal")
    sign = next((file for file in (key_file, log) if _has_content(file)), None)
    if sign is not None and not is_new:
        state = "empty" if path.exists() else "missing"
        raise StoreConflict(
            f"the database {path} is {state}, but the file {sign} shows that there was one; put "
            "the database back, restore a backup, or correct database.url; to begin with an empty "
            "database, start once with: biont serve --new-database"
        )


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0

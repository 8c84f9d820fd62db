"""Keeps secrets unreadable in the database and in its backups."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from peewee import TextField

from biont.exceptions import VaultError
from biont.store.database import Table
from biont.store.store import Store

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_SEALED = "biont"

# A token begins with its version and the upper bytes of the time, and has at least 73 bytes.
_TOKEN_START, _TOKEN_LENGTH = "gAAAA", 100

_log = structlog.get_logger("biont")


class VaultSeal(Table):
    """A token that tells at each start whether the keys are those of this database."""

    token = TextField()

    class Meta:
        table_name = "vault_seals"


class Vault:
    """Encrypts and decrypts text with the operator's keys.

    Each line of the key file is a key. The first encrypts, and all of them
    decrypt: a key is replaced by a new one in a line before it.

    Args:
        key_file: where the keys are. It is made, with a first key, when there is
            none and nothing was ever encrypted.
    """

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        self._keys: list[Fernet] = []

    async def open(self, store: Store) -> None:
        """Read the keys and make sure that they belong to what is in `store`.

        Raises:
            VaultError: the key file is missing or cannot be read, or has other keys.
        """
        seal = await store.read(_select_seal)
        if seal is None and not self._key_file.exists():
            _create_key_file(self._key_file)
        self._keys = _read_key_file(self._key_file)
        fresh = self.encrypt(_SEALED) if seal is None else self.refresh(seal)
        if fresh != seal:
            await store.write(_save_seal, fresh)

    def encrypt(self, text: str) -> str:
        """Return `text` as a token that only the operator's keys open."""
        return self._keys[0].encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Return the text that `encrypt` was given.

        Raises:
            VaultError: none of the keys opens it.
        """
        return self._open(token)[1]

    def refresh(self, value: str) -> str:
        """Return `value` as the first key encrypts it; one that it has encrypted stays.

        Args:
            value: a token, also of a later key; or plain text from before there was
                a vault.

        Raises:
            VaultError: it is a token that none of the keys opens.
        """
        if not value.startswith(_TOKEN_START) or len(value) < _TOKEN_LENGTH:
            return self.encrypt(value)
        position, text = self._open(value)
        return self.encrypt(text) if position else value

    def _open(self, token: str) -> tuple[int, str]:
        """Return which key opens a token, and the text in it."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  # nobody waits for it

        for position, key in enumerate(self._keys):
            try:
                return position, key.decrypt(token).decode()
            except InvalidToken:
                continue
        raise VaultError(
            f"the key file {self._key_file} lacks the key by which something in the database was "
            "encrypted; restore the file, or add that key as its last line"
        )


def _create_key_file(path: Path) -> None:
    from cryptography.fernet import Fernet  # noqa: PLC0415  # nobody waits for it

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb", opener=_open_private) as file:  # it has no opener
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise VaultError(
            f"the key file {path} cannot be made: {error.strerror}; choose another vault.key_file"
        ) from error
    _log.warning("made a key file; keep a copy of it, but not with the database", path=str(path))


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read_key_file(path: Path) -> list[Fernet]:
    from cryptography.fernet import Fernet  # noqa: PLC0415  # nobody waits for it

    try:
        lines = path.read_text("ascii").split()
    except FileNotFoundError as error:
        raise VaultError(
            f"the key file {path} is missing, and the database holds what was encrypted with it; "
            "restore the file, or say in vault.key_file where it is"
        ) from error
    except (OSError, ValueError) as error:
        raise VaultError(f"the key file {path} cannot be read: {error}") from error
    try:
        keys = [Fernet(line) for line in lines]
    except ValueError as error:
        raise VaultError(
            f"the key file {path} must have one Fernet key a line, each 44 characters of base64; "
            "restore it"
        ) from error
    if not keys:
        raise VaultError(f"the key file {path} is empty; restore it")
    return keys


def _select_seal() -> str | None:
    seal = VaultSeal.get_or_none()
    return None if seal is None else str(seal.token)


def _save_seal(token: str) -> None:
    VaultSeal.delete().execute()
    VaultSeal.create(token=token)

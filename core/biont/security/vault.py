"""Vault: encrypts secrets at rest, so that the database and its backups do not contain them.

Each line of the key file is a Fernet key. The first key encrypts; all keys decrypt. Rotation of
a key:

    1. The operator writes a new key before the first line and restarts.
    2. Each owner of encrypted columns passes its tokens to `refresh` at the start, and stores the
       tokens that have changed. After that, nothing in the database needs the old key.
    3. The operator may delete the old line.

A crash in step 2 leaves tokens of both keys, which both decrypt; the next start continues.

The seal is a token in the database. A start refreshes the seal before any other token, so that a
wrong or incomplete key file stops the start instead of failing in the middle of it. A missing key
file is created only if the database has no seal: with a seal, a new key could decrypt nothing.
"""

from __future__ import annotations

import os
import shlex
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from peewee import TextField

from biont.exceptions import VaultError
from biont.store.database import Table
from biont.store.file_modes import make_private_folder, open_private
from biont.store.store import Store

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_SEALED = "biont"

# A Fernet token is base64 of a version byte (0x80), eight bytes of time, and at least 64 bytes.
# The upper four bytes of the time are zero until 2106, so every token begins with gAAAAA;
# five of these characters are enough to tell a token from plain text.
_TOKEN_START, _SHORTEST_TOKEN = "gAAAA", 100

_log = structlog.get_logger("biont")


class VaultSeal(Table):
    """Token that proves at each start that the keys belong to this database."""

    token = TextField()

    class Meta:
        table_name = "vault_seals"


class Vault:
    """Encrypts and decrypts text with the operator's keys.

    Args:
        key_file: the path of the key file. The first start creates the file with one key.
    """

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        self._keys: list[Fernet] = []

    async def open(self, store: Store) -> None:
        """Read the keys, and check that the keys belong to the database of `store`.

        Raises:
            VaultError: the key file is missing, unreadable, or has keys of another database.
        """
        seal = await store.read(_select_seal)
        if seal is None and not self._key_file.exists():
            _create_key_file(self._key_file)
        self._keys = _read_key_file(self._key_file)
        # A refresh decrypts the seal, and so proves that the key file belongs to this database.
        fresh = self.encrypt(_SEALED) if seal is None else self.refresh(seal)
        if fresh != seal:
            await store.write(_save_seal, fresh)

    def encrypt(self, text: str) -> str:
        """Return a token for `text` that only the operator's keys decrypt."""
        return self._keys[0].encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Return the text of a token.

        Raises:
            VaultError: no key decrypts the token.
        """
        return self._open(token)[1]

    def refresh(self, value: str) -> str:
        """Return a token of the first key for the same text; keep a token of the first key.

        Args:
            value: a token of any key, or plain text from a version without the vault.

        Raises:
            VaultError: no key decrypts the token.
        """
        if not value.startswith(_TOKEN_START) or len(value) < _SHORTEST_TOKEN:
            return self.encrypt(value)
        position, text = self._open(value)
        return self.encrypt(text) if position else value

    def _open(self, token: str) -> tuple[int, str]:
        """Return the position of the key that decrypts a token, and the text."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  # slow to import

        for position, key in enumerate(self._keys):
            try:
                return position, key.decrypt(token).decode()
            except InvalidToken:
                continue
        raise VaultError(
            f"the key file {self._key_file} lacks a key that has encrypted data in the database; "
            "restore the file, or add that key as its last line"
        )


def identify_key(key_file: Path) -> str | None:
    """Return the fingerprint of the key that has encrypted the active database's secrets.

    The fingerprint is the beginning of the key's SHA-256, which does not give the key away. Call
    this function where tables are bound, as in `biont.cli.read_database`.

    Returns:
        The fingerprint; None for a database that was never opened with a vault.

    Raises:
        VaultError: no key of the file belongs to the database, or there is no such file.
    """
    seal = _select_seal()
    if seal is None:
        return None
    vault = Vault(key_file)
    vault._keys = _read_key_file(key_file)  # noqa: SLF001  # of this module
    position, _ = vault._open(seal)  # noqa: SLF001
    line = key_file.read_text("ascii").split()[position]
    return sha256(line.encode()).hexdigest()[:16]


def _create_key_file(path: Path) -> None:
    from cryptography.fernet import Fernet  # noqa: PLC0415  # slow to import

    try:
        make_private_folder(path.parent)
        with open(path, "xb", opener=open_private) as file:  # Path.open takes no opener
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            # Durable before anything is encrypted: a lost key file would lose all secrets.
            os.fsync(file.fileno())
    except OSError as error:
        raise VaultError(
            f"the key file {path} cannot be created: {error.strerror}; "
            "choose another vault.key_file"
        ) from error
    _log.warning(
        "created a key file; keep a copy of the file, but not with the database", path=str(path)
    )


def _read_key_file(path: Path) -> list[Fernet]:
    from cryptography.fernet import Fernet  # noqa: PLC0415  # slow to import

    try:
        mode = path.stat().st_mode
        # As ssh refuses a private key; Windows has no such modes.
        if mode & 0o077 and os.name == "posix":
            raise VaultError(
                f"the key file {path} has mode {mode & 0o777:o}, so that other users of this "
                f"machine may read it; type: chmod 600 {shlex.quote(str(path))}"
            )
        lines = path.read_text("ascii").split()
    except FileNotFoundError as error:
        raise VaultError(
            f"the key file {path} is missing, and the database has data that its keys have "
            "encrypted; restore the file, or set vault.key_file to its path"
        ) from error
    except (OSError, ValueError) as error:
        raise VaultError(f"the key file {path} cannot be read: {error}") from error
    try:
        keys = [Fernet(line) for line in lines]
    except ValueError as error:
        raise VaultError(
            f"the key file {path} must have a Fernet key in each line, 44 characters of base64; "
            "restore the file"
        ) from error
    if not keys:
        raise VaultError(f"the key file {path} is empty; restore the file")
    return keys


def _select_seal() -> str | None:
    seal = VaultSeal.get_or_none()
    return None if seal is None else str(seal.token)


def _save_seal(token: str) -> None:
    VaultSeal.delete().execute()
    VaultSeal.create(token=token)

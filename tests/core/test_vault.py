from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from biont.application import open_application
from biont.exceptions import VaultError
from biont.security import Vault
from biont.settings import load_settings
from biont.testing import write_config


async def start(folder: Path, token: str | None = None) -> tuple[str, str]:
    """Start a workbench and stop it; return a new token, and what is in `token`."""
    settings = load_settings(write_config(folder, {}), environ={})
    async with open_application(settings) as application:
        workbench = application.workbench
        vault = workbench.vault
        return vault.encrypt("a secret"), vault.decrypt(token) if token else ""


async def test_the_first_start_creates_a_private_key_file(tmp_path: Path) -> None:
    await start(tmp_path)
    key_file = tmp_path / "biont.key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    (line,) = key_file.read_text().splitlines()
    Fernet(line)


async def test_encrypted_text_is_readable_after_a_restart(tmp_path: Path) -> None:
    token, _ = await start(tmp_path)
    assert "a secret" not in token
    assert (await start(tmp_path, token))[1] == "a secret"


async def test_a_new_first_key_encrypts_and_the_old_key_still_decrypts(tmp_path: Path) -> None:
    key_file = tmp_path / "biont.key"
    old, _ = await start(tmp_path)
    new_key = Fernet.generate_key().decode()
    key_file.write_text(f"{new_key}\n\n{key_file.read_text()}")
    new, text = await start(tmp_path, old)
    assert text == "a secret"
    assert Fernet(new_key).decrypt(new) == b"a secret"

    key_file.write_text(new_key)
    assert (await start(tmp_path, new))[1] == "a secret"
    with pytest.raises(VaultError, match=r"biont\.key lacks a key"):
        await start(tmp_path, old)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"biont\.key is missing.*restore the file"),
        ("", r"biont\.key is empty"),
        ("no key", r"biont\.key must have a Fernet key in each line"),
        ("ü", r"biont\.key cannot be read"),
        (Fernet.generate_key().decode(), r"biont\.key lacks a key.*restore the file"),
    ],
    ids=["missing", "empty", "garbage", "no ascii", "another"],
)
async def test_a_wrong_key_file_stops_the_start(
    tmp_path: Path, content: str | None, message: str
) -> None:
    await start(tmp_path)
    key_file = tmp_path / "biont.key"
    if content is None:
        key_file.unlink()
    else:
        key_file.write_text(content)
    with pytest.raises(VaultError, match=message):
        await start(tmp_path)
    assert key_file.exists() is (content is not None)


async def test_a_key_file_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "biont.key").symlink_to(tmp_path / "nowhere" / "biont.key")
    with pytest.raises(VaultError, match=r"biont\.key cannot be created.*vault\.key_file"):
        await start(tmp_path)


async def test_refresh_encrypts_with_the_first_key(tmp_path: Path) -> None:
    old_token, _ = await start(tmp_path)
    key_file = tmp_path / "biont.key"
    new_key = Fernet.generate_key().decode()
    key_file.write_text(f"{new_key}\n{key_file.read_text()}")
    settings = load_settings(write_config(tmp_path, {}), environ={})
    async with open_application(settings) as application:
        workbench = application.workbench
        vault: Vault = workbench.vault
        for value, text in ((old_token, "a secret"), ("plain", "plain"), ("gAAAA", "gAAAA")):
            token = vault.refresh(value)
            assert Fernet(new_key).decrypt(token).decode() == text
            assert vault.refresh(token) == token
        with pytest.raises(VaultError, match="lacks a key"):
            vault.refresh(Fernet(Fernet.generate_key()).encrypt(b"x").decode())

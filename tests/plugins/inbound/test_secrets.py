"""Secrets of inbound webhooks at rest: encrypted, and encrypted again with a new key."""

from __future__ import annotations

from pathlib import Path

from conftest import Restart
from cryptography.fernet import Fernet
from support.senders import Sender

from biont.testing import ApiClient


def read_database(folder: Path) -> bytes:
    """Return all bytes of the database's files."""
    return b"".join(path.read_bytes() for path in folder.glob("biont.sqlite3*"))


async def make_hook(client: ApiClient) -> Sender:
    made = await client.post(
        "/webhooks/incoming",
        {
            "name": "Issues",
            "preset": "github",
            "action": {"kind": "event", "event_type": "custom_issue"},
        },
    )
    return Sender(str(made["url"]), str(made["secret"]))


async def test_the_database_holds_neither_secret_nor_token(
    restart: Restart, tmp_path: Path
) -> None:
    async with restart() as client:
        sender = await make_hook(client)
        assert (await sender.send()).status == 202
    content = read_database(tmp_path)
    assert b"custom_issue" in content
    assert sender.secret.removeprefix("whsec_").encode() not in content
    assert sender.url.rpartition("/")[2].encode() not in content


async def test_secrets_outlive_the_key_of_the_vault(restart: Restart, tmp_path: Path) -> None:
    async with restart() as client:
        first = await make_hook(client)
        rotated = await client.post("/webhooks/incoming/1/rotate-secret", {})
        other = await make_hook(client)
    second = Sender(first.url, str(rotated["secret"]))
    key_file = tmp_path / "biont.key"
    old, new = key_file.read_text().strip(), Fernet.generate_key().decode()
    for count, keys in enumerate([f"{new}\n{old}", new]):
        key_file.write_text(keys)
        async with restart() as client:
            for number, sender in enumerate((first, second, other)):
                sender.move(client.url)
                answer = await sender.send(delivery=f"{count}-{number}")
                assert answer.status == 202, (count, number, answer)

"""Encryption of secrets, also in a database from before secrets were encrypted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
from contextlib import closing
from pathlib import Path

from peewee import SqliteDatabase
from playhouse.migrations import Runner

import biont_webhooks
from biont.application import open_application
from biont.settings import load_settings
from biont.store.migration import CORE_MIGRATIONS
from biont.testing import ApiClient, ManualClock, WebhookReceiver, write_config

PATH = "/webhooks/outgoing"
SECRET = "a-secret-of-my-very-own"
MIGRATIONS = Path(biont_webhooks.__file__).parent / "migrations"


def read_everything(folder: Path) -> bytes:
    """Return all bytes of the database's files; a backup of an older database is no such file."""
    return b"".join(
        path.read_bytes() for path in folder.glob("biont.sqlite3*") if path.suffix != ".backup"
    )


async def test_the_database_never_holds_a_secret(client: ApiClient, tmp_path: Path) -> None:
    generated = await client.post(f"{PATH}/register", {"url": "https://example.com/a"})
    await client.post(f"{PATH}/register", {"url": "https://example.com/b", "secret": SECRET})
    found = read_everything(tmp_path)
    assert b"https://example.com/b" in found
    assert str(generated["secret"]).removeprefix("whsec_").encode() not in found
    assert SECRET.encode() not in found


def make_old_database(folder: Path, url: str) -> None:
    """Make a database as it was before secrets were encrypted, with one webhook."""
    path = folder / "biont.sqlite3"
    database = SqliteDatabase(str(path))
    with database.connection_context():
        Runner(database, str(CORE_MIGRATIONS), table_name="migrations_core").up("0001_initial")
        Runner(database, str(MIGRATIONS), table_name="migrations_webhooks").up("0001_webhooks")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO users VALUES (1, 'ada', '2026-01-01 00:00:00+00:00')")
        connection.execute(
            "INSERT INTO webhooks (id, user_id, url, event_types, secret, created_at) "
            "VALUES (1, 1, ?, '[\"*\"]', ?, '2026-01-01 00:00:00+00:00')",
            (url, SECRET),
        )


async def test_the_replaced_secret_of_an_old_database_still_signs(
    tmp_path: Path, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    make_old_database(tmp_path, receiver.url)
    path = tmp_path / "biont.sqlite3"
    database = SqliteDatabase(str(path))
    with database.connection_context():
        Runner(database, str(CORE_MIGRATIONS), table_name="migrations_core").up()
        Runner(database, str(MIGRATIONS), table_name="migrations_webhooks").up("0006_attempts")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE webhooks SET previous_secret = 'the-former-secret', "
            "previous_secret_until = '2026-03-02 12:00:01+00:00'"
        )
    settings = load_settings(write_config(tmp_path, {}), environ={})
    async with open_application(settings, clock=clock) as application:
        emit = application.workbench.events.emit
        await emit("custom_old", 1, {})
        (request,) = await receiver.wait_for(1)
        clock.advance(seconds=1)
        await emit("custom_old", 1, {})
        _, later = await receiver.wait_for(2)
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    digest = hmac.digest(b"the-former-secret", content + request.body, "sha256")
    expected = f"v1,{base64.b64encode(digest).decode()}"
    assert request.headers["webhook-signature"].split(" ")[1:] == [expected]
    assert len(later.headers["webhook-signature"].split(" ")) == 1
    assert b"the-former-secret" not in read_everything(tmp_path)


async def test_plain_secrets_of_an_old_database_are_encrypted_and_still_sign(
    tmp_path: Path, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    make_old_database(tmp_path, receiver.url)
    settings = load_settings(write_config(tmp_path, {}), environ={})
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        await workbench.events.emit("custom_old", 1, {})
        (request,) = await receiver.wait_for(1)
        expected = hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
        assert request.headers["X-ASI-Signature"] == expected
    assert SECRET.encode() not in read_everything(tmp_path)

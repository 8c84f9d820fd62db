"""One rule for all routes: JSON types as declared, and one spelling of each parameter."""

from __future__ import annotations

import gzip
import zlib

import pytest
from pydantic import JsonValue

from biont.testing import ApiClient

SCHEDULE = {"prompt": "Hello"}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/schedule", {**SCHEDULE, "every": True}, "#/every"),
        ("/schedule", {**SCHEDULE, "every": 60.0}, "#/every"),
        ("/schedule", {**SCHEDULE, "every": 60, "max_runs": "5"}, "#/max_runs"),
        ("/schedule", {**SCHEDULE, "every": 60, "max_runs": 5.0}, "#/max_runs"),
        ("/schedule", {**SCHEDULE, "every": 60, "dry_run": "off"}, "#/dry_run"),
        ("/schedule", {**SCHEDULE, "cron": "0 9 * * *", "seconds": 0}, "#/seconds"),
        ("/schedule", {**SCHEDULE, "at": 1900000000}, "#/at"),
        ("/schedule", {**SCHEDULE, "at": "1900000000"}, "#/at"),
        ("/schedule", {**SCHEDULE, "at": "2030-01-01T09:00:00"}, "#/at"),
        ("/schedule", {**SCHEDULE, "at": "2030-01-01"}, "#/at"),
        ("/schedule", {**SCHEDULE, "at": "2030-01-01T09:00:00+0100"}, "#/at"),
        ("/schedule", {**SCHEDULE, "at": "2030-01-01T09:00:60Z"}, "#/at"),
        ("/reminders", {"text": "x", "every": True}, "#/every"),
        ("/keys/create", {"name": "x", "expires_at": 1900000000}, "#/expires_at"),
        ("/keys/create", {"name": "x", "scope": 1}, "#/scope"),
        ("/webhooks/outgoing/register", {"url": "https://e.com", "concurrency": "5"}, "#/concu"),
        ("/webhooks/outgoing/register", {"url": "https://e.com", "rate": True}, "#/rate"),
        ("/webhooks/outgoing/register", {"url": "https://e.com", "retry": ["5"]}, "#/retry"),
        ("/missions", {"goal": "x", "max_attempts": "2"}, "#/"),
        (
            "/schedule",
            {"every": 60, "job": "mission", "parameters": {"goal": "x", "max_tokens": "5"}},
            "#/parameters/max_tokens",
        ),
        (
            "/schedule",
            {"every": 60, "job": "mission", "parameters": {"goal": "x", "start": "yes"}},
            "#/parameters/start",
        ),
        ("/schedule", {**SCHEDULE, "every": {"weeks": "2"}}, "#/every"),
        ("/schedule", {**SCHEDULE, "every": {"days": True}}, "#/every"),
        ("/webhooks/outgoing/1/recover", {"since": 1900000000}, "#/since"),
        ("/webhooks/outgoing/register", {"url": "https://e.com", "headers": {"X-A": 1}}, "#/hea"),
    ],
)
async def test_a_json_value_of_another_type_is_refused(
    client: ApiClient, path: str, body: dict[str, JsonValue], pointer: str
) -> None:
    status, problem = await client.ask("POST", path, body)
    assert status == 422, problem
    assert f"'{pointer}" in str(problem["errors"])


@pytest.mark.parametrize(
    "at", ["2030-01-01T09:00:00Z", "2030-01-01t09:00:00.5z", "2030-01-01T09:00:00+01:00"]
)
async def test_an_instant_of_rfc_3339_is_accepted(client: ApiClient, at: str) -> None:
    assert (await client.ask("POST", "/schedule", {**SCHEDULE, "at": at}))[0] == 201


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/notes/+1", "note_id"),
        ("/notes/1.0", "note_id"),
        ("/notes/01", "note_id"),
        ("/notes/%201", "note_id"),
        ("/notes/1_0", "note_id"),
        ("/notes/%D9%A1", "note_id"),
        ("/notes?limit=1.0", "limit"),
        ("/notes?limit=%2B1", "limit"),
        ("/notes?limit=1e1", "limit"),
        ("/notes?limit=", "limit"),
        ("/notes?limit=1&limit=2", "limit"),
        ("/notes/search?q=a&q=b", "q"),
        ("/events?until=0.5", "until"),
        ("/events?since=1900000000", "since"),
        ("/schedule/upcoming?limit=true", "limit"),
        ("/usage?since=2030-01-01", "since"),
    ],
)
async def test_each_parameter_has_one_spelling(client: ApiClient, path: str, name: str) -> None:
    status, problem = await client.ask("GET", path)
    assert status == 422
    assert f"'parameter': '{name}'" in str(problem["errors"])


async def _post(client: ApiClient, data: bytes, **headers: str) -> tuple[int, str, str | None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await client.request("POST", "/notes", data=data, headers=named)
    return answer.status, str(answer.document), answer.headers.get("Accept-Encoding")


NOTE = b'{"title": "x"}'


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(NOTE, mtime=0)),
        ("X-GZIP", gzip.compress(NOTE, mtime=0)),
        ("deflate", zlib.compress(NOTE)),
        ("identity", NOTE),
    ],
)
async def test_a_compressed_body_is_accepted(client: ApiClient, coding: str, body: bytes) -> None:
    assert (await _post(client, body, Content_Encoding=coding))[0] == 201


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", NOTE),
        ("gzip", gzip.compress(NOTE, mtime=0)[:-4]),
        ("gzip", gzip.compress(NOTE, mtime=0) + b"more"),
        ("gzip", b""),
        ("deflate", NOTE),
        ("deflate", gzip.compress(NOTE, mtime=0)),
    ],
)
async def test_a_body_that_is_not_coded_as_it_says_is_400(
    client: ApiClient, coding: str, body: bytes
) -> None:
    status, text, _ = await _post(client, body, Content_Encoding=coding)
    assert status == 400
    assert "Content-Encoding" in text


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "unknown", "x" * 5000])
async def test_an_unknown_coding_is_415_and_names_the_known(
    client: ApiClient, coding: str
) -> None:
    status, _, accepted = await _post(client, NOTE, Content_Encoding=coding)
    assert status == 415
    assert accepted == "gzip, deflate"


async def test_a_bomb_is_413(client: ApiClient) -> None:
    bomb = gzip.compress(b" " * 200_000_000, 1)
    assert (await _post(client, bomb, Content_Encoding="gzip"))[0] == 413


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 201),
        ('application/json; charset="UTF-8"', 201),
        ("application/merge-patch+json", 201),
        ("application/json; charset=latin-1", 415),
        ("application/json; charset=utf-16", 415),
        ("application/json-patch+json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/json-ish", 415),
        ("", 415),
    ],
)
async def test_the_declared_form_of_a_body_is_json_in_utf_8(
    client: ApiClient, content_type: str, status: int
) -> None:
    assert (await _post(client, NOTE, Content_Type=content_type))[0] == status


async def test_an_answer_says_how_many_problems_it_does_not_list(client: ApiClient) -> None:
    repeated = "&".join(f"{name}=1&{name}=2" for name in ["limit"] + ["cursor"] * 50)
    numbers = b"[%s]" % b",".join([b"18446744073709551616"] * 130)
    unknown = b'{"title": "x", %s}' % b",".join(b'"f%d": 1' % number for number in range(130))
    many = "&".join(f"f{number}=1" for number in range(130))
    for method, path, data, omitted in [
        ("POST", "/notes", b'{"title": "x", "tags": %s}' % numbers, 30),
        ("POST", "/notes", unknown, 30),
        ("POST", "/events", b'{"event_type": "custom_a", "payload": {"a": %s}}' % numbers, 30),
        ("GET", f"/notes?{many}", None, 30),
    ]:
        status, problem = await client.ask(method, path, data=data)
        assert (status, len(problem["errors"])) == (422, 100)  # type: ignore[arg-type]  # JSON
        assert f"{omitted} more problems" in str(problem["detail"])
    assert "more problems" not in str((await client.ask("GET", f"/notes?{repeated}"))[1])

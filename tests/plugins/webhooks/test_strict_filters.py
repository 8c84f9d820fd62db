"""A filter is judged strictly when it is written; each problem has its place in the filter."""

from __future__ import annotations

import orjson
import pytest
from pydantic import JsonValue
from support.webhooks import PATH, register

from biont.testing import ApiClient, rows_of

WRONG = [
    ('{"path": "a", "op": "gt", "value": true}', "/value"),
    ('{"path": "a", "op": "gt", "value": null}', "/value"),
    ('{"path": "a", "op": "gt", "value": [1]}', "/value"),
    ('{"path": "a", "op": "gt"}', "/value"),
    ('{"path": "a", "op": "lte", "value": 1e999}', "/value"),
    ('{"path": "a", "op": "lte", "value": 18446744073709551616}', "/value"),
    ('{"path": "a", "op": "lte", "value": -9223372036854775809}', "/value"),
    ('{"path": "a", "op": "eq", "value": {}}', "/value"),
    ('{"path": "a", "op": "eq", "value": [1]}', "/value"),
    ('{"path": "a", "op": "eq", "value": 18446744073709551616}', "/value"),
    ('{"path": "a", "op": "eq"}', "/value"),
    ('{"path": "a", "op": "ne", "value": [true]}', "/value"),
    ('{"path": "a", "op": "in", "value": "abc"}', "/value"),
    ('{"path": "a", "op": "in", "value": {"0": 1}}', "/value"),
    ('{"path": "a", "op": "in", "value": []}', "/value"),
    ('{"path": "a", "op": "in", "value": [1, [2]]}', "/value/1"),
    ('{"path": "a", "op": "in", "value": [1, 18446744073709551616]}', "/value/1"),
    ('{"path": "a", "op": "prefix", "value": 5}', "/value"),
    ('{"path": "a", "op": "prefix", "value": null}', "/value"),
    ('{"path": "a", "op": "prefix", "value": ["a"]}', "/value"),
    ('{"path": "a", "op": "exists", "value": 1}', "/value"),
    ('{"path": "a", "op": "exists", "value": "true"}', "/value"),
    ('{"path": "a", "op": "exists", "value": null}', "/value"),
    ('{"path": "a", "op": "contains", "value": ["a"]}', "/value"),
    ('{"path": "a", "op": "contains"}', "/value"),
    ('{"path": "a", "op": "any", "value": "a"}', "/value"),
    ('{"path": "a", "op": "all", "value": []}', "/value"),
    ('{"path": "a", "op": "any", "value": [[1]]}', "/value/0"),
    ('{"path": "a", "op": "all", "value": {}}', "/value"),
    (
        '{"path": "a", "op": "all", "value": {"path": "b", "op": "gt", "value": true}}',
        "/value/value",
    ),
    ('{"path": "a", "op": "any", "value": {"or": []}}', "/value/or"),
    ('{"path": "/a~2", "op": "exists"}', "/path"),
    ('{"path": "/a~", "op": "exists"}', "/path"),
    ('{"path": 1, "op": "exists"}', "/path"),
    ('{"path": ["a"], "op": "exists"}', "/path"),
    ('{"path": "", "op": "exists"}', "/path"),
    ('{"path": "a..b", "op": "exists"}', "/path"),
    ('{"op": "exists"}', "/path"),
    ('{"path": "a", "op": "EQ", "value": 1}', ""),
    ('{"path": "a", "op": ["eq"], "value": 1}', ""),
    ('{"path": "a", "op": null, "value": 1}', ""),
    ('{"path": "a", "value": 1}', ""),
    ('{"path": "a", "op": "eq", "value": 1, "case": true}', "/case"),
    ('{"path": "a", "op": "exists", "and": []}', "/path"),
    ('{"and": {"path": "a", "op": "exists"}}', "/and"),
    ('{"and": []}', "/and"),
    ('{"and": null}', "/and"),
    ('{"and": [{"path": "a", "op": "exists"}], "or": []}', "/or"),
    ('{"or": [{"path": "a", "op": "gt", "value": false}]}', "/or/0/value"),
    ('{"or": ["a"]}', "/or/0"),
    ('{"not": []}', "/not"),
    ('{"not": null}', "/not"),
    ('{"not": {"path": "a", "op": "exists", "extra": 1}}', "/not/extra"),
    ("[]", ""),
    ('"a"', ""),
    ("true", ""),
    ("{}", ""),
]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_filter_that_is_not_as_declared_is_refused_at_its_place(
    client: ApiClient, method: str
) -> None:
    webhook = await register(client, "https://example.com/hook")
    path, start = f"{PATH}/register", '{"url": "https://example.com/x", '
    if method == "PATCH":
        path, start = f"{PATH}/{webhook['id']}", "{"
    for text, pointer in WRONG:
        body = f'{start}"filter": {text}}}'.encode()
        status, problem = await client.ask(method, path, data=body)
        assert status == 422, (text, problem)
        assert f"'#/filter{pointer}'" in str(problem["errors"]), text
    assert len(rows_of(await client.get(PATH))) == 1


async def test_a_value_that_is_not_json_is_refused(client: ApiClient) -> None:
    for value in (b"NaN", b"Infinity", b"-Infinity", b"01", b"'a'"):
        clause = b'{"path": "a", "op": "gt", "value": %s}' % value
        body = b'{"url": "https://example.com/x", "filter": %s}' % clause
        assert (await client.ask("POST", f"{PATH}/register", data=body))[0] == 400


KEPT: list[dict[str, JsonValue]] = [
    {"op": "gt", "value": 1.5},
    {"op": "gt", "value": 18446744073709551615},
    {"op": "lt", "value": "text"},
    {"op": "eq", "value": True},
    {"op": "eq", "value": None},
    {"op": "in", "value": [1, True, "1", None, 0, False]},
    {"op": "prefix", "value": ""},
    {"op": "contains", "value": None},
    {"op": "any", "value": ["a", 1, True]},
    {"op": "all", "value": {"and": [{"path": "/b.c", "op": "any", "value": ["x"]}]}},
    {"op": "exists"},
    {"op": "exists", "value": False},
]


async def test_a_filter_is_kept_as_sent(client: ApiClient) -> None:
    for clause in KEPT:
        chosen: JsonValue = {"path": "a", **clause}
        webhook = await register(client, "https://example.com/hook", filter=chosen)
        found = await client.get(f"{PATH}/{webhook['id']}")
        assert orjson.dumps(found["filter"]) == orjson.dumps(chosen)

"""Numbers, depth and texts of JSON bodies: kept exactly or refused with a place."""

from __future__ import annotations

import math
from typing import cast

import pytest
from pydantic import JsonValue

from biont import Workbench
from biont.exceptions import InvalidInput
from biont.testing import ApiClient, payload_of, rows_of

BEYOND = 2**64


def _emit(payload: str) -> bytes:
    return b'{"event_type": "custom_made", "payload": %s}' % payload.encode()


async def _ask(client: ApiClient, body: bytes) -> tuple[int, str]:
    status, document = await client.ask("POST", "/events", data=body)
    return status, str(document)


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ('{"n": 18446744073709551616}', "#/payload/n"),
        ('{"n": -9223372036854775809}', "#/payload/n"),
        ('{"a": [1, {"b/c": %s}]}' % ("9" * 3000), "#/payload/a/1/b~1c"),
        ('{"n": %s}' % ("9" * 200_000), "#/payload/n"),
        ('{"n": 1e400}', "#/payload/n"),
        ('{"n": -1e400, "s": "ü"}', "#/payload/n"),
    ],
)
async def test_a_number_that_would_be_rounded_is_refused_by_its_place(
    client: ApiClient, payload: str, pointer: str
) -> None:
    status, text = await _ask(client, _emit(payload))
    assert status == 422
    assert repr(pointer) in text
    assert len(text) < 2000


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 0, 1.5, 1e300])
async def test_a_number_within_64_bits_is_kept_exactly(client: ApiClient, number: float) -> None:
    status, _ = await _ask(client, _emit(f'{{"n": {number!r}, "digits": "{"9" * 30}"}}'))
    assert status == 201
    page = await client.get_until("/events?event_type=custom_made", rows_of)
    assert payload_of(rows_of(page)[0])["n"] == number


@pytest.mark.parametrize("levels", [101, 500, 100_000])
async def test_a_document_that_is_nested_too_deep_is_refused_with_the_limit(
    client: ApiClient, levels: int
) -> None:
    status, text = await _ask(client, _emit('{"n": ' + "[" * levels + "]" * levels + "}"))
    assert status == 422
    assert "100 levels" in text


async def test_a_flat_document_of_many_parts_is_accepted(client: ApiClient) -> None:
    assert (await _ask(client, _emit('{"n": [' + ",".join(["[{}]"] * 10_000) + "]}")))[0] == 201


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"\xef\xbb\xbf" + _emit("{}"), "byte order mark"),
        (_emit("{}").decode().encode("utf-16"), "UTF-16"),
        (_emit("{}").decode().encode("utf-16-le"), "UTF-16"),
        (_emit("{}").decode().encode("utf-32"), "UTF-16"),
        (b"", "empty"),
        (_emit('{"n": 1e400, "s": "') + b"\xff", "not JSON"),
        (_emit('{"n": 1e400, "s": NaN}'), "not JSON"),
    ],
)
async def test_a_body_in_another_encoding_is_400_with_the_reason(
    client: ApiClient, body: bytes, word: str
) -> None:
    status, text = await _ask(client, body)
    assert status == 400
    assert word in text


async def test_the_last_of_two_values_of_a_key_wins(client: ApiClient) -> None:
    assert (await _ask(client, _emit('{"n": 1, "n": 2}')))[0] == 201
    page = await client.get_until("/events?event_type=custom_made", rows_of)
    assert payload_of(rows_of(page)[0]) == {"n": 2}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"n": BEYOND}, "#/payload/n"),
        ({"a": [{"n": -BEYOND}]}, "#/payload/a/0/n"),
        ({"n": math.nan}, "#/payload/n"),
        ({"n": -math.inf}, "#/payload/n"),
        ({"s": "\ud800"}, "#/payload/s"),
        ({"a": {1: 2}}, "#/payload/a"),
    ],
)
async def test_an_event_of_this_process_is_refused_by_the_same_rules(
    workbench: Workbench, value: object, place: str
) -> None:
    user = await workbench.users.create("ada")
    payload = cast("dict[str, JsonValue]", value)
    with pytest.raises(InvalidInput) as caught:
        await workbench.events.emit("custom_made", user.id, payload)
    assert [problem.place for problem in caught.value.problems] == [place]


async def test_a_payload_of_this_process_that_is_nested_too_deep_is_refused(
    workbench: Workbench,
) -> None:
    user = await workbench.users.create("ada")
    payload: dict[str, JsonValue] = {}
    for _ in range(500):
        payload = {"n": payload}
    with pytest.raises(InvalidInput, match="100 levels"):
        await workbench.events.emit("custom_made", user.id, payload)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/schedule", '{"every": 3600, "prompt": "x", "variables": {"n": %s}}'),
        ("/schedule", '{"every": 3600, "prompt": "x", "max_runs": %s}'),
        ("/notes", '{"title": "x", "content": %s}'),
        ("/webhooks/outgoing/register", '{"url": "https://example.com", "rate": %s}'),
    ],
)
async def test_each_body_with_such_a_number_is_refused(
    client: ApiClient, path: str, body: str
) -> None:
    status, document = await client.ask("POST", path, data=(body % BEYOND).encode())
    assert status == 422
    assert "64 bits" in str(document)


async def test_one_answer_names_a_bounded_number_of_problems(client: ApiClient) -> None:
    unknown = ",".join(f'"{number}{"k" * 100}": 1' for number in range(5000))
    answer = await client.request("POST", "/notes", data=b'{"title": "x", %s}' % unknown.encode())
    assert answer.status == 422
    assert len(rows_of({"data": answer.document["errors"]})) == 100
    assert "4900 more" in str(answer.document["detail"])
    long = await client.request("POST", "/notes", data=b'{"%s": 1}' % (b"k" * 500_000))
    assert len(str(long.document)) < 2000
    many = ",".join(["18446744073709551616"] * 5000)
    assert len((await _ask(client, _emit('{"n": [' + many + "]}")))[1]) < 20_000
    query = "&".join(f"key{number}=1" for number in range(300))
    assert len(str((await client.request("GET", f"/notes?{query}")).document)) < 20_000

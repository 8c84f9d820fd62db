"""`biont api diff`, and the released document, with which the present one is compatible."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from docs.released_document import RELEASED
from support.api_document import DOCUMENT, Document, event, new, note, operation, schemes
from support.source import ROOT

from biont.api_diff.operations import compare_documents
from biont.application import Application
from biont.cli import main

Change = Callable[[Document], object]
PLACE = "POST /notes"

BREAKING: dict[str, Change] = {
    "removed operation": lambda d: d["paths"].pop("/notes"),
    "renamed operation": lambda d: operation(d).update(operationId="add_note"),
    "other tag": lambda d: operation(d).update(tags=["texts"]),
    "removed scope": lambda d: operation(d)["x-scopes"].remove("read"),
    "removed parameter": lambda d: operation(d)["parameters"].pop(0),
    "required parameter": lambda d: operation(d)["parameters"][0].update(required=True),
    "other default": lambda d: operation(d)["parameters"][0]["schema"].update(default="y"),
    "new required parameter": lambda d: operation(d)["parameters"].append(
        {"name": "z", "in": "query", "required": True, "schema": {}}
    ),
    "required body": lambda d: operation(d)["requestBody"].update(required=True),
    "no body": lambda d: operation(d).pop("requestBody"),
    "other status": lambda d: operation(d)["responses"].update(
        {"200": operation(d)["responses"].pop("201")}
    ),
    "removed header": lambda d: operation(d)["responses"]["201"].update(headers={}),
    "other media type": lambda d: operation(d)["responses"]["201"].update(content={"text/x": {}}),
    "new required field": lambda d: d["components"]["schemas"]["New"]["required"].append("size"),
    "removed field of a request": lambda d: new(d).pop("size"),
    "removed value of a request": lambda d: new(d)["kind"].update(enum=["a"]),
    "narrowed type": lambda d: new(d)["size"].update(type="integer"),
    "narrowed alternatives": lambda d: new(d)["due"]["anyOf"].pop(1),
    "narrowed items": lambda d: new(d)["tags"]["items"].update(type="integer"),
    "shorter text": lambda d: new(d)["title"].update(maxLength=100),
    "new limit": lambda d: new(d)["size"].update(minimum=1),
    "new pattern": lambda d: new(d)["title"].update(pattern="x"),
    "removed field of an answer": lambda d: note(d).pop("title"),
    "field that may be missing": lambda d: d["components"]["schemas"]["Note"]["required"].pop(),
    "other type of an answer": lambda d: note(d)["id"].update(type="string"),
    "null in an answer": lambda d: note(d).update(id={"anyOf": [note(d)["id"], {"type": "null"}]}),
    "removed event type": lambda d: d["webhooks"].clear(),
}

BREAKING_SECURITY: dict[str, Change] = {
    "other header of a key": lambda d: schemes(d)["key"].update(name="X-Other"),
    "other place of a key": lambda d: schemes(d)["key"].update({"in": "query"}),
    "other type of a scheme": lambda d: schemes(d)["key"].update(type="http", scheme="basic"),
    "other scheme": lambda d: schemes(d)["bearer"].update(scheme="basic"),
    "removed scheme": lambda d: schemes(d).pop("key"),
    "lost alternative": lambda d: operation(d)["security"].pop(),
    "new demand": lambda d: operation(d)["security"][0].update(bearer=[]),
    "new scope of a scheme": lambda d: operation(d)["security"][0].update(key=["write"]),
    "no scopes": lambda d: operation(d).pop("x-scopes"),
    "one scope": lambda d: operation(d).update({"x-scopes": ["full"]}),
    "security of the document": lambda d: (
        operation(d).pop("security"),
        d.update(security=[{"bearer": []}]),
    ),
}

BREAKING_DETAILS: dict[str, Change] = {
    "removed parameter of the path": lambda d: d["paths"]["/notes"].pop("parameters"),
    "required parameter of the path": lambda d: d["paths"]["/notes"]["parameters"][0].update(
        required=True
    ),
    "explode": lambda d: operation(d)["parameters"][0].update(explode=False),
    "style": lambda d: operation(d)["parameters"][0].update(style="pipeDelimited", explode=True),
    "removed header of an event": lambda d: event(d).pop("parameters"),
    "optional header of an event": lambda d: event(d)["parameters"][0].update(required=False),
    "all of": lambda d: new(d).update(
        title={"allOf": [new(d)["title"], {"type": "string", "maxLength": 5}]}
    ),
    "not": lambda d: new(d)["title"].update({"not": {"const": "x"}}),
    "required by another": lambda d: d["components"]["schemas"]["New"].update(
        dependentRequired={"size": ["tags"]}
    ),
    "steps": lambda d: new(d)["size"].update(multipleOf=2),
    "different items": lambda d: new(d)["tags"].update(uniqueItems=True),
    "read only": lambda d: new(d)["size"].update(readOnly=True),
    "default of a field": lambda d: new(d)["kind"].update(default="b"),
    "format of an answer": lambda d: note(d)["id"].update(format="int64"),
    "other method of an event": lambda d: d["webhooks"]["note_created"].update(
        put=d["webhooks"]["note_created"].pop("post")
    ),
    "other server": lambda d: d.update(servers=[{"url": "/other"}]),
}

BREAKING |= BREAKING_SECURITY | BREAKING_DETAILS

ADDITIONS: dict[str, Change] = {
    "new operation": lambda d: d["paths"].update({"/tasks": d["paths"]["/notes"]}),
    "new parameter": lambda d: operation(d)["parameters"].append(
        {"name": "z", "in": "query", "schema": {}}
    ),
    "new error": lambda d: operation(d)["responses"].update({"429": {}}),
    "new scope": lambda d: operation(d)["x-scopes"].append("chat"),
    "public": lambda d: operation(d).update(security=[]),
    "another alternative": lambda d: (
        schemes(d).update(cookie={"type": "apiKey", "in": "cookie", "name": "k"}),
        operation(d)["security"].append({"cookie": []}),
    ),
    "deprecated": lambda d: operation(d).update(deprecated=True),
    "new field of a request": lambda d: new(d).update(more={"type": "string"}),
    "new value of a request": lambda d: new(d)["kind"]["enum"].append("c"),
    "wider type": lambda d: new(d).update(title={"anyOf": [{"type": "string"}, {"type": "null"}]}),
    "longer text": lambda d: new(d)["title"].update(maxLength=300),
    "finer steps": lambda d: new(d)["count"].update(multipleOf=3),
    "no limit": lambda d: new(d)["title"].pop("maxLength"),
    "new field of an answer": lambda d: note(d).update(more={"type": "string"}),
    "new value of an answer": lambda d: note(d)["kind"]["enum"].append("c"),
    "always there": lambda d: d["components"]["schemas"]["Note"]["required"].append("parent"),
    "new event type": lambda d: d["webhooks"].update(x=d["webhooks"]["note_created"]),
}

SILENT: dict[str, Change] = {
    "usual style": lambda d: operation(d)["parameters"][0].update(style="form", explode=True),
    "usual server": lambda d: d.update(servers=[{"url": "/"}]),
    "parameter moved to its operation": lambda d: operation(d)["parameters"].extend(
        d["paths"]["/notes"].pop("parameters")
    ),
    "all of one": lambda d: new(d).update(title={"allOf": [new(d)["title"]]}),
    "another order of keys": lambda d: operation(d)["security"].reverse(),
    "renamed scheme": lambda d: (
        schemes(d).update(token=schemes(d).pop("key")),
        operation(d).update(security=[{"token": []}, {"bearer": []}]),
    ),
    "header of a key in another case": lambda d: schemes(d)["key"].update(name="x-key"),
    "the same security for all": lambda d: d.update(security=operation(d).pop("security")),
    "another order of types": lambda d: new(d)["due"]["anyOf"].reverse(),
    "other words": lambda d: operation(d).update(summary="Create", description="A note"),
    "renamed schema": lambda d: (
        d["components"]["schemas"].update(Fresh=d["components"]["schemas"].pop("New")),
        operation(d).update(
            requestBody={
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Fresh"}}}
            }
        ),
    ),
    "header in another case": lambda d: operation(d)["parameters"][1].update(name="x-id"),
}


def compare(change: Change) -> list[bool]:
    changed = copy.deepcopy(DOCUMENT)
    change(changed)
    return [found.breaks for found in compare_documents(copy.deepcopy(DOCUMENT), changed)]


@pytest.mark.parametrize("name", BREAKING)
def test_a_change_that_breaks_clients_is_found(name: str) -> None:
    assert True in compare(BREAKING[name])


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_breaks_nobody(name: str) -> None:
    found = compare(ADDITIONS[name])
    assert found
    assert True not in found


@pytest.mark.parametrize("name", SILENT)
def test_what_clients_cannot_notice_is_no_change(name: str) -> None:
    assert compare(SILENT[name]) == []


def test_the_command_fails_for_a_breaking_change_only(tmp_path: Path) -> None:
    old, new_file, broken = tmp_path / "old.json", tmp_path / "new.json", tmp_path / "broken.json"
    old.write_text(json.dumps(DOCUMENT))
    added = copy.deepcopy(DOCUMENT)
    ADDITIONS["new field of an answer"](added)
    new_file.write_text(json.dumps(added))
    broken.write_text("{")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["api", "diff", *arguments])
        return result.exit_code, result.output

    assert run(str(old), str(old)) == (0, "no change breaks clients\n")
    code, out = run(str(old), str(new_file))
    assert code == 0
    assert f"{PLACE}: new field `answer 201.more`" in out
    code, out = run(str(new_file), str(old))
    assert code == 1
    assert f"{PLACE}: the field `answer 201.more` is removed" in out
    code, out = run(str(new_file), str(old), "--json")
    assert {
        "place": PLACE,
        "change": "the field `answer 201.more` is removed",
        "breaks": True,
    } in (json.loads(out))
    code, out = run(str(old), str(broken))
    assert code == 1
    assert "is not JSON" in out
    assert run(str(old), str(tmp_path / "none.json"))[0] == 1


@pytest.mark.parametrize(
    "loop",
    [
        {"A": {"$ref": "#/components/schemas/A"}},
        {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}},
        {"A": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}},
        {"A": {"$ref": "#/components/schemas/None"}},
        {"A": {"$ref": "#/components/schemas/Text"}, "Text": "x"},
        {"A": {"$ref": "other.json#/A"}},
    ],
)
def test_a_reference_that_leads_nowhere_is_named(loop: Document, tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["components"]["schemas"].update(loop)
    new(document).update(size={"$ref": "#/components/schemas/A"})
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(DOCUMENT))
    bad.write_text(json.dumps(document))
    for files in ((good, bad), (bad, good), (bad, bad)):
        result = CliRunner().invoke(main, ["api", "diff", *map(str, files)])
        assert result.exit_code == 1
        assert "the reference `" in result.output
        assert "KeyError" not in result.output


def test_schemas_that_all_contain_each_other_are_compared() -> None:
    names = [f"S{number}" for number in range(25)]
    fields = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    changed = copy.deepcopy(DOCUMENT)
    for name in names:
        changed["components"]["schemas"][name] = {"type": "object", "properties": dict(fields)}
    new(changed).update(more=fields["S0"])
    old = copy.deepcopy(changed)
    changed["components"]["schemas"]["S24"]["properties"].pop("S3")
    assert any(change.breaks for change in compare_documents(old, changed))


def test_the_present_document_breaks_no_client_of_the_released_one(
    application: Application,
) -> None:
    changes = compare_documents(
        orjson.loads(RELEASED.read_bytes()), orjson.loads(application.openapi)
    )
    notes = "\n".join(path.read_text() for path in (ROOT / "changelog.d").glob("*.changed.md"))
    untold = [each for each in changes if each.breaks and f"`{each.place}`" not in notes]
    assert untold == [], (
        "name the operations in a fragment changelog.d/*.changed.md, or keep the old form"
    )

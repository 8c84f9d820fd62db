"""Generator of the operations of `biont.client`; run it after a change of a route.

It writes `core/biont/client/api/`, with a module for each tag of the API document, and the
commands of the command line, in `core/biont/client/assets/`.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from client.methods import Method
from client.model_types import (
    find_names,
    merge_choices,
    write_docstring,
    write_model,
)
from client.naming import name_class
from support.source import ROOT

from biont.application import open_application
from biont.client.commands import trim_document
from biont.client.operation_names import shorten_names
from biont.settings import load_settings
from biont.testing import ManualClock, write_config

FOLDER = ROOT / "core" / "biont" / "client" / "api"
COMMANDS = ROOT / "core" / "biont" / "client" / "assets" / "commands.json"
GROUPS = COMMANDS.with_name("groups.json")

_SHARED = "shared_models"
_MARK = "# Written by tests/client/generate.py from the API document. Do not edit.\n"

Document = dict[str, Any]


async def read_document() -> Document:
    """Return the API document of a workbench with the built-in plugins."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(write_config(Path(folder), {}), environ={})
        async with open_application(settings, clock=ManualClock()) as application:
            document: Document = orjson.loads(application.openapi)
            return document


def write_files(document: Document) -> dict[Path, str]:
    """Return the content of each generated file."""
    generator = _Generator(document)
    tags = generator.list_tags()
    files = {FOLDER / f"{tag}.py": generator.write_module(tag) for tag in tags}
    files[FOLDER / f"{_SHARED}.py"] = generator.write_shared()
    files[FOLDER / "__init__.py"] = generator.write_groups()
    text = orjson.dumps(trim_document(document), option=orjson.OPT_INDENT_2).decode()
    files[COMMANDS] = f"{text}\n"
    groups = {tag["name"]: tag["description"] for tag in document["tags"] if tag["name"] in tags}
    files[GROUPS] = orjson.dumps(groups, option=orjson.OPT_INDENT_2).decode() + "\n"
    return files


class _Generator:
    """Writes the modules of a document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._schemas: Mapping[str, Document] = document["components"]["schemas"]
        self._descriptions = {tag["name"]: tag["description"] for tag in document["tags"]}
        self._methods = self._list_methods()
        self._places, self._requests = self._place_models()

    def list_tags(self) -> list[str]:
        return sorted(self._methods)

    def write_module(self, tag: str) -> str:
        """Return the module of a tag: its models, and a class for each kind of client."""
        models = sorted(name for name, place in self._places.items() if place == tag)
        definitions = "".join(f"\n\n{self._write_model(name)}" for name in models)
        classes = "".join(
            f"\n\n{self._write_class(tag, is_async=is_async)}" for is_async in (False, True)
        )
        used = {name for name in self._used(tag) if self._places[name] == _SHARED}
        summary = self._descriptions[tag].rstrip(".")
        head = (
            f'{_MARK}"""Operations of the group ``{tag}``: {summary[0].lower()}{summary[1:]}."""\n'
        )
        if max(map(len, head.splitlines())) > 99:
            head = f'{_MARK}"""Operations of the group ``{tag}``."""\n'
        code = _join_imports(definitions + classes)
        imports = f"from biont.client.api.{_SHARED} import {', '.join(sorted(used))}\n"
        if len(imports) > 99:
            rows = "".join(f"    {name},\n" for name in sorted(used))
            imports = f"from biont.client.api.{_SHARED} import (\n{rows})\n"
        return head + _write_imports(code, imports if used else "") + code

    def write_shared(self) -> str:
        models = sorted(name for name, place in self._places.items() if place == _SHARED)
        code = _join_imports("".join(f"\n\n{self._write_model(name)}" for name in models))
        return f'{_MARK}"""Models of several groups."""\n' + _write_imports(code, "") + code

    def write_groups(self) -> str:
        """Return the module with the groups of both clients."""
        tags = self.list_tags()
        imports = "".join(f"from biont.client.api.{tag} import {_both(tag)}\n" for tag in tags)
        classes = ""
        kinds = (("", "sync", "Sync"), ("Async", "async", "Async"))
        for prefix, kind, connection in kinds:
            rows = "".join(
                f"        self.{tag} = {prefix}{name_class(tag)}(connection)\n" for tag in tags
            )
            text = (
                f"The groups of operations of the {kind} client.\n\nArgs:\n"
                "    connection: the connection to the server."
            )
            classes += (
                f"\n\nclass {prefix}Groups:\n{write_docstring(text, '    ')}\n"
                f"    def __init__(self, connection: {connection}Connection) -> None:\n{rows}"
            )
        return (
            f'{_MARK}"""Groups of operations, one for each tag of the API document."""\n\n'
            f"from __future__ import annotations\n\n{imports}"
            f"from biont.client.connection import AsyncConnection, SyncConnection\n{classes}"
        )

    def _write_model(self, name: str) -> str:
        schema = self._schemas[name]
        is_request = name in self._requests
        if is_request and "properties" not in schema and self._is_body(name):
            schema = merge_choices(schema, self._schemas)
        return write_model(name, schema, is_request=is_request)

    def _write_class(self, tag: str, *, is_async: bool) -> str:
        prefix = "Async" if is_async else ""
        text = self._descriptions[tag].rstrip(".") + "."
        methods = "\n".join(each.write(is_async=is_async) for each in self._methods[tag])
        return (
            f"class {prefix}{name_class(tag)}({prefix}OperationGroup):\n"
            f"{write_docstring(text, '    ')}\n{methods}"
        )

    def _list_methods(self) -> dict[str, list[Method]]:
        found = [
            (operation["tags"][0], path, verb.upper(), self._resolve(operation))
            for path, verbs in self._document["paths"].items()
            for verb, operation in verbs.items()
        ]
        names = shorten_names((tag, operation["operationId"]) for tag, _, _, operation in found)
        methods: dict[str, list[Method]] = {}
        for tag, path, verb, operation in found:
            name = names[operation["operationId"]]
            methods.setdefault(tag, []).append(Method(name, path, verb, operation, self._schemas))
        return methods

    def _resolve(self, operation: Document) -> Document:
        shared = self._document["components"]["parameters"]
        parameters = [
            shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
            for each in operation.get("parameters", [])
        ]
        return {**operation, "parameters": parameters}

    def _place_models(self) -> tuple[dict[str, str], set[str]]:
        """Return the module of each model, and the models that are only sent."""
        asked, answered = set[str](), set[str]()
        users: dict[str, set[str]] = {}
        for tag, methods in self._methods.items():
            for method in methods:
                models = [self._reach(roots) for roots in method.list_models()]
                asked |= models[0]
                answered |= models[1]
                for name in models[0] | models[1]:
                    users.setdefault(name, set()).add(tag)
        places = {
            name: next(iter(tags)) if len(tags) == 1 else _SHARED for name, tags in users.items()
        }
        places.pop("JsonValue", None)
        return places, asked - answered

    def _reach(self, roots: set[str]) -> set[str]:
        found, waiting = set[str](), list(roots)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                schema = self._schemas[name]
                if name in roots and self._is_body(name):
                    schema = merge_choices(schema, self._schemas)
                waiting += find_names(schema)
        return found

    def _is_body(self, name: str) -> bool:
        return any(
            method.body_name == name for methods in self._methods.values() for method in methods
        )

    def _used(self, tag: str) -> set[str]:
        names = set[str]()
        for method in self._methods[tag]:
            for roots in method.list_models():
                names |= roots
        for name, place in self._places.items():
            if place == tag:
                names |= set(find_names(merge_choices(self._schemas[name], self._schemas)))
        return names & self._places.keys()


def _both(tag: str) -> str:
    return f"Async{name_class(tag)}, {name_class(tag)}"


def _write_imports(code: str, models: str) -> str:
    """Return the import lines that the code needs."""

    def choose(module: str, *names: str) -> str:
        used = [name for name in names if _uses(code, name)]
        return f"from {module} import {', '.join(used)}\n" if used else ""

    text = "\nfrom __future__ import annotations\n"
    standard = (
        choose("collections.abc", "AsyncIterator", "Iterator", "Mapping", "Sequence")
        + choose("datetime", "datetime")
        + choose("typing", "Literal", "NotRequired", "TypeAlias", "TypedDict", "Unpack", "cast")
    )
    own = (
        models
        + choose("biont.client.async_pages", "AsyncPages")
        + choose("biont.client.call", "make_call")
        + choose("biont.client.event_stream", "StreamedEvent")
        + choose("biont.client.groups", "AsyncOperationGroup", "OperationGroup")
        + choose("biont.client.json_types", "JsonValue")
        + choose("biont.client.pages", "Pages")
    )
    return "\n".join(part for part in (text, standard, own) if part)


def _join_imports(code: str) -> str:
    """Return the code with the empty lines that a formatter puts between imports and code."""
    return code if code.startswith("\n\nclass ") else code.removeprefix("\n")


def _uses(code: str, name: str) -> bool:
    return re.search(rf"(?<![\w`]){name}(?![\w`])", code) is not None


def main() -> None:
    """Write the files; delete modules of tags that no longer exist."""
    files = write_files(asyncio.run(read_document()))
    for old in FOLDER.glob("*.py"):
        if old not in files:
            old.unlink()
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()

"""Reader of YAML files: plain values with the place of each value, for error messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from biont.settings.variable_names import name_variable

KeyPath = tuple[str | int, ...]
"""Keys that lead to a setting, such as ``("server", "port")``."""

# Limits far above any real configuration, against a wrong path such as a database or a device.
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20

_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"

_PATTERNS = {
    _NULL: re.compile(r"(~|null|Null|NULL|)\Z"),
    _BOOL: re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"),
    _INT: re.compile(r"[-+]?(0|[1-9][0-9]{0,18})\Z"),
    _FLOAT: re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?\Z"),
}
_VARIABLE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
"""A reference to an environment variable, as other programs replace it."""

_CONVERSIONS: dict[str, Callable[[str], object]] = {
    _TEXT: str,
    _NULL: lambda _: None,
    _BOOL: lambda text: text.lower() == "true",
    _INT: int,
    _FLOAT: float,
}


@dataclass
class Document:
    """Content of a YAML file.

    Attributes:
        values: the mapping in the file.
        places: ``file:line:column`` of each key and list item.
        problems: the problems of the file, each with its place.
    """

    values: dict[str, object] = field(default_factory=dict)
    places: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_document(path: Path) -> Document:
    """Return the content of a YAML file; `Document.problems` has all errors."""
    try:
        root = _compose(path)
    except OSError as error:
        return Document(problems=[f"{path}: cannot be read: {error.strerror}"])
    except _Unreadable as error:
        return Document(problems=[str(error)])
    document = Document()
    if root is not None:
        _Reader(document, path).read_root(root)
    return document


def join(place: str, path: KeyPath) -> str:
    """Return ``place: section.key``, without an empty part."""
    return ": ".join(filter(None, [place, ".".join(map(str, path))]))


class _Unreadable(Exception):
    """Error for a file that is not plain YAML; the message has the problem and its place."""


def _compose(path: Path) -> yaml.Node | None:
    text = _read_text(path)
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        place = _locate(path, text[: error.position])
        raise _Unreadable(f"{place}: has a character that YAML does not allow") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _format_place(path, mark) if mark else str(path)
        raise _Unreadable(f"{place}: is not plain YAML: {error.problem}") from error


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        # A device such as /dev/zero has no size to look at before.
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _Unreadable(f"{path}: is larger than {MAX_BYTES} bytes")
    try:
        # Editors on Windows begin a file with a byte order mark.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _locate(path, content[: error.start].decode("utf-8-sig"))
        raise _Unreadable(f"{place}: is not UTF-8; save the file as UTF-8") from error


def _locate(path: Path, text_before: str) -> str:
    lines = text_before.split("\n")
    return f"{path}:{len(lines)}:{len(lines[-1]) + 1}"


def _format_place(path: Path, mark: yaml.Mark) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}"


class _Loader(yaml.SafeLoader):
    """YAML loader with the scalars of the YAML 1.2 core schema, without aliases and tags.

    ``no``, ``12:30``, ``0123`` and ``2026-01-01`` are text here; YAML 1.1 reads false, 750,
    83 and a date. Aliases are refused because a small file of nested aliases can fill the memory.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        # On the instance: the class attribute belongs to all SafeLoaders of the process.
        self.yaml_implicit_resolvers = {None: list(_PATTERNS.items())}
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose the next node; refuse aliases, tags and deep nesting."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # so in the stubs
        refusal = None
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            refusal = "anchors and aliases are not supported; write the value out"
        elif event.tag:
            refusal = "tags are not supported; leave out the word that begins with '!'"
        elif self._depth == MAX_DEPTH:
            refusal = f"is nested more than {MAX_DEPTH} levels deep"
        if refusal:
            raise yaml.MarkedYAMLError(problem=refusal, problem_mark=event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


@dataclass(frozen=True)
class _Reader:
    """Converter of YAML nodes into values, which records the place of each value."""

    document: Document
    path: Path

    def read_root(self, root: yaml.Node) -> None:
        value = self.read(root, ())
        if isinstance(value, dict):
            self.document.values = value
        elif value is not None:
            place = _format_place(self.path, root.start_mark)
            self._report(place, (), "should be a mapping, as in 'server:'")

    def read(self, node: yaml.Node, at: KeyPath) -> object:
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return self._read_sequence(node, at)
        variable = _VARIABLE.search(node.value) if node.tag == _TEXT else None
        if variable is not None:
            place = _format_place(self.path, node.start_mark)
            self._report(
                place,
                at,
                f"{variable[0]} is not replaced in files; leave the key out, and set the "
                f"environment variable {name_variable(at)}",
            )
        return _CONVERSIONS[node.tag](node.value)

    def _read_mapping(self, node: yaml.MappingNode, above: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in node.value:
            place, at = _format_place(self.path, key.start_mark), (*above, key.value)
            if key.tag != _TEXT or not key.value.isprintable():
                self._report(place, above, "a key has to be text; put it in quotes")
            elif key.value in values:
                self._report(place, at, f"is already set at {self.document.places[at]}")
            else:
                self.document.places[at] = place
                values[key.value] = self.read(value, at)
        return values

    def _read_sequence(self, node: yaml.SequenceNode, at: KeyPath) -> list[object]:
        for index, item in enumerate(node.value):
            self.document.places[*at, index] = _format_place(self.path, item.start_mark)
        return [self.read(item, (*at, index)) for index, item in enumerate(node.value)]

    def _report(self, place: str, at: KeyPath, message: str) -> None:
        self.document.problems.append(f"{join(place, at)}: {message}")

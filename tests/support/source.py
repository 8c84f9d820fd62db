"""The source of the project, parsed: modules, classes and public names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class PublicName(NamedTuple):
    """One name of a public namespace."""

    namespace: str
    name: str
    module: str

    def read_summary(self) -> str:
        """Return the first line of the docstring, also of an assignment; empty where missing."""
        body = ast.parse(find_file(self.module).read_text()).body
        for node, following in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name == self.name:
                    return (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
            elif self.name in list_targets(node):
                return _read_string(following)
            elif isinstance(node, ast.If) and self.name in {
                inner.name for inner in ast.walk(node) if isinstance(inner, ast.ClassDef)
            }:
                (found,) = [n for n in ast.walk(node) if isinstance(n, ast.ClassDef)]
                return (ast.get_docstring(found) or "").partition("\n\n")[0].replace("\n", " ")
        return ""


def find_file(module: str) -> Path:
    """Return the file of a module of the core or of a plugin."""
    base = ROOT / ("core" if module.partition(".")[0] == "biont" else "plugins")
    path = base.joinpath(*module.split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"


def list_modules() -> Iterator[Path]:
    """Yield every module of the core and of the plugins, without migrations."""
    for folder in ("core", "plugins"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def list_targets(node: ast.stmt | None) -> list[str]:
    """Return the names that a statement assigns."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def list_public_names() -> list[PublicName]:
    """Return the names of all public namespaces, in the order of the stubs."""
    found: list[PublicName] = []
    for stub in sorted((ROOT / "core").rglob("__init__.pyi")):
        namespace = ".".join(stub.parent.relative_to(ROOT / "core").parts)
        for node in ast.parse(stub.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                found += [PublicName(namespace, alias.name, node.module) for alias in node.names]
    return found


def _read_string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value).strip().partition("\n\n")[0].replace("\n", " ")
    return ""

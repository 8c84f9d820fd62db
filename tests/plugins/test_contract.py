"""The built-in plugins live by the contract that anybody's do."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from biont.contract import hookspecs

PLUGINS = Path(__file__).parents[2] / "plugins"
SOURCES = sorted(PLUGINS.rglob("*.py"))
PUBLIC_MODULES = {
    "biont",
    "biont.accounts",
    "biont.cli",
    "biont.backoff",
    "biont.client",
    "biont.clock",
    "biont.egress",
    "biont.events",
    "biont.exceptions",
    "biont.http",
    "biont.llm",
    "biont.operations",
    "biont.scheduling",
    "biont.security",
    "biont.settings",
    "biont.store",
    "biont.testing",
}


def list_imports(path: Path) -> set[str]:
    return {
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0
    }


def test_each_plugin_package_has_its_entry_point() -> None:
    packages = {path.name.removeprefix("biont_") for path in PLUGINS.glob("biont_*")}
    points = {
        point.name: point.value
        for point in entry_points(group="biont")
        if point.dist is not None and point.dist.name == "biont"
    }
    assert points == {name: f"biont_{name}.plugin" for name in packages}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_a_plugin_uses_public_names_only(path: Path) -> None:
    own = path.relative_to(PLUGINS).parts[0]
    for module in list_imports(path):
        package = module.partition(".")[0]
        if package == "biont":
            assert module in PUBLIC_MODULES
        elif package.startswith("biont_") and package != own:
            assert module == package, f"{own} reaches into {module}"


def test_every_public_name_can_be_imported() -> None:
    for name in PUBLIC_MODULES:
        module = import_module(name)
        for public in dir(module):
            assert getattr(module, public) is not None


def test_every_hook_names_its_first_version() -> None:
    hooks = [value for name, value in vars(hookspecs).items() if hasattr(value, "biont_spec")]
    assert len(hooks) >= 9
    for hook in hooks:
        assert "Since 0." in (hook.__doc__ or "")

"""The reference names everything there is, and nothing that is not."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import yaml
from click import Command, Context, Group
from pydantic import BaseModel

from biont.application import Application
from biont.cli import main
from biont.cli.main import CommandGroup
from biont.contract import hookspecs
from biont.scheduling import RunStatus
from biont.settings import Settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def read_rows(page: str, pattern: str) -> set[str]:
    """Return what `pattern` finds at the beginning of the rows of a page's tables."""
    return set(re.findall(rf"^\| `{pattern}", (REFERENCE / page).read_text(), re.MULTILINE))


def list_keys(model: type[BaseModel], prefix: str) -> set[str]:
    keys: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys |= list_keys(inner, f"{prefix}{name}.")
        else:
            keys.add(prefix + name)
    return keys


async def test_every_setting_is_there(application: Application) -> None:
    expected = list_keys(Settings, "")
    for name, model in application.plugins.settings_models().items():
        expected |= list_keys(model, f"plugins.{name}.")
    assert read_rows("settings.md", r"([a-z_.]+)`") == expected


async def test_every_route_is_there(application: Application) -> None:
    paths = orjson.loads(application.openapi)["paths"]
    expected = {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
    }
    assert read_rows("http.md", r"([A-Z]+ /[^`]+)`") == expected


async def test_every_event_type_is_there(application: Application) -> None:
    expected = {known.name for known in application.workbench.events.event_types}
    head = (REFERENCE / "events.md").read_text().split("| event", 1)[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z_*]+)`", head, re.MULTILINE)) == expected


def test_every_hook_is_there() -> None:
    expected = {name for name, value in vars(hookspecs).items() if hasattr(value, "biont_spec")}
    assert (
        read_rows(
            "plugins.md", r"((?:register_\w+|lifespan|requires|verify_database|greet_operator))"
        )
        == expected
    )


def list_commands() -> dict[str, Command]:
    """Return every command of the core and of all plugins, by its words."""
    context = Context(main)
    assert isinstance(main, CommandGroup)
    assert main.get_command(context, "audit")  # a plugin's, and so all plugins are asked
    found: dict[str, Command] = {}
    for name in main.list_commands(context):
        command = main.get_local_command(context, name)
        if command is None:
            # Commands that act on a server come from the API document.
            continue
        inner = command.commands if isinstance(command, Group) else {"": command}
        found |= {f"{name} {word}".strip(): part for word, part in inner.items()}
    return found


def test_every_command_is_there_with_its_options() -> None:
    rows = read_rows("command-line.md", r"biont ((?:\\\||[^`|])+)`")
    written = {
        " ".join(re.findall(r"^[a-z]+(?: [a-z]+)?", row)): set(re.findall(r"--[a-z-]+", row))
        for row in rows
    }
    assert written == {
        name: {
            option
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("--") and option != "--config"
        }
        for name, command in list_commands().items()
    }


def test_every_plugin_with_commands_is_among_them(application: Application) -> None:
    group = Group()
    application.plugins.add_commands(group)
    assert group.commands
    assert {name.partition(" ")[0] for name in list_commands()} >= set(group.commands)


def test_every_status_of_a_run_is_there() -> None:
    text = (REFERENCE / "schedules.md").read_text()
    for status in RunStatus:
        assert f"`{status}`" in text


def test_every_test_that_a_promise_names_exists() -> None:
    text = (ROOT / "docs" / "explanation" / "promises.md").read_text()
    named = re.findall(r"`(tests/[^`]+)`", text)
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([\w./-]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


async def test_the_configuration_has_every_setting_with_its_default(
    application: Application,
) -> None:
    files = {path: yaml.safe_load(path.read_text()) for path in (ROOT / "config").glob("*.yaml")}
    written = files.pop(ROOT / "config" / "biont.yaml")
    for more in files.values():
        written["plugins"] |= more["plugins"]
    models = application.plugins.settings_models()
    sections = {name: written["plugins"].pop(name) for name in models}
    assert list_written(written) == list_keys(Settings, "")
    for name, model in models.items():
        assert model.model_validate(sections[name]) == model()
        assert list_written(sections[name]) == list_keys(model, "")


def list_written(section: dict[str, object], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for name, value in section.items():
        inner = list_written(value, f"{prefix}{name}.") if isinstance(value, dict) else None
        keys |= inner or {prefix + name}
    return keys

"""Help, as somebody who looks for a command asks for it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from support.process import start_biont

from biont.testing import write_config

GREETER = '''
"""Adds a command."""

import click
from biont import hookimpl


@hookimpl
def register_commands(cli):
    cli.add_command(greet)


@click.command("greet")
def greet():
    """Greet everybody. And more."""
    click.echo("hello")
'''


class Shell:
    """Runs commands with a plugins' folder and a cache folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.plugins = folder / "plugins"
        self.plugins.mkdir()
        self.cache = folder / "cache"
        self.config = write_config(folder, {"plugins": {"folder": str(self.plugins)}})

    async def run(self, *arguments: str, **variables: str) -> tuple[int | None, str, str]:
        """Return exit code, standard output and standard error of a command."""
        environment = {"XDG_CACHE_HOME": str(self.cache), "COLUMNS": "100"} | variables
        process = await start_biont(*arguments, config=self.config, **environment)
        out, error = await process.communicate()
        return process.returncode, out.decode(), error.decode()

    async def list_commands(self, *arguments: str, **variables: str) -> dict[str, str]:
        """Return the commands that help lists, with their first lines."""
        code, out, error = await self.run(*arguments or ("--help",), **variables)
        assert (code, error) == (0, "")
        return dict(
            re.findall(r"^  ([a-z]\S*)  +(\S.*)$", out.partition("Commands:")[2], re.MULTILINE)
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("option", ["-h", "--help"])
async def test_help_lists_the_commands_of_plugins_with_their_first_lines(
    shell: Shell, option: str
) -> None:
    (shell.plugins / "greeter.py").write_text(GREETER)
    for _ in range(2):
        found = await shell.list_commands(option)
        assert found.keys() >= {"serve", "users", "audit", "models", "schedule", "webhooks"}
        assert found["audit"] == "Verify and export the event log."
        assert found["greet"] == "Greet everybody."
        assert found["users"] == "Create, list, change, disable, export and delete users."


@pytest.mark.parametrize("command", ["serve", "keys create", "audit", "webhooks check"])
async def test_each_command_takes_the_short_option(shell: Shell, command: str) -> None:
    code, out, _ = await shell.run(*command.split(), "-h")
    assert code == 0
    assert out.startswith(f"Usage: biont {command} [OPTIONS]")


async def test_help_imports_no_plugin(shell: Shell) -> None:
    source = "import os, pathlib\npathlib.Path(__file__).with_suffix('.seen').touch()\n"
    (shell.plugins / "greeter.py").write_text(source + GREETER)
    seen = shell.plugins / "greeter.seen"
    await shell.list_commands()
    assert seen.exists()  # somebody had to look once
    seen.unlink()

    code, out, imports = await shell.run("--help", PYTHONPROFILEIMPORTTIME="1")
    assert code == 0
    assert "Greet everybody." in out
    assert not seen.exists()
    imported = {line.rpartition("|")[2].strip() for line in imports.splitlines()}
    assert "click" in imported
    assert not imported & {"aiohttp", "openai", "peewee", "pluggy", "pydantic", "yaml"}
    assert not any(name.startswith("biont_") for name in imported)


async def test_help_follows_changes_of_plugins_and_configuration(shell: Shell) -> None:
    file = shell.plugins / "greeter.py"
    assert "greet" not in await shell.list_commands()
    file.write_text(GREETER)
    assert (await shell.list_commands())["greet"] == "Greet everybody."
    file.write_text(GREETER.replace("Greet everybody.", "Greet nobody at all."))
    assert (await shell.list_commands())["greet"] == "Greet nobody at all."
    (shell.config / "more.yaml").write_text("plugins: {disable: [greeter, audit]}\n")
    assert not (await shell.list_commands()).keys() & {"greet", "audit"}
    assert "audit" in await shell.list_commands(BIONT_PLUGINS__DISABLE='["greeter"]')
    (shell.config / "more.yaml").unlink()
    file.unlink()
    found = await shell.list_commands()
    assert "audit" in found
    assert "greet" not in found


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise OSError('no such device')", "OSError: no such device"),
        ("def broken(:", "SyntaxError"),
        ("import sys; print('noise'); sys.exit('usage: tool')", "usage: tool"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
    ids=["error", "syntax", "exit", "interrupt"],
)
async def test_a_broken_plugin_is_named_and_all_other_commands_are_listed(
    shell: Shell, source: str, reason: str
) -> None:
    (shell.plugins / "broken.py").write_text(source)
    (shell.plugins / "greeter.py").write_text(GREETER)
    code, out, error = await shell.run("--help")
    assert (code, error) == (0, "")
    assert "Greet everybody." in out
    assert "audit" in out
    assert "broken" in out
    assert reason in out
    assert "noise" not in out

    code, out, _ = await shell.run("greet")
    assert (code, out.splitlines()[-1]) == (0, "hello")

    (shell.plugins / "broken.py").unlink()
    code, out, _ = await shell.run("--help")
    assert "broken" not in out


@pytest.mark.parametrize(
    "source",
    ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"],
    ids=["exit", "kill"],
)
async def test_a_plugin_that_ends_the_process_leaves_the_commands_of_the_core(
    shell: Shell, source: str
) -> None:
    (shell.plugins / "broken.py").write_text(source)
    code, out, error = await shell.run("-h")
    assert (code, error) == (0, "")
    assert "serve" in out
    assert "biont plugins" in out.partition("serve")[2]


async def test_settings_that_cannot_be_used_leave_the_commands_of_the_core(shell: Shell) -> None:
    (shell.config / "more.yaml").write_text("server: {prot: 1}\n")
    code, out, error = await shell.run("-h")
    assert (code, error) == (0, "")
    assert "serve" in out
    assert "server.prot" in out


async def test_a_cache_that_cannot_be_used_only_costs_time(shell: Shell) -> None:
    shell.cache.write_text("a file in the way")
    assert "audit" in await shell.list_commands()
    shell.cache.unlink()
    await shell.list_commands()
    (index,) = (path for path in shell.cache.rglob("*") if path.is_file())
    for content in ("", "[]", "{}", json.dumps({"commands": 7}), '{"commands": {"a": 1}}'):
        index.write_text(content)
        assert "audit" in await shell.list_commands()
    os.truncate(index, 30)
    assert "audit" in await shell.list_commands()


async def test_a_command_of_a_plugin_is_found_by_the_configuration_it_is_given(
    shell: Shell, tmp_path: Path
) -> None:
    (shell.plugins / "greeter.py").write_text(
        GREETER.replace("import hookimpl", "import hookimpl\nfrom biont.cli import config_option")
        .replace("def greet():", "@config_option\ndef greet(config):")
        .replace('"hello"', "str(config)")
    )
    (tmp_path / "elsewhere").mkdir()
    other = write_config(tmp_path / "elsewhere", {})
    for arguments in (["--config", str(shell.config)], [f"--config={shell.config}"]):
        code, out, error = await shell.run("greet", *arguments, BIONT_CONFIG=str(other))
        assert (code, out.strip()) == (0, str(shell.config)), error

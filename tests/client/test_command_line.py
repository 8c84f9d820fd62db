"""The command line that acts on a server, as a person on another machine uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click import Context
from conftest import MakeKey, StartServer
from support.process import Server, start_biont

from biont.cli.remote.document import Document, read_packaged_document
from biont.cli.remote.group import ServerGroup
from biont.cli.remote.output import clean
from biont.client.operation_names import group_names
from biont.testing import ApiClient, rows_of

PARCELS = """
from biont import Api, Page, Request, hookimpl


@hookimpl
def register_routes():
    api = Api("parcels", description="Parcels on their way.")

    @api.get("/parcels")
    async def list_parcels(request: Request) -> Page[str]:
        \"\"\"List the parcels.\"\"\"
        return Page(data=["first", "second"], next=None)

    return api
"""


class Terminal:
    """Runs commands on a machine without configuration, against a server."""

    def __init__(self, folder: Path, server: Server, key: str) -> None:
        self.folder = folder
        self.key_file = folder / "key"
        self.key_file.write_text(f"{key}\n")
        self.server = server

    async def run(
        self, *arguments: str, stdin: bytes = b"", **variables: str
    ) -> tuple[int | None, str, str]:
        """Return exit code, standard output and standard error of a command."""
        environment = {
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "BIONT_SERVER_URL": self.server.url,
            "BIONT_KEY": self.key_file.read_text().strip(),
            "COLUMNS": "120",
        }
        path = self.folder / "stdin"
        path.write_bytes(stdin)
        process = await start_biont(
            *arguments, config=self.folder / "none.yaml", **(environment | variables)
        )
        out, error = await process.communicate()
        return process.returncode, out.decode(), error.decode()


@pytest.fixture
async def terminal(tmp_path: Path, start_server: StartServer, make_key: MakeKey) -> Terminal:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "parcels.py").write_text(PARCELS)
    server = await start_server(plugins={"folder": str(plugins)})
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "none.yaml").write_text("")
    return Terminal(folder, server, await make_key())


async def test_notes_are_kept_read_and_changed_from_another_machine(terminal: Terminal) -> None:
    run = terminal.run
    where = ("--server", terminal.server.url, "--key-file", str(terminal.key_file))
    code, out, error = await run(
        "notes", "create", *where, "--title", "Tea", "--tags", "a", "--tags", "b", "--json",
        BIONT_SERVER_URL="", BIONT_KEY="",
    )  # fmt: skip
    assert (code, error) == (0, "")
    note = json.loads(out)
    assert (note["title"], note["tags"]) == ("Tea", ["a", "b"])

    # The options may stand anywhere, and the environment may name both.
    body = terminal.folder / "body.json"
    body.write_text(json.dumps({"title": "Coffee", "content": "Black.\x1b[2J"}))
    code, out, _ = await run(*where, "notes", "create", "--body", str(body), "--title", "Cocoa")
    assert code == 0
    assert "title       Cocoa" in out
    assert "Black.\\x1b[2J" in out
    code, out, error = await run("notes", "list", "--limit", "1")
    assert out.splitlines()[0].split()[:2] == ["ID", "TITLE"]
    assert out.splitlines()[1].split()[:2] == ["2", "Cocoa"]
    assert "--all" in error
    code, out, error = await run("notes", "list", "--limit", "1", "--all", "--json")
    assert [row["id"] for row in json.loads(out)["data"]] == [2, 1]

    code, out, error = await run("notes", "change", "1", "--content", "Green.")
    assert (code, error) == (0, "")
    code, out, _ = await run("notes", "read-markdown", "1")
    assert out.endswith("Green.")
    assert (await run("notes", "delete", "1"))[:2] == (0, "done\n")


async def test_refusals_are_told_in_a_sentence_with_an_exit_code(terminal: Terminal) -> None:
    run = terminal.run
    code, _, error = await run("notes", "read", "7")
    assert (code, error) == (1, "biont: 404: there is no note 7\n")
    code, _, error = await run("notes", "create", "--title", "")
    assert code == 1
    assert "#/title" in error
    code, _, error = await run("notes", "read", "seven")
    assert code == 2
    assert "'seven' is no integer" in error
    code, _, error = await run("notes", "list", BIONT_SERVER_URL="")
    assert code == 2
    assert "--server URL" in error
    code, _, error = await run("notes", "list", BIONT_KEY="asb_wrong")
    assert code == 1
    assert "--key-file" in error
    code, _, error = await run("notes", "list", BIONT_SERVER_URL="localhost:80")
    assert code == 2
    assert "http://HOST:PORT" in error


async def test_groups_of_both_sides_and_of_plugins_of_the_server(terminal: Terminal) -> None:
    run = terminal.run
    code, out, error = await run("parcels", "list")
    assert (code, out, error) == (0, "first\nsecond\n", "")
    code, out, _ = await run("keys", "list", "--json")
    assert [key["scope"] for key in json.loads(out)["data"]] == ["full"]
    code, out, error = await run(
        "events", "emit", "--event-type", "custom_x", "--payload", '{"a": [1]}', "--json"
    )
    assert (code, error) == (0, "")
    async with ApiClient(terminal.server.url, terminal.key_file.read_text().strip()) as client:
        listed = rows_of(await client.get("/events?event_type=custom_x"))
    assert [(row["id"], row["payload"]) for row in listed] == [(json.loads(out)["id"], {"a": [1]})]
    # Commands of this machine keep their place beside the commands of the server.
    code, out, _ = await run("webhooks", "--help")
    assert code == 0
    assert {"verify", "register", "list-deliveries"} <= {
        line.split()[0] for line in out.splitlines() if line.startswith("  ")
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "role", "ada", "member"),
        ("keys", "rename", "1", "mine"),
        ("events", "replay"),
        ("backup", "copy.sqlite3"),
        ("audit", "verify"),
    ],
)
async def test_a_command_of_this_machine_alone_refuses_a_server(
    terminal: Terminal, arguments: tuple[str, ...]
) -> None:
    code, _, error = await terminal.run("--server", terminal.server.url, *arguments)
    assert (code, "acts on this machine" in error) == (2, True), error
    assert not (terminal.folder / "data").exists()


async def test_users_are_made_on_the_server(terminal: Terminal) -> None:
    code, out, error = await terminal.run("users", "create", "--name", "grace", "--json")
    assert (code, json.loads(out)["name"]) == (0, "grace"), error
    code, out, error = await terminal.run("users", "export", str(json.loads(out)["id"]))
    assert (code, error) == (0, "")
    assert json.loads(out.splitlines()[0])["row"]["name"] == "grace"


async def test_the_shell_completes_without_a_server(terminal: Terminal) -> None:
    async def complete(words: str) -> list[str]:
        count = len(words.split(" ")) - 1
        code, out, error = await terminal.run(
            _BIONT_COMPLETE="bash_complete",
            COMP_WORDS=words,
            COMP_CWORD=str(count),
            BIONT_SERVER_URL="http://127.0.0.1:1",
        )
        assert (code, error) == (0, "")
        return [line.partition(",")[2] for line in out.splitlines()]

    assert await complete("biont not") == ["notes"]
    assert await complete("biont notes re") == ["read", "read-markdown", "read-version"]
    assert await complete("biont notes create --ti") == ["--title"]
    assert await complete("biont notes export --format ") == ["jsonl", "markdown"]


def test_every_operation_has_a_command_with_options_of_its_own() -> None:
    document = read_packaged_document()
    for tag in {operation["tags"][0] for operation in list_operations(document)}:
        group = ServerGroup(tag, lambda: None)
        context = Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            flags = [flag for option in command.params for flag in option.opts]
            assert len(flags) == len(set(flags)), (tag, name, flags)
    names = group_names(
        (each["tags"][0], each["operationId"]) for each in list_operations(document)
    )
    assert sum(map(len, names.values())) == len(list_operations(document))


def list_operations(document: Document) -> list[Document]:
    return [operation for verbs in document["paths"].values() for operation in verbs.values()]


def test_texts_of_the_server_cannot_control_the_terminal() -> None:
    assert clean("a\x1b[2J\x9b\u202eb\n") == "a\\x1b[2J\\x9b\\u202eb\\n"

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import yaml
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from biont.exceptions import SettingsError
from biont.settings import Section, Settings, load_settings

CONFIG = Path(__file__).parents[2] / "config"


class Retry(BaseModel):
    pauses: list[float] = []
    jitter: bool = True


class Webhooks(BaseModel):
    """What a plugin might declare, from plain pydantic."""

    timeout: float = 15.0
    success: Literal["200", "2xx"] = "200"
    retry: Retry = Retry()
    headers: dict[str, str] = {}


class Mail(Section):
    """What a plugin might declare, from our base class."""

    password: SecretStr = Field(min_length=20)
    user: str

    @field_validator("user")
    @classmethod
    def _check_user(cls, user: str) -> str:
        raise ValueError(f"{user!r} is no address ({user})")


def problems_of(
    monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, **variables: str
) -> list[str]:
    """Read one file as an operator would, from the folder where it lies."""
    monkeypatch.chdir(folder)
    Path("config").mkdir()
    Path("config/biont.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(Path("config"), environ=variables).read_sections(
            {"webhooks": Webhooks, "mail": Mail} if "mail" in text else {"webhooks": Webhooks}
        )
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "server:\n  prot: 1\n",
            ["config/biont.yaml:2:3: server.prot: is not a known key; did you mean 'port'?"],
            id="unknown key",
        ),
        pytest.param(
            "servre:\n  port: 1\n",
            ["config/biont.yaml:1:1: servre: is not a known key; did you mean 'server'?"],
            id="unknown section",
        ),
        pytest.param(
            "database:\n  zzz: 1\n",
            [
                (
                    "config/biont.yaml:2:3: database.zzz: is not a known key; "
                    "known names: backup_folder, busy_timeout, readers, upgrade_backups, url"
                )
            ],
            id="unknown key like none",
        ),
        pytest.param(
            "server:\n  port: http\n  host: [a]\nevents: {lane_size: 0}\n",
            [
                "config/biont.yaml:3:3: server.host: Input should be a valid string",
                (
                    "config/biont.yaml:2:3: server.port: Input should be a valid integer, "
                    "unable to parse string as an integer"
                ),
                (
                    "config/biont.yaml:4:10: events.lane_size: "
                    "Input should be greater than or equal to 1"
                ),
            ],
            id="wrong types, all at once",
        ),
        pytest.param(
            "plugins:\n  webhooks:\n    timeout: soon\n",
            [
                (
                    "config/biont.yaml:3:5: plugins.webhooks.timeout: "
                    "Input should be a valid number, unable to parse string as a number"
                )
            ],
            id="a plugin's key",
        ),
        pytest.param(
            "plugins:\n  webhooks:\n    retry: {pauses: [1, two]}\n    timout: 1\n",
            [
                (
                    "config/biont.yaml:3:25: plugins.webhooks.retry.pauses.1: "
                    "Input should be a valid number, unable to parse string as a number"
                ),
                (
                    "config/biont.yaml:4:5: plugins.webhooks.timout: is not a known key; "
                    "did you mean 'timeout'?"
                ),
            ],
            id="a plugin's list and a plugin's unknown key",
        ),
        pytest.param(
            "plugins:\n  webhook:\n    timeout: 1\n",
            ["config/biont.yaml:2:3: plugins.webhook: is not known; did you mean 'webhooks'?"],
            id="a section of no plugin",
        ),
        pytest.param(
            "plugins:\n  disabel: [audit]\n",
            ["config/biont.yaml:2:3: plugins.disabel: is not known; did you mean 'disable'?"],
            id="a misspelt key beside the plugins",
        ),
        pytest.param(
            "plugins:\n  webhooks: 5\n",
            ["config/biont.yaml:2:3: plugins.webhooks: should be a section, with keys of its own"],
            id="a plugin's section that is none",
        ),
        pytest.param(
            "server: 5\nplugins: []\n",
            [
                "config/biont.yaml:1:1: server: should be a section, with keys of its own",
                "config/biont.yaml:2:1: plugins: should be a section, with keys of its own",
            ],
            id="sections that are none",
        ),
        pytest.param(
            "server:\n  port: 1\n  port: 2\n",
            ["config/biont.yaml:3:3: server.port: is already set at config/biont.yaml:2:3"],
            id="duplicate key",
        ),
        pytest.param(
            "server: {port: 1}\nserver: {port: 1}\n",
            ["config/biont.yaml:2:1: server: is already set at config/biont.yaml:1:1"],
            id="duplicate section",
        ),
        pytest.param(
            "server:\n  8080: yes\n  [a]: 1\n1: x\n",
            [
                "config/biont.yaml:2:3: server: a key has to be text; put it in quotes",
                "config/biont.yaml:3:3: server: a key has to be text; put it in quotes",
                "config/biont.yaml:4:1: a key has to be text; put it in quotes",
            ],
            id="keys that are no text",
        ),
        pytest.param(
            "server:\n  port: 1\n port: 2\n",
            ["config/biont.yaml:3:2: is not plain YAML: expected <block end>, but found"],
            id="broken indentation",
        ),
        pytest.param(
            "server:\n  host: 'abc\n",
            ["config/biont.yaml:3:1: is not plain YAML: found unexpected end of stream"],
            id="an open quote",
        ),
        pytest.param(
            "server:\n\tport: 1\n",
            ["config/biont.yaml:2:1: is not plain YAML: found character '\\t' that"],
            id="a tab",
        ),
        pytest.param(
            "server: {host: \x07}\n",
            ["config/biont.yaml:1:16: has a character that YAML does not allow"],
            id="a control character",
        ),
        pytest.param(
            "- server\n",
            ["config/biont.yaml:1:1: should be a mapping, as in 'server:'"],
            id="a list",
        ),
        pytest.param(
            "server: {}\n---\nserver: {}\n",
            ["config/biont.yaml:2:1: is not plain YAML: but found another document"],
            id="two documents",
        ),
        pytest.param(
            "a: &a [1]\nb: *a\n",
            ["config/biont.yaml:1:4: is not plain YAML: anchors and aliases are not supported"],
            id="an anchor",
        ),
        pytest.param(
            "server: !!python/object/apply:os.system ['true']\n",
            ["config/biont.yaml:1:9: is not plain YAML: tags are not supported"],
            id="a tag",
        ),
        pytest.param(
            "database: {url: 'postgres://biont:hunter2@db/biont'}\n",
            [("config/biont.yaml:1:12: database.url: only sqlite:/// and a path is supported")],
            id="another database",
        ),
        pytest.param(
            "scheduler: {time_zone: Europe/Berln}\n",
            [
                (
                    "config/biont.yaml:1:13: scheduler.time_zone: "
                    "'...' is not a time zone of the IANA database; did you mean 'Europe/Berlin'?"
                )
            ],
            id="an unknown time zone",
        ),
    ],
)
def test_problems_name_file_line_and_column(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, expected: list[str]
) -> None:
    problems = problems_of(monkeypatch, tmp_path, text)
    assert len(problems) == len(expected)
    for problem, beginning in zip(problems, expected, strict=True):
        assert problem.startswith(beginning)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"BIONT_SERVER__PORT": "http"},
            ["environment BIONT_SERVER__PORT: Input should be a valid integer"],
        ),
        (
            {"BIONT_SERVER__PROT": "1"},
            ["environment BIONT_SERVER__PROT: is not a known key; did you mean 'port'?"],
        ),
        (
            {"BIONT_SERVRE__PORT": "1"},
            ["environment BIONT_SERVRE__PORT: is not a known key; did you mean 'server'?"],
        ),
        ({"BIONT_PORT": "1"}, ["environment BIONT_PORT: is not a known key; known names:"]),
        (
            {"BIONT_SERVER": '{"port": 1}'},
            ["environment BIONT_SERVER: should be a section, with keys of its own"],
        ),
        (
            {"BIONT_PLUGINS__DISABLE": "audit"},
            ["environment BIONT_PLUGINS__DISABLE: should be a list; in a variable as JSON"],
        ),
        (
            {"BIONT_PLUGINS__DISABLE": '["audit", 1]'},
            ["environment BIONT_PLUGINS__DISABLE: 1: Input should be a valid string"],
        ),
        (
            {"BIONT_PLUGINS__WEBHOOKS__TIMEOUT": "soon"},
            ["environment BIONT_PLUGINS__WEBHOOKS__TIMEOUT: Input should be a valid number"],
        ),
        (
            {"BIONT_PLUGINS__WEBHOOKS__RETRY__JITER": "no"},
            ["environment BIONT_PLUGINS__WEBHOOKS__RETRY__JITER: is not a known key; did you"],
        ),
        (
            {"BIONT_PLUGINS__WEBHOOK__TIMEOUT": "1"},
            ["environment BIONT_PLUGINS__WEBHOOK__TIMEOUT: is not known; did you mean 'webhooks'"],
        ),
    ],
)
def test_problems_of_the_environment_name_the_variable(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    expected: list[str],
) -> None:
    text = "server: {port: 1}\nplugins: {disable: [notes], webhooks: {timeout: 3}}\n"
    problems = problems_of(monkeypatch, tmp_path, text, **variables)
    assert len(problems) == len(expected)
    for problem, beginning in zip(problems, expected, strict=True):
        assert problem.startswith(beginning)


def test_a_missing_required_key_of_a_plugin_names_the_section(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    problems = problems_of(monkeypatch, tmp_path, "plugins:\n  mail:\n")
    assert problems == [
        "config/biont.yaml:2:3: plugins.mail.password: is required",
        "config/biont.yaml:2:3: plugins.mail.user: is required",
    ]


def test_no_problem_repeats_a_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "plugins:\n  mail: {password: hunter2, user: hunter3}\n  webhooks: {success: hunter4}\n"
    problems = problems_of(monkeypatch, tmp_path, text, BIONT_PLUGINS__WEBHOOKS__TIMEOUT="hunter5")
    assert len(problems) == 4
    assert "hunter" not in "\n".join(problems)
    assert "plugins.mail.user: '...' is no address (...)" in "\n".join(problems)


def test_core_problems_and_file_problems_come_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    problems = problems_of(
        monkeypatch,
        tmp_path,
        "server: {port: 1, port: 2, body_limit: 0}\n",
        BIONT_SERVER__HOSTS="x",
    )
    assert [problem.partition(": ")[0] for problem in problems] == [
        "config/biont.yaml:1:19",
        "config/biont.yaml:1:28",
        "environment BIONT_SERVER__HOSTS",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: " + "[" * 100_000, "is nested more than 20 levels deep"),
        ("a: " + "[" * 50_000 + "]" * 50_000, "is nested more than 20 levels deep"),
        ("".join(f"{' ' * depth}k:\n" for depth in range(300)), "is nested more than 20 levels"),
        (
            "a: &a [x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n",
            "anchors and aliases are not supported",
        ),
        ("a: " + "x" * 1024 * 1024, "is larger than 1048576 bytes"),
    ],
    ids=["open brackets", "brackets", "indentation", "billion laughs", "size"],
)
def test_malicious_yaml_is_refused_quickly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, expected: str
) -> None:
    before = time.process_time()
    [problem] = problems_of(monkeypatch, tmp_path, text)
    assert expected in problem
    assert time.process_time() - before < 2


def test_empty_sections_and_empty_files_mean_defaults(tmp_path: Path) -> None:
    file = tmp_path / "biont.yaml"
    for text in ("", "# nothing\n", "server:\nplugins:\n", "plugins:\n  webhooks:\n"):
        file.write_text(text)
        settings = load_settings(file, environ={})
        assert settings.model_dump() == Settings().model_dump()
        assert settings.read_sections({"webhooks": Webhooks}) == {"webhooks": Webhooks()}


def test_files_of_a_folder_are_merged(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("server:\n  port: 1\nevents:\nplugins: {disable: [x]}\n")
    (tmp_path / "b.yaml").write_text("server: {host: b, port: 1}\nevents: {max_hops: 2}\n")
    (tmp_path / "c.yaml").write_text("")
    (tmp_path / "d.yaml").write_text("# nothing but a comment\nserver:\n")
    (tmp_path / ".hidden.yaml").write_text("nonsense")
    (tmp_path / "notes.txt").write_text("nonsense")
    settings = load_settings(tmp_path, environ={})
    assert (settings.server.port, settings.server.host) == (1, "b")
    assert settings.events.max_hops == 2
    assert settings.plugins.disable == ("x",)


def test_a_key_with_two_values_names_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("server:\n  port: 1\n")
    (tmp_path / "b.yaml").write_text("server: {port: 2}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path, environ={})
    assert caught.value.problems == [
        (
            f"{tmp_path}/b.yaml:1:10: server.port: has another value at {tmp_path}/a.yaml:2:3; "
            "keep one of the two"
        )
    ]


def test_each_broken_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("server: [\n")
    (tmp_path / "b.yaml").write_bytes(b"server:\n  host: \xff\n")
    (tmp_path / "c.yaml").mkdir()
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path, environ={})
    first, second, third = caught.value.problems
    assert first.startswith(f"{tmp_path}/a.yaml:2:1: is not plain YAML: ")
    assert second == f"{tmp_path}/b.yaml:2:9: is not UTF-8; save the file as UTF-8"
    assert third == f"{tmp_path}/c.yaml: cannot be read: Is a directory"


def test_a_missing_folder_or_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path / "gone", environ={})
    assert caught.value.problems == [f"{tmp_path}/gone: cannot be read: No such file or directory"]
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path, environ={})
    assert caught.value.problems == [f"{tmp_path}: has no *.yaml file"]


def test_plain_scalars_follow_yaml_1_2(tmp_path: Path) -> None:
    class Plain(Section):
        texts: list[str]
        truths: list[bool]
        numbers: list[float]
        nothings: list[None]

    file = tmp_path / "biont.yaml"
    file.write_text(
        "plugins:\n  plain:\n"
        "    texts: [no, 12:30, 2026-01-01, '1', 0123, 0x1f, 1_000, a b, =]\n"
        "    truths: [true, False, 'yes']\n"
        "    numbers: [1, -2.5, .5, 1.5e3, '1e2']\n"
        "    nothings: [null, ~]\n"
    )
    sections = load_settings(file, environ={}).read_sections({"plain": Plain})
    assert sections["plain"].model_dump() == {
        "texts": ["no", "12:30", "2026-01-01", "1", "0123", "0x1f", "1_000", "a b", "="],
        "truths": [True, False, True],
        "numbers": [1, -2.5, 0.5, 1500, 100],
        "nothings": [None, None],
    }


def test_the_environment_overrides_files_and_files_override_defaults(tmp_path: Path) -> None:
    file = tmp_path / "biont.yaml"
    file.write_text("server: {port: 1, host: file}\nplugins: {webhooks: {timeout: 3}}\n")
    settings = load_settings(
        file,
        environ={
            "BIONT_CONFIG": "elsewhere",
            "BIONT_KEY": "asb_1",
            "BIONT_WEBHOOK_SECRET": "whsec_1",
            "BIONT_SERVER__PORT": "2",
            "BIONT_DATABASE__URL": "sqlite:////var/biont.sqlite3",
            "BIONT_EVENTS__HANDLER_RETRY": "[]",
            "BIONT_EVENTS__MAX_HOPS": "",
            "BIONT_PLUGINS__DISABLE": '["audit"]',
            "BIONT_PLUGINS__WEBHOOKS__SUCCESS": "2xx",
            "BIONT_PLUGINS__WEBHOOKS__RETRY__PAUSES": "[1, 5]",
            "BIONT_PLUGINS__WEBHOOKS__HEADERS__ACCEPT": "12",
            "HOME": "/home",
        },
    )
    assert (settings.server.port, settings.server.host) == (2, "file")
    assert settings.database.path == Path("/var/biont.sqlite3")
    assert settings.events.handler_retry == ()
    assert settings.events.max_hops == 8
    assert settings.plugins.disable == ("audit",)
    assert settings.read_sections({"webhooks": Webhooks})["webhooks"] == Webhooks(
        timeout=3,
        success="2xx",
        retry=Retry(pauses=[1, 5]),
        headers={"accept": "12"},
    )


def test_a_plugin_name_may_have_hyphens_or_equal_a_pydantic_name() -> None:
    class Small(Section):
        size: int = 1

    settings = load_settings(
        None, environ={"BIONT_PLUGINS__MY_PLUGIN__SIZE": "2", "BIONT_PLUGINS__COPY__SIZE": "3"}
    )
    sections = settings.read_sections({"my-plugin": Small, "copy": Small, "model_x": Small})
    assert sections == {
        "my-plugin": Small(size=2),
        "copy": Small(size=3),
        "model_x": Small(),
    }


def test_sections_of_absent_plugins_are_not_validated(tmp_path: Path) -> None:
    file = tmp_path / "biont.yaml"
    file.write_text("plugins:\n  disable: [webhooks]\n  webhooks: {anything: 1}\n")
    settings = load_settings(file, environ={"BIONT_PLUGINS__WEBHOOKS__OTHER": "2"})
    assert settings.read_sections({}, absent=["webhooks"]) == {}


def test_settings_are_immutable() -> None:
    settings = load_settings(None, environ={})
    with pytest.raises(ValidationError):
        settings.server.port = 1  # type: ignore[misc]  # this is the point
    assert hash(settings.server) == hash(Settings().server)


def test_the_shipped_configuration_equals_the_defaults() -> None:
    settings = load_settings(CONFIG, environ={})
    assert settings.model_dump() == Settings().model_dump()


def core_keys(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield from core_keys(annotation, (*above, name))
        else:
            assert field.description, (*above, name)
            yield (*above, name)


def test_the_shipped_configuration_has_every_key_with_a_comment() -> None:
    text = (CONFIG / "biont.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    written = yaml.safe_load(text)
    for section, key in core_keys(Settings):
        assert key in written[section]
        begin = lines.index(f"{section}:")
        line = next(n for n in range(begin, len(lines)) if lines[n].startswith(f"  {key}:"))
        assert lines[line - 1].startswith("  # "), f"{section}.{key} has no comment above it"

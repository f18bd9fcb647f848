"""requirements/install.py: how pip arrives where Debian left it out, and when uv installs in its place."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "requirements" / "install.py"


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def serve(install: ModuleType, monkeypatch: pytest.MonkeyPatch, pages: dict[str, bytes]) -> None:
    monkeypatch.setattr(install, "_get", pages.__getitem__)


def test_a_pip_that_is_not_the_known_file_is_refused(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple/")
    page = f'<a href="../../files/{install.PIP_WHEEL}#sha256=00">pip</a>'.encode()
    wheel = f"https://mirror.example/files/{install.PIP_WHEEL}"
    serve(install, monkeypatch, {"https://mirror.example/simple/pip/": page, wheel: b"something else"})
    with pytest.raises(SystemExit, match="is not the file we know"):
        install._fetch_pip()


def test_an_index_without_that_pip_leads_to_the_apt_line(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    serve(install, monkeypatch, {"https://pypi.org/simple/pip/": b"<html></html>"})
    with pytest.raises(SystemExit, match="apt-get install -y python3-venv"):
        install._fetch_pip()


def test_nothing_is_done_when_the_lock_is_installed_already(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("")
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    ran: list[list[str]] = []
    monkeypatch.setattr(install, "_works", lambda command: True)
    monkeypatch.setattr(install, "_run", ran.append)
    install.main(venv, lock)
    install.main(venv, lock)
    assert len(ran) == 1
    lock.write_text("django==5.2.19")
    install.main(venv, lock)
    assert len(ran) == 2


LOCK = """django==5.2.19 \\
    --hash=sha256:00
uv==0.13.9 \\
    --hash=sha256:11 \\
    --hash=sha256:22
    # via -r requirements/dev.in
vine==5.1.0 \\
    --hash=sha256:33
"""
Install = Callable[..., tuple[list[str], dict[str, str]]]


@pytest.fixture
def installed(install: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Install:
    """Install LOCK where pip says this of its settings; return what pip was given, and what uv was told."""

    def run(settings: str, *, uv_ends_with: int = 0) -> tuple[list[str], dict[str, str]]:
        given: list[str] = []
        told: dict[str, str] = {}

        def subprocess_run(command: list[str], **more: Any) -> CompletedProcess[str]:
            if command[-2:] == ["config", "list"]:
                return CompletedProcess(command, 0, stdout=settings)
            if Path(command[0]).name == "uv":
                told.update(more["env"])
                return CompletedProcess(command, uv_ends_with, stderr="no such index")
            given.append(Path(command[-1]).read_text())
            return CompletedProcess(command, 0)

        monkeypatch.setattr(install.subprocess, "run", subprocess_run)
        monkeypatch.setattr(install, "_works", lambda command: True)
        (tmp_path / "dev.txt").write_text(LOCK)
        (tmp_path / "venv" / "bin").mkdir(parents=True)
        (tmp_path / "venv" / "bin" / "python").touch()
        install.main(tmp_path / "venv", tmp_path / "dev.txt")
        return given, told

    return run


def test_uv_installs_a_lock_that_has_it_and_is_told_what_pip_is_told(installed: Install) -> None:
    given, told = installed(
        "global.cert='/etc/studio.pem'\n"
        "global.index-url='https://old.example/simple'\n"
        ":env:.index-url='https://mirror.example/simple'\n"
        "global.extra-index-url='\\nhttps://one.example/simple\\nhttps://two.example/simple'\n"
    )
    assert given == ["uv==0.13.9 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\n"], (
        "its hashes, and no more"
    )
    assert told["SSL_CERT_FILE"] == "/etc/studio.pem"
    assert told["UV_DEFAULT_INDEX"] == "https://mirror.example/simple", "variables come before files"
    assert told["UV_INDEX"] == "https://one.example/simple https://two.example/simple"


def test_uv_is_told_nothing_by_an_empty_setting_for_pip_is_not_either(installed: Install) -> None:
    _, told = installed(
        "global.index-url='https://mirror.example/simple'\n:env:.index-url=''\n:env:.no-index=''\n"
    )
    assert told["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"


def test_a_proxy_of_pip_goes_before_that_of_the_environment_and_its_file_is_no_hindrance(
    installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://another.example:3128")
    _, told = installed(":env:.config-file='/etc/studio.conf'\nglobal.proxy='http://proxy.example:3128'\n")
    assert {told[f"{kind}_PROXY"] for kind in ("ALL", "HTTP", "HTTPS")} == {"http://proxy.example:3128"}


def test_pip_installs_where_it_is_told_what_uv_does_not_know(installed: Install) -> None:
    assert installed("global.no-index='true'\n") == ([LOCK], {})


def test_pip_installs_where_uv_fails(installed: Install, capsys: pytest.CaptureFixture[str]) -> None:
    given, _ = installed("", uv_ends_with=2)
    assert given[1:] == [LOCK]
    assert "uv could not, so pip installs:\nno such index" in capsys.readouterr().out

"""requirements/install.py: how pip arrives where Debian left it out."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

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

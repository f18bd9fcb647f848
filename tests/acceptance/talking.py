"""Speaking with a farm over HTTP as a script does: a token, JSON, and a client made of the document."""

from __future__ import annotations

import base64
import importlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import pytest

from farm.demo.processes import ROOT

CONFIG: Final = ROOT / "requirements" / "client.yaml"
PACKAGE: Final = "shotfarm_client"


class Talk:
    """A person's token at a farm."""

    def __init__(self, web: str, person: str, password: str) -> None:
        self.web = urljoin(web, "/").removesuffix("/")
        basic = base64.b64encode(f"{person}:{password}".encode()).decode()
        self._right = f"Basic {basic}"
        self._right = f"Token {self.ask('POST', '/api/v1/auth/login')['token']}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send JSON, return JSON."""
        return json.loads(self._answer(method, path, body))

    def read(self, path: str) -> bytes:
        """Fetch a file."""
        return self._answer("GET", path)

    def _answer(self, method: str, path: str, body: Any = None) -> bytes:
        headers = {
            "Authorization": self._right,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(urljoin(self.web, path), data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            content: bytes = answer.read()
            return content


def made_client(farm: Talk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Make a client of the document that this farm serves, as ``make client`` does of the code's; a single
    warning fails. What comes back imports a module of it by name.
    """
    document = folder / "openapi.json"
    document.write_bytes(farm.read("/api/schema/"))
    generate = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--fail-on-warning",
        "--meta",
        "none",
    ]
    where = ["--path", str(document), "--config", str(CONFIG), "--output-path", str(folder / PACKAGE)]
    done = subprocess.run([*generate, *where], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(folder))
    return lambda name: importlib.import_module(f"{PACKAGE}.{name}")

"""What no line of the product may hold: addresses of machines, dialogs of the browser, a column twice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.contrib import admin

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("apps", "farm", "workers", "workflows")
ADDRESS: Final = re.compile(
    r"^(?:https?|wss?|rediss?|postgres(?:ql)?)://(?P<host>[a-z0-9][\w.-]*)", re.IGNORECASE
)
NO_MACHINES: Final = {
    "json-schema.org": "names a schema and is never asked",
    "registry.comfy.org": "a link that people may follow",
    "github.com": "a link that people may follow",
    "www.w3.org": "names a namespace and is never asked",
    "farm.studio.example": "an example, in the words of an error",
    "user": "an example, in the words of an error",
    "127.0.0.1": "the default of a setting: ComfyUI beside its worker",
}
DIALOG: Final = re.compile(r"(?<![\w.$])(?:window\.)?(?:alert|confirm|prompt)\(|hx-(?:confirm|prompt)=")


def texts_of(path: Path) -> Iterator[str]:
    """Every text that the code of a file holds, but its docstrings; none of a file without two slashes."""
    code = path.read_text(encoding="utf-8")
    if "//" not in code:
        return
    tree = ast.parse(code)
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def addresses(text: str) -> list[str]:
    return [found["host"] for found in map(ADDRESS.match, text.split()) if found]


def test_an_address_in_code_would_be_found() -> None:
    assert addresses("http://10.0.0.7:8002/api") == ["10.0.0.7"]
    assert addresses("redis://localhost:6379/0") == ["localhost"]


def test_no_machines_address_is_written_into_the_code() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {host}"
        for folder in PRODUCT
        for path in sorted((ROOT / folder).rglob("*.py"))
        for text in texts_of(path)
        for host in addresses(text)
        if host not in NO_MACHINES
    ]
    assert not wrong, "read it from a setting (farm/settings.py, workers/settings.py)"


@pytest.mark.parametrize("folder", ["static/shotfarm", "templates", "apps"])
def test_no_page_asks_by_a_dialog_of_the_browser(folder: str) -> None:
    assert DIALOG.search("if (confirm('Sure?'))") and not DIALOG.search("this.confirm(name)")
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in {".js", ".html"}]
    ours = [path for path in files if path.name != "alpine.js"]
    assert [path.name for path in ours if DIALOG.search(path.read_text(encoding="utf-8"))] == []


def test_no_list_shows_a_column_twice() -> None:
    admin.autodiscover()
    lists = {model._meta.label: page.list_display for model, page in admin.site._registry.items()}
    assert len(lists) > 30
    twice = {label: columns for label, columns in lists.items() if len(columns) != len(set(columns))}
    assert not twice

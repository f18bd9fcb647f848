"""What the documents name is there, and what people must set is in the documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.renders.waiting import SENTENCES
from farm.contracts import FailureClass

ROOT = Path(settings.BASE_DIR)
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "workers" / "README.md",
    *ROOT.glob("docs/**/*.md"),
]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"""(?:env\.\w+\(|environ\.get\(|environ\[|environ, )"(\w+)\"""")
READERS = ("farm/settings.py", "farm/demo/options.py", "workers/settings.py", "celeryconfig.py")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    targets = [target.partition("#")[0] for target in LINK.findall(page.read_text(encoding="utf-8"))]
    files = [target for target in targets if target and "://" not in target]
    assert [target for target in files if not (page.parent / target).exists()] == []


def test_every_path_of_the_map_is_there() -> None:
    page = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    folders = re.findall(r"^\| `([\w/]+/)`", page, re.MULTILINE)
    assert len(folders) > 10
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_every_app_is_on_the_map() -> None:
    page = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    apps = [path.parent.name for path in ROOT.glob("apps/*/apps.py")]
    assert [app for app in apps if f"`apps/{app}/`" not in page] == []


def test_every_environment_variable_is_in_the_readme() -> None:
    read = {
        name for reader in READERS for name in VARIABLE.findall((ROOT / reader).read_text(encoding="utf-8"))
    }
    assert {"DJANGO_SECRET_KEY", "REDIS_URL", "COMFYUI_URL", "SHOTFARM_SPOOL", "DEMO_VAR"} <= read
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert sorted(name for name in read if f"`{name}`" not in readme) == []


def test_every_failure_class_is_explained() -> None:
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert [name.value for name in FailureClass if f"`{name.value}`" not in page] == []


def test_every_reason_to_wait_is_explained() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    beginnings = [str(sentence).partition("%(")[0] for sentence in SENTENCES.values()]
    assert [words for words in beginnings if words not in page] == []

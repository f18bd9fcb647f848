"""What the documents name is there, and what people must set is in the documents."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.conf import settings

from apps.desk.terminal.arguments import declare
from apps.renders.waitsentences import NODE_SENTENCES, SENTENCES, Text
from farm.contracts import FailureClass
from workflows.load import slugs

ROOT = Path(settings.BASE_DIR)
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "workers" / "README.md",
    *ROOT.glob("docs/**/*.md"),
]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"""(?:env\.\w+\(|environ\.get\(|environ\[|environ,\s+)"(\w+)\"""")
NOTHING_SAID = "nothing at all, or the same for long, and nothing moves"
READERS = ("farm/settings.py", "farm/demo/options.py", "workers/settings.py", "celeryconfig.py")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    targets = [target.partition("#")[0] for target in LINK.findall(page.read_text(encoding="utf-8"))]
    files = [target for target in targets if target and "://" not in target]
    assert [target for target in files if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_into_a_page_leads_to_a_heading_of_it(page: Path) -> None:
    links = [target.partition("#") for target in LINK.findall(page.read_text(encoding="utf-8"))]
    inner = [(file, anchor) for file, _, anchor in links if anchor and "://" not in file]
    wrong = [link for link in inner if link[1] not in anchors_of(page.parent / link[0] if link[0] else page)]
    assert wrong == []


def test_every_test_that_holds_a_claim_about_security_is_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?:tests/integration/|tests/)?([\w/]+/test_\w+\.py)`", page)
    assert len(named) > 5
    there = [ROOT / "tests" / name for name in named], [ROOT / "tests/integration" / name for name in named]
    assert [str(one) for one, other in zip(*there, strict=True) if not (one.exists() or other.exists())] == []


def test_every_shipped_template_is_on_the_page_of_templates() -> None:
    page = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    assert [slug for slug in slugs() if f"| `{slug}` |" not in page] == []


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


def test_every_environment_variable_of_a_node_is_in_its_readme() -> None:
    read = set(VARIABLE.findall((ROOT / "workers" / "settings.py").read_text(encoding="utf-8")))
    assert {"REDIS_URL", "SHOTFARM_ARTIFACTS", "SHOTFARM_MAX_RSS_MB"} <= read
    readme = (ROOT / "workers" / "README.md").read_text(encoding="utf-8")
    assert sorted(name for name in read if f"`{name}`" not in readme) == []


def test_every_failure_class_is_explained() -> None:
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert [name.value for name in FailureClass if f"`{name.value}`" not in page] == []


def test_every_reason_to_wait_is_explained() -> None:
    page = section_of(ROOT / "docs" / "operations.md", "A job waits")
    assert sorted(said for said in told(SENTENCES) if said not in page) == []


def test_every_word_of_a_node_about_a_job_is_explained() -> None:
    page = section_of(ROOT / "docs" / "operations.md", "What each node says")
    assert sorted(said for said in told(NODE_SENTENCES) if said not in page) == []


@pytest.mark.parametrize(
    ("heading", "sentences"), [("A job waits", SENTENCES), ("What each node says", NODE_SENTENCES)]
)
def test_no_reason_is_explained_that_nobody_gives(
    heading: str, sentences: Mapping[str, Sequence[Text]]
) -> None:
    rows = re.findall(r"^\| (.+?) \|", section_of(ROOT / "docs" / "operations.md", heading), re.MULTILINE)
    explained = [said for row in rows[2:] for said in row.split(" · ")]
    assert len(explained) >= len(sentences)
    assert [said for said in explained if said not in told(sentences) and said != NOTHING_SAID] == []


def test_every_command_of_the_farm_is_explained_with_its_object() -> None:
    parser = ArgumentParser()
    declare(parser)
    commands = next(action.choices for action in parser._actions if action.dest == "command")
    page = section_of(ROOT / "docs" / "operations.md", "The farm at the command line")
    assert commands is not None
    assert [name for name in commands if f"manage.py farm {name}" not in page] == []
    objects = {
        name
        for row in re.findall(r"^\| (`.+?) \|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert objects == set(commands) - {"story"}


def anchors_of(page: Path) -> set[str]:
    """The names that a page's headings are linked by: small letters, hyphens for spaces, no signs."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text.lower(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in headings}


def section_of(page: Path, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    return page.read_text(encoding="utf-8").partition(f"# {heading}\n")[2].partition("\n#")[0]


def told(sentences: Mapping[str, Sequence[Text]]) -> set[str]:
    """Every sentence as the page writes it, with an ellipsis for each fact."""
    return {
        str(text % Anything(number))
        for texts in sentences.values()
        for text in texts
        for number in (Some(1), Some(2))
    }


class Some(int):
    """A number that decides between one and many, and reads as an ellipsis."""

    def __str__(self) -> str:
        return "…"


class Anything(dict[str, object]):
    """Has every fact."""

    def __init__(self, number: Some) -> None:
        super().__init__()
        self._number = number

    def __missing__(self, name: str) -> Some:
        return self._number

"""docs/from-the-prototype.md: what it says of the prototype's addresses and job states is so here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from apps.renders.states import JobState
from tests.integration.access.addresses import every_address

PAGE: Final = Path(__file__).parents[3] / "docs" / "from-the-prototype.md"


def table(heading: str) -> dict[str, str]:
    """The rows of a chapter's table: what is there, what is here."""
    chapter = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in chapter.splitlines() if line.startswith("| ")]
    return {there: here for there, here in rows if there != "There"}


def test_every_address_of_the_prototype_leads_to_one_that_is_here_or_has_a_reason() -> None:
    here = {
        (method, re.sub(r"{\w+}", "{}", one.pattern))
        for one in every_address()
        for method in one.methods
        if one.pattern.startswith("api/v1/") or one.pattern == "events"
    }
    told = table("What becomes of its addresses")
    assert len(told) > 40
    named = [
        (method, re.sub(r"{[^}]*}", "{}", path[1:] if path.startswith("/") else f"api/v1/{path}"))
        for answer in told.values()
        for method, path in re.findall(r"`(GET|POST|PATCH|PUT|DELETE) ([^`]+)`", answer)
    ]
    assert len(named) > 30
    assert [one for one in named if one not in here] == []
    nowhere = [there for there, answer in told.items() if "`" not in answer]
    assert all(told[there].startswith("none") for there in nowhere)


def test_every_job_state_of_the_prototype_is_one_of_ours() -> None:
    told = table("What its job states are here")
    assert list(told) == ["pending", "assigned", "running", "completed", "failed", "cancelled"]
    assert {answer.split(" ")[0] for answer in told.values()} <= set(JobState)

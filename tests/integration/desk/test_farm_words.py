"""What ``manage.py farm`` answers to wrong names, and how its tables look."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation

from apps.desk.management.commands.farm import Command
from apps.desk.terminal.text import table, width
from apps.nodes.models import Node
from apps.renders.models import Job
from tests.integration.desk.terminal import farm, tool

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("drain", "gpu1"), "did you mean gpu-1 or gpu-2?"),
        (("drain", "render-farm"), "there are: gpu-1, gpu-2."),
        (("why", "J12"), "did you mean J000012?"),
        (("why", "nonsense"), "give a job's code"),
        (("cancel", "J000013"), "no such job"),
        (("prioritise", "J000012", "soon"), "choose one of 0 (low), 10 (normal), 20 (high), 30 (urgent)"),
        (("hold", "23"), "write farm, a VRAM tier (0, 8, 12"),
        (("jobs", "--project", "FORST"), "did you mean FROST?"),
        (("jobs", "--batch", "B1"), "no such batch"),
        (("requeue", "--node", "gpu-1", "--since", "yesterday"), "write how long ago"),
        (("requeue", "J000012", "--since", "1h"), "it goes with --node"),
        (("note", "gpu-*", "x"), "it names several: gpu-1, gpu-2"),
        (("story", "J12"), "did you mean J000012?"),
    ],
)
def test_a_wrong_name_is_answered_with_what_would_be_right(
    nodes: dict[str, Node], job: Job, words: tuple[str, ...], remedy: str
) -> None:
    said = farm(*words)
    assert (said.code, said.out) == (1, "")
    assert remedy in said.err
    assert remedy in tool(*words)["problems"][0]["message"]


@pytest.mark.parametrize(
    "words", [(), ("drian", "gpu-1"), ("drain",), ("requeue",), ("requeue", "J1", "--batch", "B1"), ("why",)]
)
def test_a_command_asked_for_wrongly_ends_with_two(words: tuple[str, ...], capsys: Any) -> None:
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "farm", *words])
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("jobs", "--limit", "0"), "argument --limit: “0”: write a whole number from 1 to 10000"),
        (("jobs", "--limit", "many"), "“many”: write a whole number"),
        (("status", "--watch", "0"), "argument --watch: “0”: write seconds from 0.5 to 3600"),
    ],
)
def test_a_figure_out_of_bounds_is_answered_with_its_bounds(
    words: tuple[str, ...], remedy: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "farm", *words])
    assert end.value.code == 2
    assert remedy in capsys.readouterr().err


def test_what_a_node_says_does_not_move_the_cursor(nodes: dict[str, Node]) -> None:
    Node.objects.filter(name="gpu-2").update(reason="\x1b[2Jgone\nand again")
    said = farm("nodes").out
    assert "\x1b" not in said
    assert "gone and again" in said
    assert len(said.splitlines()) == 3


def test_colour_is_for_those_who_look(nodes: dict[str, Node], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in farm("nodes").out
    assert "\x1b[32midle\x1b[0m" in farm("nodes", "--force-color").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in farm("nodes", "--force-color").out


def test_columns_stand_below_each_other_in_korean(nodes: dict[str, Node], job: Job) -> None:
    Node.objects.filter(name="gpu-2").update(name="렌더노드-둘")
    with translation.override("ko"):
        lines = farm("nodes").lines
    columns = [
        width(line[: line.index(tier)]) for line, tier in zip(lines[1:], ("24 GB", "48 GB"), strict=True)
    ]
    assert columns[0] == columns[1]
    assert "유휴" in lines[1] or "대기" in lines[1]


def test_titles_keep_their_distance_in_korean(job: Job) -> None:
    farm("hold", "24", "--reason", "new driver")
    with translation.override("ko"):
        said = farm("status").out
    [held] = [line for line in said.splitlines() if "new driver" in line and "×" not in line]
    assert re.fullmatch(r"\S+ {2,}24 GB, .*: new driver", held)


def test_wide_letters_take_two_columns_and_colours_none() -> None:
    assert (width("gpu"), width("노드"), width("\x1b[32m노드\x1b[0m"), width("é")) == (3, 4, 4, 1)
    lines = table([["노드", "1"], ["gpu-1", "22"]], ["node", "n"], right=[1])
    assert lines == ["NODE    N", "노드    1", "gpu-1  22"]


def test_watching_looks_again_until_interrupted(
    nodes: dict[str, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("apps.desk.management.commands.farm.time.sleep", sleep)
    said = farm("status", "--watch", "5", "--json")
    assert looks == [5.0, 5.0]
    assert [json.loads(line)["command"] for line in said.lines if line] == ["status", "status"]


def test_every_object_for_tools_has_its_form_and_command(nodes: dict[str, Node], job: Job) -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text(encoding="utf-8")
    asked: list[tuple[str, ...]] = [
        ("status",),
        ("nodes",),
        ("jobs",),
        ("why", "J000012"),
        ("limits",),
        ("drain", "gpu-1"),
        ("note", "gpu-1", "x"),
        ("hold", "farm"),
        ("release", "farm"),
        ("prioritise", "J000012", "low"),
        ("cancel", "J000012"),
        ("requeue", "J000012"),
    ]
    for words in asked:
        told = tool(*words)
        assert (told["form"], told["command"]) == (1, words[0])
        assert "problems" not in told
        assert [name for name in sorted(names_in(told)) if f"`{name}`" not in page] == []


def names_in(told: Any) -> set[str]:
    """Every field of an object and of what is in it; counts by state have states for names."""
    if isinstance(told, list):
        return set().union(*map(names_in, told))
    if not isinstance(told, dict):
        return set()
    inside = [names_in(value) for name, value in told.items() if name not in ("observed", "desired")]
    return set(told).union(*inside)

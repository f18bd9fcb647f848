"""docs/states.md says what the machines say."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from apps.common.machines import Machine
from apps.desk.statespage import CHAPTERS, PAGE, states_page


def machines_of_all_apps() -> list[Machine]:
    names = [f"{app.name}.states" for app in apps.get_app_configs() if app.name.startswith("apps.")]
    modules = [import_module(name) for name in names if find_spec(name)]
    named = [value for module in modules for value in vars(module).values() if isinstance(value, Machine)]
    return [machine for machine in named if machine.moves]  # some only lend their name to events


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == states_page(), "run: manage.py describe_states"


def test_every_machine_of_every_app_has_its_chapter() -> None:
    found = {machine.name for machine in machines_of_all_apps()}
    assert "job" in found
    assert {chapter.machine.name for chapter in CHAPTERS} == found


def test_every_move_of_a_drawn_machine_is_in_its_drawing() -> None:
    page = states_page()
    drawn = [chapter.machine for chapter in CHAPTERS if chapter.drawn]
    assert drawn
    for machine in drawn:
        for source, targets in machine.moves.items():
            for target in targets:
                assert f"    {source or '[*]'} --> {target}\n" in page

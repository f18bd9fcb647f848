"""Loading the preset library into the database."""

from __future__ import annotations

import io
import shutil
from functools import partial
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.presets.library import DATA
from apps.presets.management.commands import load_presets as command
from apps.presets.models import CinematicPreset, Look, LookPreset, PresetCategory, PresetRule
from apps.presets.services import Loaded, load_presets
from tests.factories import CinematicPresetFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def empty_library() -> None:
    LookPreset.objects.all().delete()
    Look.objects.all().delete()
    PresetRule.objects.all().delete()
    CinematicPreset.objects.all().delete()
    PresetCategory.objects.all().delete()


def push_in() -> CinematicPreset:
    return CinematicPreset.objects.get(category__slug="camera_movement", slug="slow-push-in")


@pytest.mark.usefixtures("empty_library")
def test_an_empty_database_gets_the_whole_library() -> None:
    assert load_presets() == Loaded(created=266)
    assert (PresetCategory.objects.count(), CinematicPreset.objects.count()) == (20, 171)
    assert (Look.objects.count(), PresetRule.objects.count()) == (16, 59)
    assert Look.objects.get(slug="film-noir").presets.count() == 5
    assert (push_in().name_ko, push_in().params) == ("느린 푸시인", {"motion": 1})


def test_loading_twice_changes_nothing() -> None:
    load_presets()
    before = list(CinematicPreset.objects.order_by("pk").values())
    assert load_presets() == Loaded(unchanged=266)
    assert list(CinematicPreset.objects.order_by("pk").values()) == before


def test_a_studios_edit_and_its_own_presets_survive_loading() -> None:
    load_presets()
    CinematicPreset.objects.filter(pk=push_in().pk).update(prompt_fragment="the camera creeps in")
    own = CinematicPresetFactory.create(category=push_in().category)
    load_presets()
    assert push_in().prompt_fragment == "the camera creeps in"
    assert CinematicPreset.objects.filter(pk=own.pk).exists()


def test_a_row_that_changed_in_the_library_is_brought_up_to_date(tmp_path: Path) -> None:
    load_presets()
    before = push_in()
    newer = Path(shutil.copytree(DATA, tmp_path / "library"))
    text = (newer / "presets.csv").read_text(encoding="utf-8")
    (newer / "presets.csv").write_text(text.replace("slowly pushes in", "gently pushes in"), encoding="utf-8")

    assert load_presets(newer) == Loaded(changed=1, unchanged=265)
    assert push_in().prompt_fragment == "the camera gently pushes in toward the subject"
    assert (push_in().pk, push_in().row_version) == (before.pk, before.row_version + 1)


def test_the_command_counts_what_it_did() -> None:
    load_presets()
    said = io.StringIO()
    call_command("load_presets", stdout=said)
    assert said.getvalue().strip() == "0 created, 0 changed, 266 unchanged"


def test_the_command_says_what_is_wrong_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Path(shutil.copytree(DATA, tmp_path / "library"))
    text = (broken / "presets.csv").read_text(encoding="utf-8")
    (broken / "presets.csv").write_text(text.replace("1,both,insert", "1,paper,insert"), encoding="utf-8")
    monkeypatch.setattr(command, "load_presets", partial(load_presets, broken))
    with pytest.raises(CommandError, match=r"presets\.csv row 10, channel"):
        call_command("load_presets")

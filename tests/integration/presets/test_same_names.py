"""One name means one thing: presets of the same words, of two films or of the studio, are kept apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.ledger.models import Activity
from apps.ledger.selectors import newest_batch
from apps.ledger.services.recording import changing
from apps.ledger.services.restoring import bring_back, restore
from apps.ledger.services.undoing import undo
from apps.presets.models import CinematicPreset, PresetCategory
from apps.presets.services import exchange, load_presets
from apps.presets.services.editing import add_row
from apps.presets.services.papers import FORMAT, VERSION, read_paper
from apps.productions.editing import update_shot
from apps.productions.models import Shot
from apps.productions.preset_apply import apply_presets, plan_presets
from tests.factories import CinematicPresetFactory, ProjectFactory, ShotFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return UserFactory.create(is_superuser=True)


def own(shot: Shot, slug: str = "neon") -> CinematicPreset:
    mood = PresetCategory.objects.get(project=None, slug="mood")
    return CinematicPresetFactory.create(project=shot.project, category=mood, slug=slug, name=slug)


def give(shot: Shot, user: User, *presets: str) -> Activity:
    shot.refresh_from_db()
    update_shot(shot, user=user, row_version=shot.row_version, presets=presets)
    told = Activity.objects.filter(kind="shot").first()
    assert told is not None
    return told


def test_going_back_brings_ones_own_preset_not_another_films_of_the_same_words(root: User) -> None:
    shot, other = ShotFactory.create(), ShotFactory.create(sequence__project=ProjectFactory.create())
    mine, theirs = own(shot), own(other)
    before = give(shot, root, "mood/neon")
    give(shot, root)
    assert before.changes["presets"] == [[], ["own:mood/neon"]]
    restore(before, user=root)
    assert list(shot.presets.all()) == [mine]
    assert theirs not in shot.presets.all()


def test_an_undo_keeps_films_apart(root: User) -> None:
    shot, other = ShotFactory.create(), ShotFactory.create(sequence__project=ProjectFactory.create())
    mine, _theirs = own(shot), own(other)
    give(shot, root, "mood/neon")
    wide = CinematicPreset.objects.get(category__slug="mood", slug="tense", project=None)
    shots = [Shot.objects.select_related("sequence__project", "project", "location").get(pk=shot.pk)]
    plan = plan_presets(shots, [wide], mode="replace", user=root)
    apply_presets(shots, [wide], mode="replace", user=root, token=plan.token)
    batch = newest_batch(shot.project_id)
    assert batch is not None
    assert undo(batch, user=root).left == ()
    assert list(shot.presets.all()) == [mine]


def test_what_stands_in_another_film_only_is_not_found(root: User) -> None:
    shot, other = ShotFactory.create(), ShotFactory.create(sequence__project=ProjectFactory.create())
    mine = own(shot)
    before = give(shot, root, "mood/neon")
    give(shot, root)
    mine.delete()
    own(other)
    with pytest.raises(Refused, match="there is none of this name"):
        restore(before, user=root)


def test_the_studio_takes_no_key_that_a_film_has(root: User) -> None:
    shot = ShotFactory.create()
    mine = own(shot)
    with pytest.raises(Refused, match="a project has one of its own of this key"):
        add_row(
            CinematicPreset(category=mine.category, slug="neon", name="Neon", prompt_fragment="neon"),
            user=root,
        )


def test_a_film_keeps_its_preset_under_another_key_when_the_library_takes_it(root: User) -> None:
    shot = ShotFactory.create()
    load_presets()
    taken = CinematicPreset.objects.get(category__slug="mood", slug="tense", project=None)
    CinematicPreset.objects.filter(pk=taken.pk).update(slug="tense-before")
    mine = own(shot, "tense")
    give(shot, root, "mood/tense")
    load_presets()
    mine.refresh_from_db()
    assert mine.slug == "tense-2"
    assert list(shot.presets.all()) == [mine]
    studios = CinematicPreset.objects.get(category__slug="mood", slug="tense", project=None)
    assert give(shot, root, "mood/tense").changes["presets"] == [["own:mood/tense-2"], ["mood/tense"]]
    assert list(shot.presets.all()) == [studios]


def test_what_comes_back_takes_no_key_that_the_studio_took_meanwhile(root: User) -> None:
    mine = own(ShotFactory.create())
    with changing(CinematicPreset, [mine.pk], actor=root):
        CinematicPreset.objects.filter(pk=mine.pk).delete()
    gone = Activity.objects.filter(kind="preset").first()
    assert gone is not None
    studios = CinematicPresetFactory.create(project=None, category=mine.category, slug="neon", name="Neon")
    with pytest.raises(Refused, match="taken its place"):
        bring_back(gone, user=root)
    assert not CinematicPreset.objects.filter(pk=mine.pk).exists()
    studios.delete()
    bring_back(gone, user=root)
    assert CinematicPreset.objects.filter(pk=mine.pk).exists()


def test_what_somebody_writes_while_a_file_is_brought_in_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    root = UserFactory.create(is_superuser=True)
    tense = CinematicPreset.objects.get(category__slug="mood", slug="tense")
    read = exchange._known

    def read_before_somebody_wrote(*asked: Any) -> list[Any]:
        rows = list(read(*asked))
        CinematicPreset.objects.filter(pk=tense.pk).update(name_ko="팽팽한", row_version=5)
        return rows

    monkeypatch.setattr(exchange, "_known", read_before_somebody_wrote)
    rows = [{"category": "mood", "slug": "tense", "prompt_fragment": "breath held"}]
    paper = read_paper(json.dumps({"format": FORMAT, "version": VERSION, "presets": rows}).encode())
    assert exchange.bring_in(paper, None, user=root).batch is not None
    tense.refresh_from_db()
    assert (tense.prompt_fragment, tense.name_ko, tense.row_version) == ("breath held", "팽팽한", 6)

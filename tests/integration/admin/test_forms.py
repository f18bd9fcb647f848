"""Planning by hand: shots, casting, characters; verdicts on takes; wishes for nodes."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from PIL import Image

from apps.accounts.models import User
from apps.characters.models import Character, CharacterLora
from apps.characters.services import reference_url
from apps.ledger.models import Activity
from apps.nodes.models import Node
from apps.productions.models import Sequence, Shot, ShotCharacter
from apps.projects.models import Membership
from apps.review.models import Take
from apps.review.states import Review
from tests.factories import CharacterFactory, CostumeFactory, LocationFactory, ShotFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page

pytestmark = pytest.mark.django_db


def form_of(browser: Client, address: str) -> dict[str, Any]:
    """What a browser would send back unchanged."""
    context = browser.get(address).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.initial_forms]
    sent = {bound.html_name: bound.value() for form in forms for bound in form}
    sent["row_version"] = context.get("row_version")
    return {name: "" if value is None else value for name, value in sent.items() if value is not False}


def test_a_shot_is_saved_as_it_was_shown(film: Film, as_: Browser) -> None:
    browser = as_("artist")
    answer = browser.post(page(film.shot), form_of(browser, page(film.shot)) | {"frames": "72"})
    assert answer.status_code == 302
    assert Shot.objects.get(pk=film.shot.pk).frames == 72


def test_a_new_shot_without_a_code_gets_the_next_one(film: Film, as_: Browser) -> None:
    sequence = Sequence.objects.create(project=film.project, code="SQ905", name="Coda")
    sent = {"sequence": str(sequence.pk), "frames": "48", "handles": "0", "order": "0"}
    sent |= {"continuity_keep": "frames", "continuity_frames": "1"}
    as_("coordinator").post(reverse("admin:productions_shot_add"), sent)
    shot = Shot.objects.get(sequence=sequence)
    assert (shot.code, shot.project, shot.status_id) == ("SH0010", film.project, "draft")


def test_zero_frames_are_refused_beside_the_field(film: Film, as_: Browser) -> None:
    browser = as_("artist")
    answer = browser.post(page(film.shot), form_of(browser, page(film.shot)) | {"frames": "0"})
    assert "frames" in answer.context["adminform"].form.errors


@pytest.mark.parametrize("field", ("sequence", "location"))
def test_a_shot_cannot_take_rows_of_another_film(
    film: Film, other_film: Film, as_: Browser, field: str
) -> None:
    browser = as_("artist")
    foreign = {
        "sequence": other_film.shot.sequence,
        "location": LocationFactory.create(project=other_film.project),
    }
    sent = form_of(browser, page(film.shot)) | {field: str(foreign[field].pk)}
    assert field in browser.post(page(film.shot), sent).context["adminform"].form.errors


def test_a_costume_of_another_character_is_refused(film: Film, as_: Browser) -> None:
    browser = as_("artist")
    other = CostumeFactory.create(character__project=film.project)
    sent = form_of(browser, page(film.shot)) | {"casting-0-costume": str(other.pk)}
    shown = browser.post(page(film.shot), sent).content.decode()
    assert "belongs to another character" in shown


def test_who_is_in_the_archive_may_stay_and_is_not_newly_cast(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    Character.objects.filter(project=film.project).update(archived=True)
    sent = form_of(browser, page(film.shot))
    assert browser.post(page(film.shot), sent | {"casting-0-action": "sleeps"}).status_code == 302
    other = CharacterFactory.create(project=film.project, archived=True)
    sent = form_of(browser, page(film.shot)) | {"casting-0-character": str(other.pk), "casting-0-costume": ""}
    shown = browser.post(page(film.shot), sent).content.decode()
    assert "is in the archive" in shown


def test_rows_of_the_cast_take_over_each_others_characters_archived_or_not(film: Film, as_: Browser) -> None:
    browser, cast = as_("coordinator"), ShotCharacter.objects.filter(shot=film.shot)
    first = cast.get()
    second, third = (CharacterFactory.create(project=film.project) for _ in range(2))
    cast.update(order=0)
    for order, character in enumerate((second, third), start=1):
        ShotCharacter.objects.create(shot=film.shot, character=character, order=order)
    Character.objects.filter(pk=second.pk).update(archived=True)
    keys = set(cast.values_list("pk", flat=True))
    told = {"casting-0-character": str(second.pk), "casting-0-costume": ""}
    sent = form_of(browser, page(film.shot)) | told | {"casting-1-character": str(first.character_id)}
    assert browser.post(page(film.shot), sent | {"casting-0-action": "swims"}).status_code == 302
    assert set(cast.values_list("pk", flat=True)) == keys
    swapped = list(cast.order_by("order").values_list("character", "action"))
    assert swapped == [(second.pk, "swims"), (first.character_id, ""), (third.pk, "")]
    newest = Activity.objects.filter(object_id=str(film.shot.pk)).latest("id")
    assert [part["character"] for part in newest.changes["casting"][1]] == [
        second.code,
        first.character.code,
        third.code,
    ]
    taken = {"casting-0-character": str(third.pk), "casting-2-DELETE": "on"}
    assert browser.post(page(film.shot), form_of(browser, page(film.shot)) | taken).status_code == 302
    assert list(cast.order_by("order").values_list("character", flat=True)) == [third.pk, first.character_id]


def test_the_status_moves_by_its_machine(film: Film, as_: Browser) -> None:
    move = reverse("admin:productions_shot_status", args=[film.shot.pk])
    as_("artist").post(move, {"to": "ready"})
    assert Shot.objects.get(pk=film.shot.pk).status_id == "ready"
    refused = as_("coordinator").post(move, {"to": "final"}, follow=True)
    assert Shot.objects.get(pk=film.shot.pk).status_id == "ready"
    assert "a shot may go to" in refused.content.decode()


def test_a_viewer_moves_no_status(film: Film, as_: Browser) -> None:
    move = reverse("admin:productions_shot_status", args=[film.shot.pk])
    assert as_("viewer").post(move, {"to": "ready"}).status_code == 403


def picture() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (32, 18), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def upload(browser: Client, film: Film, content: bytes) -> Any:
    character = film.rows["character"]
    sent = form_of(browser, page(character)) | {
        "references-TOTAL_FORMS": "1",
        "references-0-title": "front",
        "references-0-order": "0",
        "references-0-character": str(character.pk),
        "references-0-file": SimpleUploadedFile("front.png", content),
    }
    return browser.post(page(character), sent)


@pytest.mark.usefixtures("artifact_root")
def test_a_reference_picture_is_uploaded_and_shown(film: Film, as_: Browser, people: dict[str, User]) -> None:
    browser = as_("coordinator")
    assert upload(browser, film, picture()).status_code == 302
    reference = film.rows["character"].references.get()
    assert (reference.width, reference.height, reference.title) == (32, 18, "front")
    shown = reference_url(reference.pk, people["coordinator"])
    assert escape(shown) in browser.get(page(film.rows["character"])).content.decode()
    assert browser.get(shown)["Content-Type"] == "image/png"
    history = reverse("admin:characters_character_history", args=[film.rows["character"].pk])
    told = browser.get(history).content.decode()
    assert f"<ins>{reference.sha256[:12]} · title: front</ins>" in told
    assert reference.sha256 not in told


@pytest.mark.usefixtures("artifact_root")
def test_what_is_not_a_picture_is_refused_beside_the_field(film: Film, as_: Browser) -> None:
    shown = upload(as_("coordinator"), film, b"<script>alert(1)</script>").content.decode()
    assert "This is not a picture." in shown
    assert "Choose the files again" in shown
    assert not film.rows["character"].references.exists()


def review(browser: Client, take: Take, to: str) -> int:
    return browser.post(
        reverse("admin:review_take_review", args=[take.pk]), {"to": to, "note": "wider"}
    ).status_code


@pytest.mark.parametrize("role", ("admin", "coordinator"))
@pytest.mark.parametrize("to", ("approved", "retake", "rejected"))
def test_who_reviews_gives_verdicts(film: Film, as_: Browser, role: str, to: str) -> None:
    assert review(as_(role), film.take, to) == 302
    assert Take.objects.get(pk=film.take.pk).review_state == to


@pytest.mark.parametrize("role", ("artist", "viewer"))
def test_who_does_not_review_gives_none_and_sees_no_button(film: Film, as_: Browser, role: str) -> None:
    assert review(as_(role), film.take, "approved") == 403
    assert (
        reverse("admin:review_take_review", args=[film.take.pk])
        not in as_(role).get(page(film.take)).content.decode()
    )
    assert Take.objects.get(pk=film.take.pk).review_state == Review.PENDING


def test_takes_of_other_films_get_no_verdict(film: Film, other_film: Film, as_: Browser) -> None:
    assert review(as_("admin"), other_film.take, "approved") == 404


def test_many_takes_are_approved_at_once(film: Film, as_: Browser) -> None:
    tick = {"action": "approve", "index": "0", "_selected_action": [str(film.take.pk)]}
    as_("coordinator").post(listing(Take), tick)
    assert Take.objects.get(pk=film.take.pk).review_state == Review.APPROVED


def steer(browser: Client, node: Node, desired: str) -> int:
    return browser.post(reverse("admin:nodes_node_desired", args=[node.pk]), {"desired": desired}).status_code


def test_nodes_are_steered_by_superusers(film: Film, as_: Browser) -> None:
    assert steer(as_("root"), film.rows["node"], "draining") == 302
    assert Node.objects.get(pk=film.rows["node"].pk).desired == "draining"


def test_nodes_are_steered_by_those_with_the_permission(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    people["nobody"].user_permissions.add(
        *Permission.objects.filter(codename__in=("change_node", "view_node"))
    )
    assert as_("nobody").get(page(film.rows["node"])).status_code == 200
    assert steer(as_("nobody"), film.rows["node"], "paused") == 302
    assert Node.objects.get(pk=film.rows["node"].pk).desired == "paused"


@pytest.mark.parametrize("role", ("admin", "viewer"))
def test_members_read_nodes_but_do_not_steer_them(film: Film, as_: Browser, role: str) -> None:
    assert steer(as_(role), film.rows["node"], "paused") == 403
    shown = as_(role).get(page(film.rows["node"])).content.decode()
    assert "measured (NVML)" in shown
    assert reverse("admin:nodes_node_desired", args=[film.rows["node"].pk]) not in shown


def test_whoever_opens_a_project_becomes_its_admin(film: Film, as_: Browser, people: dict[str, User]) -> None:
    sent = {"code": "COMET", "name": "Comet", "fps": "24", "width": "1024", "height": "576"}
    sent |= {"prompt_language": "en", "weight": "100", "start_timecode": "10:00:00:00"}
    sent |= {"frame_start": "1001", "handles": "8"}
    assert as_("root").post(reverse("admin:projects_project_add"), sent).status_code == 302
    assert Membership.objects.get(project__code="COMET").user == people["root"]
    assert as_("admin").post(reverse("admin:projects_project_add"), sent).status_code == 403


def test_the_last_admin_of_a_project_stays(film: Film, as_: Browser) -> None:
    browser = as_("root")
    sent = form_of(browser, page(film.project))
    admins = {name: "client" for name, value in sent.items() if name.endswith("-role") and value == "admin"}
    shown = browser.post(page(film.project), sent | admins).content.decode()
    assert "A project needs an admin" in shown
    assert film.project.memberships.filter(role="admin").exists()


def test_everything_typed_of_a_character_is_kept(film: Film, as_: Browser) -> None:
    browser, character = as_("coordinator"), film.rows["character"]
    address = page(character)
    typed = {
        "name": "Gerda",
        "name_ko": "게르다",
        "description": "a girl",
        "description_ko": "소녀",
        "age": "12",
        "gender": "girl",
        "negative": "hat",
        "use_lora": "on",
        "costumes-TOTAL_FORMS": "1",
        "loras-TOTAL_FORMS": "1",
        "costumes-0-name": "winter",
        "costumes-0-prompt": "a red coat",
        "costumes-0-prompt_ko": "빨간 외투",
        "loras-0-base_model": "flux",
        "loras-0-file": "people/gerda.safetensors",
        "loras-0-weight": "0.7",
        "loras-0-sha256": "a" * 64,
        "loras-0-trigger_words": "gerda_v2,  red coat,",
    }
    character.costumes.all().delete()
    character.loras.all().delete()
    answer = browser.post(address, form_of(browser, address) | typed)
    assert answer.status_code == 302, answer.context["errors"]
    character.refresh_from_db()
    assert (character.name, character.name_ko, character.age, character.gender) == (
        "Gerda",
        "게르다",
        "12",
        "girl",
    )
    assert (character.description, character.description_ko) == ("a girl", "소녀")
    assert (character.negative, character.use_lora) == ("hat", True)
    costume, lora = character.costumes.get(), character.loras.get()
    assert (costume.name, costume.prompt, costume.prompt_ko) == ("winter", "a red coat", "빨간 외투")
    assert (lora.base_model, lora.file, lora.sha256, lora.weight, lora.trigger_words) == (
        "flux", "people/gerda.safetensors", "a" * 64, 0.7, ["gerda_v2", "red coat"]
    )  # fmt: skip


def test_trigger_words_that_nobody_touched_stay_and_what_no_text_holds_is_told(
    film: Film, as_: Browser
) -> None:
    browser, character = as_("coordinator"), film.rows["character"]
    character.loras.all().delete()
    lora = character.loras.create(
        base_model="flux", file="gerda.safetensors", trigger_words=["red coat, long"]
    )
    sent = form_of(browser, page(character))
    assert sent["loras-0-trigger_words"] == "red coat, long"
    assert browser.post(page(character), sent | {"age": "13"}).status_code == 302
    lora.refresh_from_db()
    assert lora.trigger_words == ["red coat, long"]
    sent = form_of(browser, page(character)) | {"loras-0-trigger_words": "red\0coat"}
    assert "Null characters are not allowed" in browser.post(page(character), sent).content.decode()


def test_characters_are_searched_and_their_cards_say_lora_costumes_and_shots(
    film: Film, as_: Browser
) -> None:
    character, browser = film.rows["character"], as_("viewer")
    character.costumes.all().delete()
    character.loras.all().delete()
    CostumeFactory.create(character=character, name="oilskin")
    CharacterFactory.create(project=film.project, name="Somebody else", use_lora=False)
    Character.objects.filter(pk=character.pk).update(name="Gerda", name_ko="게르다", use_lora=False)

    def card() -> str:
        (found,) = re.findall(r'<li class="sf-person.*?</li>', shown({"q": "gerd"}), re.DOTALL)
        return " ".join(unescape(found).split())

    def shown(asked: dict[str, str]) -> str:
        return browser.get(listing(Character), asked).content.decode()

    assert "no LoRA" in card()
    character.loras.create(base_model="flux", file="gerda.safetensors")
    assert "LoRA there, but off: flux" in card()
    Character.objects.filter(pk=character.pk).update(use_lora=True)
    told = card()
    assert "LoRA on: flux" in told
    assert all(word in told for word in ("Gerda", "게르다", "oilskin"))
    assert f"characters__id__exact={character.pk}" in told
    assert f"1 shot</a>: {film.shot.full_code}" in told
    assert "Somebody else" not in shown({"lora": "on"})
    assert "Somebody else" in shown({"lora": "none"})


def test_cards_name_the_first_shots_and_whoever_likes_the_table_has_it_again(
    film: Film, as_: Browser
) -> None:
    character, browser = film.rows["character"], as_("viewer")
    last = film.shot.order
    more = [ShotFactory.create(sequence=film.shot.sequence, order=last + n) for n in range(1, 8)]
    for shot in reversed(more):
        ShotCharacter.objects.create(shot=shot, character=character)
    told = browser.get(listing(Character)).content.decode()
    assert "8 shots</a>" in told
    assert more[3].full_code in told
    assert more[4].full_code not in told
    look = reverse("admin:characters_character_look")
    assert browser.post(look, {"view": "table", "next": listing(Character)}).status_code == 302
    assert "field-lora" in browser.get(listing(Character)).content.decode()
    assert "sf-person" in as_("artist").get(listing(Character)).content.decode()


def test_a_costume_that_a_shot_wears_is_taken_away_only_when_that_is_said(film: Film, as_: Browser) -> None:
    browser, character = as_("coordinator"), film.rows["character"]
    character.costumes.all().delete()
    coat = CostumeFactory.create(character=character, name="coat")
    film.shot.casting.all().delete()
    cast = ShotCharacter.objects.create(shot=film.shot, character=character, costume=coat)
    address = page(character)
    sent = form_of(browser, address) | {"costumes-0-DELETE": "on"}
    asked = browser.post(address, sent)
    assert asked.status_code == 200
    told = asked.content.decode()
    assert f"1 shot wears it: {film.shot.full_code}" in told
    assert 'name="undress"' in told
    cast.refresh_from_db()
    assert cast.costume == coat

    assert browser.post(address, sent | {"undress": "1"}).status_code == 302
    assert film.shot.casting.get().costume is None
    said = Activity.objects.filter(kind="shot", object_id=str(film.shot.pk)).latest("id")
    assert (said.batch is not None, list(said.changes)) == (True, ["casting"])


def test_costumes_swap_their_names_and_take_over_that_of_one_that_goes(film: Film, as_: Browser) -> None:
    someone = CharacterFactory.create(project=film.project)
    coat, dress, gown = (
        CostumeFactory.create(character=someone, name=name) for name in ("coat", "dress", "gown")
    )
    browser = as_("coordinator")
    swap = {"costumes-0-name": "dress", "costumes-1-name": "coat"}
    assert browser.post(page(someone), form_of(browser, page(someone)) | swap).status_code == 302
    assert dict(someone.costumes.values_list("name", "pk")) == {
        "dress": coat.pk,
        "coat": dress.pk,
        "gown": gown.pk,
    }
    sent = form_of(browser, page(someone))
    assert sent["costumes-0-name"] == "coat"
    sent |= {"costumes-0-name": "gown", "costumes-2-DELETE": "on"}
    assert browser.post(page(someone), sent).status_code == 302
    assert dict(someone.costumes.values_list("name", "pk")) == {"dress": coat.pk, "gown": dress.pk}
    newest = Activity.objects.filter(kind="character", object_id=str(someone.pk)).latest("id")
    assert [one["name"] for one in newest.changes["costumes"][1]] == ["dress", "gown"]


def test_loras_of_a_character_swap_their_files(film: Film, as_: Browser) -> None:
    someone = CharacterFactory.create(project=film.project)
    for name in ("a", "b"):
        CharacterLora.objects.create(character=someone, base_model="flux", file=f"{name}.safetensors")
    before = dict(someone.loras.values_list("file", "pk"))
    browser = as_("coordinator")
    swap = {"loras-0-file": "b.safetensors", "loras-1-file": "a.safetensors"}
    assert browser.post(page(someone), form_of(browser, page(someone)) | swap).status_code == 302
    after = dict(someone.loras.values_list("file", "pk"))
    assert after == {"a.safetensors": before["b.safetensors"], "b.safetensors": before["a.safetensors"]}

"""The inbox, subscriptions and deliveries as people see them: in the admin, and over the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.ledger.models import Activity
from apps.nodes.states import Observed
from apps.notices.kinds import Kind
from apps.notices.models import Delivery, Notice, Road, Subscription
from apps.notices.services import subscribing
from apps.projects.models import Project
from apps.renders.states import JobState
from tests.factories import NodeFactory
from tests.integration.admin.html_forms import form_with
from tests.integration.admin.rows import listing, page
from tests.integration.notices.scene import (
    Teller,
    batch_of,
    closes,
    ends,
    inbox,
    jobs_of,
    node_becomes,
    subscribes,
)

pytestmark = pytest.mark.django_db

Browser = Callable[[str], Client]
HOOK = "https://hooks.example/farm"
SECRET = re.compile(r"whsec_[0-9a-f]{64}")


@pytest.fixture
def as_(people: dict[str, User]) -> Browser:
    """Somebody's browser, signed in."""

    def browser(who: str) -> Client:
        client = Client()
        client.force_login(people[who])
        return client

    return browser


@pytest.fixture
def api(people: dict[str, User]) -> Callable[[str], APIClient]:
    """Somebody's API client."""

    def client_of(who: str) -> APIClient:
        client = APIClient()
        client.force_authenticate(people[who])
        return client

    return client_of


def shown(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def badge_in(page: str) -> str:
    """The count beside Notices in the sidebar; "" if there is none."""
    found = re.search(r'id="sf-unread"([^>]*)>([^<]*)<', page)
    assert found is not None and ("hidden" in found[1]) == (found[2] == "")
    return found[2]


def test_the_sidebar_counts_what_is_unread_on_every_page(
    coordinator: User, shot: Any, tell: Teller, as_: Browser
) -> None:
    browser = as_("coordinator")
    assert badge_in(shown(browser, reverse("admin:index"))) == ""
    for _ in range(3):
        ends(batch_of(coordinator, shot, jobs=1))
    tell()
    for address in (reverse("admin:index"), listing(Notice), page(shot), reverse("desk:unread")):
        assert badge_in(shown(browser, address)) == "3"
    assert badge_in(shown(as_("viewer"), reverse("admin:index"))) == ""


def test_the_inbox_lists_sentences_that_lead_to_their_pages(
    coordinator: User, shot: Any, tell: Teller, as_: Browser
) -> None:
    subscribes(coordinator, Kind.JOB_FAILED)
    batch = batch_of(coordinator, shot, jobs=2)
    failed, _other = jobs_of(batch)
    ends(batch, failed=1)
    tell()
    listed = shown(as_("coordinator"), listing(Notice))
    assert f"{batch.code} has ended: 1 of 2 jobs failed." in listed
    assert f'href="{page(batch)}"' in listed
    assert f"{failed.code} of {batch.code} failed." in listed
    assert f'href="{page(failed)}"' in listed


def test_a_notice_about_one_node_leads_to_it_and_one_about_many_to_the_farm(
    people: dict[str, User], tell: Teller, as_: Browser
) -> None:
    first, second = NodeFactory.create(), NodeFactory.create()
    node_becomes(first, Observed.SICK)
    tell()
    assert f'href="{page(first)}"' in shown(as_("root"), listing(Notice))
    node_becomes(second, Observed.SICK)
    tell()
    listed = shown(as_("root"), listing(Notice))
    assert f'href="{page(first)}"' not in listed
    assert ">→</a>" in listed
    assert f'href="{reverse("desk:farm")}">→' in listed


def test_a_notice_about_a_node_gives_the_farms_own_reason_in_the_readers_language(
    people: dict[str, User], tell: Teller, as_: Browser
) -> None:
    node_becomes(NodeFactory.create(), Observed.SICK, reason="its probe failed: CUDA error")
    tell()
    address = page(Notice.objects.get(recipient=people["root"]))
    assert "its probe failed: CUDA error" in shown(as_("root"), address)
    korean = as_("root").get(address, headers={"accept-language": "ko"}).content.decode()
    assert "CUDA error" in korean
    assert "its probe failed" not in korean


def test_the_page_of_a_delivery_does_not_send_again_what_was_not_sent_yet(
    people: dict[str, User], as_: Browser
) -> None:
    row, _secret = subscribing.subscribe(
        user=people["root"], kinds=["job.failed"], road=Road.WEBHOOK, url=HOOK
    )
    subscribing.ping(row, user=people["root"])
    delivery = Delivery.objects.get()
    before = delivery.next_try_at
    said = as_("root").post(reverse("admin:notices_delivery_again", args=[delivery.pk]), follow=True)
    assert "it is on its way for the first time" in said.content.decode()
    delivery.refresh_from_db()
    assert delivery.next_try_at == before


def test_a_notice_is_read_by_its_page_and_not_by_looking_at_the_list(
    coordinator: User, shot: Any, tell: Teller, as_: Browser
) -> None:
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    notice = Notice.objects.get()
    browser = as_("coordinator")
    shown(browser, listing(Notice))
    opened = shown(browser, page(notice))
    assert Notice.objects.get().read_at is None, "a GET changes nothing"
    read = reverse("admin:notices_notice_read", args=[notice.pk])
    assert f'hx-post="{read}"' in opened
    browser.post(read)
    assert Notice.objects.get().read_at is not None
    assert badge_in(shown(browser, listing(Notice))) == ""
    assert "hx-post" not in shown(browser, page(notice)).split("sf-panel")[1]


def test_all_are_read_with_one_press_and_only_ones_own(
    people: dict[str, User], shot: Any, tell: Teller, as_: Browser
) -> None:
    for who in ("coordinator", "coordinator", "artist"):
        ends(batch_of(people[who], shot, jobs=1))
    tell()
    browser = as_("coordinator")
    assert "Mark all as read" in shown(browser, listing(Notice))
    answer = browser.post(reverse("admin:notices_notice_read_all"), follow=True)
    assert "2 notices marked as read." in answer.content.decode()
    assert "Mark all as read" not in answer.content.decode()
    assert list(Notice.objects.filter(read_at=None).values_list("recipient__username", flat=True)) == [
        "artist"
    ]


def test_some_are_read_by_ticking_them(coordinator: User, shot: Any, tell: Teller, as_: Browser) -> None:
    for _ in range(3):
        ends(batch_of(coordinator, shot, jobs=1))
    tell()
    some = [str(key) for key in Notice.objects.values_list("pk", flat=True)[:2]]
    as_("coordinator").post(listing(Notice), {"action": "mark_read", "_selected_action": some})
    assert Notice.objects.filter(read_at=None).count() == 1


def test_a_longer_inbox_takes_no_more_queries(
    coordinator: User, shot: Any, tell: Teller, as_: Browser
) -> None:
    browser = as_("coordinator")

    def queries() -> int:
        browser.get(listing(Notice))
        with CaptureQueriesContext(connection) as seen:
            shown(browser, listing(Notice))
        return len(seen)

    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    few = queries()
    for _ in range(12):
        ends(batch_of(coordinator, shot, jobs=1))
    tell()
    assert queries() == few


def test_who_left_a_project_finds_nothing_of_it_in_the_inbox(
    people: dict[str, User], shot: Any, tell: Teller, as_: Browser
) -> None:
    batch = batch_of(people["artist"], shot, jobs=1)
    ends(batch)
    tell()
    assert batch.code in shown(as_("artist"), listing(Notice))
    people["artist"].memberships.all().delete()
    assert batch.code not in shown(as_("artist"), listing(Notice))
    assert badge_in(shown(as_("artist"), reverse("admin:index"))) == ""


def test_an_inbox_speaks_korean(coordinator: User, shot: Any, tell: Teller, as_: Browser) -> None:
    User.objects.filter(pk=coordinator.pk).update(language="ko")
    subscribes(coordinator, Kind.JOB_FAILED)
    batch = batch_of(coordinator, shot, jobs=3)
    ends(batch, failed=2)
    tell()
    listed = shown(as_("coordinator"), listing(Notice))
    assert f"{batch.code} 종료: 작업 3개 중 2개가 실패했습니다." in listed
    assert f"{batch.code}의 작업 2개가 실패했습니다." in listed
    assert "모두 읽음으로 표시" in listed
    for left in ("Mark all", "unread notice", "What I am told", "a job failed"):
        assert left not in listed


# Subscriptions


def form(**wanted: Any) -> dict[str, Any]:
    return {"road": "inbox", "kinds": ["job.failed"], "active": "on", "url": "", "project": ""} | wanted


def test_a_webhooks_secret_is_shown_once(people: dict[str, User], film: Project, as_: Browser) -> None:
    browser = as_("viewer")
    add = reverse("admin:notices_subscription_add")
    answer = browser.post(add, form(road="webhook", url=HOOK, project=str(film.pk)), follow=True)
    row = Subscription.objects.get()
    assert (row.owner, row.url, row.project, row.kinds) == (people["viewer"], HOOK, film, ["job.failed"])
    told = answer.content.decode()
    assert len(set(SECRET.findall(told))) == 1
    for address in (page(row), listing(Subscription), reverse("admin:index")):
        assert not SECRET.search(shown(browser, address))


def test_a_new_secret_is_shown_once_too(people: dict[str, User], as_: Browser) -> None:
    row, old = subscribing.subscribe(user=people["viewer"], kinds=["job.failed"], road=Road.WEBHOOK, url=HOOK)
    browser, secret = as_("viewer"), reverse("admin:notices_subscription_secret", args=[row.pk])
    assert secret not in shown(browser, page(row)), "it asks first: the old one is void at once"
    assert secret in shown(browser, f"{page(row)}?secret=ask")
    answer = browser.post(secret, follow=True)
    (new,) = set(SECRET.findall(answer.content.decode()))
    assert new != old
    assert not SECRET.search(shown(browser, page(row)))


def test_what_is_wrong_is_said_at_the_field(people: dict[str, User], as_: Browser) -> None:
    answer = as_("viewer").post(
        reverse("admin:notices_subscription_add"), form(road="webhook", url="http://10.0.0.7/")
    )
    assert "10.0.0.7 is not found on the public internet" in answer.context["adminform"].form.errors["url"][0]
    assert not Subscription.objects.exists()


def test_notices_about_nodes_are_offered_to_operators_only(people: dict[str, User], as_: Browser) -> None:
    add = reverse("admin:notices_subscription_add")
    assert 'value="node.sick"' in shown(as_("operator"), add)
    assert 'value="node.sick"' not in shown(as_("viewer"), add)
    assert 'value="job.failed"' in shown(as_("viewer"), add)


def test_nodes_are_refused_to_whoever_is_no_operator(people: dict[str, User], as_: Browser) -> None:
    answer = as_("viewer").post(reverse("admin:notices_subscription_add"), form(kinds=["node.sick"]))
    assert "nodes.change_node" in str(answer.context["adminform"].form.errors)
    assert (
        as_("operator").post(reverse("admin:notices_subscription_add"), form(kinds=["node.sick"])).status_code
        == 302
    )


def test_a_subscription_is_changed_and_ended_by_its_owner_alone(
    people: dict[str, User], shot: Any, tell: Teller, as_: Browser
) -> None:
    row = subscribes(people["viewer"], Kind.BATCH_DONE)
    ends(batch_of(people["artist"], shot, jobs=1))
    tell()
    for other in ("artist", "admin", "root"):
        assert as_(other).post(page(row), form()).status_code == 302
        assert as_(other).post(page(row).replace("change", "delete"), {"post": "yes"}).status_code == 302
    row.refresh_from_db()
    assert row.kinds == ["batch.done"]
    version = as_("viewer").get(page(row)).context["row_version"]
    sent = form(kinds=["job.done"], row_version=str(version))
    assert as_("viewer").post(page(row), sent).status_code == 302
    row.refresh_from_db()
    assert row.kinds == ["job.done"]
    asked = {"post": "yes", "row_version": str(row.row_version)}
    as_("viewer").post(page(row).replace("change", "delete"), asked)
    assert not Subscription.objects.filter(pk=row.pk).exists()
    assert inbox(people["viewer"]) == [], "what it told went with it"


def test_a_channel_is_offered_to_whoever_manages_a_project(as_: Browser) -> None:
    add = reverse("admin:notices_subscription_add")
    assert 'name="shared"' in shown(as_("admin"), add)
    assert 'name="shared"' not in shown(as_("coordinator"), add)


def test_a_shared_channel_is_made_in_the_admin(people: dict[str, User], film: Project, as_: Browser) -> None:
    asked = form(road="webhook", url=HOOK, project=str(film.pk), shared="on", name="#renders")
    as_("admin").post(reverse("admin:notices_subscription_add"), asked)
    row = Subscription.objects.get()
    assert (row.owner, row.name) == (None, "#renders")
    assert page(row) in shown(as_("admin"), listing(Subscription))
    assert page(row) not in shown(as_("coordinator"), listing(Subscription))


def test_the_page_says_that_no_mail_is_sent_here(as_: Browser, settings: Settings) -> None:
    add = reverse("admin:notices_subscription_add")
    assert "E-mail is not set up on this farm" in shown(as_("viewer"), add)
    settings.MAIL_READY = True
    assert "E-mail is not set up on this farm" not in shown(as_("viewer"), add)


def test_a_delivery_shows_its_tries_and_is_delivered_again_with_a_button(
    people: dict[str, User], as_: Browser
) -> None:
    row, _secret = subscribing.subscribe(
        user=people["viewer"], kinds=["job.failed"], road=Road.WEBHOOK, url=HOOK
    )
    subscribing.ping(row, user=people["viewer"])
    delivery = Delivery.objects.get()
    delivery.log.create(
        at=delivery.created_at, ok=False, status=500, milliseconds=73, answer="<b>oh no</b>", error="HTTP 500"
    )
    Delivery.objects.update(state="given_up", tries=8, reason="HTTP 500", next_try_at=None)
    browser = as_("viewer")
    told = shown(browser, page(delivery))
    assert "HTTP 500" in told
    assert "73 ms" in told
    assert "&lt;b&gt;oh no" in told
    assert page(delivery) in shown(browser, page(row))
    browser.post(reverse("admin:notices_delivery_again", args=[delivery.pk]))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.reason) == ("pending", 0, "")


# The API


def test_the_api_lists_and_reads_ones_own_notices(
    people: dict[str, User], shot: Any, tell: Teller, api: Callable[[str], APIClient]
) -> None:
    for who in ("artist", "artist", "coordinator"):
        ends(batch_of(people[who], shot, jobs=1))
    tell()
    artist = api("artist")
    listed = artist.get("/api/v1/notices?unread=true").json()
    assert listed["count"] == 2
    one = listed["results"][0]
    assert one["text"].endswith("is done: 1 job rendered.")
    assert one["page"].startswith("http://testserver/admin/renders/renderbatch/")
    assert artist.post(f"/api/v1/notices/{one['id']}/read").json()["read_at"]
    assert artist.get("/api/v1/notices?unread=true").json()["count"] == 1
    assert artist.post("/api/v1/notices/read-all").json() == {"marked": 1}
    assert api("coordinator").get("/api/v1/notices?unread=true").json()["count"] == 1
    assert api("coordinator").get("/api/v1/notices?kind=job.failed").json()["count"] == 0


def test_the_api_makes_changes_and_ends_a_webhook_and_shows_its_secret_once(
    people: dict[str, User], api: Callable[[str], APIClient]
) -> None:
    viewer = api("viewer")
    body = {"road": "webhook", "url": HOOK, "kinds": ["batch.done", "job.failed"], "project": "FROST"}
    made = viewer.post("/api/v1/subscriptions", body)
    assert made.status_code == 201
    address = f"/api/v1/subscriptions/{made.json()['id']}"
    assert SECRET.fullmatch(made.json()["secret"])
    assert viewer.get(address).json()["secret"] is None
    assert viewer.patch(address, {"only_mine": True, "row_version": 0}).json()["only_mine"] is True
    stale = viewer.patch(address, {"active": False, "row_version": 0})
    assert (stale.status_code, stale.json()["row_version"]) == (409, 1), "also of one's own"
    assert viewer.patch(address, {"active": False, "row_version": 1}).json()["secret"] is None
    assert not Activity.objects.exists(), "what a person is told is nobody else's to read of"
    again = viewer.post(f"{address}/new-secret").json()["secret"]
    assert SECRET.fullmatch(again)
    assert again != made.json()["secret"]
    assert api("admin").get(address).status_code == 404
    assert api("root").get(address).status_code == 404, "another person's own is nobody else's"
    assert viewer.delete(address, {"row_version": 2}).status_code == 204
    assert viewer.get("/api/v1/subscriptions").json()["count"] == 0


def test_what_several_people_change_of_a_channel_is_told(
    people: dict[str, User], api: Callable[[str], APIClient]
) -> None:
    body = {"road": "webhook", "url": f"{HOOK}/s3cret", "kinds": ["batch.done"], "project": "FROST"}
    made = api("admin").post("/api/v1/subscriptions", body | {"shared": True, "name": "#renders"}).json()
    address = f"/api/v1/subscriptions/{made['id']}"
    assert api("root").patch(address, {"kinds": ["job.failed"], "row_version": 0}).status_code == 200
    stale = api("admin").patch(address, {"kinds": ["batch.done", "job.failed"], "row_version": 0})
    assert stale.status_code == 409
    [changed] = stale.json()["changed"]
    assert (changed["field"], changed["now"], changed["by"]) == ("kinds", ["job.failed"], "root")
    assert "s3cret" not in str(list(Activity.objects.values_list("changes", flat=True)))


def a_channel(people: dict[str, User], film: Project | None, **more: Any) -> Subscription:
    wanted = {"kinds": ["batch.done"], "road": Road.WEBHOOK, "url": f"{HOOK}/s3cret", "name": "#renders"}
    row, _secret = subscribing.subscribe(user=people["root"], shared=True, project=film, **wanted | more)
    return row


def test_two_at_one_channel_hear_of_another_address_of_its_webhook(
    people: dict[str, User], film: Project, as_: Browser
) -> None:
    """The address stands in no history; that it is another one does."""
    row = a_channel(people, film)
    hers = form_with(shown(as_("admin"), page(row)), "row_version")
    subscribing.change(row, user=people["root"], row_version=0, url=f"{HOOK}/0ther")
    [told] = Activity.objects.filter(verb="changed")
    assert list(told.changes) == ["webhook"]
    assert "0ther" not in str(told.changes)
    late = as_("admin").post(page(row), hers | {"name": "#dailies"})
    [meanwhile] = late.context["meanwhile"]
    assert (meanwhile.name, meanwhile.untouched, meanwhile.who) == ("url", True, "root")
    again = form_with(late.content.decode(), "row_version")
    assert (again["url"], again["name"]) == (f"{HOOK}/0ther", "#dailies")
    assert as_("admin").post(page(row), again).status_code == 302
    row.refresh_from_db()
    assert (row.url, row.name) == (f"{HOOK}/0ther", "#dailies")


def test_two_tabs_at_ones_own_subscription_show_what_is_there_beside_what_was_typed(
    people: dict[str, User], as_: Browser
) -> None:
    row = subscribes(people["viewer"], Kind.BATCH_DONE)
    browser = as_("viewer")
    opened = form_with(shown(browser, page(row)), "row_version")
    subscribing.change(row, user=people["viewer"], language="ko")
    Subscription.objects.update(row_version=1)  # as a form's save does
    late = browser.post(page(row), opened | {"kinds": ["job.failed"], "active": "on"})
    assert late.status_code == 200
    assert [told.field for told in late.context["meanwhile"]] == ["Tells of"]
    assert Subscription.objects.get().kinds == ["batch.done"]


def test_restoring_sends_no_other_films_notices_to_a_channel(
    people: dict[str, User], film: Project, as_: Browser
) -> None:
    """Whoever manages one film does not choose what is told of another, or of all of them."""
    row = a_channel(people, None)
    subscribing.change(row, user=people["root"], project=film, name="#frost")
    of_all = Activity.objects.get(verb="created")
    restore = reverse("admin:notices_subscription_restore", args=[row.pk, of_all.pk])
    assert as_("admin").post(restore).status_code == 302
    row.refresh_from_db()
    assert (row.project, row.name) == (film, "#renders"), "its name is the manager's to restore"


def test_whoever_manages_nothing_hears_nothing_of_a_channel(
    people: dict[str, User], film: Project, as_: Browser, api: Callable[[str], APIClient]
) -> None:
    row = a_channel(people, film)
    a_channel(people, None, name="#everything")

    def told(who: str) -> list[str]:
        rows = api(who).get("/api/v1/activity", {"kind": "subscription"}).json()["results"]
        return sorted(one["label"] for one in rows)

    assert told("root") == ["#everything", "#renders"]
    assert told("admin") == ["#renders"]
    assert told("coordinator") == told("viewer") == []
    address = page(row)
    subscribing.end(row, user=people["root"])
    assert "#renders" not in as_("viewer").post(address, form(), follow=True).content.decode()
    assert "#renders" in as_("admin").post(address, form(), follow=True).content.decode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kinds": ["job.exploded"], "road": "inbox"}, "kinds[0]"),
        ({"kinds": [], "road": "inbox"}, "kinds"),
        ({"kinds": ["job.done"], "road": "pigeon"}, "road"),
        ({"kinds": ["job.done"], "road": "webhook", "url": "http://localhost/"}, "url"),
        ({"kinds": ["job.done"], "road": "inbox", "project": "OTHER"}, "project"),
        ({"kinds": ["job.done"], "road": "inbox", "salt": "mine"}, "salt"),
        ({"kinds": ["job.done"], "road": "inbox", "shared": True}, "name"),
    ],
)
def test_the_api_names_the_field_that_is_wrong(
    api: Callable[[str], APIClient], body: dict[str, Any], field: str
) -> None:
    answer = api("viewer").post("/api/v1/subscriptions", body)
    assert answer.status_code == 400
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_the_api_refuses_nodes_and_channels_to_whoever_may_not(
    people: dict[str, User], api: Callable[[str], APIClient]
) -> None:
    nodes = {"kinds": ["node.sick"], "road": "inbox"}
    channel = {
        "kinds": ["job.done"],
        "road": "webhook",
        "url": HOOK,
        "shared": True,
        "name": "#x",
        "project": "FROST",
    }
    for who in ("viewer", "artist", "coordinator"):
        assert api(who).post("/api/v1/subscriptions", nodes).status_code == 403
        assert api(who).post("/api/v1/subscriptions", channel).status_code == 403
    assert api("operator").post("/api/v1/subscriptions", nodes).status_code == 201
    assert api("admin").post("/api/v1/subscriptions", channel).status_code == 201
    assert api("admin").post("/api/v1/subscriptions", channel | {"project": None}).status_code == 403


def test_a_standing_subscription_is_not_ended_over_the_api(
    coordinator: User, shot: Any, tell: Teller, api: Callable[[str], APIClient]
) -> None:
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    (row,) = api("coordinator").get("/api/v1/subscriptions").json()["results"]
    assert row["standing"] == "own_batches"
    now = {"row_version": row["row_version"]}
    refused = api("coordinator").delete(f"/api/v1/subscriptions/{row['id']}", now, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "standing")


def test_the_api_shows_deliveries_and_delivers_again(
    people: dict[str, User], api: Callable[[str], APIClient]
) -> None:
    row, _secret = subscribing.subscribe(
        user=people["viewer"], kinds=["job.failed"], road=Road.WEBHOOK, url=HOOK
    )
    assert api("viewer").post(f"/api/v1/subscriptions/{row.pk}/ping").status_code == 202
    (one,) = api("viewer").get(f"/api/v1/deliveries?subscription={row.pk}").json()["results"]
    assert (one["kind"], one["state"], one["tries"]) == ("ping", "pending", 0)
    again = f"/api/v1/deliveries/{one['id']}/redeliver"
    assert api("viewer").post(again).status_code == 400, "it is on its way"
    Delivery.objects.update(state="given_up", tries=8)
    assert api("viewer").post(again).json()["state"] == "pending"
    assert api("artist").post(again).status_code == 404


def test_failed_jobs_are_counted_in_the_api(
    coordinator: User, shot: Any, tell: Teller, api: Callable[[str], APIClient]
) -> None:
    subscribes(coordinator, Kind.JOB_FAILED)
    jobs = jobs_of(batch_of(coordinator, shot, jobs=3))
    for job in jobs[:2]:
        closes(job, JobState.FAILED, reason="no such file")
    tell()
    (one,) = api("coordinator").get("/api/v1/notices").json()["results"]
    assert one["count"] == 2
    assert [item["code"] for item in one["items"]] == [job.code for job in jobs[:2]]
    assert "no such file" in one["lines"][0]

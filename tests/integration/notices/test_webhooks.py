"""Webhooks: what a real server receives, and what the farm does when it does not answer as it should."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F, QuerySet
from pytest_django import Settings

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.ids import uuid7
from apps.notices.kinds import Kind
from apps.notices.models import Delivery, DeliveryState, Road, Subscription
from apps.notices.services import addresses, delivering, subscribing, webhook
from apps.notices.services.addresses import AddressRefused, is_public
from apps.notices.services.delivering import MOST_TRIES, RETRY_AFTER_S, due_subscriptions, serve
from apps.notices.services.secrets import secret_of
from apps.projects.models import Membership
from apps.renders.states import JobState
from tests.integration.notices.receiver import Receiver, Reply
from tests.integration.notices.scene import Teller, batch_of, closes, ends, jobs_of

pytestmark = pytest.mark.django_db


def hook(user: User, url: str, *kinds: Kind) -> tuple[Subscription, str]:
    """A webhook of somebody's, and its secret as it was shown."""
    told = [str(kind) for kind in kinds or (Kind.BATCH_DONE,)]
    return subscribing.subscribe(user=user, kinds=told, road=Road.WEBHOOK, url=url)


def time_passes(seconds: float = 10 * 24 * 3600) -> None:
    """What was to be tried later is due now."""
    earlier = timedelta(seconds=seconds)
    Delivery.objects.filter(next_try_at__isnull=False).update(next_try_at=F("next_try_at") - earlier)
    Subscription.objects.filter(blocked_until__isnull=False).update(
        blocked_until=F("blocked_until") - earlier
    )


def deliver() -> int:
    """Deliver all that is due, each subscription once; return how many tries were made."""
    return sum(serve(key) for key in due_subscriptions())


def sent(user: User, shot: Any, tell: Teller) -> Delivery:
    """A batch has ended, and its webhook was tried once."""
    ends(batch_of(user, shot, jobs=2))
    tell()
    deliver()
    return Delivery.objects.get()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is long enough for a whole answer."""
    monkeypatch.setattr(webhook, "WHOLE_S", 0.5)


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a signature as docs/notices.md tells receivers to, without a line of the farm's own code."""
    parts = dict(part.split("=", 1) for part in headers["x-shotfarm-signature"].split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])


def test_a_webhook_receives_a_signed_message(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver
) -> None:
    _row, secret = hook(coordinator, receiver.url)
    delivery = sent(coordinator, shot, tell)
    (request,) = receiver.received
    assert (request.method, request.path) == ("POST", "/hook?from=farm")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-shotfarm-delivery"] == str(delivery.pk)
    assert request.headers["x-shotfarm-event"] == "batch.done"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert verified(secret, request.headers, request.body)
    assert not verified(secret, request.headers, request.body + b" ")
    assert not verified("whsec_" + "0" * 64, request.headers, request.body)
    at = int(request.headers["x-shotfarm-signature"].split(",")[0].removeprefix("t="))
    assert abs(at - database_now().timestamp()) < 60
    (log,) = delivery.log.all()
    assert (delivery.state, log.ok, log.status, log.answer) == ("delivered", True, 200, "thank you")


def test_the_message_is_as_documented(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver, settings: Settings
) -> None:
    settings.FARM_URL = "https://farm.example"
    hook(coordinator, receiver.url, Kind.JOB_FAILED)
    batch = batch_of(coordinator, shot, jobs=3)
    first, second, _third = jobs_of(batch)
    closes(first, JobState.FAILED, reason="the graph is wrong")
    closes(second, JobState.FAILED, reason="no such file")
    tell()
    time_passes(60)
    deliver()
    message = json.loads(receiver.received[0].body)
    assert set(message) == {
        "version", "id", "event", "first_at", "last_at", "count", "project", "text", "url", "items",
    }  # fmt: skip
    assert (message["version"], message["event"], message["count"]) == (1, "job.failed", 2)
    assert message["project"] == "FROST"
    assert message["text"] == f"2 jobs of {batch.code} failed."
    assert message["url"] == f"https://farm.example/admin/renders/renderbatch/{batch.pk}/change/"
    assert [(item["code"], item["job"], item["reason"]) for item in message["items"]] == [
        (first.code, str(first.pk), "the graph is wrong"),
        (second.code, str(second.pk), "no such file"),
    ]
    assert message["items"][0]["shot"] == shot.full_code


def test_an_error_is_tried_again_and_then_delivered_under_the_same_id(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver
) -> None:
    _row, secret = hook(coordinator, receiver.url)
    receiver.replies = [Reply(500, b"oh no")]
    delivery = sent(coordinator, shot, tell)
    assert (delivery.state, delivery.tries, delivery.reason) == ("pending", 1, "HTTP 500")
    assert deliver() == 0, "not before its time"
    time_passes(RETRY_AFTER_S[0] + 1)
    assert deliver() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.reason) == ("delivered", 2, "")
    assert [(log.status, log.answer) for log in delivery.log.all()] == [(500, "oh no"), (200, "thank you")]
    first, second = receiver.received
    assert first.headers["x-shotfarm-delivery"] == second.headers["x-shotfarm-delivery"]
    assert first.body == second.body
    assert verified(secret, second.headers, second.body)
    assert Subscription.objects.get(road="webhook").failures == 0


def test_tries_follow_a_schedule_and_end(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver
) -> None:
    hook(coordinator, receiver.url)
    receiver.replies = [Reply(503)] * 20
    sent(coordinator, shot, tell)
    pauses = []
    while (delivery := Delivery.objects.get()).state == DeliveryState.PENDING:
        last = delivery.log.order_by("-id")[0]
        assert delivery.next_try_at is not None
        pauses.append((delivery.next_try_at - last.at).total_seconds())
        time_passes(max(pauses[-1], 300) + 1)
        assert deliver() == 1
    assert pauses == list(RETRY_AFTER_S)
    assert (delivery.state, delivery.tries, delivery.reason) == ("given_up", MOST_TRIES, "HTTP 503")
    assert delivery.next_try_at is None
    time_passes()
    assert deliver() == 0
    assert len(receiver.received) == MOST_TRIES


def test_what_was_given_up_can_be_delivered_again(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver
) -> None:
    hook(coordinator, receiver.url)
    receiver.replies = [Reply(500)]
    delivery = sent(coordinator, shot, tell)
    Delivery.objects.update(state=DeliveryState.GIVEN_UP, tries=MOST_TRIES, next_try_at=None)
    delivering.redeliver(delivery)
    assert deliver() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("delivered", 1)
    assert len({request.headers["x-shotfarm-delivery"] for request in receiver.received}) == 1


@pytest.mark.usefixtures("impatient")
def test_a_server_that_does_not_answer_is_left_in_time(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver
) -> None:
    hook(coordinator, receiver.url)
    hold = threading.Event()
    receiver.replies = [Reply(hold=hold)]
    try:
        delivery = sent(coordinator, shot, tell)
    finally:
        hold.set()
    assert len(receiver.received) == 1, "it was reached"
    assert (delivery.state, delivery.reason) == ("pending", "no whole answer within 0.5 s")
    assert delivery.log.get().status is None


@pytest.fixture
def dripping() -> Iterator[tuple[str, list[int]]]:
    """A server that sends its answer a byte at a time, for ever."""
    server = socket.create_server(("127.0.0.1", 0))
    dripped: list[int] = []

    def drip() -> None:
        connection, _address = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            try:
                while len(dripped) < 600:
                    connection.sendall(b"a")
                    dripped.append(1)
                    threading.Event().wait(0.05)
            except OSError:
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/", dripped
    server.close()
    thread.join(30)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_drips_is_left_in_time(
    coordinator: User, shot: Any, tell: Teller, settings: Settings, dripping: tuple[str, list[int]]
) -> None:
    settings.WEBHOOK_PRIVATE = True
    url, dripped = dripping
    hook(coordinator, url)
    delivery = sent(coordinator, shot, tell)
    assert 1 < len(dripped) < 600, "it dripped, and was cut off"
    assert (delivery.state, delivery.reason) == ("pending", "no whole answer within 0.5 s")


def test_nobody_there_is_a_failed_try_that_says_so(
    coordinator: User, shot: Any, tell: Teller, settings: Settings
) -> None:
    settings.WEBHOOK_PRIVATE = True
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    hook(coordinator, f"http://127.0.0.1:{port}/")
    delivery = sent(coordinator, shot, tell)
    assert delivery.state == DeliveryState.PENDING
    assert delivery.reason.startswith("ConnectionRefusedError")


def test_a_redirect_is_not_followed(coordinator: User, shot: Any, tell: Teller, receiver: Receiver) -> None:
    hook(coordinator, receiver.url)
    receiver.replies = [Reply(302, headers={"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"})]
    delivery = sent(coordinator, shot, tell)
    assert [request.path for request in receiver.received] == ["/hook?from=farm"]
    assert delivery.reason == "HTTP 302: it sends elsewhere, and redirects are not followed"


def test_an_address_inside_is_refused_when_it_is_resolved(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver, settings: Settings
) -> None:
    """The name looked harmless when it was written down, and leads inside now."""
    row, _secret = hook(coordinator, "http://hooks.example/")
    Subscription.objects.filter(pk=row.pk).update(url=receiver.url)
    settings.WEBHOOK_PRIVATE = False
    delivery = sent(coordinator, shot, tell)
    assert "127.0.0.1 is not found on the public internet" in delivery.reason
    assert receiver.received == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is resolved once: whatever it resolves to next, the checked address is used."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def once(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "hooks.example":
            return real(host, *args, **kwargs)
        asked.append(host)
        assert len(asked) == 1, "resolved a second time"
        return real("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    hook(coordinator, f"http://hooks.example:{receiver.port}/in")
    sent(coordinator, shot, tell)
    (request,) = receiver.received
    assert asked == ["hooks.example"]
    assert request.headers["host"] == f"hooks.example:{receiver.port}"


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(*_args: Any, **_kwargs: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("8.8.8.8", "10.1.2.3")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(AddressRefused, match=r"hooks\.example is not found"):
        addresses.resolve("https://hooks.example/")


@pytest.mark.parametrize("exists", [True, False])
def test_who_sets_a_webhook_does_not_learn_which_inner_names_there_are(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, exists: bool
) -> None:
    def inner_dns(*_args: Any, **_kwargs: Any) -> Any:
        if not exists:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 443))]

    settings.WEBHOOK_PRIVATE = False
    monkeypatch.setattr(socket, "getaddrinfo", inner_dns)
    with pytest.raises(AddressRefused) as refused:
        addresses.resolve("https://redis.studio.lan/")
    assert str(refused.value) == (
        "redis.studio.lan is not found on the public internet; check the name, or, if webhooks may go inside "
        "your own network, set SHOTFARM_WEBHOOK_PRIVATE=1"
    )


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1", "0.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_public_internet_is_known(inside: str) -> None:
    assert not is_public(ipaddress.ip_address(inside))


@pytest.mark.parametrize("outside", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_public_internet_is_known(outside: str) -> None:
    assert is_public(ipaddress.ip_address(outside))


def test_a_name_that_is_not_known_is_told_with_the_name(
    coordinator: User, shot: Any, tell: Teller, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def unknown(*_asked: Any, **_more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    settings.WEBHOOK_PRIVATE = True
    hook(coordinator, "https://hooks.studio.example/farm")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    delivery = sent(coordinator, shot, tell)
    assert delivery.reason == "the name hooks.studio.example is not found (Name or service not known)"


def test_a_failing_endpoint_is_left_alone_and_another_is_served(
    people: dict[str, User], shot: Any, tell: Teller, receiver: Receiver
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        dead = f"http://127.0.0.1:{server.getsockname()[1]}/"
    broken, _secret = hook(people["admin"], dead)
    hook(people["coordinator"], receiver.url)
    for _ in range(3):
        ends(batch_of(people["artist"], shot, jobs=1))
    tell()
    deliver()
    assert len(receiver.received) == 3
    broken.refresh_from_db()
    assert broken.failures == 1
    assert broken.blocked_until is not None
    assert broken.deliveries.get(tries=1).log.count() == 1
    assert due_subscriptions() == [], "its other two wait with it"


def test_a_switched_off_webhook_is_sent_nothing(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver
) -> None:
    row, _secret = hook(coordinator, receiver.url)
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    subscribing.change(row, user=coordinator, active=False)
    assert deliver() == 0
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    assert Delivery.objects.count() == 1
    assert receiver.received == []


def test_whoever_left_the_project_meanwhile_is_sent_nothing(
    people: dict[str, User], shot: Any, tell: Teller, receiver: Receiver
) -> None:
    hook(people["viewer"], receiver.url)
    ends(batch_of(people["artist"], shot, jobs=1))
    tell()
    Membership.objects.filter(user=people["viewer"]).delete()
    assert deliver() == 1
    assert Delivery.objects.get().state == DeliveryState.GIVEN_UP
    assert receiver.received == []


def test_what_waited_for_a_day_is_given_up_with_the_rest(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver
) -> None:
    hook(coordinator, receiver.url)
    for _ in range(4):
        ends(batch_of(coordinator, shot, jobs=1))
    tell()
    Delivery.objects.update(created_at=database_now() - timedelta(days=2))
    receiver.replies = [Reply(500)]
    deliver()
    assert set(Delivery.objects.values_list("state", "reason")) == {("given_up", "HTTP 500")}


def test_a_sender_that_died_is_followed_when_its_time_is_over(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process is gone."""

    row, _secret = hook(coordinator, receiver.url)
    ends(batch_of(coordinator, shot, jobs=1))
    tell()
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "_try", lambda _delivery: (_ for _ in ()).throw(Killed()))
        patch.setattr(QuerySet, "update", _releases_nothing)
        with pytest.raises(Killed):
            serve(row.pk)
    row.refresh_from_db()
    assert row.busy_until is not None, "it died with the subscription in hand"
    assert deliver() == 0
    Subscription.objects.update(busy_until=database_now() - timedelta(seconds=1))
    assert deliver() == 1
    assert len(receiver.received) == 1


_UPDATE = QuerySet.update


def _releases_nothing(rows: QuerySet[Any], **changes: Any) -> int:
    """A dead process releases nothing."""
    return 0 if changes == {"busy_until": None} else _UPDATE(rows, **changes)


def test_the_secret_stands_in_no_row_and_no_log_line(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.integration.access.premises import everything

    caplog.set_level(logging.DEBUG)
    row, secret = hook(coordinator, receiver.url)
    sent(coordinator, shot, tell)
    assert len(receiver.received) == 1
    assert secret.startswith("whsec_")
    assert len(secret) == len("whsec_") + 64
    kept = " ".join(everything().values())
    assert str(row.pk) in kept
    assert secret not in kept
    assert secret.removeprefix("whsec_") not in kept
    assert secret not in caplog.text


def test_a_new_secret_voids_the_old_one(
    coordinator: User, shot: Any, tell: Teller, receiver: Receiver
) -> None:
    row, old = hook(coordinator, receiver.url)
    new = subscribing.new_secret(row, user=coordinator)
    assert new != old
    sent(coordinator, shot, tell)
    (request,) = receiver.received
    assert verified(new, request.headers, request.body)
    assert not verified(old, request.headers, request.body)


def test_a_webhook_that_goes_elsewhere_gets_a_new_secret(coordinator: User, receiver: Receiver) -> None:
    row, old = hook(coordinator, receiver.url)
    assert subscribing.change(row, user=coordinator, url="https://other.example/") not in ("", old)
    assert subscribing.change(row, user=coordinator, kinds=["job.done"]) == ""


def test_two_subscriptions_have_two_secrets(coordinator: User) -> None:
    rows = [Subscription(pk=uuid7(), salt=salt) for salt in ("a", "a", "b")]
    assert len({secret_of(row) for row in rows}) == 3


def test_a_test_can_be_sent(coordinator: User, receiver: Receiver) -> None:
    row, secret = hook(coordinator, receiver.url)
    subscribing.ping(row, user=coordinator)
    assert deliver() == 1
    (request,) = receiver.received
    assert json.loads(request.body)["event"] == "ping"
    assert verified(secret, request.headers, request.body)

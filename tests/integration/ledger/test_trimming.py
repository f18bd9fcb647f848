"""Old activity goes, by a command or by itself; what stays can still be undone whole."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apps.ledger.models import Activity, Batch
from apps.ledger.services import trimming
from apps.ledger.services.trimming import trim, trim_old

pytestmark = pytest.mark.django_db


def told(label: str, *, days: int, batch: Batch | None = None) -> None:
    """Something that was changed so many days ago."""
    at = timezone.now() - timedelta(days=days)
    Activity.objects.create(
        actor="kim", verb="changed", kind="shot", object_id="1", label=label, batch=batch, at=at
    )


def left() -> list[str]:
    return list(Activity.objects.order_by("id").values_list("label", flat=True))


def test_the_command_deletes_what_is_older(capsys: pytest.CaptureFixture[str]) -> None:
    for label, days in (("old", 800), ("older", 731), ("young", 729)):
        told(label, days=days)
    call_command("trim_activity", "--days", "730")
    assert left() == ["young"]
    assert "2 rows" in capsys.readouterr().out


def test_the_command_keeps_at_least_a_month() -> None:
    told("young", days=20)
    with pytest.raises(CommandError, match="at least 30"):
        call_command("trim_activity", "--days", "10")
    assert left() == ["young"]


def test_the_command_takes_its_days_from_the_settings(settings: Settings) -> None:
    with pytest.raises(CommandError, match="--days"):
        call_command("trim_activity")
    settings.ACTIVITY_DAYS = 100
    told("old", days=101)
    call_command("trim_activity")
    assert left() == []


def test_many_rows_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimming, "AT_ONCE", 2)
    for number in range(5):
        told(str(number), days=100 - number)
    assert trim(timezone.now() - timedelta(days=97, hours=12)) == 3
    assert left() == ["3", "4"]


def test_a_bulk_change_goes_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimming, "AT_ONCE", 2)
    bulk = Batch.objects.create(actor="kim", verb="changed", title="weather")
    Batch.objects.filter(pk=bulk.pk).update(at=timezone.now() - timedelta(days=100))
    told("before", days=101)
    for number in range(3):
        told(f"bulk {number}", days=100, batch=bulk)
    assert trimming.trim_piece(timezone.now() - timedelta(days=90)) == 4
    assert (left(), Batch.objects.count()) == ([], 0)


def test_a_bulk_change_that_stays_keeps_its_row() -> None:
    bulk: dict[str, UUID] = {}
    for name, days in (("old", 100), ("young", 10)):
        one = Batch.objects.create(actor="kim", verb="changed", title=name)
        Batch.objects.filter(pk=one.pk).update(at=timezone.now() - timedelta(days=days))
        told(name, days=days, batch=one)
        bulk[name] = one.pk
    trim(timezone.now() - timedelta(days=50))
    assert list(Batch.objects.values_list("pk", flat=True)) == [bulk["young"]]


def test_the_leader_trims_by_itself_where_the_studio_wants_it(settings: Settings) -> None:
    told("old", days=100)
    trim_old()
    assert left() == ["old"]
    settings.ACTIVITY_DAYS = 90
    trim_old()
    assert left() == []


def test_where_nothing_is_old_a_look_is_one_query_of_the_oldest(
    settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.ACTIVITY_DAYS = 90
    told("young", days=1)
    with django_assert_num_queries(1):
        trim_old()
    assert left() == ["young"]

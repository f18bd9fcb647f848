"""Nodes tell of their model files by content, and only what changed travels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.nodes.models import Node, NodeFile
from apps.nodes.stock import conflicts
from farm.contracts import FileFact, Inventory, InventoryPart, NodeDirectives
from farm.contracts.inventory import PARTS
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand
from workers.inventory import Told

pytestmark = pytest.mark.django_db

ONE, OTHER = "1" * 64, "2" * 64


class Shelf(Hand):
    """A node that has taken stock."""

    told: Told | None = None
    wanted: tuple[int, ...] | None = None
    sent = 0

    def has(self, *files: FileFact) -> Shelf:
        self.told = Told.of(files)
        return self

    def reports(self, **changes: Any) -> NodeDirectives:
        if self.told is not None and "inventory" not in changes:
            changes["inventory"] = self.told.report(self.wanted)
            self.sent += sum(len(part.files) for part in changes["inventory"].parts)
        answer = super().reports(**changes)
        self.wanted = answer.inventory
        return answer

    def tells_all(self) -> int:
        """Report until nothing more is asked for; return how many files travelled."""
        before = self.sent
        for _report in range(40):
            if self.reports().inventory is None:
                return self.sent - before
        raise AssertionError("it is asked again and again")

    def rows(self) -> dict[str, tuple[int | None, str, str]]:
        rows = NodeFile.objects.filter(node__name=self.name)
        return {str(row): (row.size, row.sha256, row.why) for row in rows}


def fact(name: str, sha256: str = ONE, **more: Any) -> FileFact:
    return replace(FileFact(folder="loras", name=name, size=7, sha256=sha256), **more)


@pytest.fixture
def shelf(bus: Broker) -> Shelf:
    node = Shelf("gpu-a", tier_gb=24, broker=bus)
    node.arrives()
    return node


def test_what_a_node_has_is_known_by_name_size_and_hash(shelf: Shelf) -> None:
    shelf.has(fact("a"), fact("b", "", why="elsewhere", size=None)).tells_all()
    assert shelf.rows() == {"loras/a": (7, ONE, ""), "loras/b": (None, "", "elsewhere")}


def test_hundreds_of_files_arrive_in_portions_and_travel_once(shelf: Shelf) -> None:
    shelf.has(*(fact(f"file{number}") for number in range(300)))
    assert shelf.tells_all() == 300
    assert len(shelf.rows()) == 300
    assert shelf.tells_all() == 0


def test_only_the_part_that_changed_travels_again(shelf: Shelf) -> None:
    files = [fact(f"file{number}") for number in range(300)]
    shelf.has(*files).tells_all()
    travelled = shelf.has(*files[:-1], fact("file299", OTHER)).tells_all()
    assert 0 < travelled < 20
    assert shelf.rows()["loras/file299"] == (7, OTHER, "")


def test_a_worker_started_anew_tells_nothing_twice(shelf: Shelf, bus: Broker) -> None:
    files = [fact(f"file{number}") for number in range(50)]
    shelf.has(*files).tells_all()
    anew = Shelf("gpu-a", tier_gb=24, broker=bus)
    anew.epoch = "e2"
    anew.arrives()
    assert anew.has(*reversed(files)).tells_all() == 0


def test_a_file_that_went_is_forgotten(shelf: Shelf) -> None:
    shelf.has(fact("a"), fact("b")).tells_all()
    shelf.has(fact("b")).tells_all()
    assert list(shelf.rows()) == ["loras/b"]


def test_an_older_worker_that_knows_no_inventory_is_asked_for_none(bus: Broker) -> None:
    old = Hand("gpu-old", tier_gb=24, broker=bus).arrives()
    assert old.reports().inventory is None


@pytest.mark.parametrize(
    "told",
    [
        Inventory(mark="x", parts=(InventoryPart(number=99, mark="m", files=(fact("a"),)),)),
        Inventory(mark="x", parts=(InventoryPart(number=-1, mark="m", files=(fact("a"),)),)),
        Inventory(mark="x", parts=(InventoryPart(number=1, mark="m" * 999, files=(fact("a"),)),)),
        Inventory(mark="x", marks=("y",) * (PARTS + 1)),
    ],
)
def test_an_inventory_that_makes_no_sense_changes_nothing(shelf: Shelf, told: Inventory) -> None:
    shelf.reports(inventory=told)
    assert shelf.rows() == {}


def test_hostile_names_and_hashes_are_kept_as_plain_text_or_not_at_all(shelf: Shelf) -> None:
    shelf.has(
        fact("nul\0", "no hash"), fact("x" * 5000), fact("'; DROP TABLE", why="w" * 99), fact("<b>\ud800")
    )
    shelf.tells_all()
    assert shelf.rows() == {
        "loras/nul": (7, "", ""),
        "loras/'; DROP TABLE": (7, ONE, "w" * 20),
        "loras/<b>?": (7, ONE, ""),
    }


def test_an_unreadable_inventory_does_not_silence_a_node(shelf: Shelf) -> None:
    from farm.contracts import read_node_report, to_json

    said = {**to_json(shelf.writes()), "inventory": {"mark": 5}}
    report, wrong = read_node_report(said)
    assert report.inventory is None
    assert wrong


def test_one_name_with_two_contents_is_a_conflict_and_an_unknown_hash_is_none(bus: Broker) -> None:
    for name, sha256 in (("gpu-a", ONE), ("gpu-b", OTHER), ("gpu-c", "")):
        node = Shelf(name, tier_gb=24, broker=bus)
        node.arrives()
        node.has(fact("same", ONE if sha256 else ""), fact("differs", sha256)).tells_all()
    (found,) = conflicts()
    assert found.path == "loras/differs"
    assert found.nodes == {ONE: ("gpu-a",), OTHER: ("gpu-b",)}


def test_a_node_taken_off_the_books_takes_its_files_along(shelf: Shelf) -> None:
    shelf.has(fact("a")).tells_all()
    Node.objects.all().delete()
    assert not NodeFile.objects.exists()

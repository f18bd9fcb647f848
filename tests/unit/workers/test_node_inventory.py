"""A node takes stock: which model files lie there, by content, and how that is told."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from farm.contracts import FileFact, Inventory, from_json, to_json
from farm.contracts.inventory import PARTS, mark_of_all, mark_of_part, part_of
from workers import hashing, inventory
from workers.catalogue import Catalogue, read_catalogue
from workers.hashing import ChangingError, HashBook, Identity
from workers.inventory import Stocktaking, Told
from workers.shelves import Shelves

LONG_AGO = 1_000_000.0


@dataclass
class Place:
    """A machine with ComfyUI's models in a folder, and a worker that takes stock of them."""

    root: Path
    state: Path
    here: bool = True
    roots: tuple[Path, ...] = ()
    told: list[Told] = field(default_factory=list)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    offered: Catalogue | None = None

    def put(self, folder: str, name: str, content: bytes, *, written: float = LONG_AGO) -> Path:
        path = self.root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (written, written))
        self.lists(folder, name)
        return path

    def lists(self, folder: str, name: str) -> None:
        """ComfyUI lists a file anew."""
        self.names[folder] = tuple(sorted({*self.names.get(folder, ()), name}))
        places = {folder: (str(self.root / folder),) for folder in self.names}
        self.offered = read_catalogue({}, self.names, self.sizes, places)

    def worker(self) -> Stocktaking:
        """A worker's life on this machine."""
        return Stocktaking(
            catalogue=lambda: self.offered,
            shelves=lambda seen: Shelves(places=seen.places, roots=self.roots, here=self.here),
            busy=lambda: False,
            tell=self.told.append,
            book=HashBook(self.state / "hashes.sqlite3"),
            lock=self.state / "hashing.lock",
            clock=lambda: LONG_AGO + 3600,
        )

    def facts(self, worker: Stocktaking | None = None) -> dict[str, FileFact]:
        """What is told once there is nothing more to do."""
        worker = worker or self.worker()
        for _step in range(50):
            if not worker.step():
                break
        return {f"{one.folder}/{one.name}": one for part in self.told[-1].parts for one in part}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(root=tmp_path / "models", state=tmp_path / "state")


def test_a_file_is_told_with_its_size_and_the_hash_of_its_content(place: Place) -> None:
    place.put("vae", "sub/ae.safetensors", b"weights")
    assert place.facts() == {
        "vae/sub/ae.safetensors": FileFact(
            folder="vae", name="sub/ae.safetensors", size=7, sha256=hashlib.sha256(b"weights").hexdigest()
        )
    }


def test_names_and_sizes_are_told_before_anything_is_hashed(place: Place) -> None:
    place.put("vae", "ae.safetensors", b"weights")
    place.worker().step()
    (fact,) = (one for part in place.told[0].parts for one in part)
    assert (fact.size, fact.sha256, fact.why, place.told[0].waiting) == (7, "", "waiting", 1)


def test_a_worker_started_anew_hashes_nothing_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put("vae", "ae.safetensors", b"weights")
    before = place.facts()
    monkeypatch.setattr(hashing, "hash_file", _must_not_be_called)
    assert place.facts() == before


def test_a_file_with_another_content_of_the_same_size_is_hashed_again(place: Place) -> None:
    place.put("vae", "ae.safetensors", b"weights")
    place.facts()
    place.put("vae", "ae.safetensors", b"WEIGHTS", written=LONG_AGO + 100)
    assert place.facts()["vae/ae.safetensors"].sha256 == hashlib.sha256(b"WEIGHTS").hexdigest()


def test_where_comfyui_runs_elsewhere_nothing_is_claimed_of_a_file_of_that_path(place: Place) -> None:
    place.put("vae", "ae.safetensors", b"weights")
    place.here = False
    fact = place.facts()["vae/ae.safetensors"]
    assert (fact.size, fact.sha256, fact.why) == (None, "", "elsewhere")


def test_what_comfyui_tells_of_the_size_stands_where_the_file_is_not_seen(place: Place) -> None:
    place.sizes["vae/ae.safetensors"] = 335_000_000
    place.here = False
    place.lists("vae", "ae.safetensors")
    assert place.facts()["vae/ae.safetensors"].size == 335_000_000


def test_an_operator_says_where_the_models_of_a_comfyui_elsewhere_are_seen(
    place: Place, tmp_path: Path
) -> None:
    place.put("unet", "flux.safetensors", b"weights")
    share = tmp_path / "share"
    (place.root).rename(share)
    place.here, place.roots = False, (share,)
    assert place.facts()["unet/flux.safetensors"].sha256


def test_a_file_of_another_size_than_comfyui_tells_is_not_its_file(place: Place) -> None:
    place.sizes["vae/ae.safetensors"] = 8
    place.put("vae", "ae.safetensors", b"weights")
    fact = place.facts()["vae/ae.safetensors"]
    assert (fact.size, fact.sha256, fact.why) == (8, "", "other_size")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", "C:/x", "a//b", "nul\0"])
def test_a_name_that_leads_out_of_its_folder_is_never_opened(place: Place, name: str) -> None:
    place.put("vae", "ae.safetensors", b"weights")
    (place.root / "secret").write_bytes(b"secret")
    place.lists("vae", name)
    assert not any(fact.sha256 for key, fact in place.facts().items() if key != "vae/ae.safetensors")


def test_links_are_followed_and_loops_folders_and_pipes_are_told_as_unreadable(place: Place) -> None:
    real = place.put("vae", "real.safetensors", b"weights")
    (real.parent / "link.safetensors").symlink_to(real)
    (real.parent / "loop.safetensors").symlink_to(real.parent / "loop.safetensors")
    (real.parent / "folder.safetensors").mkdir()
    os.mkfifo(real.parent / "pipe.safetensors")
    for name in ("link", "loop", "folder", "pipe"):
        place.lists("vae", f"{name}.safetensors")
    facts = place.facts()
    assert facts["vae/link.safetensors"].sha256 == facts["vae/real.safetensors"].sha256 != ""
    assert {facts[f"vae/{name}.safetensors"].why for name in ("loop", "folder", "pipe")} == {"unreadable"}


def test_a_file_that_was_written_to_just_now_waits_until_it_is_settled(place: Place) -> None:
    place.put("vae", "ae.safetensors", b"half of it", written=LONG_AGO + 3599)
    assert place.facts()["vae/ae.safetensors"].why == "changing"


def test_a_file_that_changes_while_it_is_hashed_has_no_hash(tmp_path: Path) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"x" * (2 * hashing.CHUNK))

    def grows() -> bool:
        with path.open("ab") as file:
            file.write(b"more")
        return False

    with pytest.raises(ChangingError):
        hashing.hash_file(path, busy=grows, stopped=Event(), sleep=lambda _s: None)


def test_beside_a_render_it_is_read_at_a_walking_pace(tmp_path: Path) -> None:
    path, naps = tmp_path / "large", list[float]()
    path.write_bytes(b"x" * (3 * hashing.CHUNK))
    hashing.hash_file(path, busy=lambda: True, stopped=Event(), sleep=naps.append)
    assert sum(naps) == pytest.approx(3 * hashing.CHUNK / hashing.BUSY_RATE)


def test_only_one_worker_of_a_machine_hashes_at_a_time(place: Place) -> None:
    place.put("vae", "ae.safetensors", b"weights")
    worker = place.worker()
    worker.step()
    with hashing.alone(place.state / "hashing.lock") as mine:
        assert mine
        assert not worker.step()
    assert worker.step()


def test_a_book_that_is_no_database_any_more_costs_time_and_nothing_else(place: Place) -> None:
    path = place.put("vae", "ae.safetensors", b"weights")
    place.state.mkdir()
    (place.state / "hashes.sqlite3").write_bytes(b"no database" * 1000)
    assert place.facts()["vae/ae.safetensors"].sha256
    book = HashBook(place.state / "hashes.sqlite3")
    assert book.look(Identity.of(path, path.stat()))


def test_files_beyond_the_bound_are_counted_and_left_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "MOST_FILES", 2)
    for name in ("a", "b", "c"):
        place.put("vae", name, b"")
    assert len(place.facts()) == 2
    assert place.told[-1].left_out == 1


def test_a_report_carries_the_mark_alone_until_more_is_asked_for() -> None:
    told = Told.of([FileFact(folder="vae", name="ae", size=7, sha256="0" * 64)])
    assert told.report(None) == Inventory(mark=told.mark)
    assert told.report(()).marks == told.marks
    assert len(told.marks) == PARTS
    (part,) = told.report((part_of("vae", "ae"),)).parts
    assert part.mark == mark_of_part(part.files) == told.marks[part.number]
    assert mark_of_all(told.marks) == told.mark


def test_one_report_carries_so_many_files_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "MOST_TOLD", 10)
    told = Told.of(FileFact(folder="loras", name=f"{number}") for number in range(64 * 8))
    sent = told.report(tuple(range(PARTS))).parts
    assert 10 <= sum(len(part.files) for part in sent) < 40


def test_the_order_of_the_files_changes_no_mark_and_a_hash_does() -> None:
    one, other = FileFact(folder="vae", name="a"), FileFact(folder="vae", name="b")
    assert mark_of_part([one, other]) == mark_of_part([other, one])
    assert mark_of_part([one]) != mark_of_part([FileFact(folder="vae", name="a", sha256="1" * 64)])


def test_it_travels_as_json() -> None:
    told = Told.of([FileFact(folder="vae", name="ä\udcff", size=7, why="waiting")])
    report = told.report(tuple(range(PARTS)))
    assert from_json(Inventory, to_json(report)) == report


def _must_not_be_called(*_args: object, **_facts: object) -> Callable[[], None]:
    raise AssertionError("a file was hashed")

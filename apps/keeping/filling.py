"""What goes into an archive, piece by piece: plan, prompts, takes, references, material, review, sums."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet, Sum

from apps.characters.models import CharacterReference
from apps.common.errors import Refused
from apps.folders.language.layout import write_or_none
from apps.folders.records import written
from apps.folders.selectors import held_by, home_of, layout_of
from apps.folders.subjects import Subject, of_project, of_shots, values_of
from apps.keeping.models import ProjectArchive, Takes
from apps.keeping.places import Places, ending_of, name_of
from apps.keeping.telling import chunks, facts_of, notes, pages, playlists, prompts
from apps.keeping.zipping import CHUNK, Packing
from apps.materials.models import Material
from apps.productions.models import Shot
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.states import Review
from apps.sheets.exporting import Discipline, tables_of
from apps.sheets.models import Format
from apps.sheets.writing import WRITERS

IN_MEMORY: Final = 8 * 1024 * 1024

README: Final = """Archive of {project}, written by Shotfarm.

plan/            the whole plan: JSON and workbooks; an import reads them again
prompts.jsonl    every prompt that was built, with where each word comes from; one a line
takes.jsonl      every take of the project, with its verdict; "file" is where it lies in here, if it does
playlists.json   playlists and dailies, takes in their order
notes.jsonl      what people wrote about takes, frames and drawings included
{code}/…         files as the project's layout of folders places them, with a record beside each
SHA256SUMS       sums of everything in here: sha256sum -c SHA256SUMS
MISSING.txt      only if files that were named are not in here, or are not what they were
"""


class Filling:
    """Fills one archive. ``faults``: files that are missing or were changed; ``files``: entries written."""

    def __init__(self, archive: ProjectArchive, packing: Packing, beat: Callable[..., None]) -> None:
        self._archive = archive
        self._project = archive.project
        self._packing = packing
        self._beat = beat
        self._layout = layout_of(held_by(archive.project))
        self._places = Places(self._layout)
        self.faults: list[str] = []

    @property
    def files(self) -> int:
        """Entries written so far."""
        return self._packing.files

    def bytes_to_come(self) -> int:
        """Bytes of all media that will go in."""
        rows: list[QuerySet[Any]] = [self._references(), self._originals()]
        rows += [self._materials()] if self._archive.materials else []
        return sum(row.aggregate(all=Sum("bytes"))["all"] or 0 for row in rows)

    def fill(self) -> None:
        """Write all of it. OSError of the store goes up, and whatever ``beat`` raises."""
        text = README.format(project=self._project, code=self._project.code)
        self._text("README.txt", text.encode())
        self._plan()
        self._lines("prompts.jsonl", prompts(self._project))
        self._lines("takes.jsonl", self._takes())
        self._json("playlists.json", playlists(self._project))
        self._lines("notes.jsonl", notes(self._project))
        self._records()
        self._pictures()
        if self._archive.materials:
            self._material()
        if self.faults:
            self._text("MISSING.txt", ("\n".join(self.faults) + "\n").encode())
        self._packing.add_sums("SHA256SUMS")

    def _plan(self) -> None:
        wanted = (
            (Format.JSON, Discipline.WHOLE, self._project.code),
            (Format.XLSX, Discipline.WHOLE, self._project.code),
            (Format.XLSX, Discipline.TECHNICAL, f"{self._project.code}_technical"),
        )
        for form, discipline, stem in wanted:
            tables = tables_of(self._project, discipline, None)
            try:
                made = WRITERS[form](stem, tables)
            except Refused:  # a text that no workbook's cell holds
                made = WRITERS[Format.CSV](stem, tables)
            self._text(f"plan/{made.name}", made.content)

    def _takes(self) -> Iterator[dict[str, Any]]:
        rows = Take.objects.filter(project=self._project)
        rows = rows.select_related("shot__sequence__episode", "shot__project")
        for some in chunks(rows.prefetch_related("parents")):
            files: dict[Any, list[Artifact]] = {}
            wanted = [take.pk for take in some if self._wants(take)]
            originals = Artifact.objects.filter(take__in=wanted, role=ArtifactRole.PRIMARY)
            for artifact in originals.order_by("key"):
                files.setdefault(artifact.take_id, []).append(artifact)
            for take in some:
                facts = facts_of(take)
                placed = [
                    self._original(take, one, place, facts)
                    for place, one in enumerate(files.get(take.pk, ()), start=1)
                ]
                yield {**facts, "files": [path for path in placed if path]}

    def _original(self, take: Take, artifact: Artifact, place: int, facts: dict[str, Any]) -> str:
        path = self._places.of_take(
            take.shot, stage=take.stage, number=take.number, kind=take.kind, key=artifact.key, place=place
        )
        if not self._file(path, artifact.key, artifact.bytes, artifact.sha256):
            return ""
        media = {"media_type": artifact.media_type, "width": artifact.width, "height": artifact.height}
        media |= {"frames": artifact.frames, "fps": artifact.fps, "sha256": artifact.sha256}
        told = json.loads(json.dumps({**facts, **media}, cls=DjangoJSONEncoder))
        self._text(self._places.free(f"{path}.json"), written("take", take.pk, told))
        return path

    def _wants(self, take: Take) -> bool:
        match self._archive.takes:
            case Takes.ALL:
                return True
            case Takes.SELECTED:
                return take.selected
            case Takes.APPROVED:
                return take.selected or take.review_state == Review.APPROVED
        return False

    def _records(self) -> None:
        """The records that stand beside folders, as the layout places them."""
        for subject in list(of_project(self._project)):
            self._record(subject)
        for some in of_shots(self._project, Shot.objects.filter(project=self._project)):
            for subject in some:
                self._record(subject)

    def _record(self, subject: Subject) -> None:
        for rule in self._layout.of(subject.kind):
            path = write_or_none(rule.template, subject.values) if rule.what == "record" else None
            if path:
                content = written(subject.kind, subject.row, subject.facts)
                self._text(self._places.free(path), content)

    def _pictures(self) -> None:
        for one in pages(self._references().select_related("character")):
            code = one.character.code
            values = {"project": self._project.code, "character": code}
            home = home_of(self._layout, "character", values) or f"{self._project.code}/characters/{code}"
            name = name_of(one.title, otherwise="reference")
            path = self._places.free(f"{home}/references/{name}.{ending_of(one.key) or 'bin'}")
            self._file(path, one.key, one.bytes, one.sha256)

    def _material(self) -> None:
        rows = self._materials().select_related(
            "sequence__episode", "shot__sequence__episode", "shot__project"
        )
        for one in pages(rows):
            name = name_of(one.name.rpartition(".")[0] or one.name, otherwise="material")
            ending = ending_of(one.key) or "bin"
            path = self._places.free(f"{self._home_of(one)}/material/{one.kind}/{name}.{ending}")
            self._file(path, one.key, one.bytes, one.sha256)

    def _home_of(self, material: Material) -> str:
        code = self._project.code
        if material.shot is not None:
            shot = material.shot
            return home_of(self._layout, "shot", values_of(shot)) or f"{code}/shots/{shot.full_code}"
        if material.sequence is not None:
            sequence = material.sequence
            episode = sequence.episode.code if sequence.episode else None
            values = {"project": code, "episode": episode, "sequence": sequence.code}
            return home_of(self._layout, "sequence", values) or f"{code}/sequences/{sequence.code}"
        return home_of(self._layout, "project", {"project": code}) or code

    def _references(self) -> QuerySet[CharacterReference]:
        return CharacterReference.objects.filter(character__project=self._project)

    def _materials(self) -> QuerySet[Material]:
        return Material.objects.filter(project=self._project, removed_at=None)

    def _originals(self) -> QuerySet[Artifact]:
        selected = Q(take__selected=True)
        wanted = {
            Takes.NONE: Q(pk__in=[]),
            Takes.SELECTED: selected,
            Takes.APPROVED: selected | Q(take__review_state=Review.APPROVED),
            Takes.ALL: Q(),
        }
        rows = Artifact.objects.filter(take__project=self._project, role=ArtifactRole.PRIMARY)
        return rows.filter(wanted[Takes(self._archive.takes)])

    def _file(self, path: str, key: str, size: int, sha256: str) -> bool:
        """Put a stored file in; False, and told, where the store does not have it."""
        try:
            stored = default_storage.open(key, "rb")
        except FileNotFoundError:
            self.faults.append(f"missing: {path} ({key})")
            self._beat(size)
            return False
        with stored:
            found = self._packing.add(path, self._heard(stored.chunks(CHUNK)), size=max(size, stored.size))
        if found != sha256:
            self.faults.append(f"changed in the store: {path} ({key})")
        return True

    def _heard(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._beat(len(piece))
            yield piece

    def _text(self, path: str, content: bytes) -> None:
        self._beat()
        self._packing.add(path, [content], size=len(content))

    def _json(self, path: str, told: Any) -> None:
        self._text(path, json.dumps(told, ensure_ascii=False, indent=1, cls=DjangoJSONEncoder).encode())

    def _lines(self, path: str, rows: Iterator[dict[str, Any]]) -> None:
        """Write JSON lines. They wait beside until all are there: rows of takes put files in as they come."""
        with SpooledTemporaryFile(IN_MEMORY) as lines:
            for row in rows:
                self._beat()
                lines.write(json.dumps(row, ensure_ascii=False, cls=DjangoJSONEncoder).encode() + b"\n")
            lines.seek(0)
            self._packing.add(path, iter(lambda: lines.read(CHUNK), b""), size=_size_of(lines))


def _size_of(lines: IO[bytes]) -> int:
    here = lines.tell()
    size = lines.seek(0, 2)
    lines.seek(here)
    return size

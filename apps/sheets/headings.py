"""What people write above their columns, in English and in Korean, and what the farm's predecessor wrote."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import get_language

from apps.presets.models import PresetCategory
from apps.productions.importing import cells
from apps.productions.importing.layout import PLANNING, PROJECT, RENDERS, SHOTS, Column, Layout
from apps.productions.importing.reader import HeadingRow, Row, Sheet, heading
from apps.sheets.languages import by_language

IGNORED: Final = ""
"""The column that stands for: not read."""

TECHNICAL: Final = "Technical"

SHEETS: Final[Mapping[str, tuple[str, ...]]] = {
    "Project": ("project", "film", "프로젝트", "작품"),
    "Episodes": ("episodes", "episode", "reels", "에피소드", "회차"),
    "Sequences": ("sequences", "sequence", "seq", "scenes", "시퀀스", "씬"),
    "Characters": ("characters", "character", "cast list", "캐릭터", "등장인물"),
    "Costumes": ("costumes", "costume", "clothes", "의상"),
    "Loras": ("loras", "lora", "로라"),
    "Locations": ("locations", "location", "places", "로케이션", "장소"),
    "Looks": ("looks", "look", "룩"),
    "Shots": ("shots", "shot", "shot list", "shotlist", "샷", "샷 목록", "샷리스트", "컷"),
    "Casting": ("casting", "cast", "캐스팅", "출연"),
    TECHNICAL: ("technical", "camera", "tech", "기술", "촬영"),
}
"""What a sheet may be called."""

_SHEET_WORDS: Final = {heading(word): sheet for sheet, words in SHEETS.items() for word in words}

WORDS: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "code": ("Code", "코드", ("shot code", "샷 코드", "shot name", "컷 번호", "컷번호", "샷 번호", "샷번호")),
    "slug": ("Key", "키", ()),
    "name": ("Name", "이름", ("title", "제목")),
    "name_ko": ("Name (Korean)", "이름(한국어)", ("korean name", "한글 이름", "한국어 이름")),
    "description": (
        "Description",
        "설명",
        ("scene_description", "action", "what happens", "내용", "장면 설명", "액션", "지문"),
    ),
    "description_ko": (
        "Description (Korean)",
        "설명(한국어)",
        ("korean description", "한글 설명", "한국어 설명"),
    ),
    "fps": ("Frames per second", "초당 프레임", ("frame rate", "프레임 레이트")),
    "width": ("Width", "너비", ("가로",)),
    "height": ("Height", "높이", ("세로",)),
    "frame_start": ("First frame", "첫 프레임", ("start frame", "시작 프레임")),
    "handles": ("Handles", "핸들", ("handle",)),
    "start_timecode": ("Start timecode", "시작 타임코드", ("timecode", "타임코드")),
    "prompt_language": ("Prompt language", "프롬프트 언어", ("language", "언어")),
    "order": ("Order", "순서", ("sort", "정렬", "cut order")),
    "episode": ("Episode", "에피소드", ("ep", "회차")),
    "negative": ("Negative text", "네거티브", ("negative_prompt", "negative prompt", "네거티브 프롬프트")),
    "age": ("Age", "나이", ()),
    "gender": ("Gender", "성별", ()),
    "use_lora": ("Use LoRA", "LoRA 사용", ("lora",)),
    "default_costume": ("Default costume", "기본 의상", ("default_clothing",)),
    "archived": ("Archived", "보관됨", ()),
    "character": ("Character", "캐릭터", ("character_id", "등장인물", "인물")),
    "prompt": ("Prompt text", "프롬프트", ("prompt fragment",)),
    "prompt_ko": ("Prompt text (Korean)", "프롬프트(한국어)", ("한국어 프롬프트",)),
    "base_model": ("Base model", "기본 모델", ("model", "모델")),
    "file": ("Model file", "모델 파일", ("lora_path", "lora file", "파일")),
    "expert": ("Expert", "전문가", ()),
    "weight": ("Weight", "가중치", ("lora_strength", "strength", "강도")),
    "trigger_words": ("Trigger words", "트리거 단어", ("triggers", "lora_trigger", "트리거")),
    "sha256": ("SHA-256", "SHA-256", ("checksum",)),
    "sequence": (
        "Sequence",
        "시퀀스",
        ("sequence_id", "seq", "scene", "씬", "씬 번호", "씬번호", "시퀀스 번호"),
    ),
    "dialogue": ("Dialogue", "대사", ("dialog", "lines")),
    "status": ("Status", "상태", ("state",)),
    "frames": (
        "Frames",
        "프레임",
        (
            "frame_count",
            "frame count",
            "length",
            "프레임 수",
            "프레임수",
            "길이",
            "길이(프레임)",
            "length (frames)",
        ),
    ),
    "cut_in": ("Cut in", "컷 인", ("cut in", "in", "start frame")),
    "location": ("Location", "로케이션", ("env_location", "place", "set", "장소", "배경")),
    "weather": ("Weather", "날씨", ("env_weather",)),
    "time_of_day": ("Time of day", "시간대", ("env_time_of_day", "time", "day/night", "시간")),
    "presets": ("Presets", "프리셋", ("cinematic presets", "look")),
    "seed": ("Seed", "시드", ()),
    "continuity_from": ("Continues", "이어지는 샷", ("continues", "previous shot")),
    "continuity_keep": ("Keeps of it", "이어받는 것", ()),
    "continuity_frames": ("Frames kept", "이어받는 프레임", ()),
    "assignees": (
        "Assigned to",
        "담당자",
        ("assigned to", "artist", "artists", "assignee", "담당", "아티스트"),
    ),
    "notes": ("Notes", "메모", ("note", "comment", "comments", "비고", "노트")),
    "locked": ("Locked by", "잠금", ()),
    "retakes": ("Retakes", "리테이크", ("retake_count",)),
    "period_year": ("Plays in the year", "시대(연도)", ("year", "연도")),
    "setting": ("Interior or exterior", "실내/실외", ("int/ext", "int_ext", "int./ext.", "실내외")),
    "preset_override": ("Why preset rules are set aside", "프리셋 규칙 예외 사유", ()),
    "shot": ("Shot", "샷", ("id", "shot_id", "shot id", "full code", "샷 id", "전체 코드")),
    "action": ("Action", "행동", ("동작", "연기")),
    "action_ko": ("Action (Korean)", "행동(한국어)", ()),
    "costume": ("Costume", "의상", ("clothing", "wardrobe")),
    "costume_override": ("Wears in this shot", "이 샷의 의상", ("costume override",)),
    "costume_override_ko": ("Wears in this shot (Korean)", "이 샷의 의상(한국어)", ()),
    "lora_weight": ("LoRA weight", "LoRA 가중치", ()),
    "seconds": (
        "Seconds",
        "초",
        ("duration_seconds", "duration", "duration (s)", "sec", "길이(초)", "재생 시간"),
    ),
}
"""Our column: what it is called in English and in Korean, and what else people write."""

_CATEGORIES: Final[Mapping[str, str]] = {
    "tech_lens": "lens_focal",
    "lens": "lens_focal",
    "렌즈": "lens_focal",
    "tech_film_stock": "stock_format",
    "film_stock": "stock_format",
    "필름": "stock_format",
    "tech_lighting": "lighting_style",
    "lighting": "lighting_style",
    "조명": "lighting_style",
}
"""Words for categories of presets beside their own keys and names."""

SECONDS: Final = "seconds"
SHOT: Final = "shot"


@dataclass(frozen=True)
class Targets:
    """What a table's columns may be, sheet by sheet: our columns, and for shots the categories of presets."""

    by_sheet: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Mapping[str, str]]
    categories: tuple[str, ...]
    names: Mapping[str, str]


def targets(project: UUID) -> Targets:
    """Read which categories of presets this project has, and put all words together. One query."""
    shared_or_own = PresetCategory.objects.filter(Q(project=None) | Q(project=project))
    categories = list(shared_or_own.order_by("order").values_list("slug", "name", "name_ko"))
    slugs = tuple(dict.fromkeys(slug for slug, _name, _ko in categories))
    by_sheet = {layout.sheet: tuple(column.name for column in layout.columns) for layout in PLANNING}
    own = by_sheet[SHOTS.sheet]
    by_sheet[SHOTS.sheet] += (SHOT, SECONDS, *(slug for slug in slugs if slug not in own))
    by_sheet[TECHNICAL] = (SHOT, *slugs)
    preset_words = {
        word: slug for slug, name, ko in categories for word in (heading(name), heading(ko)) if word
    }
    preset_words |= {word: slug for word, slug in _CATEGORIES.items() if slug in slugs}
    preset_words |= {slug: slug for slug in slugs}
    words = {sheet: _words(columns, preset_words) for sheet, columns in by_sheet.items()}
    korean = (get_language() or "en").startswith("ko")
    names = {slug: ko if korean and ko else name for slug, name, ko in categories}
    return Targets(by_sheet, words, slugs, names)


def _words(columns: Sequence[str], preset_words: Mapping[str, str]) -> dict[str, str]:
    found = {word: slug for word, slug in preset_words.items() if slug in columns}
    for column in columns:
        english, korean, others = WORDS.get(column, ("", "", ()))
        for word in (*others, english, korean):
            if word and heading(word) not in columns:
                found.setdefault(heading(word), column)
    found |= {column: column for column in columns}
    return {bare(word): column for word, column in reversed(found.items())} | found


def bare(one: str) -> str:
    """A heading's letters and digits alone: 길이 (프레임), 길이(프레임) and 길이_프레임: are one."""
    return "".join(letter for letter in one if letter.isalnum())


def column_of(one: str, words: Mapping[str, str]) -> str:
    """The column that a heading means, however it is spaced and marked; "" for none."""
    return words.get(one) or words.get(bare(one), IGNORED)


@dataclass(frozen=True)
class Guess:
    """Which sheet a table is ("" for none of ours), and what each of its columns is."""

    sheet: str
    columns: tuple[str, ...]


def guess(sheet: Sheet, known: Targets, *, alone: bool) -> Guess:
    """Say which sheet a table is, by its name and headings, and which column each heading means. A table of
    several rows is not the project, which has one.

    ``alone``: it is the only one of its file, so it is something; a CSV is a shot list if nothing says else.
    """
    if sheet.name.startswith("_") or _says_what_to_render(sheet):
        return Guess(IGNORED, (IGNORED,) * len(sheet.headings))
    if ours := _SHEET_WORDS.get(heading(sheet.name)):
        return _told(sheet, ours, known)
    offered = [ours for ours in known.by_sheet if ours != PROJECT.sheet or len(sheet.rows) == 1]
    found = max(offered, key=lambda ours: (_fits(sheet.headings, ours, known), ours == SHOTS.sheet))
    if _fits(sheet.headings, found, known) <= 0 and not alone:
        return Guess(IGNORED, (IGNORED,) * len(sheet.headings))
    chosen = found if _fits(sheet.headings, found, known) > 0 else SHOTS.sheet
    return _told(sheet, chosen, known)


def _says_what_to_render(sheet: Sheet) -> bool:
    """The demo's workbook has such a sheet: it plans nothing."""
    return sheet.name == RENDERS.sheet and {"shot", "template"} <= set(sheet.headings)


def _told(sheet: Sheet, ours: str, known: Targets) -> Guess:
    columns = columns_of(sheet.headings, ours, known)
    return Guess(ours, by_language(columns, sheet, layout_of(ours, known)))


def columns_of(headings: Iterable[str], sheet: str, known: Targets) -> tuple[str, ...]:
    """Which column each heading means; each column once, the rest is ignored."""
    words = known.words.get(sheet, {})
    columns: list[str] = []
    for one in headings:
        column = IGNORED if one.startswith("_") else column_of(one, words)
        columns.append(IGNORED if column in columns else column)
    if sheet == SHOTS.sheet:
        return _shot_columns(columns)
    return tuple(columns)


def _shot_columns(columns: list[str]) -> tuple[str, ...]:
    """Where sequence and code are there, the full code says nothing new; likewise seconds beside frames."""
    told = set(columns)
    spare = {SHOT} if {"sequence", "code"} <= told else {"code"} if SHOT in told else set()
    spare |= {SECONDS} if "frames" in told else set()
    return tuple(IGNORED if column in spare else column for column in columns)


def _fits(headings: Sequence[str], sheet: str, known: Targets) -> float:
    columns = [column for column in columns_of(headings, sheet, known) if column]
    keys = _keys(sheet)
    has_key = all(key in columns for key in keys) or (sheet in ("Shots", TECHNICAL) and SHOT in columns)
    has_key |= sheet == SHOTS.sheet and "code" in columns  # of the sequence that is chosen on the page
    return (len(columns) + (3 if has_key else -3)) if columns else -1


def _keys(sheet: str) -> tuple[str, ...]:
    for layout in PLANNING:
        if layout.sheet == sheet:
            return tuple(column.name for column in layout.columns if column.key)
    return (SHOT,)


def nearest(one: str, sheet: str, known: Targets) -> str:
    """The column an unknown heading may mean, for people to confirm; "" for none."""
    close = get_close_matches(one, known.words.get(sheet, {}), n=1, cutoff=0.75)
    return known.words[sheet][close[0]] if close else ""


def heading_row(known: Targets) -> HeadingRow:
    """Say which of a table's first rows holds headings: the one in which most cells are words for columns."""
    every = {word for words in known.words.values() for word in words}

    def find(rows: Sequence[Row]) -> int:
        def score(index: int) -> int:
            said = {
                heading(cell) for cell in rows[index].cells if isinstance(cell, str)
            }  # a merged title: once
            return sum(one in every or bare(one) in every for one in said)

        best = max(range(min(len(rows), 20)), key=lambda index: (score(index), -index))
        return best if score(best) > 1 else 0

    return find


def signature_of(name: str, headings: Iterable[str]) -> str:
    """What a table has in common with that of the next file: its headings, and its name if that says which
    sheet it is. A CSV is named after its file, which says nothing.
    """
    said = heading(name) if heading(name) in _SHEET_WORDS else ""
    return hashlib.sha256("\n".join([said, *headings]).encode()).hexdigest()


def each_once(headings: Iterable[str]) -> list[str]:
    """Headings under which what was chosen is kept: the second of a name is told from the first."""
    seen: Counter[str] = Counter()
    named = []
    for one in headings:
        seen[one] += 1
        named.append(one if seen[one] == 1 else f"{one}\n{seen[one]}")
    return named


def layout_of(sheet: str, known: Targets) -> Layout:
    """The layout of a sheet of ours; the technical one has a column for each category of presets."""
    for layout in PLANNING:
        if layout.sheet == sheet:
            return layout
    return technical(known.categories)


def technical(categories: Iterable[str]) -> Layout:
    """A sheet with one line for each shot and one column for each category of presets."""
    columns = [Column("shot", cells.shot_code, key=True)]
    columns += [Column(slug, cells.words, empty=()) for slug in categories]
    return Layout(TECHNICAL, tuple(columns))

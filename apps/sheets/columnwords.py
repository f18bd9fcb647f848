"""What people write above their columns, in English and in Korean, and what the farm's predecessor wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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

CATEGORIES: Final[Mapping[str, str]] = {
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

"""What a prompt's words say about the picture: time, place, weather, framing and who is in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TIMES = {
    "night": "night midnight moonlit moonlight nocturnal stars starry 밤 자정 달빛",
    "dawn": "dawn sunrise daybreak morning 새벽 아침 일출",
    "golden": "golden sunset warm sunlit late-afternoon 황금 노을 석양",
    "dusk": "dusk twilight evening gloaming 저녁 황혼 해질녘",
    "overcast": "overcast cloudy grey gray gloomy rain rainy fog mist storm bleak 흐린 비 안개",
    "day": "day daylight noon midday sunny afternoon bright 낮 한낮 맑은",
}
_PLACES = {
    "interior": (
        "interior indoors room bedroom kitchen hall corridor office studio apartment flat parlour parlor "
        "inn tavern cabin shop library attic cellar 실내 방 부엌 거실 복도 사무실"
    ),
    "sea": "sea ocean beach shore coast harbor harbour pier boat ship sail wave waves 바다 해변 항구 파도",
    "forest": "forest woods wood trees grove jungle pine pines 숲 나무",
    "mountain": "mountain mountains peak ridge cliff valley canyon hills alpine 산 산맥 절벽 계곡",
    "city": "city street alley skyline downtown urban rooftop neon traffic tram 도시 거리 골목 빌딩 옥상",
    "village": "village house houses cottage farm barn town courtyard roof roofs church 마을 집 초가 마당",
    "desert": "desert dune dunes sand wasteland 사막 모래",
    "field": "field fields meadow grass plain road path garden park steppe 들판 초원 길 정원",
}
_WEATHER = {
    "rain": "rain rainy raining downpour storm drizzle 비 폭우",
    "snow": "snow snowy snowing blizzard snowfall winter 눈보라 눈 겨울",
    "fog": "fog foggy mist misty haze hazy smoke 안개 연기",
}
_FRAMINGS = {
    "close": "close-up closeup close portrait face macro 클로즈업 얼굴",
    "medium": "medium waist bust two-shot cowboy over-the-shoulder 미디엄 바스트",
    "wide": "extreme-wide establishing aerial panorama landscape vista long wide 롱샷 와이드 전경 원경",
}
_PEOPLE = {
    "woman": "woman women wife girl lady mother queen she her sister bride 여자 여인 아내 소녀 어머니",
    "man": (
        "man men husband boy guy father king he his him brother soldier sailor fisherman priest "
        "남자 남편 소년 아버지 병사"
    ),
    "child": "child children kid toddler son daughter 아이 어린이",
    "elder": "old elder elderly aged grandmother grandfather 노인 할머니 할아버지 늙은",
}
_NUMBERS = {
    "two": 2,
    "pair": 2,
    "couple": 2,
    "three": 3,
    "trio": 3,
    "four": 4,
    "several": 4,
    "crowd": 6,
    "group": 5,
}
_MONOCHROME = "monochrome black-and-white noir 흑백"
_EMPTY = "empty deserted nobody unpopulated 텅"
_MOST_FIGURES = 6


@dataclass(frozen=True)
class Scene:
    time: str
    place: str
    weather: frozenset[str]
    framing: str
    """close, medium, full or wide."""
    people: tuple[str, ...]
    """Kinds of figures, front to back."""
    monochrome: bool


def read(text: str) -> Scene:
    """Read a positive prompt in English or Korean; every prompt gives some scene."""
    words = text.lower().replace("close up", "close-up").replace("black and white", "black-and-white")
    words = words.replace("extreme wide", "extreme-wide").replace("late afternoon", "late-afternoon")
    place = _best(_PLACES, words, "field")
    framing = _best(_FRAMINGS, words, "full")
    return Scene(
        time=_best(_TIMES, words, "day"),
        place=place,
        weather=frozenset(name for name, known in _WEATHER.items() if _hits(known, words)),
        framing=framing,
        people=_people(words, framing),
        monochrome=_hits(_MONOCHROME, words) > 0,
    )


def _best(kinds: dict[str, str], words: str, otherwise: str) -> str:
    hits = {kind: _hits(known, words) for kind, known in kinds.items()}
    best = max(hits, key=lambda kind: hits[kind])
    return best if hits[best] else otherwise


def _hits(known: str, words: str) -> int:
    return sum(len(_found(word, words)) for word in known.split())


def _found(word: str, words: str) -> list[int]:
    pattern = rf"(?<![a-z-]){re.escape(word)}s?(?![a-z])" if word.isascii() else re.escape(word)
    return [match.start() for match in re.finditer(pattern, words)]


def _people(words: str, framing: str) -> tuple[str, ...]:
    if _hits(_EMPTY, words):
        return ()
    first = {
        kind: min((min(found) for word in known.split() if (found := _found(word, words))), default=-1)
        for kind, known in _PEOPLE.items()
    }
    kinds = sorted((kind for kind, at in first.items() if at >= 0), key=lambda kind: first[kind])
    if "elder" in kinds and len(kinds) > 1:  # "an old man" is one person
        kinds.remove(
            kinds[kinds.index("elder") - 1] if kinds[-1] == "elder" else kinds[kinds.index("elder") + 1]
        )
    number = max((count for word, count in _NUMBERS.items() if _found(word, words)), default=len(kinds))
    if not kinds:
        kinds = ["woman", "man"] if number or framing in ("close", "medium") else []
        number = number or (1 if kinds else 0)
    count = min(max(number, len(kinds) if number else 0), _MOST_FIGURES)
    return tuple(kinds[index % len(kinds)] for index in range(count)) if kinds else ()

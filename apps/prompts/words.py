"""The composer's own words, in English and Korean."""

from __future__ import annotations

from typing import Final

from apps.prompts.text import Phrase, plain

WEATHER: Final = {
    "sunny": ("clear sunny weather", "맑고 화창한 날씨"),
    "cloudy": ("cloudy sky", "구름 낀 하늘"),
    "overcast": ("overcast sky", "흐린 하늘"),
    "rain": ("in the rain", "비가 내림"),
    "storm": ("in a storm", "폭풍우가 몰아침"),
    "snow": ("in falling snow", "눈이 내림"),
    "fog": ("in fog", "안개가 자욱함"),
    "haze": ("in haze", "옅은 연무"),
}
TIME: Final = {
    "day": ("in daylight", "낮"),
    "night": ("at night", "밤"),
    "golden_hour": ("at golden hour", "골든 아워의 낮은 햇빛"),
    "blue_hour": ("at blue hour", "블루 아워의 푸른 빛"),
    "dawn": ("at dawn", "새벽"),
    "dusk": ("at dusk", "해 질 녘"),
    "midnight": ("at midnight", "한밤중"),
}
HOUSE_NEGATIVE: Final = (
    "text, subtitles, watermark, logo, malformed hands, extra fingers, extra limbs",
    "글자, 자막, 워터마크, 로고, 뒤틀린 손, 여분의 손가락, 여분의 팔다리",
)
"""What no film frame wants. It says nothing of style, so it never argues with a preset."""

_FEMALE, _MALE = ("female", "여성"), ("male", "남성")
_GENDERS: Final = {
    **dict.fromkeys(("female", "f", "woman", "여성", "여자", "여"), _FEMALE),
    **dict.fromkeys(("male", "m", "man", "남성", "남자", "남"), _MALE),
}

_CLOTHED: Final = ("wearing ", "dressed ", "in a ", "in an ", "in the ", "clad ")


def weather(value: str, language: str) -> Phrase:
    """Say the weather. Raises KeyError for a value productions.Weather does not have."""
    return _said(WEATHER[value], language)


def time(value: str, language: str) -> Phrase:
    """Say the time of day. Raises KeyError for a value productions.TimeOfDay does not have."""
    return _said(TIME[value], language)


def house_negative(language: str) -> Phrase:
    """The negative words every prompt ends with, visible as a segment of source "house"."""
    return _said(HOUSE_NEGATIVE, language)


def wearing(costume: Phrase) -> Phrase:
    """Say that someone wears it, in the costume text's own language, unless the text already does."""
    text = costume.text
    if not text:
        return costume
    if costume.language == "ko":
        worn = text if text.endswith(("차림", "입은", "입고")) else f"{text} 차림"
    else:
        worn = text if text.lower().startswith(_CLOTHED) else f"wearing {text}"
    return Phrase(worn, costume.language, costume.fallback)


def age(typed: str, language: str) -> Phrase:
    """Say an age: a bare number in the prompt's language, anything else as it was typed."""
    if typed.isdecimal():
        return _said((f"{typed} years old", f"{typed}세"), language)
    return plain(typed)


def gender(typed: str, language: str) -> Phrase:
    """Say a gender: the usual words in the prompt's language, anything else as it was typed."""
    known = _GENDERS.get(typed.casefold())
    return _said(known, language) if known else plain(typed)


def saying(dialogue: Phrase, language: str) -> Phrase:
    """Say that these words are spoken."""
    quoted = _said((f'saying: "{dialogue.text}"', f'"{dialogue.text}"라고 말한다'), language)
    return Phrase(quoted.text, dialogue.language)


def _said(pair: tuple[str, str], language: str) -> Phrase:
    return Phrase(pair[language == "ko"], language)

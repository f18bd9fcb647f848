"""The forms of a Korean word: 달리다 → 달리는, 달린다, 달려, 달렸다, 달리며; 폭발 → 폭발이, 폭발했다.

A word of a text (eojeol) is taken apart as stem and ending, or noun and particle, and must come out even:
뛰어난 (outstanding) is no form of 뛰다, 달리 (unlike) none of 달리다, 폭발적 (dramatic) none of 폭발.
A morphological analyser does that too; a table of endings is enough for the words of a rule, and needs no
model of its own (docs/adr/0042).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

TOKEN: Final = re.compile(r"[가-힣]+")

_FIRST: Final = ord("가")
_MEDIALS: Final = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS: Final[tuple[str, ...]] = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
_CONTRACTED: Final = {"ㅗ": "ㅘ", "ㅜ": "ㅝ", "ㅣ": "ㅕ", "ㅚ": "ㅙ"}
_SAME: Final = "ㅏㅓㅐㅔㅕ"
"""Vowels that swallow the 아 or 어 after them."""


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(" ".join(lines).split())


_D_BECOMES_L: Final = frozenset({"걷", "듣", "싣", "긷", "깨닫", "일컫"})
_B_STAYS: Final = frozenset(
    {"잡", "입", "뽑", "씹", "집", "접", "꼽", "좁", "업", "뒤집", "붙잡", "사로잡", "움켜잡", "꼬집", "헤집"}
)
_S_FALLS: Final = frozenset({"짓", "젓", "긋", "낫", "붓", "잇"})
_EU_ONLY: Final = frozenset({"따르", "치르", "들르", "다다르", "우러르", "잠그", "담그"})

_PARTICLES: Final = _words(
    "이 가 을 를 은 는 의 에 로 으로 과 와 도 만 나 이나 랑 이랑 하고 처럼 같이 보다 마다 까지 부터",
    "조차 마저 밖에 에서 에게 에는 에도 에만 에서는 에서도 에서의 에게서 께 께서 한테 로는 으로는",
    "로부터 으로부터 로서 으로서 만이 만을 만은 이라 라 이라고 라고 이란 란 이며 며 이고 이다 이었다",
    "였다 입니다 이야 야 인 인데 뿐 든지 이든지",
)
_AFTER_STEM: Final = _words(
    "다 다가 다가는 던 던데 든 든지 고 고는 고도 고서 고서는 고선 고자 지 지는 지도 지를 지만 자 자마자",
    "자고 자는 게 게도 게끔 도록 듯 듯이 듯한 거나 거든 거든요 는 는데 는데도 는지 는가 는군 는구나",
    "느라 느라고 네 네요 나 나요 기 기가 기를 기는 기도 기만 기에 기로 기까지 기보다 겠다 겠지 겠고",
    "겠습니다 겠어 겠어요 더니 더라 더라도 자며 죠 지요",
)
_AFTER_EU: Final = _words(
    "며 면 면서 면서도 니 니까 려 려고 려는 려다 려다가 려면 려던 러 므로 나 리라 라 라고 라는 십시오",
    "세요 시오",
)
"""Endings that stand behind 으 where the stem ends in a consonant: 걸으며, 달리며."""

_AFTER_INFINITIVE: Final = ("", *_words("서 서는 서도 서야 도 야 야만 라 요 만"))
_AFTER_PAST: Final = _words(
    "다 다가 다고 다는 다며 다면 다면서 던 던데 고 고는 지 지만 지요 죠 으며 으면 으면서 으니 으니까",
    "으나 는데 는데도 는지 는가 네 네요 나 나요 음 음을 음에도 기 기에 을 을까 을지 습니다 습니까 어",
    "어요 었다 더니 더라 거나",
)
_AFTER_N: Final = ("", *_words("다 다고 다는 다며 다면 다면서 다만 다네 다던"))
_AFTER_L: Final = ("", *_words("까 지 지도 수록 게 게요 뿐 때 때는 때마다 듯 듯이 듯한 만큼 걸"))
_AFTER_M: Final = ("", *_words("을 이 은 도 과 의 에 으로 만 까지"))
_AFTER_B: Final = _words("니다 니까 시다")

_GOES_ON: Final = _words(
    "가다 오다 나가다 나오다 들다 들어가다 들어오다 내리다 내려가다 내려오다 오르다 올라가다 올라오다",
    "넘다 넘어가다 다니다 돌다 돌아다니다 지나가다 지나치다 건너다 나르다 놀다 보다 버리다 대다 붙다",
    "달아나다 도망치다 쫓아가다 쫓아오다 나서다 주다 내다 놓다",
)
"""Verbs that are written as one with the one before: 뛰어가다, 달려나오다, 뛰어내리다.

No 나다: 뛰어나다 is "to excel". No 있다: 달려있다 is "to hang".
"""

_AFTER_NOUN: Final = ("하다", "되다", "시키다", "당하다", "치다", "중이다")
_COMPOUND: Final = ("중", "직전", "직후", "후", "전", "장면", "씬", "신", "음", "들")
"""What makes no other word of a noun: during, before, the scene of, the sound of it."""


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of a word; also those with a second verb behind it (달려 + 간다, 폭발해 + 버렸다)."""

    simple: frozenset[str]
    infinitives: tuple[str, ...] = ()

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and (
            word in self.simple
            or any(
                word.startswith(infinitive) and word[len(infinitive) :] in _second_verbs()
                for infinitive in self.infinitives
            )
        )


@lru_cache(maxsize=2_000)
def forms(word: str) -> Forms:
    """Return the forms of a verb or adjective (a word that ends in 다), or of a noun."""
    if not is_verb(word):
        return Forms(frozenset(_noun(word)), tuple(f"{word}{done}" for done in _infinitives("하")))
    stem = word[:-1]
    return Forms(frozenset((*_verb(stem), *_verb(_honorific(stem)))), tuple(_infinitives(stem)))


@lru_cache(maxsize=1)
def _second_verbs() -> frozenset[str]:
    return frozenset(form for verb in _GOES_ON for form in _verb(verb[:-1]))


@lru_cache(maxsize=2_000)
def noun_forms(word: str) -> frozenset[str]:
    """Return a word as it stands and with particles: 바다, 바다가, 바다에서."""
    return frozenset({word, *(f"{word}{particle}" for particle in _PARTICLES)})


def is_verb(word: str) -> bool:
    """Whether a word is given as dictionaries give verbs."""
    return len(word) > 1 and word.endswith("다")


def denied(form: str, before: str, after: str) -> bool:
    """Whether a word is denied: 안 뛴다, 못 뛴다, 달리지 않는다, 달리지 못한다, 달리지 마라."""
    stops = re.fullmatch(r".+지(는|도|를|조차)?", form) is not None
    return before in ("안", "못") or (stops and after[:1] in ("않", "못", "말", "마", "아"))


def _noun(noun: str) -> Iterator[str]:
    yield from noun_forms(noun)
    for tail in _COMPOUND:
        yield from noun_forms(f"{noun}{tail}")
    for verb in _AFTER_NOUN:
        for form in _verb(verb[:-1]):
            yield f"{noun}{form}"


def _verb(stem: str) -> Iterator[str]:
    """Every form of a verb by itself."""
    final = _final(stem)
    drops_l = final == "ㄹ"
    bare = _with_final(stem, "") if drops_l else stem
    open_ = _before_eu(stem)
    yield from (
        f"{bare if drops_l and ending[0] in '는느네나시' else stem}{ending}" for ending in _AFTER_STEM
    )
    for ending in _AFTER_EU:
        yield f"{bare if drops_l and ending[0] in '니시세십나' else open_}{ending}"
    yield from (f"{_with_final(bare if drops_l else open_, 'ㄴ')}{ending}" for ending in _AFTER_N)
    if _consonant(stem):
        yield from (f"{stem}는{ending}" for ending in _AFTER_N)
        yield from (f"{stem}습{ending}" for ending in _AFTER_B)
    yield from (f"{_with_final(bare if drops_l else open_, 'ㄹ')}{ending}" for ending in _AFTER_L)
    yield from (f"{_nominal(stem, open_)}{ending}" for ending in _AFTER_M)
    yield from (f"{_with_final(bare if drops_l else open_, 'ㅂ')}{ending}" for ending in _AFTER_B)
    for infinitive in _infinitives(stem):
        yield from (f"{infinitive}{ending}" for ending in _AFTER_INFINITIVE)
        past = _with_final(infinitive, "ㅆ")
        yield from (f"{past}{ending}" for ending in _AFTER_PAST)


def _before_eu(stem: str) -> str:
    """The stem before an ending that begins with 으 behind consonants: 달리, 걸으, 누우, 지으, 날."""
    soft = _softened(stem)  # before a vowel: 걷 → 걸, 눕 → 누우, 짓 → 지
    if not _consonant(stem) or (_final(stem) == "ㅂ" and soft != stem):
        return soft
    return f"{soft}으"


def _honorific(stem: str) -> str:
    return f"{_with_final(stem, '') if _final(stem) == 'ㄹ' else _before_eu(stem)}시"


def _infinitives(stem: str) -> list[str]:
    """The forms before 서 and 도: 달려 (달리어), 뛰어, 해 (하여), 날아, 걸어, 누워, 흘러."""
    soft = _softened(stem)
    if stem.endswith("하"):
        return [f"{stem[:-1]}해", f"{stem}여"]
    if stem.endswith("르") and stem not in _EU_ONLY and len(stem) > 1:
        before = _with_final(stem[:-1], "ㄹ")
        return [f"{before}{'라' if _medial(before) in 'ㅏㅗ' else '러'}"]
    if _final(stem) == "ㅂ" and soft != stem:
        return [f"{soft[:-1]}{'와' if stem in ('돕', '곱') else '워'}"]
    if _medial(soft) == "ㅡ" and not _final(soft):
        bright = len(soft) > 1 and _medial(soft[:-1]) in "ㅏㅗ"
        return [_with_medial(soft, "ㅏ" if bright else "ㅓ")]
    return _with_a_vowel(soft, contracts=not _final(soft) and stem == soft)


def _with_a_vowel(soft: str, *, contracts: bool) -> list[str]:
    """아 behind ㅏ and ㅗ, else 어; the two vowels become one where the language lets them."""
    medial = _medial(soft)
    apart = f"{soft}{'아' if medial in 'ㅏㅗ' else '어'}"
    if not contracts:
        return [apart]
    if medial in _SAME:
        return [soft]
    return [_with_medial(soft, _CONTRACTED[medial]), apart] if medial in _CONTRACTED else [apart]


def _softened(stem: str) -> str:
    """The stem before a vowel, where an irregular verb changes there."""
    final = _final(stem)
    if final == "ㄷ" and stem in _D_BECOMES_L:
        return _with_final(stem, "ㄹ")
    if final == "ㅂ" and stem not in _B_STAYS:
        return f"{_with_final(stem, '')}우"
    if final == "ㅅ" and stem in _S_FALLS:
        return _with_final(stem, "")
    return stem


def _nominal(stem: str, open_: str) -> str:
    return _with_final(stem, "ㄻ") if _final(stem) == "ㄹ" else _with_final(open_, "ㅁ")


def _consonant(stem: str) -> bool:
    """Whether endings behind it need 으."""
    return _final(stem) not in ("", "ㄹ")


def _parts(syllable: str) -> tuple[int, int, int]:
    code = ord(syllable) - _FIRST
    return code // 588, code // 28 % 21, code % 28


def _final(word: str) -> str:
    return _FINALS[_parts(word[-1])[2]]


def _medial(word: str) -> str:
    return _MEDIALS[_parts(word[-1])[1]]


def _with_final(word: str, final: str) -> str:
    initial, medial, _old = _parts(word[-1])
    return f"{word[:-1]}{chr(_FIRST + (initial * 21 + medial) * 28 + _FINALS.index(final))}"


def _with_medial(word: str, medial: str) -> str:
    initial, _, final = _parts(word[-1])
    return f"{word[:-1]}{chr(_FIRST + (initial * 21 + _MEDIALS.index(medial)) * 28 + final)}"

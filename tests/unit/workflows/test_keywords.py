"""Keywords in a shot's text: every form of a word, and never a part of another word."""

from __future__ import annotations

import pytest

from apps.workflows.keywords import find, parse_keywords
from apps.workflows.keywords.english import forms as english_forms
from apps.workflows.keywords.korean import forms as korean_forms
from apps.workflows.shipped_recommendations import SHIPPED

ENGLISH = ["run", "pan", "fall", "wind", "drift", "slow motion", "close-up"]


@pytest.mark.parametrize(
    "text",
    [
        "A drunk man looks out of the window",
        "A brunette by a waterfall",
        "a pair of pants",
        "a paned window and a run-down house",
        "The pants of a brunette, drunk at the window by the waterfall",
    ],
)
def test_a_part_of_a_word_is_no_keyword(text: str) -> None:
    assert find(text, ENGLISH) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She runs.", ["runs"]),
        ("RUNNING through the hall, he ran", ["RUNNING", "ran"]),
        ("in slow motion", ["slow motion"]),
        ("a close-up; the camera pans", ["close-up", "pans"]),
        ("leaves drifting, falling, fallen", ["drifting", "falling", "fallen"]),
    ],
)
def test_english_words_are_found_in_all_their_forms(text: str, found: list[str]) -> None:
    assert [match.text for match in find(text, ENGLISH)] == found


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("dance", "dances dancing danced"),
        ("fly", "flies flying flew flown"),
        ("stop", "stops stopping stopped"),
        ("travel", "travelling traveling travelled"),
        ("die", "dies dying died"),
        ("chase", "chases chasing chased"),
        ("crash", "crashes crashing crashed"),
    ],
)
def test_english_forms(word: str, forms: str) -> None:
    assert set(forms.split()) <= english_forms(word)


def test_a_word_marked_as_exact_has_no_other_form() -> None:
    assert find("two pans, one pan", ["=pan"])[0].text == "pan"
    assert [match.text for match in find("바다가 바다했다 바다", ["=바다"])] == ["바다가", "바다"]


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        (
            "달리다",
            "달리는 달린다 달려 달렸다 달리며 달리고 달려서 달려가는 달려온다 달려나왔다 달리면서 달립니다",
        ),
        ("달리다", "달려라 달려들었다 달리기를 달릴 달리던 달리자마자 달리신다"),
        ("뛰다", "뛰어내렸다 뛰어나간다 뛰어넘는다 뛰어나왔다"),
        (
            "뛰다",
            "뛰는 뛴다 뛰어 뛰었다 뛰며 뛰어간다 뛰어오른다 뛰어올랐다 뛰어든다",
        ),
        (
            "폭발",
            "폭발 폭발한다 폭발하는 폭발했다 폭발이 폭발을 폭발하며 폭발해",
        ),
        ("폭발", "폭발로 폭발된 폭발음이 폭발시킨다"),
        ("날다", "난다 날아간다 날아오른다 날며 날았다 납니다"),
        ("걷다", "걷는다 걸어 걸었다 걸으며 걸을 걸어간다"),
        ("눕다", "눕는다 누워 누웠다 누우며 누운"),
        ("흐르다", "흐른다 흘러 흘러내린다 흘렀다"),
        ("춤추다", "춤춘다 춤춰 춤췄다 춤추었다"),
        ("짓다", "짓는다 지어 지으며 지었다"),
        ("싸우다", "싸운다 싸워 싸웠다 싸우며"),
        ("따르다", "따라 따랐다 따라간다"),
        ("말하다", "말한다 말해 말했다 말하여 말합니다"),
    ],
)
def test_korean_words_are_known_in_their_inflected_forms(word: str, forms: str) -> None:
    known = korean_forms(word)
    assert [form for form in forms.split() if form not in known] == []


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("뛰다", "뛰어난 뛰어나다 뛰어나게 뛰어나고 뛰어났다"),
        ("달리다", "달리 달력 달라 달라진다 달려있다 달걀 매달린다"),
        ("폭발", "폭발적인 폭발적으로 폭발물 폭발력 대폭발"),
        ("날다", "날씨 날개 나라 날카로운"),
        ("걷다", "거리 걷잡을"),
    ],
)
def test_korean_words_that_only_begin_alike_are_others(word: str, others: str) -> None:
    known = korean_forms(word)
    assert [other for other in others.split() if other in known] == []


def test_korean_is_found_in_a_sentence_whatever_stands_around_it() -> None:
    text = "뛰어난 배우가 평소와 달리 “달린다!” 그때, 폭발이 일어난다."
    assert [(m.keyword, m.text) for m in find(text, ["달리다", "뛰다", "폭발"])] == [
        ("달리다", "달린다"),
        ("폭발", "폭발이"),
    ]


def test_what_is_written_as_an_exception_is_no_match() -> None:
    bell = "방울이 달린 모자가 벽에 달려 있다. 개가 달려 나온다"
    found = find(bell, ["달리다"], exceptions=["달린", "달려 있*"])
    assert [match.text for match in found] == ["달려"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is a running gag, a dry run", []),
        ("Climbing plants on the wall", []),
        ("a running gag, then he is running", ["running"]),
        ("the dry run runs late", ["runs"]),
        ("running", ["running"]),
        ("그는 달린 뒤 쉰다. 문에 달린 종", ["달린 뒤"]),
        ("폭발해버린다", ["폭발해버린다"]),
    ],
)
def test_an_exception_bars_what_it_covers_wherever_the_keyword_stands_in_it(
    text: str, found: list[str]
) -> None:
    keywords = ["run", "climb", "달리다", "달린 뒤", "폭발"]
    exceptions = ["running gag*", "dry run", "climbing plant*", "달린", "*", ""]
    assert [match.text for match in find(text, keywords, exceptions=exceptions)] == found


@pytest.mark.parametrize(
    "text",
    [
        "He does not run.",
        "She doesn’t even run",
        "Nobody runs",
        "그는 달리지 않는다",
        "달리지는 못한다",
        "소녀가 안 뛴다",
        "뛰지 마",
    ],
)
def test_what_the_text_denies_is_marked(text: str) -> None:
    assert [match.denied for match in find(text, ["run", "달리다", "뛰다"])] == [True]


def test_a_negation_ends_with_its_sentence() -> None:
    assert not find("She is not here. A boy runs.", ["run"])[0].denied
    assert not find("아니, 안. 달린다", ["달리다"])[0].denied


def test_a_phrase_of_several_korean_words_has_forms_of_its_last() -> None:
    assert [match.text for match in find("고개를 돌린다", ["고개를 돌리다"])] == ["고개를 돌린다"]


def test_keywords_stand_on_lines_or_between_commas() -> None:
    assert parse_keywords("run, jump\n\n 달리다 \nrun") == ["run", "jump", "달리다"]


def test_a_text_of_any_kind_is_read_without_a_stumble() -> None:
    assert find("\0\ud7a3\u1100ㄱㅏ 힣힣 ½ <b>run</b>" * 2_000, ["run"])[0].text == "run"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A drunk brunette in pants by the window, near a waterfall", set()),
        ("A running gag; running water; climbing plants, a spinning wheel, an empty swimming pool", set()),
        ("the dance floor, a dry run, in the long run, with the engine running", set()),
        ("an explosion of colour, smoke detectors, a burst pipe, 불타는 노을", set()),
        ("달리 방법이 없다. 달력, 이달의 사진, 뛰어난 연기자, 폭발적인 인기, 문에 달린 종", set()),
        ("She climbs and ran", {"climbs", "ran"}),
        ("달린 뒤 뛰쳐나갔다. 대폭발이 일어난다", {"달린 뒤", "뛰쳐나갔다", "대폭발이"}),
    ],
)
def test_the_shipped_rules_find_movement_and_no_lookalikes(text: str, found: set[str]) -> None:
    matches: set[str] = set()
    for rule in SHIPPED:
        keywords = parse_keywords(f"{rule.get('keywords', '')}\n{rule.get('keywords_ko', '')}")
        exceptions = parse_keywords(rule.get("exceptions", ""))
        matches |= {match.text for match in find(text, keywords, exceptions=exceptions)}
    assert matches == found

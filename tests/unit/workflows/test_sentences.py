"""What ``workflows`` says is wrong can be said in Korean: all of it, and with the same facts in it."""

from __future__ import annotations

import ast
import copy
import gettext
import json
import re
from functools import cache
from pathlib import Path

import pytest
from django.utils import translation

import workflows
from apps.workflows.saidwords import as_kept, error_in_words, in_words, kept_in_words
from workflows.convert import to_api
from workflows.errors import CannotConvert, ValueRefused
from workflows.problems import Problem
from workflows.rates import exact_fps
from workflows.wording import Said, said, said_from

LIBRARY = Path(workflows.__file__).parent
CATALOGUE = LIBRARY.parent / "locale" / "ko" / "LC_MESSAGES" / "django.mo"
PLACES = re.compile(r"%\(\w+\)[sd]")


@cache
def korean() -> gettext.GNUTranslations:
    with CATALOGUE.open("rb") as file:
        return gettext.GNUTranslations(file)


def sentences() -> list[str]:
    """Every form that a module of ``workflows`` says, by the underscore that translators look for."""
    found = []
    for path in sorted(LIBRARY.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_":
                assert isinstance(call.args[0], ast.Constant), f"{path}:{call.lineno} hides its sentence"
                found.append(str(call.args[0].value))
    return [*dict.fromkeys(found)]


def test_every_sentence_has_its_korean_with_the_same_facts() -> None:
    forms = sentences()
    assert len(forms) > 250
    told = {form: korean().gettext(form) for form in forms}
    same = {form for form in forms if not re.search(r"[a-z]{3}", PLACES.sub("", form))}
    assert [form for form in forms if told[form] == form and form not in same] == []
    assert [form for form in forms if set(PLACES.findall(form)) != set(PLACES.findall(told[form]))] == []


def problem_of(document: object) -> Problem:
    with pytest.raises(CannotConvert) as refused:
        to_api(document, {})
    return refused.value.problems[0]


def test_a_problem_names_its_node_in_korean_too_and_stays_english_for_the_command_line() -> None:
    graph = {"7": {"class_type": "VAE Decode", "inputs": {"samples": ["9", 0]}}}
    problem = problem_of(graph)
    assert str(problem) == (
        "Node 7 (VAE Decode): 'samples' is linked to node 9, which the file does not have."
    )
    with translation.override("ko"):
        assert in_words(problem.message) == (
            "노드 7(VAE Decode): 'samples'이(가) 파일에 없는 노드 9에 연결되어 있습니다."
        )


def test_what_is_kept_of_a_problem_is_said_in_the_language_of_whoever_reads_it_later() -> None:
    problem = problem_of({"3": {"class_type": "X", "inputs": {"seed": float("nan")}}})
    row = json.loads(json.dumps(as_kept(problem), allow_nan=False))
    assert kept_in_words(row) == row["message"]
    with translation.override("ko"):
        assert kept_in_words(row) == "노드 3(X): 'seed'에 숫자가 아닌 nan이(가) 들어 있습니다."
        assert kept_in_words({"message": "Kept by an earlier release."}) == "Kept by an earlier release."


def test_what_is_wrong_with_a_value_and_what_would_be_right_are_said_in_korean() -> None:
    with pytest.raises(ValueRefused) as refused, translation.override("ko"):
        exact_fps("-5")
    with translation.override("ko"):
        assert error_in_words(refused.value).startswith("프레임 속도가 아닙니다; 24, 23.976")


def test_a_sentence_survives_being_copied_and_kept_and_writes_into_no_terminal() -> None:
    told = said("%(node)s holds %(count)s.", node=said("Node %(id)s", id="\x1b[31m5"), count=2)
    assert told == "Node ?[31m5 holds 2."
    assert copy.deepcopy(told).params == told.params
    again = said_from(json.loads(json.dumps(told.as_json())))
    assert isinstance(again, Said)
    assert (again, again.form) == (told, told.form)
    assert said_from("just a text") is None
    assert said("100% of %s") == "100% of %s"

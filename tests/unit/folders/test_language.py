"""Path templates: what they write they read back; what is wrong has its place; no bad name comes out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.folders.language.fields import FIELDS, Value
from apps.folders.language.names import LONGEST_PATH, fold, why_not
from apps.folders.language.parsing import parse
from apps.folders.language.template import Template, TemplateError, Unwritable

CODES = st.from_regex(r"\A[A-Z0-9]{1,6}(-[A-Z0-9]{1,4})?\Z").filter(lambda code: why_not(code) is None)
WORDS = st.from_regex(r"\A[a-z0-9]{1,6}\Z")
NUMBERS = st.integers(min_value=0, max_value=99999)
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "project": st.from_regex(r"\A[A-Z][A-Z0-9]{1,7}\Z").filter(lambda code: why_not(code) is None),
    "episode": CODES,
    "sequence": CODES,
    "shot": CODES,
    "character": CODES,
    "location": CODES,
    "stage": WORDS,
    "version": NUMBERS,
    "take": NUMBERS,
    "frame": NUMBERS,
    "ext": WORDS,
    "suffix": WORDS,
    "date": st.dates().map(lambda day: day.isoformat()),
}


def written(template: Template, values: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name in template.fields}


@st.composite
def templates(draw: st.DrawFn) -> str:
    """Names of fields and text put together at random: most of them can be understood."""
    text = st.sampled_from(["_", "_v", "x_", ".", "편집_", "__"])
    field = st.sampled_from([*FIELDS, "version:03", "take:4", "shot:lower", "episode?"]).map(
        lambda name: f"{{{name}}}"
    )
    group = st.builds("[_{}]".format, field)
    name = st.lists(st.one_of(text, field, group), min_size=1, max_size=4).map("".join)
    return "/".join(draw(st.lists(name, min_size=1, max_size=3)))


@given(templates(), st.fixed_dictionaries(VALUES), st.sets(st.sampled_from(["episode", "suffix"])))
def test_what_a_template_writes_it_reads_back(
    source: str, values: dict[str, Value], left_out: set[str]
) -> None:
    try:
        template = parse(source)
    except TemplateError as refused:
        assert 1 <= refused.column <= len(source) + 1
        return
    said = {name: value for name, value in values.items() if name not in left_out}
    try:
        path = template.write(said)
    except Unwritable:
        return
    assert len(path) <= LONGEST_PATH
    assert all(why_not(name) is None for name in path.split("/"))
    assert template.read(path) == written(template, said)


def test_the_published_file_of_the_design_is_written_and_read() -> None:
    template = parse(
        "{project}/{episode?}/scenes/{sequence}/shots/{shot}/render/v{version:03}/"
        "{shot}_render_v{version:03}[_{suffix}].{ext}"
    )
    values: dict[str, Value] = {
        "project": "FROST",
        "sequence": "SQ010",
        "shot": "SH0040",
        "version": 3,
        "ext": "mp4",
    }
    path = template.write(values)
    assert path == "FROST/scenes/SQ010/shots/SH0040/render/v003/SH0040_render_v003.mp4"
    assert template.read(path) == values
    of_episode = values | {"episode": "EP02", "suffix": "02", "version": 1234}
    path = template.write(of_episode)
    assert path == "FROST/EP02/scenes/SQ010/shots/SH0040/render/v1234/SH0040_render_v1234_02.mp4"
    assert template.read(path) == of_episode


def test_a_path_whose_parts_do_not_agree_is_none_of_the_templates() -> None:
    template = parse("{project}/{shot}/v{version:03}/{shot}_v{version:03}.{ext}")
    assert template.read("FROST/SH0010/v003/SH0010_v003.png") is not None
    assert template.read("FROST/SH0010/v003/SH0020_v003.png") is None
    assert template.read("FROST/SH0010/v003/SH0010_v0003.png") is None
    assert template.read("FROST/SH0010/v003") is None


@pytest.mark.parametrize(
    ("source", "column", "words"),
    [
        ("", 1, "write a path"),
        ("/mnt/{project}", 1, "begins with a name"),
        ("C:/{project}", 1, "begins with a name"),
        ("{project}\\{shot}", 1, "/ between names"),
        ("{project}//{shot}", 11, "a name is missing"),
        ("{project}/../{shot}", 11, "“..”"),
        ("{project}/{shto}", 11, "did you mean shot?"),
        ("{project}/{shot", 11, "never closed"),
        ("{project}/shot}", 15, "closes nothing"),
        ("{project}/[_{suffix", 11, "never closed"),
        ("{project}/{shot}[{suffix}]", 17, "some text and then one field"),
        ("{project}/[_{suffix}]{shot}", 11, "may not begin with a part"),
        ("{project}/{shot}{stage}", 17, "shot and stage touch"),
        ("{project}/{shot}-{take}", 17, "can stand inside shot"),
        ("{project}/v{version}0", 21, "can stand inside version"),
        ("{project}/{shot}[_{suffix}]_{take}", 28, "begins like what follows"),
        ("{project}/{shot:03}", 11, "codes take :lower"),
        ("{project}/{version:lower}", 11, "numbers take :03"),
        ("{episode?}/{sequence?}", 12, "only one folder"),
        ("{project}/CON", 11, "Windows keeps this name"),
        ("{project}/render ", 11, "ends with a dot or a space"),
        ("{project}/render.", 11, "ends with a dot or a space"),
        ("{project}/what?", 11, "Windows takes no ?"),
        ("{project}/a\x07b", 11, "cannot be seen"),
        ("{project}/a\u202eb", 11, "cannot be seen"),
        ("{project}/" + "x" * 81, 11, "at most 80 fit"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_with_its_column(source: str, column: int, words: str) -> None:
    with pytest.raises(TemplateError) as refused:
        parse(source)
    assert words in str(refused.value)
    assert refused.value.column == column


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"shot": "../../etc"}, "“../../etc” cannot be the shot"),
        ({"shot": "A/B"}, "cannot be the shot"),
        ({"shot": "sh0010"}, "cannot be the shot"),
        ({"shot": "SH0010\n"}, "cannot be the shot"),
        ({"shot": "COM1"}, "Windows keeps this name"),
        ({"shot": "NUL"}, "Windows keeps this name"),
        ({"shot": ""}, "there is no shot"),
        ({"shot": "S" * 81}, "at most 80 fit"),
    ],
)
def test_values_that_make_no_safe_path_are_refused_in_words(values: dict[str, Value], words: str) -> None:
    with pytest.raises(Unwritable) as refused:
        parse("{project}/shots/{shot}").write({"project": "FROST", **values})
    assert words in str(refused.value)


def test_a_path_that_windows_could_not_open_is_too_long() -> None:
    template = parse("{project}/" + "/".join(["a" * 60] * 3) + "/{shot}")
    assert template.write({"project": "FROST", "shot": "SH0010"})
    with pytest.raises(Unwritable, match="at most 200 fit"):
        template.write({"project": "FROST", "shot": "S" * 20})


@pytest.mark.parametrize("name", ["aux", "Con.txt", "lpt9.tar.gz", "COM¹", "conin$", "nul ", "PRN"])
def test_names_of_windows_devices_are_refused_whatever_their_case_and_ending(name: str) -> None:
    assert why_not(name) is not None


def test_names_that_some_disk_cannot_tell_apart_fold_to_one() -> None:
    korean = "편집"
    assert fold("Edit") == fold("eDIT")
    assert fold(unicodedata.normalize("NFD", korean)) == fold(korean)
    assert "NFD" in str(why_not(unicodedata.normalize("NFD", korean)))
    assert why_not(korean) is None

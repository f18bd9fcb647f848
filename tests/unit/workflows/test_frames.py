"""A shot's length in rendered frames and back: exact for every rate and every rule."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.conforming import Conform, Length, conform, length_from
from workflows.errors import ValueRefused
from workflows.frames import before_interpolation, interpolated, joined, longest, render_frames, split
from workflows.manifest import FrameRule
from workflows.rates import exact_fps, fps_text

WAN = FrameRule(multiple=4, plus=1, minimum=5, maximum=81)
LTX = FrameRule(multiple=8, plus=1, minimum=9, maximum=257)
NTSC_FILM = Fraction(24000, 1001)

USUAL = st.sampled_from(
    ["12", "15", "16", "23.976", "24", "25", "29.97", "30", "48", "50", "59.94", "60"]
).map(exact_fps)
ANY_RATE = st.one_of(
    USUAL,
    st.fractions(min_value=Fraction(1, 2), max_value=240, max_denominator=1001),
)
COUNTS = st.integers(1, 3_000)


@st.composite
def rules(draw: st.DrawFn) -> FrameRule:
    """Any rule that allows at least one count."""
    multiple = draw(st.integers(1, 16))
    plus = draw(st.integers(0, multiple))
    minimum = draw(st.integers(1, 40))
    first = minimum + (plus - minimum) % multiple
    return FrameRule(multiple, plus, minimum, first + draw(st.integers(0, 600)))


@st.composite
def lengths(draw: st.DrawFn) -> Length:
    handles = st.integers(0, 24)
    return Length(draw(COUNTS), draw(ANY_RATE), draw(handles), draw(handles))


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        (23.976, NTSC_FILM),
        ("23.98", NTSC_FILM),
        (23.97, NTSC_FILM),
        (24000 / 1001, NTSC_FILM),
        ("24000/1001", NTSC_FILM),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (47.952, Fraction(48000, 1001)),
        (119.88, Fraction(120000, 1001)),
        (24.0, Fraction(24)),
        ("24.00", Fraction(24)),
        (12, Fraction(12)),
        (12.5, Fraction(25, 2)),
        (23.9, Fraction(239, 10)),
        (29.5, Fraction(59, 2)),
        (Fraction(16), Fraction(16)),
    ],
)
def test_a_rate_is_the_fraction_that_it_stands_for(written: str | float | Fraction, exact: Fraction) -> None:
    assert exact_fps(written) == exact
    assert exact_fps(fps_text(exact)) == exact


@pytest.mark.parametrize(
    "written", ["", "fast", "0", "-24", "nan", "inf", "1e999999999", "24/0", "1/2/3", "0/7"]
)
def test_what_is_no_rate_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueRefused, match=r"fps: .* is no frame rate; give a number"):
        exact_fps(written)


@pytest.mark.parametrize(
    ("frames", "fps", "rule", "rate", "rendered"),
    [
        (120, "24", WAN, 16, 81),
        (121, "24", WAN, 16, 81),
        (48, "23.976", WAN, 16, 33),
        (1, "24", WAN, 16, 5),
        (48, "24", LTX, 24, 49),
        (49, "24", LTX, 24, 49),
        (50, "24", LTX, 24, 57),
        (100, "59.94", LTX, 24, 41),
        # 81 frames of film are one more at 24 than at 24000/1001 within a thousandth of a frame
        (81, "23.976", FrameRule(1, 0, 1, 999), 24, 82),
        (1000, "23.976", FrameRule(1, 0, 1, 9999), NTSC_FILM, 1000),
    ],
)
def test_the_fewest_legal_frames_that_cover_a_shot(
    frames: int, fps: str, rule: FrameRule, rate: int | Fraction, rendered: int
) -> None:
    assert render_frames(Length(frames, exact_fps(fps)), rule, Fraction(rate)).rendered == rendered


def test_handles_are_rendered_on_both_sides() -> None:
    length = Length(48, Fraction(24), head=8, tail=4)
    chosen = render_frames(length, WAN, Fraction(16))
    assert (length.total, chosen.rendered, chosen.start, chosen.end) == (60, 41, 0, 40)


def test_film_from_a_16_fps_model_repeats_every_third_frame() -> None:
    assert render_frames(Length(9, Fraction(24)), WAN, Fraction(16)).mapping() == [0, 1, 1, 2, 3, 3, 4, 5, 5]


def test_half_way_between_two_frames_the_earlier_is_shown() -> None:
    half = Conform(Length(6, Fraction(24)), rendered=3, rate=Fraction(12))
    assert half.mapping() == [0, 0, 1, 1, 2, 2]


def test_a_clip_at_the_rate_of_the_film_is_only_trimmed() -> None:
    told = render_frames(Length(50, NTSC_FILM), LTX, NTSC_FILM)
    assert told.mapping() == list(range(50))
    assert (told.rendered, told.start, told.end, told.untouched) == (57, 0, 50, False)
    assert conform(Length(57, NTSC_FILM), rendered=57, rate=NTSC_FILM).untouched


def test_a_picture_is_held_for_the_whole_shot() -> None:
    held = conform(Length(5, Fraction(24)), rendered=1, rate=Fraction(24), still=True)
    assert (held.mapping(), held.end) == ([0] * 5, 1)


@pytest.mark.parametrize(
    ("frames", "rendered", "rate"), [(48, 33, 16), (20, 17, 16), (48, 49, 24), (1, 5, 16)]
)
def test_a_clip_that_arrives_at_a_picture_is_used_whole(frames: int, rendered: int, rate: int) -> None:
    arrives = Conform(Length(frames, Fraction(24)), rendered, Fraction(rate), whole=True)
    shown = arrives.mapping()
    assert (len(shown), shown[0], arrives.end, arrives.missing) == (frames, 0, rendered, 0)
    assert frames == 1 or shown[-1] == rendered - 1
    assert shown == sorted(shown)
    assert arrives.as_json()["whole"]


def test_a_clip_that_arrives_too_early_is_missing_frames_like_any_other() -> None:
    assert Conform(Length(48, Fraction(24)), 29, Fraction(16), whole=True).missing == 3


def test_the_last_frame_of_an_interpolated_clip_stands_as_long_as_that_it_was_made_from() -> None:
    """14 frames at 25 fps need 9 at 16; of 17 at 32 none begins within half a frame of the shot's last."""
    shot = Length(14, Fraction(25))
    assert Conform(shot, 9, Fraction(16)).mapping()[-1] == 8
    assert Conform(shot, 17, Fraction(32)).missing == 1
    smooth = Conform(shot, 17, Fraction(32), held=1)
    assert (smooth.missing, smooth.end, smooth.mapping()[-1], smooth.as_json()["held"]) == (0, 17, 16, 1)


def test_a_clip_that_was_cut_off_is_short_though_it_was_interpolated() -> None:
    assert Conform(Length(14, Fraction(25)), 15, Fraction(32), held=1).missing == 2


def test_a_clip_that_does_not_cover_the_shot_says_how_many_frames_would() -> None:
    with pytest.raises(
        ValueRefused, match=r"frames: 79 at 16 fps are too few for 121 at 24 fps; .* least 81"
    ):
        conform(Length(121, Fraction(24)), rendered=79, rate=Fraction(16))


def test_a_shot_longer_than_one_clip_is_split_into_clips_that_share_a_frame() -> None:
    length = Length(240, Fraction(24))
    with pytest.raises(ValueRefused, match=r"into 2 clips of 81 \+ 81 frames; one clip holds 121 frames"):
        render_frames(length, WAN, Fraction(16))
    first, second = split(length, WAN, Fraction(16))
    assert (first.frames, first.first, first.end, first.drop) == (81, 0, 81, 0)
    assert (second.frames, second.first, second.end, second.drop) == (81, 80, 161, 1)
    assert conform(length, rendered=joined((first, second)), rate=Fraction(16)).end == 160


def test_single_frames_make_no_chain() -> None:
    with pytest.raises(ValueRefused, match="cannot be joined of clips of 1 frames"):
        split(Length(10, Fraction(24)), FrameRule(1, 0, 1, 1), Fraction(24))


def test_a_rule_without_a_legal_count_is_refused() -> None:
    with pytest.raises(ValueRefused, match="allows no frame count"):
        longest(FrameRule(multiple=8, plus=1, minimum=2, maximum=8))


def test_interpolation_puts_frames_between_those_there_are() -> None:
    assert interpolated(81, Fraction(16), 2) == (161, Fraction(32))
    told = render_frames(Length(48, Fraction(24)), WAN, Fraction(16), times=3)
    assert (told.rendered, told.rate, before_interpolation(told.rendered, 3)) == (97, Fraction(48), 33)


def test_a_conform_is_data_that_json_holds() -> None:
    length = Length(48, NTSC_FILM, head=2, tail=1)
    told = render_frames(length, WAN, Fraction(16))
    data = json.loads(json.dumps(told.as_json()))
    assert data["wanted"] == {"frames": 48, "head": 2, "tail": 1, "fps": "24000/1001", "total": 51}
    assert (data["trim"], data["speed"]) == ({"in": 0, "out": 35}, "1001/1500")
    assert length_from(data["wanted"]) == length


def _as_the_shot(told: Conform) -> None:
    """What holds for every conform."""
    shown = told.mapping()
    assert len(shown) == told.length.total, "exactly the shot's frames"
    assert shown == sorted(shown), "time runs forwards"
    assert shown[0] == 0
    assert shown[-1] < told.end <= told.rendered, "only frames that were rendered"
    for frame, source in enumerate(shown):
        apart = abs(Fraction(source) / told.rate - frame / told.length.fps)
        assert apart <= 1 / (2 * told.rate) or source == told.end - 1
        assert apart < 1 / told.rate


@settings(max_examples=150, deadline=None)
@given(length=lengths(), rule=rules(), rate=ANY_RATE, times=st.integers(1, 4))
def test_one_clip_is_legal_covers_the_shot_and_is_the_shortest_that_does(
    length: Length, rule: FrameRule, rate: Fraction, times: int
) -> None:
    try:
        told = render_frames(length, rule, rate, times=times)
    except ValueRefused:
        most, pace = interpolated(longest(rule), rate, times)
        assert most / pace < length.seconds, "refused only if the longest clip is too short"
        return
    made = before_interpolation(told.rendered, times)
    legal = [n for n in range(rule.minimum, rule.maximum + 1) if (n - rule.plus) % rule.multiple == 0]
    covering = [n for n in legal if ((n - 1) * times + 1) / (rate * times) >= length.seconds]
    assert made == covering[0]
    assert told.rendered / told.rate >= length.seconds
    assert told.end - 1 < length.seconds * told.rate <= told.end, "trimmed to what covers it, no frame more"
    _as_the_shot(told)


@settings(max_examples=100, deadline=None)
@given(length=lengths(), rate=ANY_RATE, times=st.integers(2, 4))
def test_a_clip_that_covers_a_shot_covers_it_interpolated_too_and_shows_the_same_moments(
    length: Length, rate: Fraction, times: int
) -> None:
    plain = render_frames(length, FrameRule(1, 0, 1, 10**9), rate)
    frames, pace = interpolated(plain.rendered, rate, times)
    smooth = Conform(length, frames, pace, held=times - 1)
    assert (smooth.missing, smooth.end <= frames) == (0, True)
    for frame in (0, length.total // 2, length.total - 1):
        apart = abs(smooth.source(frame) / pace - frame / length.fps)
        assert apart <= 1 / (2 * pace) or smooth.source(frame) == frames - 1
        assert apart < 1 / rate


@settings(max_examples=100, deadline=None)
@given(length=lengths(), rule=rules(), rate=ANY_RATE)
def test_a_chain_of_clips_covers_any_shot_with_as_few_as_can_be(
    length: Length, rule: FrameRule, rate: Fraction
) -> None:
    try:
        chain = split(length, rule, rate)
    except ValueRefused:
        assert longest(rule) == 1 or length.seconds * rate > 900
        return
    assert all(rule.next_legal(one.frames) == one.frames <= rule.maximum for one in chain)
    assert [one.first for one in chain[1:]] == [one.end - 1 for one in chain[:-1]], "one frame shared"
    assert sum(one.frames - one.drop for one in chain) == joined(chain)
    most = longest(rule)
    assert (len(chain) - 1) * (most - 1) + 1 < length.at(rate) or len(chain) == 1, (
        "one clip fewer is too short"
    )
    _as_the_shot(conform(length, rendered=joined(chain), rate=rate))


SVI = FrameRule(multiple=8, plus=5, minimum=13, maximum=157)


@pytest.mark.parametrize("fps", ["24", "23.976", "25", "29.97", "30", "12.5", "59.94", "16"])
@pytest.mark.parametrize("times", [1, 2])
def test_frames_that_repeat_the_clip_before_are_rendered_and_left_out_for_every_rate(
    fps: str, times: int
) -> None:
    length, rate = Length(61, exact_fps(fps), head=3, tail=2), Fraction(16)
    told = render_frames(length, SVI, rate, times=times, overlap=5)
    plain = Conform(length, told.rendered, rate * times)
    shown = told.mapping()
    assert (told.start, shown[0]) == (5 * times, 5 * times), "nothing of what is repeated"
    assert [frame - told.start for frame in shown] == plain.mapping(), "else as a clip without it"
    assert max(shown) < told.end <= told.rendered
    assert not told.missing
    assert not told.untouched


def test_what_is_repeated_counts_against_the_longest_clip() -> None:
    fits = Length(152, Fraction(16))
    assert render_frames(fits, SVI, Fraction(16), overlap=5).rendered == 157
    with pytest.raises(ValueRefused, match="one clip holds 152 frames"):
        render_frames(Length(153, Fraction(16)), SVI, Fraction(16), overlap=5)


def test_a_clip_that_repeats_too_much_to_cover_the_shot_says_what_is_missing() -> None:
    assert Conform(Length(40, Fraction(16)), 41, Fraction(16), skip=5).missing == 4


@pytest.mark.parametrize(
    "rate", [Fraction(50, 3), Fraction(72000, 1001), Fraction(24000, 1001), Fraction(100, 3), Fraction(25, 2)]
)
def test_a_rate_that_was_reckoned_as_a_float_is_the_fraction_it_was(rate: Fraction) -> None:
    assert exact_fps(float(rate)) == rate
    assert exact_fps("16.667") == Fraction(16667, 1000), "what a person types is what it says"


@pytest.mark.parametrize("fps", ["24", "23.976", "25", "29.97", "30", "59.94", "16"])
@pytest.mark.parametrize("chain", [(2,), (2, 2), (3,), (3, 2)])
@pytest.mark.parametrize("rate", [Fraction(16), Fraction(24000, 1001), Fraction(50, 3)])
def test_a_clip_that_continues_another_and_is_interpolated_shows_the_nearest_moment_and_ends_with_the_shot(
    fps: str, chain: tuple[int, ...], rate: Fraction
) -> None:
    length = Length(37, exact_fps(fps))
    told = render_frames(length, SVI, rate, overlap=5)
    frames, skip, held, pace, times = told.rendered, told.skip, 0, float(rate), math.prod(chain)
    for each in chain:  # as one job after the other has it, its rate a float
        frames, skip, held, pace = (frames - 1) * each + 1, skip * each, (held + 1) * each - 1, pace * each
    smooth = Conform(length, frames, exact_fps(pace), skip=skip, held=held)
    begins = {number: (Fraction(number, times) - 5) / rate for number in range(5 * times, frames)}
    used = [number for number, at in begins.items() if at < length.seconds]
    assert (smooth.start, smooth.end, smooth.missing) == (used[0], used[-1] + 1, 0)
    assert smooth.mapping() == [
        min(used, key=lambda number: (abs(begins[number] - at), number))
        for at in (frame / length.fps for frame in range(length.total))
    ]

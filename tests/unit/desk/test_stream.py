"""What readers of the stream find in memory, and what entries of it look like."""

from __future__ import annotations

import json

from apps.common.news import MISSED, News, from_fields, to_fields
from apps.desk.stream.readers import Rights
from apps.desk.stream.ring import Bulletin, Ring, as_text, place_in
from apps.desk.stream.subjects import Change


def ring(*places: int, most: int = 100) -> Ring:
    made = Ring(most=most)
    made.add([Bulletin((place, 0), ()) for place in places])
    return made


def test_a_place_is_written_as_redis_writes_it_and_anything_else_is_none() -> None:
    assert place_in(as_text((1732651200000, 7))) == (1732651200000, 7)
    for text in ("", "7", "a-b", "1-", "-1", "1-1-1", "٣-0", "9" * 50 + "-0"):
        assert place_in(text) is None


def test_a_reader_finds_what_follows_its_place_in_order() -> None:
    made = ring(10, 20, 30)
    assert [one.place[0] for one in made.after((10, 0))] == [20, 30]
    assert [one.place[0] for one in made.after((15, 3))] == [20, 30]
    assert made.after(made.last) == []
    assert made.after((99, 0)) == []


def test_old_bulletins_go_and_whoever_stood_there_has_missed_something() -> None:
    made = ring(*range(10, 15), most=2)
    assert not made.reaches((12, 0))
    assert made.reaches((13, 0))
    assert [one.place[0] for one in made.after((13, 0))] == [14]


def test_a_page_drawn_after_the_last_news_has_missed_nothing() -> None:
    assert ring(10).reaches((99, 0))
    assert Ring(first=(10, 0)).reaches((10, 0))
    assert not Ring(first=(10, 0)).reaches((9, 5))


def test_an_entry_is_read_as_it_was_written() -> None:
    news = [News("job", "", ("a", "b")), News("shot", "film", ("c",)), News("farm", "", ())]
    fields = {str(name): str(text) for name, text in to_fields(news).items()}
    assert from_fields(fields) == news


def test_what_is_no_entry_says_that_something_is_missing() -> None:
    missed = [News(MISSED, "", ())]
    for text in ("", "nonsense", "7", "[7]", '[["job"]]', json.dumps([["job", "", 7]]), "[" * 100_000):
        assert from_fields({"news": text}) == missed
    assert from_fields({}) == missed


def test_rights_cover_own_projects_the_farm_only_for_those_who_see_it_and_missing_news_for_all() -> None:
    own, other, farm = (
        Change("job", "own", ("a",)),
        Change("job", "other", ("b",)),
        Change("node", "", ("c",)),
    )
    member, guest = Rights(frozenset({"own"}), farm=True), Rights()
    assert [member.cover(one) for one in (own, other, farm)] == [True, False, True]
    assert [guest.cover(one) for one in (own, other, farm)] == [False, False, False]
    assert all(Rights(everything=True).cover(one) for one in (own, other, farm))
    assert guest.cover(Change(MISSED, "", ()))

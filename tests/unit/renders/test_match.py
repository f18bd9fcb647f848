"""Each free seat is given the best job for it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.nodes.models import Pool
from apps.projects.models import Project
from apps.renders.models import Priority
from apps.renders.scheduling.fronts import STARVATION
from apps.renders.scheduling.match import AFFINITY, Limits, Pick
from apps.workflows.models import WorkflowTemplate
from farm.tiers import TIERS_GB
from tests.unit.renders.farm_on_paper import Farm, in_hand, lane, node


def names(picks: list[Pick]) -> list[str]:
    return [pick.seat.name for pick in picks]


def test_a_higher_class_goes_first_whatever_its_age() -> None:
    old, urgent = lane(age_s=600, jobs=3), lane(rank=Priority.URGENT)
    first, *_rest = Farm([node(8)], [old, urgent]).match()
    assert first.waiting is urgent


def test_within_a_class_the_older_job_goes_first() -> None:
    young, old = lane(age_s=0), lane(age_s=AFFINITY.total_seconds() + 1)
    first, second = Farm([node(8)], [young, old]).match()
    assert (first.waiting, second.waiting) == (old, young)


def test_a_job_that_waits_beyond_the_bound_goes_before_a_high_one() -> None:
    starved = lane(rank=Priority.LOW, age_s=STARVATION.total_seconds() + 1)
    high = lane(rank=Priority.HIGH, jobs=2)
    first, *_rest = Farm([node(8)], [high, starved]).match()
    assert first.waiting is starved


def test_those_beyond_the_bound_take_a_quarter_of_the_seats_at_most() -> None:
    starved = lane(rank=Priority.LOW, age_s=STARVATION.total_seconds() + 1, jobs=100)
    high = lane(rank=Priority.HIGH, jobs=100)
    picks = Farm([node(8, f"n{i}") for i in range(20)], [high, starved]).match()
    taken = Counter(pick.waiting is starved for pick in picks)
    assert 1 <= taken[True] <= len(picks) / 4


def test_an_old_backlog_takes_a_quarter_of_the_seats_that_become_free_one_by_one() -> None:
    backlog = lane(age_s=STARVATION.total_seconds() + 1, jobs=100)
    high = lane(rank=Priority.HIGH, jobs=100)
    gpu = node(8)
    farm = Farm([gpu], [backlog, high], held=[in_hand(gpu, high)])
    taken = Counter[bool]()
    for _render in range(20):  # a seat becomes free with each
        backlog.oldest = backlog.heads[0]
        [pick] = farm.match()
        taken[pick.waiting is backlog] += 1
    assert taken == {True: 5, False: 15}


def test_urgent_work_goes_before_one_that_waits_beyond_the_bound() -> None:
    starved = lane(rank=Priority.LOW, age_s=STARVATION.total_seconds() + 1)
    urgent = lane(rank=Priority.URGENT)
    first, *_rest = Farm([node(8)], [starved, urgent]).match()
    assert first.waiting is urgent


def test_two_equal_projects_share_the_seats_however_much_one_of_them_wants() -> None:
    flood, other = Project(code="FLOOD", weight=100), Project(code="OTHER", weight=100)
    lanes = [lane(project=flood, jobs=100, age_s=50), lane(project=other, jobs=100)]
    picks = Farm([node(8, f"n{i}") for i in range(10)], lanes).match()
    assert Counter(pick.waiting.lane.project.code for pick in picks) == {"FLOOD": 10, "OTHER": 10}


def test_three_times_the_weight_is_three_times_the_seats() -> None:
    heavy, light = Project(code="HEAVY", weight=300), Project(code="LIGHT", weight=100)
    lanes = [lane(project=light, jobs=100, age_s=50), lane(project=heavy, jobs=100)]
    picks = Farm([node(8, f"n{i}") for i in range(8)], lanes).match()
    assert Counter(pick.waiting.lane.project.code for pick in picks) == {"HEAVY": 12, "LIGHT": 4}


def test_a_project_that_used_the_farm_all_day_gets_less_of_it_now() -> None:
    busy, fresh = Project(code="BUSY", weight=100), Project(code="FRESH", weight=100)
    lanes = [lane(project=busy, jobs=100, age_s=50), lane(project=fresh, jobs=100)]
    farm = Farm([node(8, f"n{i}") for i in range(10)], lanes, used={busy.pk: 1_000_000.0})
    taken = Counter(pick.waiting.lane.project.code for pick in farm.match())
    assert taken["BUSY"] * 3 < taken["FRESH"], taken
    assert taken["BUSY"] > 0, "it is not starved"


def test_the_first_renders_of_a_day_do_not_turn_shares_around() -> None:
    begun, fresh = Project(code="BEGUN", weight=100), Project(code="FRESH", weight=100)
    lanes = [lane(project=begun, jobs=100, age_s=50), lane(project=fresh, jobs=100)]
    farm = Farm([node(8, f"n{i}") for i in range(10)], lanes, used={begun.pk: 60.0})
    taken = Counter(pick.waiting.lane.project.code for pick in farm.match())
    assert taken.total() == 20
    assert taken["BEGUN"] >= 9, "a minute of use is no use"


def test_a_project_alone_gets_everything() -> None:
    picks = Farm([node(8, f"n{i}") for i in range(5)], [lane(jobs=100)]).match()
    assert len(picks) == 10


def test_loaded_models_are_preferred_and_the_order_goes_to_that_node() -> None:
    warm, cold = node(24, "warm", resident=["unet/a"]), node(24, "cold")
    [pick] = Farm([cold, warm], [lane(24, models=["unet/a"])]).match()
    assert (pick.seat.name, pick.warm) == ("warm", True)
    assert pick.road.queue == "node.warm.e1"


def test_a_node_goes_on_with_what_it_has_loaded() -> None:
    gpu = node(24, resident=["unet/a"])
    other, same = lane(24, models=["unet/b"], age_s=10), lane(24, models=["unet/a"], jobs=2)
    assert [pick.waiting for pick in Farm([gpu], [other, same]).match()] == [same, same]


def test_loaded_models_overtake_by_two_minutes_at_most() -> None:
    gpu = node(24, resident=["unet/a"])
    other = lane(24, models=["unet/b"], age_s=AFFINITY.total_seconds() + 1)
    same = lane(24, models=["unet/a"])
    first, *_rest = Farm([gpu], [other, same]).match()
    assert first.waiting is other


def test_loaded_models_never_overtake_a_higher_class() -> None:
    gpu = node(24, resident=["unet/a"])
    high, same = lane(24, models=["unet/b"], rank=Priority.HIGH), lane(24, models=["unet/a"])
    first, *_rest = Farm([gpu], [high, same]).match()
    assert first.waiting is high


def test_empty_nodes_are_shared_out_by_the_work_there_is() -> None:
    much, little = lane(24, models=["unet/a"], jobs=60), lane(24, models=["unet/b"], jobs=20)
    picks = Farm([node(24, f"n{i}") for i in range(8)], [much, little]).match()
    started = Counter(next(iter(pick.waiting.models)) for pick in picks[:8])
    assert started == {"unet/a": 6, "unet/b": 2}


def test_with_several_models_about_no_order_is_left_to_whoever_listens() -> None:
    """Who becomes free before it is taken may hold the other one."""
    lanes = [lane(24, models=[f"unet/{name}"], jobs=20) for name in "ab"]
    picks = Farm([node(24, f"n{i}") for i in range(4)], lanes).match()
    assert {pick.road.queue for pick in picks} == {f"node.n{i}.e1" for i in range(4)}
    by_node = {(pick.seat.name, *pick.waiting.models) for pick in picks}
    assert len(by_node) == 4, "what is staged needs what renders before it"


def test_with_one_model_about_cold_nodes_take_what_comes() -> None:
    picks = Farm([node(24, f"n{i}") for i in range(4)], [lane(24, models=["unet/a"], jobs=20)]).match()
    assert {pick.road.queue for pick in picks[:4]} == {"vram.24"}


def test_a_small_job_leaves_the_large_card_to_a_large_one() -> None:
    small, large = lane(8, age_s=5), lane(48)
    picks = Farm([node(48, "big"), node(8, "little")], [small, large]).match()
    assert {(pick.seat.name, pick.tier_gb) for pick in picks} == {("little", 8), ("big", 48)}


def test_a_pinned_job_goes_to_its_node_alone() -> None:
    chosen = node(24, "chosen")
    picks = Farm([node(24, "other"), chosen], [lane(pinned_to=chosen, jobs=5)]).match()
    assert names(picks) == ["chosen", "chosen"]


def test_a_job_for_a_pool_stays_in_it() -> None:
    paint = Pool(name="paint")
    picks = Farm([node(24, "in", pool=paint), node(24, "out")], [lane(pool=paint, jobs=5)]).match()
    assert set(names(picks)) == {"in"}


def test_a_dedicated_pool_takes_only_jobs_that_ask_for_it() -> None:
    mine = Pool(name="mine", dedicated=True)
    assert Farm([node(24, pool=mine)], [lane()]).match() == []


def test_an_open_pool_takes_everybodys_jobs() -> None:
    assert len(Farm([node(24, pool=Pool(name="any"))], [lane()]).match()) == 1


def test_tags_are_all_asked_for() -> None:
    both, one = node(24, "both", tags="fast\nnvlink"), node(24, "one", tags="fast")
    picks = Farm([both, one], [lane(tags="fast\nnvlink", jobs=5)]).match()
    assert set(names(picks)) == {"both"}


def test_a_blocked_pair_is_left_alone_and_others_go_on() -> None:
    bad, good = node(24, "bad"), node(24, "good")
    work = lane(jobs=5)
    picks = Farm([bad, good], [work], blocks={work.template_id: {bad.pk}}).match()
    assert set(names(picks)) == {"good"}


def test_a_node_on_trial_gets_one_order_by_name_and_others_take_the_rest() -> None:
    tried, good = node(24, "tried"), node(24, "good")
    work = lane(jobs=5)
    picks = Farm([tried, good], [work], trials={work.template_id: {tried.pk}}).match()
    assert Counter(names(picks)) == {"tried": 1, "good": 2}
    assert {pick.road.node_id for pick in picks} == {tried.pk, good.pk}, "whoever listens might be the one"


def test_a_node_on_trial_that_has_its_order_gets_no_second() -> None:
    tried, work = node(24, "tried"), lane(jobs=5)
    trials = {work.template_id: {tried.pk}}
    assert not Farm([tried], [work], held=[in_hand(tried, work)], trials=trials).match()
    other = lane(template=WorkflowTemplate(slug="other"))
    assert names(Farm([tried], [work, other], held=[in_hand(tried, work)], trials=trials).match()) == [
        "tried"
    ]


def test_a_limit_holds_for_all_its_templates_together() -> None:
    kling, other = WorkflowTemplate(slug="kling"), WorkflowTemplate(slug="kling2")
    limits = Limits(left={"kling": 3})
    limits.of[kling.pk] = limits.of[other.pk] = ["kling"]
    lanes = [lane(template=kling, jobs=5), lane(template=other, jobs=5), lane(jobs=1)]
    picks = Farm([node(8, f"n{i}") for i in range(10)], lanes, limits=limits).match()
    assert sum(pick.waiting.template_id in (kling.pk, other.pk) for pick in picks) == 3
    assert len(picks) == 4


farms = st.lists(st.tuples(st.sampled_from(TIERS_GB), st.integers(0, 2)), min_size=1, max_size=6)
work = st.lists(
    st.tuples(
        st.sampled_from((0.0, 6.0, 11.5, 20.2, 34.6, 90.0)),
        st.integers(0, 6),
        st.sampled_from([choice.value for choice in Priority]),
        st.integers(0, 20_000),
        st.integers(0, 2),
        st.sampled_from(("", "a", "b")),
        st.booleans(),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(farm=farms, jobs=work, most=st.integers(0, 4))
def test_whatever_waits_nothing_is_given_where_it_does_not_fit(
    farm: list[tuple[int, int]], jobs: list[tuple[float, int, int, int, int, str, bool]], most: int
) -> None:
    projects = [Project(code=f"P{i}", weight=100 * (i + 1)) for i in range(3)]
    limited = WorkflowTemplate(slug="limited")
    limits = Limits(left={"few": most})
    limits.of[limited.pk] = ["few"]
    nodes = [node(tier) for tier, _held in farm]
    other = lane()
    taken = {gpu.pk: count for gpu, (_tier, count) in zip(nodes, farm, strict=True)}
    held = [in_hand(gpu, other) for gpu in nodes for _ in range(taken[gpu.pk])]
    lanes = [
        lane(
            need,
            jobs=count,
            rank=rank,
            age_s=age,
            project=projects[which],
            models=[f"unet/{model}"] if model else [],
            template=limited if scarce else None,
        )
        for need, count, rank, age, which, model, scarce in jobs
    ]
    asked = {each.lane.pk: len(each.heads) for each in lanes}
    picks = Farm(nodes, lanes, held=held, limits=limits).match()
    _nothing_below_need(picks)
    _no_job_twice(picks)
    _never_more_than_two(picks, taken)
    assert sum(pick.waiting.template_id == limited.pk for pick in picks) <= most
    _no_more_than_wait(picks, asked)


def _nothing_below_need(picks: list[Pick]) -> None:
    for pick in picks:
        assert pick.waiting.tier_gb is not None
        assert pick.seat.tier_gb >= pick.waiting.tier_gb == pick.tier_gb


def _no_job_twice(picks: list[Pick]) -> None:
    assert len({pick.head.job_id for pick in picks}) == len(picks)


def _never_more_than_two(picks: list[Pick], held: dict[UUID, int]) -> None:
    bound = Counter(pick.road.node_id for pick in picks if pick.road.node_id is not None)
    assert all(count + held[node_id] <= 2 for node_id, count in bound.items())
    assert len(picks) <= sum(2 - count for count in held.values())


def _no_more_than_wait(picks: list[Pick], asked: dict[UUID, int]) -> None:
    taken = Counter(pick.waiting.lane.pk for pick in picks)
    assert all(count <= asked[key] for key, count in taken.items())


@given(waits=st.lists(st.integers(0, 3_000), min_size=2, max_size=12))
def test_in_one_class_nobody_is_overtaken_by_one_who_came_much_later(waits: list[int]) -> None:
    lanes = [lane(24, age_s=wait, models=[f"unet/{wait % 3}"]) for wait in waits]
    gpu = node(24, resident=["unet/0"])
    first, *_rest = Farm([gpu], lanes).match()
    oldest = max(timedelta(seconds=wait) for wait in waits)
    waited = timedelta(seconds=next(w for w, each in zip(waits, lanes, strict=True) if each is first.waiting))
    assert oldest - waited <= AFFINITY


@given(
    farm=st.lists(st.sampled_from(TIERS_GB), min_size=1, max_size=6), need=st.sampled_from((6.0, 20.2, 90.0))
)
def test_no_seat_stays_empty_beside_a_job_it_could_run(farm: list[int], need: float) -> None:
    waiting = lane(need, jobs=20)
    picks = Farm([node(tier) for tier in farm], [waiting]).match()
    assert len(picks) == sum(2 for tier in farm if tier >= (waiting.tier_gb or 0))

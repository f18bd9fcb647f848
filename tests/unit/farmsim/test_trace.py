from __future__ import annotations

from itertools import pairwise

from tests.farmsim import strikes, trace
from tests.farmsim.models import by_file, models, templates
from workflows.bind import bind, need_gb
from workflows.validate import check_manifest


def arrivals(seed: int) -> list[trace.Order]:
    return trace.arrivals(jobs=100, over_s=30, seed=seed, pace=0.01, projects=("A", "B"))


def test_the_same_seed_makes_the_same_trace() -> None:
    assert arrivals(7) == arrivals(7) != arrivals(8)
    assert trace.mixed(jobs=50, seed=7) == trace.mixed(jobs=50, seed=7) != trace.mixed(jobs=50, seed=8)


def test_a_trace_orders_as_many_jobs_as_asked_in_order_of_time() -> None:
    orders = arrivals(7)
    assert sum(order.count for order in orders) == 100
    assert all(first.at <= second.at for first, second in pairwise(orders))
    assert {order.project for order in orders} == {"A", "B"}


def test_strikes_are_spread_over_the_run_and_lasting_ones_come_first() -> None:
    names = ["broker flushed", "clock jump", "ticker killed", "node death"]
    planned = strikes.plan(names, seed=7)
    assert sorted(strike.name for strike in planned) == sorted(names)
    assert {strike.name for strike in planned[:2]} == {"clock jump", "node death"}
    assert planned == strikes.plan(reversed(names), seed=7)
    assert all(first.share < second.share for first, second in pairwise(planned))


def test_every_model_of_the_table_has_a_template_that_needs_what_the_table_declares() -> None:
    made = {template.slug: template for template in templates()}
    assert made.keys() == models().keys()
    for slug, model in models().items():
        assert not list(check_manifest(made[slug]))
        assert need_gb(made[slug], width=model.width, height=model.height).gb == model.tier_gb
        graph = bind(made[slug], {"positive": "a girl", "seed": 1}, filename_prefix="x").graph
        files = {
            value for node in graph.values() for value in node["inputs"].values() if isinstance(value, str)
        }
        assert files & by_file().keys() == {model.file}


def test_a_model_fits_the_tier_it_declares() -> None:
    assert all(model.weights_gb <= model.peak_gb <= model.tier_gb for model in models().values())

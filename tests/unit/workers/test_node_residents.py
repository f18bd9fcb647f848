"""The node's book of the model files that ComfyUI holds."""

from __future__ import annotations

from typing import Any

from farm.contracts import Capabilities
from workers.catalogue import Catalogue
from workers.residents import MOST, Residents

CATALOGUE = Catalogue(
    capabilities=Capabilities(classes=(), models={"checkpoints": ("a", "b", "c"), "loras": ("noir",)}),
    sizes={"checkpoints/a": 6, "checkpoints/b": 6, "checkpoints/c": 6, "loras/noir": 1},
)


def graph(*names: str) -> dict[str, Any]:
    """A graph that loads these checkpoints."""
    return {name: {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": name}} for name in names}


def played(*prompts: tuple[str, tuple[str, ...]]) -> Residents:
    """A book after prompts, each a checkpoint with what ComfyUI had cached."""
    book = Residents()
    for name, cached in prompts:
        book.begin("p", graph(name), CATALOGUE)
        book.cached(cached)
    return book


def test_what_prompts_loaded_is_told_in_the_order_of_its_last_use() -> None:
    book = played(("a", ()), ("b", ()), ("a", ("a",)))
    lora = {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "lora_name": "noir"}}
    book.begin("p", {**graph("c"), "2": lora}, CATALOGUE)

    assert book.told() == ("checkpoints/b", "checkpoints/a", "checkpoints/c", "loras/noir")


def test_a_comfyui_that_loads_anew_what_the_last_but_one_prompt_had_remembers_one_prompt_only() -> None:
    assert played(("a", ()), ("b", ())).told() == ("checkpoints/a", "checkpoints/b"), "not known yet"

    assert played(("a", ()), ("b", ()), ("a", ())).told() == ("checkpoints/a",)
    assert played(("a", ()), ("b", ()), ("a", ()), ("c", ())).told() == ("checkpoints/c",)


def test_one_that_is_seen_to_remember_more_is_believed_again() -> None:
    forgetful = [("a", ()), ("b", ()), ("a", ())]
    with_lru = [*forgetful, ("b", ("b",)), ("c", ())]

    assert played(*with_lru).told() == ("checkpoints/b", "checkpoints/c")


def test_a_probe_drives_models_out_of_a_comfyui_that_remembers_one_prompt() -> None:
    book = played(("a", ()), ("b", ()), ("a", ()))

    book.probed()

    assert book.told() == ()


def test_a_freed_comfyui_holds_nothing() -> None:
    book = played(("a", ()))

    book.clear()

    assert (book.told(), book.prompt_id) == ((), "")


def test_what_surely_cannot_fit_any_more_is_not_told() -> None:
    book = played(("a", ()), ("b", ()), ("c", ()))

    book.fit_into(13)
    assert book.told() == ("checkpoints/b", "checkpoints/c")

    book.fit_into(None)
    assert len(book.told()) == 3


def test_a_report_does_not_grow_without_bound() -> None:
    names = tuple(f"m{number}" for number in range(2 * MOST))
    many = Catalogue(capabilities=Capabilities(classes=(), models={"loras": names}))
    book = Residents()

    book.begin("p", graph(*names), many)

    assert book.told() == tuple(f"loras/{name}" for name in names[-MOST:])

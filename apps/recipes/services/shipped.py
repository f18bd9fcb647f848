"""The recipes that come with a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS

from apps.recipes.spec import Gate, StepSpec


@dataclass(frozen=True)
class Shipped:
    """One recipe, by its slug."""

    slug: str
    title: str
    title_ko: str
    about: str
    about_ko: str
    steps: tuple[StepSpec, ...]

    @property
    def facts(self) -> dict[str, Any]:
        """The row's columns."""
        return {
            "title": self.title,
            "title_ko": self.title_ko,
            "about": self.about,
            "about_ko": self.about_ko,
            "builtin": True,
        }


_KEYFRAME: Final = StepSpec(template="flux_t2i", takes=4, gate=Gate.APPROVAL)
_CLIP: Final = StepSpec(template="wan22_i2v", gate=Gate.APPROVAL)

SHIPPED: Final = (
    Shipped(
        "keyframe_clip",
        "Keyframe, then clip",
        "키프레임, 그다음 클립",
        "Four keyframes by FLUX.1; the approved one becomes a clip by WAN 2.2.",
        "FLUX.1로 키프레임 네 개를 만들고, 승인된 것으로 WAN 2.2 클립을 만듭니다.",
        (_KEYFRAME, _CLIP),
    ),
    Shipped(
        "keyframe_draft",
        "Draft keyframe, then clip",
        "초안 키프레임, 그다음 클립",
        "Four quick keyframes by Stable Diffusion 1.5 for an 8 GB card; the approved one becomes a clip.",
        "8GB 카드용 Stable Diffusion 1.5로 빠른 키프레임 네 개를 만들고, 승인된 것을 클립으로 만듭니다.",
        (StepSpec(template="sd15_t2i", takes=4, gate=Gate.APPROVAL), _CLIP),
    ),
    Shipped(
        "keyframe_final",
        "Keyframe to final",
        "키프레임에서 최종본까지",
        "Keyframe, approval, clip, approval, then interpolation and upscale by themselves.",
        "키프레임, 승인, 클립, 승인, 그다음 프레임 보간과 업스케일이 저절로 이어집니다.",
        (
            _KEYFRAME,
            _CLIP,
            StepSpec(template="rife_interpolate"),
            StepSpec(template="esrgan_upscale", gate=Gate.APPROVAL),
        ),
    ),
)


def ship(*, apps: Apps, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Write the recipes of this release; called after every migrate, and harmless twice.

    A recipe nobody edited (its version is 0) follows the release; an edited one, and whether one is offered,
    stays as it is. A template that is not there is told where the recipe is shown.
    """
    if "recipe" not in apps.all_models["recipes"]:
        return  # migrated back to before there were recipes
    recipes = apps.get_model("recipes", "Recipe")._default_manager.using(using)
    steps = apps.get_model("recipes", "RecipeStep")._default_manager.using(using)
    known = {row.slug: row for row in recipes.filter(slug__in=[one.slug for one in SHIPPED])}
    for shipped in SHIPPED:
        row = known.get(shipped.slug) or recipes.create(slug=shipped.slug, **shipped.facts)
        if row.row_version != 0:
            continue
        recipes.filter(pk=row.pk).update(**shipped.facts)
        told = [spec.as_json() for spec in shipped.steps]
        names = list(told[0])
        if list(steps.filter(recipe_id=row.pk).order_by("position").values(*names)) == told:
            continue
        steps.filter(recipe_id=row.pk).delete()
        for place, step in enumerate(told):
            steps.create(recipe_id=row.pk, position=place, **step)

"""The pages of the preset library: categories, presets, what projects say instead, looks, rules."""

from apps.presets.admin.library import (
    CinematicPresetAdmin,
    LookAdmin,
    PresetCategoryAdmin,
    PresetOverrideAdmin,
    PresetRuleAdmin,
)

__all__ = [
    "CinematicPresetAdmin",
    "LookAdmin",
    "PresetCategoryAdmin",
    "PresetOverrideAdmin",
    "PresetRuleAdmin",
]

"""For each shipped rule a shot that breaks it, and one much like it that does not.

Written as words: ``category/preset``, ``time=night``, ``weather=rain``, ``setting=interior``, ``year=1900``,
``kind=image``; ``+led`` is a studio's own preset with that parameter.
"""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, str]]] = {
    "no-sun-at-night": ("lighting_style/hard-sun time=midnight", "lighting_style/hard-sun time=day"),
    "day-preset-at-night": ("time_of_day/midday time=night", "time_of_day/night-exterior time=night"),
    "night-preset-by-day": ("time_of_day/night-interior time=day", "time_of_day/midday time=day"),
    "golden-hour-means-low-sun": (
        "time_of_day/midday time=golden_hour",
        "time_of_day/golden-hour time=golden_hour",
    ),
    "blue-hour-has-no-sun": (
        "time_of_day/blue-hour lighting_style/hard-sun",
        "time_of_day/blue-hour lighting_style/low-key",
    ),
    "dusk-is-not-morning": ("time=dusk time_of_day/morning", "time=dusk time_of_day/sunset"),
    "dawn-is-not-evening": ("time=dawn time_of_day/sunset", "time=dawn time_of_day/dawn"),
    "no-moonlight-by-day": ("light_source/moonlight time=day", "light_source/moonlight time=night"),
    "clouds-hide-the-moon": ("light_source/moonlight weather=rain", "light_source/moonlight weather=sunny"),
    "high-key-at-night": (
        "lighting_style/high-key time_of_day/night-interior",
        "lighting_style/high-key time_of_day/morning",
    ),
    "flames-are-not-high-key": (
        "light_source/candlelight lighting_style/high-key",
        "light_source/candlelight lighting_style/chiaroscuro",
    ),
    "no-hard-sun-under-clouds": (
        "lighting_style/hard-sun weather=overcast",
        "lighting_style/hard-sun weather=sunny",
    ),
    "no-clear-sky-in-the-wet": ("weather/clear weather=rain", "weather/clear weather=sunny"),
    "no-wet-in-the-sun": ("weather/heavy-rain weather=sunny", "weather/heavy-rain weather=rain"),
    "snow-is-not-rain": ("weather=snow weather/light-rain", "weather=snow weather/snowfall"),
    "night-exterior-indoors": (
        "setting=interior time_of_day/night-exterior",
        "setting=interior time_of_day/night-interior",
    ),
    "night-interior-outdoors": (
        "setting=exterior time_of_day/night-interior",
        "time_of_day/night-interior",
    ),
    "no-weather-indoors": ("setting=interior weather/snowfall", "setting=exterior weather/snowfall"),
    "window-light-outdoors": (
        "setting=exterior lighting_style/soft-window",
        "setting=interior lighting_style/soft-window",
    ),
    "no-drone-indoors": ("setting=interior camera_support/drone", "setting=exterior camera_support/drone"),
    "long-lens-indoors": (
        "setting=interior lens_focal/300mm-long-lens",
        "setting=interior lens_focal/135mm-tele",
    ),
    "no-neon-before-1912": ("light_source/neon year=1911", "light_source/neon year=1912"),
    "no-tungsten-before-1904": ("light_source/tungsten year=1890", "light_source/tungsten"),
    "no-fluorescent-before-1938": (
        "light_source/fluorescent year=1920",
        "light_source/fluorescent year=1950",
    ),
    "no-sodium-before-1932": (
        "light_source/sodium-street-lamps year=1931",
        "light_source/sodium-street-lamps year=1932",
    ),
    "no-screen-before-1936": ("light_source/screen-glow year=1930", "light_source/screen-glow year=2030"),
    "no-led-before-2002": ("+led year=1999", "+led year=2003"),
    "old-times-have-no-electric-light": (
        "era/joseon-period light_source/neon",
        "era/joseon-period light_source/candlelight",
    ),
    "present-and-future-are-not-before-1990": ("era/near-future year=1950", "era/near-future year=2040"),
    "joseon-years": ("era/joseon-period year=1950", "era/joseon-period year=1750"),
    "medieval-years": ("era/medieval-european year=1800", "era/medieval-european year=1200"),
    "silent-era-years": ("era/silent-era year=1960", "era/silent-era year=1924"),
    "decade-of-1950s": ("era/1950s-studio year=2001", "era/1950s-studio year=1955"),
    "decade-of-1970s": ("era/1970s-new-wave year=2001", "era/1970s-new-wave year=1973"),
    "decade-of-1980s": ("era/1980s year=1960", "era/1980s year=1986"),
    "decade-of-1990s": ("era/1990s-video year=1970", "era/1990s-video year=1995"),
    "camcorder-before-1983": (
        "stock_format/camcorder-tape year=1975",
        "stock_format/camcorder-tape year=1990",
    ),
    "dolly-zoom-off-the-dolly": (
        "camera_movement/dolly-zoom camera_support/tripod",
        "camera_movement/dolly-zoom camera_support/steadicam-glide",
    ),
    "dolly-zoom-needs-a-dolly": ("camera_movement/dolly-zoom", "camera_movement/dolly-zoom +dolly"),
    "locked-off-stands-still": (
        "camera_movement/locked-off camera_support/handheld",
        "camera_movement/locked-off camera_support/tripod",
    ),
    "cranes-do-not-stand-on-shoulders": (
        "camera_movement/crane-up camera_support/handheld",
        "camera_movement/crane-up camera_support/drone",
    ),
    "tripods-do-not-travel": (
        "camera_support/tripod camera_movement/orbit",
        "camera_support/tripod camera_movement/pan-left",
    ),
    "aerials-need-height": (
        "camera_angle/aerial camera_support/tripod",
        "camera_angle/aerial camera_support/drone",
    ),
    "whip-pans-are-fast": (
        "camera_movement/whip-pan frame_rate_shutter/slow-motion",
        "camera_movement/whip-pan frame_rate_shutter/narrow-shutter",
    ),
    "rack-focus-needs-blur": (
        "camera_movement/rack-focus depth_of_field/deep-focus",
        "camera_movement/rack-focus depth_of_field/shallow-focus",
    ),
    "movement-is-not-in-pictures": (
        "camera_movement/pan-left kind=image",
        "camera_movement/pan-left kind=video",
    ),
    "streaks-need-an-anamorphic-lens": (
        "lens_filter/streak-flare lens_focal/35mm",
        "lens_filter/streak-flare lens_focal/anamorphic-40mm",
    ),
    "anamorphic-is-wide": (
        "lens_focal/anamorphic-40mm aspect_ratio/1-1-square",
        "lens_focal/anamorphic-40mm aspect_ratio/2-39-1-scope",
    ),
    "macro-sees-details": (
        "lens_focal/100mm-macro shot_size/wide-shot",
        "lens_focal/100mm-macro shot_size/insert",
    ),
    "ultra-wide-faces-bend": (
        "lens_focal/14mm-ultra-wide shot_size/close-up",
        "lens_focal/24mm-wide shot_size/close-up",
    ),
    "long-lenses-are-not-deep": (
        "depth_of_field/deep-focus lens_focal/300mm-long-lens",
        "depth_of_field/deep-focus lens_focal/24mm-wide",
    ),
    "groups-do-not-fit-an-eye": (
        "coverage/two-shot shot_size/extreme-close-up",
        "coverage/two-shot shot_size/medium-shot",
    ),
    "symmetry-is-not-thirds": (
        "composition/centred-symmetry composition/rule-of-thirds",
        "composition/centred-symmetry composition/negative-space",
    ),
    "silhouettes-have-no-face": (
        "lighting_style/silhouette shot_size/close-up",
        "lighting_style/silhouette shot_size/wide-shot",
    ),
    "noir-is-black-and-white": (
        "medium_style/film-noir colour_palette/pastel",
        "medium_style/film-noir colour_palette/monochrome",
    ),
    "grey-is-not-three-strip": (
        "colour_palette/sepia stock_format/three-strip-colour",
        "colour_palette/pastel stock_format/three-strip-colour",
    ),
    "on-twos-is-animation": (
        "frame_rate_shutter/on-twos-animation medium_style/photoreal-live-action",
        "frame_rate_shutter/on-twos-animation medium_style/cel-animation",
    ),
    "silent-film-is-not-digital": (
        "era/silent-era stock_format/camcorder-tape",
        "era/silent-era stock_format/8mm-home-movie",
    ),
    "calm-and-threat": ("mood/serene mood/ominous", "mood/serene mood/hopeful"),
}

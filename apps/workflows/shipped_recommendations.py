"""The recommendation rules that come with a release.

They begin where the prototype's analyser did (large movement, small movement, stylised pictures, else a
still), with whole words, in two languages, and with what a shot is besides its text.
"""

from __future__ import annotations

from typing import Any, Final

from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS

_TEXTS: Final = ("keywords", "keywords_ko", "exceptions", "camera_moves", "recipe")
_LARGE = """\
run, sprint, jump, leap, chase, fight, dance, gallop, flee, dive, tumble, crash, collide, punch,
climb, spin, swim, stumble, wrestle, sword fight, somersault"""
_LARGE_KO = """\
달리다, 달린 뒤, 달린 후, 달린 다음, 뛰다, 뛰쳐나가다, 뛰쳐나오다, 뛰놀다, 달아나다,
도망치다, 쫓다, 쫓기다, 싸우다, 춤추다, 춤을 추다, 점프, 질주, 추격, 던지다,
부딪치다, 부딪히다, 넘어지다, 쓰러지다, 기어오르다, 날아가다, 날아오르다, 헤엄치다, 휘두르다, 돌진,
격투, 전투"""
_NO_MOVEMENT = """\
running gag*, running joke*, running time*, running total*, running order*, running water,
running shoe*, running late, running low, engine running, engine is running, run out of, runs out of,
ran out of, running out of, in the long run, home run*, dry run*, test run*, climbing plant*,
climbing rose*, climbing vine*, climbing ivy, climbing frame*, climbing wall*, spinning wheel*,
spin class*, jump rope, jumping rope, jump cut*, jump scare*, swimming pool*, swimming trunks,
swimming costume*, dance floor*, dance hall*, dance studio*, dance school*, dancing shoe*, punching bag*,
punch line*, punch bowl*, fruit punch, diving board*, diving suit*, dive bar*, fighting chance,
fight club*, crash helmet*, crash pad*, crash course*, leap year*, leap of faith,
달린, 달린다면, 달려 있*, 달려있*, 뛰어 난*"""
_NO_FORCE = """\
explosion of colour*, explosion of color*, population explosion, bursting with, burst pipe*, burn rate*,
burnt sienna, smoke alarm*, smoke detector*, smoking room*, smoking jacket*, smoked salmon, smoked glass,
storm drain*, storm lantern*, flood light*, blast from the past, blast furnace*, 연기자, 연기를 한*,
불타는 노을*, 불타는 석양*"""
_SMALL = """\
breathe, blink, sway, drift, flicker, tremble, gaze, stare, smile, nod, sigh, shiver, ripple,
whisper, glance, glow, linger, =slow pan, =camera pans, =panning, slow zoom, slow push-in"""
_SMALL_KO = """\
숨쉬다, 숨을 쉬다, 깜빡이다, 흔들리다, 떨리다, 떨다, 바라보다, 응시, 미소, 미소를 짓다, 웃다,
고개를 끄덕이다, 끄덕이다, 한숨, 속삭이다, 일렁이다, 반짝이다, 흩날리다, 서 있다, 앉아 있다"""
_FORCE = """\
explode, explosion, erupt, eruption, blast, burn, shatter, collapse, avalanche, tidal wave, flood,
storm, smoke, burst"""
_FORCE_KO = """\
폭발, 대폭발, 터지다, 폭파, 분출, 불타다, 타오르다, 무너지다, 붕괴, 산산조각, 눈사태,
해일, 홍수, 폭풍"""
_STYLE = """\
watercolor, watercolour, anime, cartoon, oil painting, painterly, sketch, woodblock, comic,
claymation, stylized, stylised, pixel art, ink wash, storybook"""
_STYLE_KO = """\
수채화, 애니메이션, 만화, 유화, 스케치, 목판화, 수묵화, 점토, 픽셀 아트, 동화풍, 그림책"""
_MOVES = """\
slow-push-in, pull-back-reveal, pan-left, pan-right, tilt-up, tilt-down, truck-left, truck-right,
follow, lead, orbit, crane-up, crane-down, dolly-zoom, whip-pan"""


_large: Final[dict[str, Any]] = {"keywords": _LARGE, "keywords_ko": _LARGE_KO, "exceptions": _NO_MOVEMENT}
_small: Final[dict[str, Any]] = {
    "keywords": _SMALL,
    "keywords_ko": _SMALL_KO,
    "exceptions": "glowing review*, smile emoji*, ripple effect*, drift wood, drifted apart, nodding off",
}
_force: Final[dict[str, Any]] = {
    "keywords": _FORCE,
    "keywords_ko": _FORCE_KO,
    "exceptions": _NO_FORCE,
}
_style: Final[dict[str, Any]] = {
    "keywords": _STYLE,
    "keywords_ko": _STYLE_KO,
    "exceptions": "comic relief, comic timing, 유화 물감*",
}

_COLUMNS: Final = ("slug", "template", "weight", "name", "name_ko", "reason", "reason_ko", "asks")
_ROWS: Final[tuple[tuple[Any, ...], ...]] = (
    (
        "large-movement-performed",
        "wan_animate",
        40,
        "Large movement of a character",
        "인물의 큰 동작",
        "A performed movement drives the character: it stays the same person while it moves fast",
        "연기한 동작이 인물을 움직이므로 빠르게 움직여도 같은 인물로 남습니다",
        {**_large, "min_characters": 1},
    ),
    (
        "large-movement",
        "wan22_i2v",
        30,
        "Large movement",
        "큰 동작",
        "Large movement needs a model that knows how bodies move",
        "큰 동작에는 몸의 움직임을 아는 모델이 필요합니다",
        _large,
    ),
    (
        "force-of-nature",
        "wan22_i2v",
        25,
        "Explosions, fire, water",
        "폭발, 불, 물",
        "What bursts, burns or floods is movement of its own",
        "터지고 타고 밀려오는 것은 그 자체로 움직임입니다",
        _force,
    ),
    (
        "force-without-a-picture",
        "wan22_t2v",
        20,
        "Explosions, without keyframe and cast",
        "폭발, 키프레임과 인물 없이",
        "Nobody's face has to be kept, so no keyframe is needed first",
        "지켜야 할 얼굴이 없으므로 키프레임이 먼저 필요하지 않습니다",
        {**_force, "max_characters": 0, "keyframe": False},
    ),
    (
        "small-movement-long",
        "wan_svi",
        28,
        "Small movement over a long time",
        "긴 시간의 작은 동작",
        "Quiet shots longer than one clip are chained without a seam",
        "한 클립보다 긴 조용한 샷은 이음매 없이 이어집니다",
        {**_small, "min_seconds": 5.0},
    ),
    (
        "small-movement",
        "wan22_i2v",
        15,
        "Small movement",
        "작은 동작",
        "A little movement keeps a keyframe alive",
        "작은 움직임이 키프레임을 살립니다",
        _small,
    ),
    (
        "stylised",
        "ltx2_i2v",
        22,
        "Stylised pictures",
        "양식화된 그림",
        "Drawn and painted looks are kept in movement",
        "그린 듯한 화풍이 움직임 속에서도 유지됩니다",
        _style,
    ),
    (
        "dialogue",
        "ltx2_i2v",
        18,
        "Dialogue",
        "대사",
        "The shot is spoken: picture and sound are made together",
        "대사가 있는 샷: 그림과 소리를 함께 만듭니다",
        {"dialogue": True},
    ),
    (
        "between-two-pictures",
        "wan22_flf",
        12,
        "From the end of the shot before",
        "앞 샷의 끝에서 이어짐",
        "It begins where the shot before it ends, and has a keyframe to arrive at",
        "앞 샷이 끝난 곳에서 시작해 키프레임에 이릅니다",
        {"previous_clip": True, "keyframe": True},
    ),
    (
        "long-shot",
        "wan_svi",
        12,
        "Longer than one clip",
        "한 클립보다 김",
        "The shot is longer than one clip can be",
        "한 클립으로 만들기에는 깁니다",
        {"min_seconds": 5.1},
    ),
    (
        "camera-moves",
        "wan22_i2v",
        10,
        "The camera moves",
        "카메라가 움직임",
        "A camera movement was chosen, so the shot is a clip",
        "카메라 움직임이 선택되었으므로 클립입니다",
        {"camera_moves": _MOVES},
    ),
    (
        "has-keyframe",
        "wan22_i2v",
        4,
        "Has a keyframe",
        "키프레임이 있음",
        "There is a keyframe to start from",
        "시작할 키프레임이 있습니다",
        {"keyframe": True},
    ),
    (
        "several-characters",
        "qwen_edit",
        3,
        "Several characters, no keyframe",
        "여러 인물, 키프레임 없음",
        "Several faces are put into one picture from their references",
        "여러 얼굴을 참조에서 한 그림에 넣습니다",
        {"min_characters": 2, "keyframe": False},
    ),
    (
        "keyframe-first",
        "flux_t2i",
        2,
        "A keyframe first",
        "키프레임부터",
        "Nothing asks for movement yet, and there is no keyframe: begin with a picture",
        "움직임을 요구하는 것이 아직 없고 키프레임도 없으니 그림부터 시작합니다",
        {"keyframe": False},
    ),
    (
        "keyframe-on-a-small-card",
        "sd15_t2i",
        1,
        "A keyframe on a small card",
        "작은 카드에서의 키프레임",
        "A draft picture that every card can make",
        "어느 카드나 만들 수 있는 초안 그림입니다",
        {"keyframe": False},
    ),
)

SHIPPED: Final = tuple({**dict(zip(_COLUMNS[:-1], row[:-1], strict=True)), **dict(row[-1])} for row in _ROWS)


def ship(*, apps: Apps, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Write the rules of this release; called after every migrate, and harmless twice.

    A row nobody edited (its version is 0) follows the release; an edited one, or one of the farm's own that
    has the key of a shipped rule, stays as it is.
    """
    if "recommendationrule" not in apps.all_models["workflows"]:
        return  # migrated back to before there were rules
    rules = apps.get_model("workflows", "RecommendationRule")._default_manager.using(using)
    known = {row.slug: row for row in rules.filter(slug__in=[rule["slug"] for rule in SHIPPED])}
    for rule in SHIPPED:
        facts = {**dict.fromkeys(_TEXTS, ""), **rule, "builtin": True}
        row = known.get(rule["slug"])
        if row is None:
            rules.create(**facts)
        elif (
            row.builtin
            and row.row_version == 0
            and any(getattr(row, name) != value for name, value in facts.items())
        ):
            rules.filter(pk=row.pk, row_version=0).update(**facts)

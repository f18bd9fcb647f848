"""Read manifest.json into the dataclasses of :mod:`workflows.manifest`."""

from __future__ import annotations

from workflows.manifest import (
    KINDS,
    MANIFEST_VERSION,
    MEDIA,
    SAVED,
    SOURCE_KINDS,
    Binding,
    Follows,
    FrameRule,
    Latents,
    License,
    LoraPlace,
    Manifest,
    ModelFile,
    Output,
    Pack,
    Remote,
    Slate,
    Target,
    Timeouts,
    VramRow,
    Without,
)
from workflows.reading import Reader
from workflows.roles import FORMER_ROLES, LATENT, ROLES
from workflows.wording import said as _

MOST_FRAMES_LESS = 100
"""How many frames less than its source a clip may have: models that look at neighbours lose some."""


def parse(document: object) -> Manifest:
    """Read a manifest of version 1; raise :class:`TemplateInvalid` naming the field that is wrong.

    Only the manifest's own form is checked here. Whether it fits its graph is ``validate.check_manifest``.
    """
    return read_manifest(Reader(document, "manifest"))


def read_manifest(reader: Reader) -> Manifest:
    """Take a manifest from a reader, field by field; what is asked of it here is what a manifest is."""
    reads = _("this library reads version %(version)s", version=MANIFEST_VERSION)
    reader.exactly("manifest", MANIFEST_VERSION, _("is not understood"), reads)
    frame_rule = _frame_rule(reader.maybe_part("frame_rule"))
    manifest = Manifest(
        slug=reader.text("slug"),
        version=reader.integer("version", at_least=1),
        title=_translated(reader.part("title")),
        description=_translated(reader.part("description")),
        kind=reader.one_of("kind", KINDS),
        produces=reader.one_of("produces", MEDIA),
        bindings=_bindings(reader, frame_rule),
        defaults=reader.scalars("defaults", FORMER_ROLES),
        outputs=tuple(_output(row) for row in reader.rows("outputs")),
        vram=tuple(_vram_row(row) for row in reader.rows("vram")),
        models=tuple(_model(row) for row in reader.rows("models")),
        timeouts=_timeouts(reader.part("timeouts")),
        dim_step=reader.integer("dim_step", at_least=1, default=1),
        frame_rule=frame_rule,
        native_fps=reader.maybe_number("native_fps"),
        base_model=reader.maybe_text("base_model"),
        slate=_slate(reader.maybe_part("slate")),
        loras=tuple(_lora_place(row) for row in reader.rows("loras")),
        negative_effect=reader.flag("negative_effect") if reader.has("negative_effect") else None,
        license=_license(reader.maybe_part("license")),
        remote=_remote(reader.maybe_part("remote")),
        packs=tuple(_pack(row) for row in reader.rows("packs")),
        follows=_follows(reader.maybe_part("follows")),
        golden=reader.scalars("golden", FORMER_ROLES),
        latents=_latents(reader.maybe_part("latents")),
    )
    reader.finish()
    return manifest


def _bindings(reader: Reader, frame_rule: FrameRule | None) -> dict[str, Binding]:
    bindings = {}
    for name, row in reader.named("bindings", ROLES).items():
        role = FORMER_ROLES.get(name, name)
        if role not in ROLES:
            remedy = _("choose one of %(choices)s", choices=", ".join(ROLES))
            raise row.refused("type", _("belongs to an unknown role"), remedy)
        if role in bindings:
            remedy = _("keep one of %(name)s and %(role)s", name=name, role=role)
            raise row.refused("type", _("binds %(role)s once more", role=role), remedy)
        remedy = _("write %(value)s", value=repr(ROLES[role]))
        row.exactly("type", ROLES[role], _("is not the type of %(role)s", role=role), remedy)
        empty = _("binds nothing") if role != "precision" else None
        bindings[role] = Binding(
            role=role,
            type=ROLES[role],
            targets=tuple(_target(target) for target in row.rows("targets", empty)),
            minimum=row.maybe_number("min"),
            maximum=row.maybe_number("max"),
            choices=row.texts("choices"),
            unit=row.maybe_text("unit"),
            note=row.maybe_text("note"),
            optional=_without(row.maybe_part("optional")),
            overlap=row.integer("overlap", default=0) if role in ("video", LATENT) else 0,
            latents=row.integer("latents", at_least=1) if role == LATENT else 0,
        )
        row.finish()
    if ("frames" in bindings) != (frame_rule is not None):
        remedy = _("bind frames and give a frame_rule")
        raise reader.refused("frame_rule", _("does not match the bindings"), remedy)
    return bindings


def _target(row: Reader) -> Target:
    target = Target(
        node=row.text("node"),
        input=row.text("input"),
        times=row.number("times", 1),
        plus=row.number("plus", 0),
        choices=row.text_map("choices"),
        replaces_link=row.flag("replaces_link"),
    )
    row.finish()
    return target


def _without(row: Reader | None) -> Without | None:
    return None if row is None else read_without(row)


def read_without(row: Reader) -> Without:
    """Take what becomes of a graph without an optional role."""
    relink = {}
    for place in row.rows("relink"):
        relink[place.text("node"), place.text("input")] = place.output("to")
        place.finish()
    without = Without(remove=row.texts("remove"), relink=relink)
    row.finish()
    return without


def _output(row: Reader) -> Output:
    output = Output(node=row.text("node"), kind=row.one_of("kind", SAVED), role=row.text("role"))
    row.finish()
    return output


def _vram_row(row: Reader) -> VramRow:
    vram = VramRow(
        precision=row.text("precision"),
        max_pixels=row.integer("max_pixels", at_least=1),
        max_frames=row.integer("max_frames", at_least=1, default=1),
        gb=row.number("gb"),
        evidence=row.text("evidence"),
        source=row.text("source"),
        source_kind=row.one_of("source_kind", SOURCE_KINDS),
    )
    row.finish()
    return vram


def _model(row: Reader) -> ModelFile:
    model = ModelFile(
        folder=row.text("folder"),
        name=row.text("name"),
        node=row.text("node"),
        input=row.text("input"),
        url=row.maybe_text("url"),
        license_note=row.maybe_text("license_note"),
        precision=row.maybe_text("precision"),
        sha256=row.maybe_sha256("sha256"),
        size=row.integer("size", at_least=1) if row.has("size") else None,
    )
    row.finish()
    return model


def _lora_place(row: Reader) -> LoraPlace:
    place = LoraPlace(
        model=row.output("model"),
        clip=row.output("clip") if row.has("clip") else None,
        expert=row.text("expert", ""),
    )
    row.finish()
    return place


def _translated(row: Reader) -> dict[str, str]:
    texts = {language: row.text(language) for language in ("en", "ko")}
    row.finish()
    return texts


def _timeouts(row: Reader) -> Timeouts:
    timeouts = Timeouts(
        execution_s=row.integer("execution_s", at_least=1), hang_s=row.integer("hang_s", at_least=1)
    )
    row.finish()
    return timeouts


def _frame_rule(row: Reader | None) -> FrameRule | None:
    if row is None:
        return None
    rule = FrameRule(
        multiple=row.integer("multiple", at_least=1),
        plus=row.integer("plus"),
        minimum=row.integer("min", at_least=1),
        maximum=row.integer("max", at_least=1),
    )
    row.finish()
    return rule


def _slate(row: Reader | None) -> Slate | None:
    if row is None:
        return None
    slate = Slate(margin=row.integer("margin"), pieces=row.texts("pieces"))
    row.finish()
    return slate


def _license(row: Reader | None) -> License | None:
    if row is None:
        return None
    terms = License(
        name=row.text("name"),
        url=row.text("url"),
        note=row.maybe_text("note"),
        territory=row.maybe_text("territory"),
    )
    row.finish()
    return terms


def _remote(row: Reader | None) -> Remote | None:
    if row is None:
        return None
    remote = Remote(service=row.text("service"), key=row.text("key"))
    row.finish()
    return remote


def _pack(row: Reader) -> Pack:
    pack = Pack(
        name=row.text("name"),
        repository=row.text("repository"),
        version=row.text("version"),
        classes=row.objects("classes"),
    )
    row.finish()
    return pack


def _latents(row: Reader | None) -> Latents | None:
    if row is None:
        return None
    latents = Latents(
        space=row.text("space"),
        channels=row.integer("channels", at_least=1),
        stride=row.integer("stride", at_least=1),
        scale=row.integer("scale", at_least=1),
    )
    row.finish()
    return latents


def _follows(row: Reader | None) -> Follows | None:
    if row is None:
        return None
    follows = Follows(
        role=row.text("role"),
        frames_times=row.integer("frames_times", at_least=1, default=1),
        frames_plus=row.integer("frames_plus", at_least=-MOST_FRAMES_LESS, default=0),
        fps_times=row.integer("fps_times", at_least=1, default=1),
        size_times=row.number("size_times", 1),
    )
    row.finish()
    return follows

"""What prompts look like over HTTP, and what may be asked of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.strict import OneOf, Strict
from apps.prompts.models import PromptBuild, Spoken


class SegmentSerializer(serializers.Serializer[Any]):
    """A stretch of text: its source, the row and field it comes from, and why it is there, or left out."""

    role = serializers.CharField()
    text = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a Field has attributes of these names
    source_id = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    row = serializers.CharField(allow_blank=True)
    field = serializers.CharField(allow_blank=True)
    language = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True, help_text="a code; reason says it in words")
    reason = serializers.CharField(allow_blank=True)


class TokensSerializer(serializers.Serializer[Any]):
    """An estimate for one text encoder. ``beyond``: what becomes of text over the limit: chunk, pooled,
    trained, refused; "" within it. ``deaf``: it does not know the Korean letters in the text."""

    encoder = serializers.CharField()
    title = serializers.CharField()
    tokens = serializers.IntegerField()
    limit = serializers.IntegerField()
    chunks = serializers.IntegerField()
    beyond = serializers.CharField(allow_blank=True)
    deaf = serializers.BooleanField()
    characters = serializers.BooleanField(help_text="characters are counted, not tokens")
    measured = serializers.BooleanField(help_text="the rate was measured with the encoder's own tokenizer")
    told = serializers.CharField()


class PromptLoraSerializer(serializers.Serializer[Any]):
    """A LoRA that is loaded: its weight in this shot and its trigger words."""

    file = serializers.CharField()
    weight = serializers.FloatField()
    triggers = serializers.ListField(child=serializers.CharField())
    character = serializers.CharField()
    expert = serializers.CharField(allow_blank=True)


class BothTexts(serializers.Serializer[Any]):
    """A positive and a negative text."""

    positive = serializers.CharField(allow_blank=True)
    negative = serializers.CharField(allow_blank=True)


class WordsRunSerializer(serializers.Serializer[Any]):
    """A stretch of text: same, added or removed."""

    what = serializers.CharField()
    text = serializers.CharField()


class WordsSerializer(serializers.Serializer[Any]):
    """From one text to the other, word by word."""

    positive = WordsRunSerializer(many=True)
    negative = WordsRunSerializer(many=True)


class BuildTextSerializer(serializers.Serializer[Any]):
    """A prompt and where every word of it comes from.

    ``negative_ignored``: no_place or by_model where the workflow does not hear negative text.
    ``by_hand``: somebody has written it; ``composed`` is what the composer would have written.
    """

    shot = serializers.CharField()
    channel = serializers.CharField()
    language = serializers.CharField()
    composer = serializers.IntegerField()
    positive = serializers.CharField(allow_blank=True)
    negative = serializers.CharField(allow_blank=True)
    negative_ignored = serializers.CharField(allow_blank=True)
    negative_note = serializers.CharField(allow_blank=True)
    by_hand = serializers.BooleanField()
    composed = BothTexts()
    segments = SegmentSerializer(many=True)
    left_out = SegmentSerializer(many=True)
    loras = PromptLoraSerializer(many=True)
    tokens = TokensSerializer(many=True)
    negative_tokens = TokensSerializer(many=True)
    content_hash = serializers.CharField()


class EditSerializer(serializers.Serializer[Any]):
    """A text by hand; null is left to the composer."""

    channel = serializers.CharField()
    language = serializers.CharField()
    positive = serializers.CharField(allow_null=True)
    negative = serializers.CharField(allow_null=True)
    edited_by = serializers.CharField()
    edited_at = serializers.DateTimeField()
    row_version = serializers.IntegerField()


class ChangeSerializer(serializers.Serializer[Any]):
    """What the shot says otherwise since a text was written by hand."""

    aspect = serializers.CharField()
    told = serializers.CharField()
    was = serializers.ListField(child=serializers.CharField())
    now = serializers.ListField(child=serializers.CharField())


class WarningSerializer(serializers.Serializer[Any]):
    """What to know before it is rendered."""

    field = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    message = serializers.CharField()
    code = serializers.CharField()


class PromptPreviewSerializer(BuildTextSerializer):
    """The prompt as this template would get it now. ``difference``: from the composed to the text by hand."""

    template = serializers.CharField()
    version = serializers.IntegerField()
    edit = EditSerializer(allow_null=True)
    changes = ChangeSerializer(many=True)
    missing_triggers = serializers.ListField(child=serializers.CharField())
    difference = WordsSerializer()
    warnings = WarningSerializer(many=True)


class PreviewRequest(Strict):
    """What to compose; ``composer`` tries out an order of segments in place of the project's."""

    template = serializers.CharField(required=False, allow_blank=True, default="", max_length=50)
    channel = OneOf(choices=Spoken.choices, required=False, default=Spoken.IMAGE)
    language = OneOf(choices=[("en", "en"), ("ko", "ko")], required=False, allow_null=True, default=None)
    composer = serializers.JSONField(required=False, allow_null=True, default=None)


class EditRequest(Strict):
    """A text by hand. Leave one out, or send null, to leave it to the composer."""

    positive = serializers.CharField(required=False, allow_null=True, trim_whitespace=False, allow_blank=True)
    negative = serializers.CharField(required=False, allow_null=True, trim_whitespace=False, allow_blank=True)
    row_version = serializers.IntegerField(
        required=False, default=0, min_value=0, help_text="Of the text you read; 0 if there was none."
    )


class DropRequest(Strict):
    """Give the text back to the composer."""

    row_version = serializers.IntegerField(min_value=0)


class BuildSerializer(serializers.ModelSerializer[PromptBuild]):
    """A prompt that was built, in short."""

    class Meta:
        model = PromptBuild
        fields = (
            "id",
            "channel",
            "language",
            "composer",
            "by_hand",
            "negative_ignored",
            "positive",
            "negative",
            "content_hash",
            "created_at",
        )
        read_only_fields = fields


class BuildDetail(BuildTextSerializer):
    """A prompt that was built, with all it was made of, and the takes made with it."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    takes = serializers.ListField(child=serializers.UUIDField(), help_text="The newest hundred.")


class SegmentChangeSerializer(serializers.Serializer[Any]):
    """A segment (or LoRA) that is the same, added, removed, changed or moved."""

    what = serializers.CharField()
    role = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    was = serializers.CharField(allow_blank=True)
    now = serializers.CharField(allow_blank=True)
    words = WordsRunSerializer(many=True)


class DifferenceSerializer(WordsSerializer):
    """What differs between two builds of a shot. ``facts``: what else, by name: [was, now]."""

    same = serializers.BooleanField()
    segments = SegmentChangeSerializer(many=True)
    loras = SegmentChangeSerializer(many=True)
    facts = serializers.DictField(child=serializers.ListField())


class PieceSerializer(serializers.Serializer[Any]):
    """A place in the order: what stands there, whether it is written, what parts it from what is before."""

    segment = serializers.CharField()
    on = serializers.BooleanField()
    join = serializers.CharField()


class OrderSerializer(serializers.Serializer[Any]):
    """A project's order of segments. ``base``: the ready-made order it began with; ``bases``: all of them."""

    base = serializers.CharField()
    positive = PieceSerializer(many=True)
    person = PieceSerializer(many=True)
    people = serializers.CharField()
    negative = PieceSerializer(many=True)
    bases = serializers.ListField(child=serializers.CharField())
    row_version = serializers.IntegerField(help_text="Of the project.")


class OrderRequest(Strict):
    """An order of segments; {} is the farm's own. ``row_version``: of the project as you read it."""

    composer = serializers.JSONField()
    row_version = serializers.IntegerField(min_value=0)

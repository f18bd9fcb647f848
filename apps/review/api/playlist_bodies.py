"""What playlists and client links look like over HTTP, and what is asked of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.common.api_versions import Versioned
from apps.common.strict import OneOf, Strict
from apps.projects.api_scope import ProjectCode
from apps.projects.stages import Stage
from apps.review.links import address_of
from apps.review.models import ClientLink, Playlist, PlaylistItem
from apps.review.models.playlists import MOST_ITEMS
from apps.review.services.sharing import MOST_DAYS, USUAL_DAYS


class PlaylistSerializer(serializers.ModelSerializer[Playlist]):
    """Takes to look at together. ``for_clients``: members whose role is client see it."""

    project = serializers.CharField(source="project.code", read_only=True)
    takes = serializers.IntegerField(source="take_count", read_only=True)

    class Meta:
        model = Playlist
        fields = (
            "id",
            "project",
            "kind",
            "name",
            "description",
            "day",
            "for_clients",
            "takes",
            "row_version",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ItemSerializer(serializers.ModelSerializer[PlaylistItem]):
    """A take in a playlist."""

    shot = serializers.CharField(source="take.shot.full_code", read_only=True)
    stage = serializers.CharField(source="take.stage", read_only=True)
    number = serializers.IntegerField(source="take.number", read_only=True)
    review_state = serializers.CharField(source="take.review_state", read_only=True)
    selected = serializers.BooleanField(source="take.selected", read_only=True)

    class Meta:
        model = PlaylistItem
        fields = ("take", "shot", "stage", "number", "review_state", "selected")
        read_only_fields = fields


class PlaylistDetail(PlaylistSerializer):
    """A playlist with its takes in order."""

    items = ItemSerializer(many=True, read_only=True)

    class Meta(PlaylistSerializer.Meta):
        fields = (*PlaylistSerializer.Meta.fields, "items")  # type: ignore[assignment]  # one more


class TakesNamed(Strict):
    """Takes by their ids; or shots by code (SQ010_SH0040) and a stage: their latest or selected takes."""

    takes = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MOST_ITEMS)
    shots = serializers.ListField(child=serializers.CharField(), required=False, max_length=MOST_ITEMS)
    stage = OneOf(choices=Stage.choices, required=False)
    which = OneOf(choices=[("latest", "latest"), ("selected", "selected")], required=False, default="latest")


class NewPlaylist(TakesNamed):
    """A playlist to make."""

    project = ProjectCode()
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    for_clients = serializers.BooleanField(required=False, default=False)


class PlaylistChange(Strict):
    """What to change; ``row_version`` as you read it."""

    name = serializers.CharField(required=False, max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    for_clients = serializers.BooleanField(required=False)
    row_version = serializers.IntegerField()


class Order(Versioned):
    """All takes of the playlist, in their new order."""

    takes = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_ITEMS)


class TakeIds(Strict):
    """Takes by their ids."""

    takes = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_ITEMS)


class Copy(Strict):
    """What the copy is called; "" for the name with “copy” behind it."""

    name = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)


class OfProject(Strict):
    """Whose dailies."""

    project = ProjectCode()


class Dailies(serializers.Serializer[Any]):
    """Today's dailies, and how many takes are new in them."""

    playlist = PlaylistSerializer()
    new = serializers.IntegerField()


class NewLink(Strict):
    """A way to the playlist for somebody without an account."""

    days = serializers.IntegerField(required=False, default=USUAL_DAYS, min_value=1, max_value=MOST_DAYS)
    password = serializers.CharField(required=False, allow_blank=True, default="", max_length=128)
    may_comment = serializers.BooleanField(required=False, default=True)

    def get_fields(self) -> dict[str, Any]:
        """``label`` is a word of REST framework's own."""
        label = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)
        return {"label": label, **super().get_fields()}


class LinkSerializer(serializers.ModelSerializer[ClientLink]):
    """A client link. ``url`` is what you send; whoever has it sees the playlist until it ends."""

    url = serializers.SerializerMethodField()
    open = serializers.BooleanField(read_only=True)
    has_password = serializers.SerializerMethodField()

    class Meta:
        model = ClientLink
        fields = (
            "id",
            "label",
            "url",
            "open",
            "has_password",
            "may_comment",
            "expires_at",
            "revoked_at",
            "revoked_by",
            "views",
            "last_viewed_at",
            "created_at",
        )
        read_only_fields = fields

    def get_url(self, link: ClientLink) -> str:
        address: str = self.context["request"].build_absolute_uri(address_of(link))
        return address

    def get_has_password(self, link: ClientLink) -> bool:
        return bool(link.password)

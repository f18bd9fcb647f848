"""What registered nodes lack for a graph, in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class OnNodeSerializer(serializers.Serializer[Any]):
    """What one registered node lacks for the graph, and what else its ComfyUI would refuse."""

    node = serializers.CharField()
    lacks = serializers.ListField(child=serializers.CharField(), source="lacks_told")
    refuses = serializers.ListField(child=serializers.CharField(), source="refuses_told")

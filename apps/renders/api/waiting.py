"""Why a job waits and when it will be done, over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class WaitingSerializer(serializers.Serializer[Any]):
    """Why a job waits. ``code`` is one of those in the farm's documents; a newer farm may have more."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class BetweenSerializer(serializers.Serializer[Any]):
    """Not before, not after, nine times in ten. ``latest`` is null where how late is not known."""

    earliest = serializers.DateTimeField()
    latest = serializers.DateTimeField(allow_null=True)


class EtaSerializer(serializers.Serializer[Any]):
    """When a job starts and ends. ``unknown``: few (too little seen), nobody (no node could), held."""

    start = BetweenSerializer(allow_null=True)
    end = BetweenSerializer(allow_null=True)
    unknown = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True)


class NodeSaysSerializer(serializers.Serializer[Any]):
    """What one node says to the job."""

    node = serializers.CharField()
    code = serializers.CharField()
    sentence = serializers.CharField()


class WhySerializer(serializers.Serializer[Any]):
    """All that is known about one job's wait. ``nodes`` is null for whoever may not steer nodes."""

    waiting = WaitingSerializer(allow_null=True)
    eta = EtaSerializer(allow_null=True)
    nodes = NodeSaysSerializer(many=True, allow_null=True)

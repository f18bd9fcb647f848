"""What is still to be judged: takes of a shot and stage, and all that is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    from apps.review.models.takes import Take


class Unjudged(models.Model):
    """Written with whatever may make takes stale, gone when that is judged: no process that dies loses it.

    A row for each change, never one for two: what was judged before the second change takes only the first
    one's row away. ``shot`` is a key.
    """

    id = models.BigAutoField(primary_key=True)
    shot = models.UUIDField()
    stage = models.CharField(max_length=10)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["shot", "stage"], name="unjudged_of_stage")]

    def __str__(self) -> str:
        return f"{self.shot} {self.stage}"


def to_be_judged(take: Take) -> None:
    """Note, in the transaction that changes a take, that what is made of it is to be judged again."""
    Unjudged.objects.create(shot=take.shot_id, stage=take.stage)

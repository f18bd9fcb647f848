"""Compose prompts and keep them; write them by hand; set a project's order of segments."""

from apps.prompts.services.building import build_prompt, build_prompts, compose_prompts
from apps.prompts.services.editing import drop_edit, edit_prompt
from apps.prompts.services.ordering import set_order

__all__ = ["build_prompt", "build_prompts", "compose_prompts", "drop_edit", "edit_prompt", "set_order"]

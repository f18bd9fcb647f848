"""Whatever changes templates: the package's own, and what people bring."""

from apps.workflows.services.sync import Synced, remember, sync_templates, template_of

__all__ = ["Synced", "remember", "sync_templates", "template_of"]

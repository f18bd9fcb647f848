"""The admin's pages of notices: the inbox, subscriptions, deliveries."""

from apps.notices.admin.deliveries import DeliveryAdmin
from apps.notices.admin.inbox import NoticeAdmin
from apps.notices.admin.subscriptions import SubscriptionAdmin

__all__ = ["DeliveryAdmin", "NoticeAdmin", "SubscriptionAdmin"]

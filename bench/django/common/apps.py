"""The one app of the peer; its label makes the tables common_lead, common_newsletter and common_client."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Leads, newsletter, clients."""

    name = "common"

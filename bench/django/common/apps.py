"""The only app of this service. Its label gives the tables common_lead, common_newsletter and common_client."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Leads, newsletter, clients."""

    name = "common"

"""The one app of the peer; its label makes the tables common_lead and common_newsletter."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Leads and newsletter."""

    name = "common"

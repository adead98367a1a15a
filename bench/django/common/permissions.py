"""The key: `Authorization: Basic <key>`, the raw key, not a base64 pair."""

import hmac

from django.conf import settings
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission


class HasApiKey(BasePermission):
    """Rejects requests without the key, with the recorded messages."""

    def has_permission(self, request, view):
        header = request.headers.get("Authorization", "")
        if not header.startswith("Basic "):
            raise PermissionDenied("Invalid authorization header format")
        key = header.removeprefix("Basic ").encode()
        if not hmac.compare_digest(key, settings.BASIC_API_KEY.encode()):
            raise PermissionDenied("Invalid or missing API Key")
        return True

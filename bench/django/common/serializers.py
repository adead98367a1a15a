"""Validates requests, with the messages that clients already parse."""

from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from .models import Lead, Newsletter

DISPOSABLE_DOMAINS = {
    "tempmail.com",
    "throwaway.email",
    "10minutemail.com",
    "guerrillamail.com",
    "mailinator.com",
    "maildrop.cc",
}


def is_disposable(email):
    """Whether the address belongs to a provider of disposable mailboxes."""
    return email.rsplit("@", 1)[-1] in DISPOSABLE_DOMAINS


def check_name(value):
    """The length and brackets rules that full_name, position and company_name share."""
    if len(value) < 2:
        raise serializers.ValidationError("Name must be at least 2 characters")
    if "<" in value or ">" in value:
        raise serializers.ValidationError("Name contains invalid characters")
    return value


class LeadSerializer(serializers.ModelSerializer):
    """A lead, every field in the order of the model."""

    class Meta:
        model = Lead
        fields = "__all__"

    def validate_full_name(self, value):
        value = check_name(value)
        if value.isdigit():
            raise serializers.ValidationError("Name cannot be only numbers")
        return value

    def validate_position(self, value):
        return check_name(value)

    def validate_company_name(self, value):
        return check_name(value) if value else value

    def validate_email(self, value):
        if not value:
            return value
        value = value.lower()
        if is_disposable(value):
            raise serializers.ValidationError("Please use a valid business email")
        return value

    def validate_notes(self, value):
        if value and len(value) > 5000:
            raise serializers.ValidationError("Notes too long (max 5000 chars)")
        return value

    def validate(self, data):
        # The rule for a PATCH applies to the resulting lead, for a PUT to its own fields.
        stored = self.instance if self.partial else None
        email = data.get("email", getattr(stored, "email", None))
        phone = data.get("phone_number", getattr(stored, "phone_number", None))
        if not email and not phone:
            raise serializers.ValidationError("Either email or phone number is required")
        return data


class NewsletterSerializer(serializers.ModelSerializer):
    """A subscriber; the address is unique, regardless of case."""

    class Meta:
        model = Newsletter
        fields = "__all__"
        extra_kwargs = {
            "email": {
                "validators": [
                    UniqueValidator(
                        queryset=Newsletter.objects.all(),
                        message="newsletter with this email already exists.",
                        lookup="iexact",
                    )
                ]
            }
        }

    def validate_email(self, value):
        value = value.lower()
        if is_disposable(value):
            raise serializers.ValidationError("Please use a valid email address")
        return value

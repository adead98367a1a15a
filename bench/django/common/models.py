"""The tables of the service. Staff accounts are in Django's own tables."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

phone_validator = RegexValidator(r"^\+?\d{7,15}$", "Enter a valid international phone number.")


class Lead(models.Model):
    """Someone who may become a client."""

    class Source(models.TextChoices):
        WEBSITE = "website"
        REFERRAL = "referral"
        COLD_CALL = "cold_call"
        LINKEDIN = "linkedin"
        EMAIL_CAMPAIGN = "email_campaign"
        OTHER = "other"

    class Status(models.TextChoices):
        NEW = "new"
        CONTACTED = "contacted"
        INTERESTED = "interested"
        NOT_INTERESTED = "not_interested"
        CONVERTED = "converted"
        CLOSED = "closed"

    class Category(models.TextChoices):
        WEB_DEV = "web_dev"
        MOBILE_DEV = "mobile_dev"
        AUTOMATED_TESTING = "automated_testing"
        SOCIAL_MEDIA_AUTO = "social_media_auto"
        ECOMMERCE_AUTO = "ecommerce_auto"
        SALES_AUTO = "sales_auto"

    full_name = models.CharField(max_length=255)
    position = models.CharField(max_length=255)
    company_name = models.CharField(max_length=255, null=True, blank=True)
    phone_number = models.CharField(max_length=20, null=True, blank=True, validators=[phone_validator])
    email = models.EmailField(null=True, blank=True)
    source = models.CharField(max_length=20, choices=Source, default=Source.OTHER)
    status = models.CharField(max_length=20, choices=Status, default=Status.NEW)
    notes = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    category = models.CharField(max_length=30, choices=Category, default=Category.WEB_DEV)

    class Meta:
        ordering = ["-created_at", "-id"]
        # The indexes that the two measured lists need, so that the comparison is fair.
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="lead_newest"),
            models.Index(fields=["status", "-created_at", "-id"], name="lead_status_newest"),
        ]


class Newsletter(models.Model):
    """One subscriber."""

    email = models.EmailField(unique=True)
    is_subscribed = models.BooleanField(default=True)

    class Meta:
        ordering = ["-id"]


class Client(models.Model):
    """A customer and the charges. No route uses this table."""

    client_info = models.OneToOneField(Lead, null=True, blank=True, on_delete=models.SET_NULL)
    team_id = models.CharField(max_length=100)
    monthly_charge = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    one_time_charge = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    contract_file = models.FileField(upload_to="contracts/", null=True, blank=True)
    short_description = models.TextField(null=True, blank=True)
    category = models.CharField(max_length=30, choices=Lead.Category, default=Lead.Category.WEB_DEV)

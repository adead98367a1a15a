"""The routes of the peer, and Django's admin with the tables of the service, leads as an agency would register them."""

from django.contrib import admin
from django.urls import path

from common.models import Client, Lead, Newsletter

from .urls import urlpatterns as api


class LeadAdmin(admin.ModelAdmin):
    list_display = ("full_name", "company_name", "email", "phone_number", "source", "category", "status", "created_at")
    list_filter = ("status", "source", "category")
    search_fields = ("full_name", "company_name", "email", "phone_number")
    list_per_page = 50


admin.site.register(Lead, LeadAdmin)
admin.site.register([Client, Newsletter])

urlpatterns = [*api, path("backend/admin/", admin.site.urls)]

"""The handlers."""

from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.viewsets import ModelViewSet

from .models import Lead, Newsletter
from .serializers import LeadSerializer, NewsletterSerializer


class LeadViewSet(ModelViewSet):
    """Leads. `status`, `source` and `category` are compared unchecked, so an invalid value matches nothing."""

    queryset = Lead.objects.all()
    serializer_class = LeadSerializer
    filter_backends = [SearchFilter, OrderingFilter]
    search_fields = ["full_name", "company_name", "email", "phone_number"]
    ordering_fields = ["created_at", "updated_at", "full_name", "company_name", "status"]

    def get_queryset(self):
        queryset = super().get_queryset()
        for name in ("status", "source", "category"):
            value = self.request.query_params.get(name)
            if value:
                queryset = queryset.filter(**{name: value})
        return queryset


class NewsletterViewSet(ModelViewSet):
    """Subscribers."""

    queryset = Newsletter.objects.all()
    serializer_class = NewsletterSerializer
    filter_backends = [DjangoFilterBackend, SearchFilter, OrderingFilter]
    filterset_fields = ["is_subscribed"]
    search_fields = ["email"]
    ordering_fields = ["id", "email"]

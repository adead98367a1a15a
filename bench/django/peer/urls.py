"""Routes: the versioned and the old path, with the same handlers."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from common.views import LeadViewSet, NewsletterViewSet

router = SimpleRouter()
router.register("leads", LeadViewSet, basename="lead")
router.register("newsletter", NewsletterViewSet, basename="newsletter")

urlpatterns = [
    path("backend/api/v1/", include(router.urls)),
    path("backend/api/", include((router.urls, "old"))),
]

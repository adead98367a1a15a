#!/usr/bin/env python3
"""Creates realistic old rows with Django itself.

    rows.py make      creates the first rows, and uploaded files below MEDIA_ROOT
    rows.py change    changes and deletes some of them, and adds others
    rows.py lead ID   creates one lead with this id
    rows.py many N M  creates N leads with notes of M characters
    rows.py pairs     creates a lead and a subscription in one transaction, again and again, until
                      standard input is closed
    rows.py dump      prints clients and staff as JSON
    rows.py shown     prints what the pages of Django's admin show, as JSON (needs peer.admin_settings)

The database is that of `bench/django` (DATABASE_URL). Rows are saved without Django's
validation, as imports, migrations and older versions did.
"""

import json
import os
import select
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "django"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "peer.settings")

import django  # noqa: E402

django.setup()

from common.models import Client, Lead, Newsletter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection, transaction  # noqa: E402

LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)
FIRST = datetime(1, 1, 1, tzinfo=timezone.utc)


def lead(**given):
    """Creates a lead with default values, except the given ones."""
    usual = {"full_name": "Ana Horvat", "position": "CTO", "email": "ana@acme.hr"}
    return Lead.objects.create(**{**usual, **given})


def make():
    """Creates the first rows."""
    media = Path(settings.MEDIA_ROOT)
    (media / "contracts").mkdir(parents=True)
    (media / "contracts" / "acme.pdf").write_bytes(b"%PDF acme")
    (media / "contracts" / "Ugovor \u010d\u0161\u017e (1).pdf").write_bytes(b"%PDF \xc4\x8d")
    (media.parent / "secret.txt").write_text("nobody's business")
    (media / "contracts" / "out.pdf").symlink_to(media.parent / "secret.txt")

    plain = lead(company_name="Acme", phone_number="+385912345678", notes="Call back.")
    lead(full_name="<b>Ana</b> & \"Co\" <script>", position="'; DROP TABLE leads; --")
    lead(phone_number="091-234-5678-(ext) 1")
    lead(full_name="", position="", company_name="", phone_number="", email="", notes="")
    lead(company_name=None, phone_number=None, email=None, notes=None)
    lead(source="fair", status="archived", category="seo")
    lead(full_name="\u0110uro \u0160imi\u0107 \U0001f980", company_name="\u05e9\u05dc\u05d5\u05dd", notes="cafe\u0301")
    lead(full_name="x", email="Ana@ACME.hr", notes="one\r\ntwo\ttabs\x01\x7f")
    lead(full_name="12345", email="someone@mailinator.com", notes="n" * 6000)
    odd = lead(full_name="Time Traveller")
    Lead.objects.filter(pk=odd.pk).update(created_at=FIRST, updated_at=LAST)
    doomed = lead(full_name="Doomed")
    if connection.vendor == "sqlite":
        # SQLite does not check lengths.
        lead(full_name="l\u0161" * 200, phone_number="1" * 30)

    for email, wanted in [
        ("Ana@Acme.hr", True),
        ("ANA@ACME.HR", False),
        ("ana@acme.hr", True),
        ("\u0160ime@acme.hr", True),
        ("\u0161ime@acme.hr", True),
        ("not an address", True),
        ("first@acme.hr", True),
        ("second@acme.hr", False),
        ("again@acme.hr", False),
    ]:
        Newsletter.objects.create(email=email, is_subscribed=wanted)

    def client(**given):
        Client.objects.create(**{"team_id": "T-1", **given})

    client(
        client_info=plain,
        monthly_charge=Decimal("1200.50"),
        one_time_charge=Decimal("99999999.99"),
        contract_file="contracts/acme.pdf",
        short_description="Shop & <b>app</b>",
    )
    client(client_info=doomed, contract_file="contracts/Ugovor \u010d\u0161\u017e (1).pdf")
    client(team_id="", monthly_charge=Decimal("-5.00"), one_time_charge=Decimal("0"))
    client(contract_file="contracts/gone.pdf", short_description=None)
    client(contract_file="../secret.txt")
    client(contract_file=str(media.parent / "secret.txt")[:100])
    client(contract_file="contracts/out.pdf", category="seo")

    User.objects.create_user("ivo", "Ivo@Acme.hr", "ivo's pass\u0161word", is_active=False)
    User.objects.create_user("\u0161ime", "", None, first_name="\u0160ime", is_staff=True)


def change():
    """Makes later changes."""
    changed = Lead.objects.get(pk=1)
    changed.full_name = "Ana Mari\u0107"
    changed.save()
    # An `update()` does not set `updated_at`.
    Lead.objects.filter(pk=2).update(notes="seen")
    Lead.objects.get(full_name="Doomed").delete()
    lead(full_name="Late Comer")

    first, second = Newsletter.objects.get(pk=7), Newsletter.objects.get(pk=8)
    Newsletter.objects.filter(pk=first.pk).update(email="between@acme.hr")
    Newsletter.objects.filter(pk=second.pk).update(email=first.email)
    Newsletter.objects.filter(pk=first.pk).update(email=second.email)
    Newsletter.objects.get(email="again@acme.hr").delete()
    Newsletter.objects.create(email="again@acme.hr")

    first, third = Client.objects.get(pk=1), Client.objects.get(pk=3)
    Client.objects.filter(pk=first.pk).update(client_info=None)
    Client.objects.filter(pk=third.pk).update(client_info=1)
    Client.objects.get(pk=4).delete()

    ana = User.objects.get(username="ana")
    ana.set_password("another password")
    ana.save()


def many(number, length):
    """Creates ordinary leads with long notes."""
    usual = {"position": "CTO", "notes": "n" * length}
    leads = [Lead(full_name=f"Lead {n}", email=f"lead.{n}@acme.hr", **usual) for n in range(number)]
    Lead.objects.bulk_create(leads)


def pairs():
    """Creates pairs of a lead and a subscription, both in one transaction; prints the number of pairs."""
    made = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        made += 1
        with transaction.atomic():
            lead(full_name=f"Pair {made}")
            Newsletter.objects.create(email=f"pair.{made}@acme.hr")
        print(made, flush=True)


def dump():
    """Prints clients and staff as Django sees them."""

    def plain(value):
        return value if value is None or isinstance(value, (bool, int)) else str(value)

    def rows(model, names):
        return [
            {name: plain(getattr(row, name)) for name in names} for row in model.objects.order_by("pk")
        ]

    clients = "id client_info_id team_id monthly_charge one_time_charge contract_file short_description category"
    staff = "id username first_name last_name email is_staff is_active is_superuser password"
    print(json.dumps({"clients": rows(Client, clients.split()), "staff": rows(User, staff.split())}))


def shown():
    """Prints the values of all fields on the page of each row in Django's admin: {kind: {id: {field: value}}}."""
    from django.contrib import admin
    from django.test import RequestFactory
    from peer import admin_urls  # noqa: F401 (registers the tables)

    def text(value):
        return value if isinstance(value, bool) else "" if value is None else str(value)

    found = {}
    for kind, model in {"leads": Lead, "clients": Client, "subscribers": Newsletter, "staff": User}.items():
        for row in model.objects.order_by("pk"):
            request = RequestFactory().get("/")
            request.user = User.objects.get(username="ana")
            page = admin.site._registry[model].change_view(request, str(row.pk)).render()
            form = page.context_data["adminform"].form
            found.setdefault(kind, {})[row.pk] = {name: text(form[name].value()) for name in form.fields}
    print(json.dumps(found))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["lead", number]:
            lead(id=int(number))
        case ["many", number, length]:
            many(int(number), int(length))
        case [name]:
            {"make": make, "change": change, "pairs": pairs, "dump": dump, "shown": shown}[name]()

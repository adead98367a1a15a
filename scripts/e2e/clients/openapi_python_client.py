"""Creates a lead with the client that openapi-python-client generates from the document."""

import sys

from made_client.api.leads import create_lead, delete_lead
from made_client.client import AuthenticatedClient
from made_client.models import Lead, LeadCreate, LeadCreateSource

url, key = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)
body = LeadCreate(
    full_name="Petra Python",
    position="CTO",
    email="petra@acme.hr",
    notes=None,
    source=LeadCreateSource.REFERRAL,
)
lead = create_lead.sync(client=client, body=body)
assert isinstance(lead, Lead), lead
assert (lead.full_name, lead.email, lead.notes) == ("Petra Python", "petra@acme.hr", None)
assert lead.source == LeadCreateSource.REFERRAL.value
assert delete_lead.sync_detailed(lead.id, client=client).status_code == 204

# mypy must reject this type. It also reports a type: ignore that is not needed.
LeadCreate(full_name="Petra Python", position="CTO", email=1)  # type: ignore[arg-type]

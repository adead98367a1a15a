"""Creates a lead with the client that openapi-generator generates from the document."""

import sys

import openapi_client
from openapi_client import LeadCreate

url, key = sys.argv[1:]
with openapi_client.ApiClient(openapi_client.Configuration(host=url, access_token=key)) as client:
    leads = openapi_client.LeadsApi(client)
    lead = leads.create_lead(
        LeadCreate(full_name="Greta Generated", position="CTO", email="greta@acme.hr", notes=None)
    )
    assert (lead.full_name, lead.email, lead.notes) == ("Greta Generated", "greta@acme.hr", None)
    assert leads.list_leads(search="greta@acme.hr").results[0].id == lead.id
    leads.delete_lead(lead.id)

# mypy must reject this type. It also reports a type: ignore that is not needed.
try:
    LeadCreate(full_name="Greta Generated", position="CTO", email=1)  # type: ignore[arg-type]
except ValueError:
    sys.exit(0)
sys.exit("the client accepts a number as an address")

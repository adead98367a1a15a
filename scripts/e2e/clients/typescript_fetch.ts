// Creates a lead with the fetch client that openapi-generator generates from the document.
import { Configuration, LeadsApi } from "./typescript-fetch/index.js";
import type { LeadCreate } from "./typescript-fetch/index.js";

declare const process: { argv: string[] };

const [, , basePath = "", accessToken = ""] = process.argv;
const leads = new LeadsApi(new Configuration({ basePath, accessToken }));
const leadCreate: LeadCreate = {
  fullName: "Tina Typed",
  position: "CTO",
  email: "tina@acme.hr",
  notes: null,
  source: "referral",
};
const lead = await leads.createLead({ leadCreate });
if (lead.fullName !== "Tina Typed" || lead.source !== "referral" || lead.notes !== null) {
  throw new Error(JSON.stringify(lead));
}
await leads.deleteLead({ id: lead.id });

// @ts-expect-error: a number as an address must not compile.
const wrong: LeadCreate = { fullName: "Tina Typed", position: "CTO", email: 1 };
void wrong;

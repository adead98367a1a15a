// Uses the API as a website would, with types generated from the OpenAPI document. The test
// compiles this file unchanged, then runs it.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };

type Lead = components["schemas"]["Lead"];

const [, , baseUrl = "", key = ""] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

function must<T>(value: T | undefined, error: unknown): T {
  if (value === undefined) {
    throw new Error(JSON.stringify(error));
  }
  return value;
}

function expect(holds: boolean, what: string): void {
  if (!holds) {
    throw new Error(what);
  }
}

const created = await client.POST("/backend/api/v1/leads/", {
  body: { full_name: "Tess Type", position: "CTO", email: "tess@acme.hr", source: "website", notes: null },
});
const lead: Lead = must(created.data, created.error);
expect(lead.status === "new" && lead.company_name === null, "a new lead has its defaults");

const changed = await client.PATCH("/backend/api/v1/leads/{id}/", {
  params: { path: { id: lead.id } },
  body: { status: "contacted" },
});
expect(must(changed.data, changed.error).status === "contacted", "the status changes");

const page = must(
  (await client.GET("/backend/api/v1/leads/", {
    params: { query: { status: ["contacted", "closed"], search: "tess", ordering: "-created_at" } },
  })).data,
  "no list",
);
expect(page.results.some((row) => row.id === lead.id), "the lead is listed");

const refused = await client.POST("/backend/api/v1/newsletter/", { body: { email: "nobody" } });
expect(refused.response.status === 400, "an invalid address is rejected");
expect(refused.error !== undefined && "email" in refused.error, "the error names the field");

const signedUp = must(
  (await client.POST("/backend/api/v1/newsletter/", { body: { email: "tess@acme.hr" } })).data,
  "not signed up",
);
const isSubscribed: boolean = signedUp.is_subscribed;
expect(isSubscribed, "a sign-up subscribes");
// A key that cannot read would get no id.
const subscriber: number = must(signedUp.id, "no id");

for (const gone of [
  await client.DELETE("/backend/api/v1/leads/{id}/", { params: { path: { id: lead.id } } }),
  await client.DELETE("/backend/api/v1/newsletter/{id}/", { params: { path: { id: subscriber } } }),
]) {
  expect(gone.response.status === 204, "the created rows are deleted");
}

// @ts-expect-error: a status that does not exist must not compile.
const wrong: Lead["status"] = "nonsense";
void wrong;
console.log("The client compiles and works.");

// What owners do: invite somebody, make and revoke a key, read the record of events, and take a step back.
const { ADMIN, BASE, look, must } = require("./backoffice.cjs");

async function staff(page) {
  await page.goto(`${ADMIN}staff/`);
  await look(page, "staff");
  await page.getByRole("link", { name: "Invite somebody" }).click();
  await page.fill("#username", "marta!");
  await page.getByRole("button", { name: "Make the account and the link" }).click();
  await page.getByRole("alert").waitFor();
  await look(page, "staff-refused");
  await page.fill("#username", "marta");
  await page.getByRole("radio", { name: /Viewer/ }).check();
  await page.getByRole("button", { name: "Make the account and the link" }).click();
  await page.locator("#link").waitFor();
  must((await page.inputValue("#link")).startsWith(`${BASE}/backend/admin/invitation/`), "the link leads elsewhere");
  await look(page, "staff-link");
  await page.getByRole("link", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "marta" }).waitFor();
  await look(page, "staff-account");
  await page.getByRole("radio", { name: /Sales/ }).check();
  await page.getByRole("button", { name: "Change the role" }).click();
  await page.getByRole("status").waitFor();
}

async function keys(page) {
  await page.goto(`${ADMIN}keys/`);
  await look(page, "keys");
  await page.getByRole("link", { name: "New key" }).click();
  await page.fill("#name", "reports");
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.getByRole("alert").waitFor();
  await look(page, "key-refused");
  await page.getByRole("checkbox", { name: "leads:read" }).check();
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.locator("#key").waitFor();
  const key = await page.inputValue("#key");
  await look(page, "key-made");
  const status = async () => (await fetch(`${BASE}/backend/api/v1/leads/`, { headers: { Authorization: `Basic ${key}` } })).status;
  must((await status()) === 200, "the new key does not work");
  await page.getByRole("link", { name: "Continue" }).click();
  await page.getByRole("link", { name: "Revoke" }).click();
  await look(page, "key-revoke");
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await page.getByRole("status").waitFor();
  for (let tries = 0; (await status()) !== 403; tries++) {
    must(tries < 50, "the revoked key still works");
    await page.waitForTimeout(100);
  }
}

async function events(page) {
  await page.goto(`${ADMIN}events/`);
  for (const said of ["revoked the key", "made the key", "made the account", "changed the client", "created the client", "wrote a note on the lead"]) {
    must((await page.getByText(said).count()) > 0, `the record does not say: ${said}`);
  }
  await look(page, "events");
  await page.goto(`${ADMIN}events/?what=client.updated`);
  await page.getByRole("button", { name: /^Undo/ }).first().click();
  await page.getByRole("status").waitFor();
  must((await page.locator(".record", { hasText: "changed the client" }).count()) > 0, "the undo is not in the record");
}

module.exports = async function owners(page) {
  await staff(page);
  await keys(page);
  await events(page);
};

// What staff do with newsletter subscribers: find one, end the subscription, change the address, look at
// the history, delete and restore.
const { ADMIN, BASE, look, must, onPostgres, printed } = require("./backoffice.cjs");

async function signUp(email) {
  const key = onPostgres ? "key-of-the-end-to-end-tests" : printed.match(/Authorization: Basic (\S+)'/)[1];
  const response = await fetch(`${BASE}/backend/api/v1/newsletter/`, {
    method: "POST",
    headers: { Authorization: `Basic ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ email }),
  });
  must(response.status === 201, `a sign-up is answered with ${response.status}`);
}

module.exports = async function subscribers(page) {
  await page.goto(`${ADMIN}subscribers/`);
  await page.getByRole("heading", { name: "No subscribers yet" }).waitFor();
  await look(page, "subscribers-empty");
  for (const email of ["ana@cvor.hr", "ivo@acme.example.com", "news@straße.de"]) await signUp(email);
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.locator("#list tbody tr").nth(2).waitFor();
  await look(page, "subscribers");
  await page.locator("#q").pressSequentially("cvor");
  await page.waitForURL(/subscribers\/\?q=cvor/);
  await page.locator("#list tbody tr").nth(1).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "ana@cvor.hr" }).first().click();
  await page.getByRole("button", { name: "End the subscription" }).click();
  await page.getByRole("status").waitFor();
  must((await page.locator(".dot.unsubscribed").count()) === 1, "the subscription is not ended");
  await look(page, "subscriber");
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("E-mail address").fill("ivo@acme.example.com");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "This address is subscribed already." }).waitFor();
  await look(page, "subscriber-taken");
  await page.getByLabel("E-mail address").fill("ana.horvat@cvor.hr");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "ana.horvat@cvor.hr" }).waitFor();
  must((await page.locator("#story ins", { hasText: "ana.horvat@cvor.hr" }).count()) === 1, "the history does not tell the address");
  const here = page.url().replace(/\?.*/, "");
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("status").waitFor();
  await page.goto(here);
  await page.getByRole("heading", { name: "This was deleted" }).waitFor();
  await page.getByRole("button", { name: "Restore" }).click();
  await page.getByRole("heading", { name: "ana.horvat@cvor.hr" }).waitFor();
  await page.goto(`${ADMIN}search/?q=horvat`);
  must((await page.getByRole("link", { name: /ana\.horvat@cvor\.hr/ }).count()) === 1, "the search does not find the subscriber");
};

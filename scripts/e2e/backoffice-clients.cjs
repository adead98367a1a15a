// What staff do with clients: make one of a lead, look at the charges, edit, delete and restore it.
const fs = require("node:fs");
const { ADMIN, LEAD, look, must } = require("./backoffice.cjs");

const PDF = Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(3 << 20, " ")]);

/** A contract is refused, stored, sent, replaced, removed, and comes back. */
async function contract(page) {
  const upload = async (name, buffer) => {
    await page.setInputFiles("#file", { name, mimeType: "application/pdf", buffer });
    await page.getByRole("button", { name: "Upload" }).click();
  };
  const here = page.url().replace(/\?.*/, "");
  await page.getByText("No contract yet.").waitFor();
  await upload("Ugovor.pdf", Buffer.from("MZ"));
  await page.getByRole("alert").getByText("is not of the kind that its name says").waitFor();
  must(page.url() === `${here}contract/`, `the page of a refused file is ${page.url()}`);
  await look(page, "contract-refused");
  // The page that came as an answer works like any other.
  await upload("Ugovor čšž.pdf", PDF);
  await page.getByText("The contract is stored.").waitFor();
  await look(page, "contract");
  const link = page.getByRole("link", { name: "Ugovor čšž.pdf" });
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  must(download.suggestedFilename() === "Ugovor čšž.pdf", `the file is called ${download.suggestedFilename()}`);
  must(fs.readFileSync(await download.path()).equals(PDF), "the file is not what was uploaded");
  await page.reload();
  await page.getByText("downloaded the contract").waitFor();
  await upload("Ugovor 2.pdf", PDF);
  await page.getByRole("link", { name: "Ugovor 2.pdf" }).waitFor();
  await page.locator("section", { has: page.locator("#file") }).getByRole("button", { name: "Remove" }).click();
  await page.getByText("The contract is removed.").waitFor();
  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await page.getByRole("link", { name: "Ugovor 2.pdf" }).waitFor();
  // The browser refuses a file that is too large before it is sent.
  await page.setInputFiles("#file", { name: "a.pdf", mimeType: "application/pdf", buffer: Buffer.alloc((20 << 20) + 1) });
  must(await page.locator("#file").evaluate((file) => file.validationMessage.includes("20 MiB")), "a large file is not refused");
  await page.goto(here);
}

module.exports = async function clients(page, lead) {
  await page.goto(`${ADMIN}clients/`);
  await page.getByRole("heading", { name: "No clients yet" }).waitFor();
  await page.goto(`${ADMIN}leads/${lead}/`);
  await page.getByRole("link", { name: "Make a client" }).click();
  await page.getByRole("heading", { name: `${LEAD.full_name} becomes a client` }).waitFor();
  await look(page, "client-new");
  await page.getByLabel(/^Team/).fill("T1");
  await page.getByLabel("Monthly charge, in euros").fill("minus");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "This is not an amount." }).waitFor();
  await look(page, "client-refused");
  await page.getByLabel("Monthly charge, in euros").fill("1.200,50");
  await page.getByLabel("One-time charge, in euros").fill("900");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("status").waitFor();
  must((await page.getByText("€1,200.50").count()) > 0, "the page does not show the charge");
  await look(page, "client");
  const here = page.url().replace(/\?.*/, "");
  await page.getByRole("link", { name: LEAD.full_name }).click();
  await page.waitForURL(`${ADMIN}leads/${lead}/`);
  must((await page.inputValue("#status")) === "converted", "the lead is not converted");
  must((await page.getByText("€1,200.50 a month").count()) === 1, "the lead does not show its client");
  await look(page, "lead-of-client");
  await page.goto(`${ADMIN}clients/`);
  await page.locator("#list tbody tr").first().waitFor();
  must((await page.locator(".totals", { hasText: "€900.00" }).count()) === 1, "the list does not add up charges");
  await look(page, "clients");
  await page.locator("#q").pressSequentially("horvat");
  await page.waitForURL(/clients\/\?q=horvat/);
  await page.locator("#list tbody a").first().click();
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Monthly charge, in euros").fill("1300");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("status").waitFor();
  must((await page.locator("#story ins", { hasText: "€1,300.00" }).count()) === 1, "the history does not tell the charge");
  await contract(page);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("status").waitFor();
  await page.goto(here);
  await page.getByRole("heading", { name: "This was deleted" }).waitFor();
  await page.getByRole("button", { name: "Restore" }).click();
  await page.getByText("€1,300.00").first().waitFor();
};

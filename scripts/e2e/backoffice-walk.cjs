// The walk itself: see backoffice.cjs.
const fs = require("node:fs");
const { ADMIN, BASE, COLLEAGUE, LEAD, OWNER, check, chromium, invitation, look, must, onPostgres, post, printed, shoot, signIn, watch } = require("./backoffice.cjs");

async function makeOwner(page) {
  await page.goto(BASE);
  must(page.url() === `${ADMIN}sign-in/`, `the service leads to ${page.url()}`);
  await look(page, "sign-in");
  if (onPostgres) return signIn(page, OWNER.name, OWNER.password);
  const link = printed.match(/(\S+\/backend\/admin\/invitation\/\S+)/)[1];
  await page.goto(link);
  await look(page, "invitation");
  await page.fill("#username", OWNER.name);
  await page.fill("#password", "prekratka");
  await page.evaluate(() => document.querySelector("#password").removeAttribute("minlength"));
  await page.press("#password", "Enter");
  await page.getByRole("alert").waitFor();
  must((await page.inputValue("#username")) === OWNER.name, "the name is lost after an error");
  await check(page, "invitation with an error");
  await page.fill("#password", OWNER.password);
  await page.press("#password", "Enter");
  await page.waitForURL(ADMIN);
  const again = await page.request.get(link);
  must(again.status() === 404, `a used invitation answers ${again.status()}`);
}

async function findLead(page) {
  await look(page, "today-empty");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.waitForURL(`${ADMIN}leads/`);
  await look(page, "leads-empty");
  const id = await post(LEAD);
  for (let number = 1; number <= 30; number++) {
    await post({ ...LEAD, full_name: `Osoba Broj${number}`, company_name: `Tvrtka ${number}`, email: `osoba${number}@primjer.hr`, phone_number: `+38591000${1000 + number}`, source: ["website", "referral", "linkedin"][number % 3], status: ["new", "contacted", "interested", "converted"][number % 4] });
  }
  await page.reload();
  await look(page, "leads");
  await page.keyboard.press("/");
  must(await page.evaluate(() => document.activeElement.id === "find"), "/ does not lead to the search");
  await page.keyboard.press("Escape");
  await page.fill("#q", "horv");
  await page.locator("#list tbody tr").nth(1).waitFor({ state: "detached" });
  must((await page.locator("#list tbody tr").count()) === 1, "the search shows other leads");
  must(page.url().includes("q=horv"), "the search is not in the address");
  must((await page.inputValue("#q")) === "horv", "the typed text is gone");
  await page.getByRole("link", { name: LEAD.full_name }).first().click();
  await page.getByRole("heading", { name: LEAD.full_name }).waitFor();
  must((await page.locator("#story b").count()) > 0 && (await page.getByText("<b>web trgovinu</b>").count()) === 1, "markup is not shown as text");
  await look(page, "lead");
  return id;
}

async function editLead(page) {
  await page.keyboard.press("e");
  await page.getByLabel(/Position/).waitFor();
  await look(page, "lead-edit");
  await page.getByLabel(/Position/).fill("");
  await page.evaluate(() => document.querySelector("#position").removeAttribute("required"));
  await page.keyboard.press("Control+Enter");
  await page.getByRole("alert").waitFor();
  await check(page, "edit with an error");
  await page.getByLabel(/Position/).fill("Direktorica");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("status").waitFor();
  must((await page.getByText("Direktorica").count()) > 0, "the position is not saved");
  await page.keyboard.press("n");
  await page.keyboard.type("Zvala, traži ponudu do petka.");
  await page.getByRole("button", { name: "Add note" }).click();
  await page.locator("#story .text", { hasText: "Zvala" }).waitFor();
  await shoot(page, "lead-noted");
}

async function acceptInvitation(page) {
  await page.goto(`${BASE}${invitation}`);
  must((await page.inputValue("#username")) === COLLEAGUE.name, "the invitation is for somebody else");
  await page.fill("#password", COLLEAGUE.password);
  await page.press("#password", "Enter");
  await page.waitForURL(ADMIN);
}

async function resolveConflict(page, other) {
  await page.keyboard.press("e");
  await page.getByLabel("Company").waitFor();
  // Somebody else changes the same field, and another one, meanwhile.
  await other.goto(page.url());
  await other.getByLabel("Company").fill("Čvor Plus d.o.o.");
  await other.getByLabel("Next step", { exact: true }).fill("Poslati ponudu");
  await other.getByRole("button", { name: "Save" }).click();
  await other.getByRole("status").waitFor();
  await page.getByLabel("Company").fill("Čvor Grupa d.d.");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Somebody else changed the same fields").waitFor();
  await look(page, "conflict");
  await page.getByRole("radio", { name: /Čvor Grupa/ }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("status").waitFor();
  must((await page.getByText("Čvor Grupa d.d.").count()) > 0, "the conflict is not resolved");
  must((await page.inputValue("#next_step")) === "Poslati ponudu", "the change of the other person is lost");
  must((await page.locator("#story", { hasText: COLLEAGUE.name }).count()) === 1, "the history does not name the other person");
}

async function deleteAndRestore(page, id) {
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("status").waitFor();
  await page.goto(`${ADMIN}leads/${id}/`);
  await page.getByRole("heading", { name: "This was deleted" }).waitFor();
  await look(page, "deleted");
  await page.getByRole("button", { name: "Restore" }).click();
  await page.getByRole("heading", { name: LEAD.full_name }).waitFor();
  must((await page.locator("#story .text", { hasText: "Zvala" }).count()) === 1, "the note did not come back");
}

async function editInRow(page) {
  await page.goto(`${ADMIN}leads/`);
  const row = page.locator("#list tbody tr").first();
  await Promise.all([
    page.waitForResponse((response) => response.url().endsWith("/row/") && response.status() === 303),
    row.locator("select[name=status]").selectOption("interested"),
  ]);
  await page.locator("#list tbody tr").first().locator(".dot.interested").waitFor();
  await page.keyboard.press("j");
  must(await page.evaluate(() => document.activeElement.closest("tr") !== null), "j does not choose a row");
  await page.keyboard.press("Enter");
  await page.waitForURL(/leads\/\d+\//);
}

/** A form that is sent after the sign-in has ended comes back filled. */
async function signInAgain(page, context, id) {
  await page.goto(`${ADMIN}leads/${id}/edit/`);
  await page.getByLabel(/Position/).fill("Predsjednica uprave");
  await context.clearCookies();
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#password").waitFor();
  await check(page, "sign-in for a form");
  await page.fill("#username", OWNER.name);
  await page.fill("#password", OWNER.password);
  await page.press("#password", "Enter");
  await page.getByLabel(/Position/).waitFor();
  must((await page.inputValue("#position")) === "Predsjednica uprave", "what was typed is lost");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("status").waitFor();
}

/** The first page counts what has happened, and its marks lead to the lists. */
async function today(page) {
  await page.goto(ADMIN);
  const mark = page.locator("#weeks ~ svg a.present .mark");
  for (let tries = 0; (await mark.count()) === 0 || (await page.locator("#contact ~ svg .mark").count()) === 0; tries++) {
    must(tries < 60, "the leads of this week are not counted");
    await page.waitForTimeout(1000);
    await page.reload();
  }
  await page.locator("#weeks ~ details summary").click();
  const received = await page.locator("#weeks ~ details tbody tr").last().locator("td").innerText();
  await look(page, "today");
  await page.locator("#weeks ~ svg a.present").click();
  await page.waitForURL(/leads\/\?since=/);
  must((await page.locator(".pages .number").innerText()) === received, `the list has other leads than the picture, which says ${received}`);
  await page.goto(ADMIN);
  await page.locator("#waiting a").click();
  await page.waitForURL(/owner=none/);
  await page.goBack();
  await page.locator("#funnel ~ svg a").nth(3).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/status=converted/);
  await page.goBack();
}

async function account(page) {
  await page.goto(`${ADMIN}account/`);
  await look(page, "account");
  await page.goto(`${ADMIN}search/?q=horvat`);
  await look(page, "search");
  await page.goto(`${ADMIN}leads/new/`);
  await look(page, "lead-new");
  await page.goto(`${ADMIN}nothing/`);
  await look(page, "not-found");
}

/** Downloads the file of an export, and returns its rows. */
async function downloaded(page) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download CSV" }).click()]);
  must(/^leads-\d{4}-\d\d-\d\d\.csv$/.test(download.suggestedFilename()), `the file is called ${download.suggestedFilename()}`);
  return fs.readFileSync(await download.path(), "utf8").trimEnd().split("\r\n");
}

async function exportLeads(page) {
  await page.goto(`${ADMIN}leads/?q=primjer`);
  await page.getByRole("link", { name: "Export" }).click();
  await page.getByRole("heading", { name: "Export leads" }).waitFor();
  await look(page, "export");
  await page.getByRole("radio", { name: /Semicolon/ }).check();
  await page.getByRole("checkbox", { name: "UTF-8" }).check();
  const rows = await downloaded(page);
  must(rows.length === 31 && rows[0].startsWith('\ufeff"id";"full_name"'), `the export begins with ${rows[0]}`);
  must(rows.slice(1).every((row) => row.includes('"\t+38591')), "a number may be taken for a formula");
  await page.getByText("The file is complete.").waitFor();
  must((await page.textContent("[data-rows]")) === "30", "the progress counts other rows");
  await check(page, "export that has ended");
  await page.route("**/leads/export/**", (route) => (route.request().method() === "POST" ? route.abort("connectionreset") : route.continue()));
  await page.getByRole("button", { name: "Download CSV" }).click();
  await page.getByText("The export broke off.").waitFor();
  await check(page, "export that broke off");
  await page.unroute("**/leads/export/**");
}

/** A phone, in Croatian, in the dark. */
async function onThePhone(browser, id) {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, locale: "hr-HR", colorScheme: "dark" });
  const page = watch(await context.newPage());
  await page.goto(`${ADMIN}sign-in/`);
  await page.getByRole("heading", { name: "Prijava" }).waitFor();
  await check(page, "Croatian sign-in");
  await shoot(page, "hr-sign-in-360-dark");
  await signIn(page, OWNER.name, OWNER.password);
  for (const [name, where] of [["today", ""], ["leads", "leads/"], ["lead", `leads/${id}/`], ["lead-edit", `leads/${id}/edit/`], ["clients", "clients/"], ["subscribers", "subscribers/"], ["staff", "staff/"], ["keys", "keys/"], ["key-new", "keys/new/"], ["events", "events/"], ["export", "leads/export/"], ["account", "account/"]]) {
    await page.goto(`${ADMIN}${where}`);
    await check(page, `Croatian ${name}`);
    await shoot(page, `hr-${name}-360-dark`);
  }
  // The pages of one client and one subscriber.
  for (const rows of ["clients", "subscribers"]) {
    await page.goto(`${ADMIN}${rows}/`);
    const links = await page.locator("#list a").evaluateAll((all) => all.map((link) => link.pathname));
    const row = links.find((link) => new RegExp(`/${rows}/\\d+/$`).test(link));
    must(row, `no row among ${rows}`);
    for (const [name, where] of [["page", ""], ["edit", "edit/"], ...(rows === "clients" ? [["contract", "contract/"]] : [])]) {
      await page.goto(new URL(`${row}${where}`, ADMIN).href);
      await check(page, `Croatian ${rows}, ${name}`);
      await shoot(page, `hr-${rows}-${name}-360-dark`);
    }
  }
  await page.goto(`${ADMIN}leads/`);
  await page.getByRole("button", { name: "Izbornik" }).click();
  await page.getByRole("link", { name: "Moj račun" }).last().click();
  await page.waitForURL(`${ADMIN}account/`);
  await context.close();
  const wide = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "hr-HR" });
  const desk = watch(await wide.newPage());
  await signIn(desk, OWNER.name, OWNER.password);
  for (const [name, where] of [["today", ""], ["leads", "leads/"], ["lead", `leads/${id}/`]]) {
    await desk.goto(`${ADMIN}${where}`);
    await look(desk, `hr-${name}`);
  }
  await wide.close();
}

/** Everything works without scripts. */
async function withoutScripts(browser, id) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = watch(await context.newPage());
  await signIn(page, OWNER.name, OWNER.password);
  await page.goto(`${ADMIN}leads/`);
  const row = page.locator("#list tbody tr").first();
  await row.locator("select[name=status]").selectOption("closed");
  await row.locator(".cell button").first().click();
  await page.locator("#list tbody tr").first().locator(".dot.closed").waitFor();
  await page.goto(`${ADMIN}leads/${id}/`);
  await page.fill("#text", "Bez skripti.");
  await page.getByRole("button", { name: "Add note" }).click();
  await page.locator("#story .text", { hasText: "Bez skripti" }).waitFor();
  await page.goto(`${ADMIN}leads/export/?q=primjer`);
  must((await downloaded(page)).length === 31, "an export without scripts has other rows");
  await context.close();
}

/** A page of another origin cannot send forms, even with the cookie of a person who is signed in. */
async function forged(browser, id) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, OWNER.name, OWNER.password);
  const other = BASE.replace("127.0.0.1", "localhost");
  await page.route(`${other}/evil`, (route) => route.fulfill({ contentType: "text/html", body: `<form method="post" action="${ADMIN}leads/${id}/delete/"><button>Win</button></form>` }));
  await page.goto(`${other}/evil`);
  const [response] = await Promise.all([page.waitForResponse(/delete/), page.click("button")]);
  must([401, 403].includes(response.status()), `a forged form answers ${response.status()}`);
  const lead = await context.request.get(`${ADMIN}leads/${id}/`);
  must(lead.status() === 200, "a forged form deleted the lead");
  await context.close();
}

module.exports = async function walk() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB" });
    const page = watch(await context.newPage());
    try {
      await makeOwner(page);
      const id = await findLead(page);
      await editLead(page);
      const second = await browser.newContext({ locale: "en-GB" });
      const other = watch(await second.newPage());
      await acceptInvitation(other);
      await page.goto(`${ADMIN}leads/${id}/`);
      await resolveConflict(page, other);
      await deleteAndRestore(page, id);
      await editInRow(page);
      await signInAgain(page, context, id);
      await require("./backoffice-clients.cjs")(page, id);
      await require("./backoffice-owners.cjs")(page);
      await require("./backoffice-subscribers.cjs")(page);
      await exportLeads(page);
      await today(page);
      await account(page);
      await onThePhone(browser, id);
      await withoutScripts(browser, id);
      await forged(browser, id);
    } catch (error) {
      await shoot(page, "failed");
      throw error;
    }
  } finally {
    await browser.close();
  }
};

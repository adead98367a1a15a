// Does in a real browser what new staff do: makes the owner's account, finds a lead that came in,
// edits it, resolves a conflict, deletes and restores it, and looks at everything on a phone, in
// Croatian and in the dark. No page may have a fault that axe finds, leave its host, or log an error.
const { chromium } = require("playwright-core");
const { AxeBuilder } = require("@axe-core/playwright");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const [, , output, artifacts, invitation, onPostgres] = process.argv;
const printed = fs.readFileSync(output, "utf8");
const BASE = printed.match(/^Listening on (\S+)$/m)[1];
const ADMIN = `${BASE}/backend/admin/`;
const OWNER = { name: "vlasnica", password: "plavi konj trči daleko" };
const COLLEAGUE = { name: "ivo", password: "zeleni vlak kasni opet" };
const faults = [];

function must(condition, sentence) {
  if (!condition) throw new Error(sentence);
}

function watch(page) {
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    const text = message.text();
    // The browser logs every answer of 4xx, which some steps want, and searches that a click ends.
    const isWanted = text.startsWith("Failed to load resource") || text.startsWith("htmx: htmx:error: Failed to fetch");
    if (message.type() === "error" && !isWanted) faults.push(`console: ${text}`);
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${BASE}/`) && !/^(data|blob):/.test(request.url())) faults.push(`left this host: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) faults.push(`${response.status()}: ${response.url()}`);
  });
  return page;
}

/** Fails on everything that axe finds at level A and AA. */
async function check(page, name) {
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
  for (const { id, nodes } of found.violations) {
    faults.push(`axe, ${name}: ${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary.replace(/\s+/g, " ")}`).join(" | ")}`);
  }
  const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (width > 0) faults.push(`${name}: the page is ${width} px wider than the window`);
}

async function shoot(page, name) {
  await page.screenshot({ path: path.join(artifacts, `${name}.png`), fullPage: true });
}

/** Looks at a page in all widths and both themes. The pages do not depend on the database. */
async function look(page, name) {
  if (onPostgres) return check(page, name);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const width of [360, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      // Colours depend on the theme only, and the arrangement on the width only.
      if (width === (scheme === "light" ? 1440 : 360)) await check(page, `${name}, ${width} px, ${scheme}`);
      await shoot(page, `${name}-${width}-${scheme}`);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1440, height: 900 });
}

async function signIn(page, name, password) {
  await page.goto(`${ADMIN}sign-in/`);
  await page.fill("#username", name);
  await page.fill("#password", password);
  await page.press("#password", "Enter");
  await page.waitForURL(ADMIN);
}

async function post(body) {
  const key = onPostgres ? "key-of-the-end-to-end-tests" : printed.match(/Authorization: Basic (\S+)'/)[1];
  const response = await fetch(`${BASE}/backend/api/v1/leads/`, {
    method: "POST",
    headers: { Authorization: `Basic ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  must(response.status === 201, `a lead is answered with ${response.status}`);
  return (await response.json()).id;
}

const LEAD = { full_name: "Ana Horvat", position: "CTO", company_name: "Čvor d.o.o.", email: "ana@cvor.hr", phone_number: "+385911234567", source: "website", notes: "Trebamo <b>web trgovinu</b>." };

module.exports = { ADMIN, BASE, COLLEAGUE, LEAD, OWNER, artifacts, check, chromium, execFileSync, faults, invitation, look, must, onPostgres, post, printed, shoot, signIn, watch };

if (require.main === module) {
  require("./backoffice-walk.cjs")()
    .then(() => {
      if (faults.length > 0) throw new Error([...new Set(faults)].join("\n"));
    })
    .catch((error) => {
      console.error(error.message);
      process.exit(1);
    });
}

// Opens the documentation pages in a real browser and uses them with a key. No request may go
// to another host, and none may fail.
const { chromium } = require("playwright-core");
const path = require("node:path");

const [, , base, key, artifacts] = process.argv;
const LIST = "#operations-leads-list_leads";

function watch(page, faults) {
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => faults.push(`failed: ${request.url()}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !/^(data|blob):/.test(url)) faults.push(`left this host: ${url}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
  });
}

async function swagger(page) {
  const shot = (name) => page.screenshot({ path: path.join(artifacts, `${name}.png`) });
  await page.goto(`${base}/backend/api/docs/`);
  await page.locator(LIST).waitFor();
  await shot("swagger");

  await page.locator("button.authorize").first().click();
  await page.getByLabel("auth-bearer-value").or(page.locator("#auth-bearer-value")).first().fill(key);
  await shot("swagger-authorize");
  await page.locator(".auth-container", { hasText: "bearer" }).getByRole("button", { name: "Apply credentials" }).click();
  await page.locator(".auth-btn-wrapper .btn-done").last().click();

  await page.locator(`${LIST} .opblock-summary-control`).click();
  await page.locator(`${LIST} .btn.execute`).click();
  const status = page.locator(`${LIST} .live-responses-table .response-col_status`).first();
  await status.waitFor();
  const code = (await page.locator(`${LIST} .live-responses-table tbody .response-col_status`).first().innerText()).trim();
  await status.scrollIntoViewIfNeeded();
  await shot("swagger-list");
  if (!code.startsWith("200")) throw new Error(`the list answers ${code}`);
}

async function redoc(page) {
  await page.goto(`${base}/backend/api/redoc/`);
  await page.getByRole("heading", { name: "Exit Three API" }).first().waitFor();
  await page.getByText("/backend/api/v1/leads/").first().waitFor({ state: "attached" });
  await page.screenshot({ path: path.join(artifacts, "redoc.png") });
}

async function main() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // The sandbox does not work as root. The other options keep the browser itself offline.
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  const faults = [];
  try {
    for (const visit of [swagger, redoc]) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
      page.setDefaultTimeout(30_000);
      watch(page, faults);
      try {
        await visit(page);
        await page.waitForLoadState("networkidle");
      } catch (error) {
        await page.screenshot({ path: path.join(artifacts, `${visit.name}-failed.png`) });
        faults.push(`${visit.name}: ${error.message}`);
      }
      await page.close();
    }
  } finally {
    await browser.close();
  }
  if (faults.length > 0) throw new Error(faults.join("\n"));
  console.log(`Swagger UI and Redoc work; screenshots in ${artifacts}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});

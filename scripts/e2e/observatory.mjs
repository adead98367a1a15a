// Scans a page like Mozilla's HTTP Observatory; any grade below A+ is a failure. The scanner's
// own command only scans the root path, which this service does not have.
import { ALL_TESTS } from "@mdn/mdn-http-observatory/src/constants.js";
import { MINIMUM_SCORE_FOR_EXTRA_CREDIT } from "@mdn/mdn-http-observatory/src/grader/charts.js";
import { getGradeForScore, getScoreModifier } from "@mdn/mdn-http-observatory/src/grader/grader.js";
import { retrieve } from "@mdn/mdn-http-observatory/src/retriever/retriever.js";

const [, , host, path] = process.argv;
const page = await retrieve(host, { path });
if (page.responses.auto?.status !== 200) throw new Error(`${path} answers ${page.responses.auto?.status}`);
let failed = 0;
let plain = 100;
let score = 100;
for (const test of ALL_TESTS) {
  const found = test(page);
  const modifier = getScoreModifier(found.result);
  score += modifier;
  plain += Math.min(modifier, 0);
  failed += found.pass ? 0 : 1;
  console.log(`${found.pass ? "passed" : "FAILED"} ${found.constructor.name}: ${found.result} (${modifier})`);
}
// Extra credit only counts if the score is high without it.
const { score: points, grade } = getGradeForScore(plain >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? score : plain);
console.log(`${path}: ${grade}, ${points} points`);
process.exit(grade === "A+" && failed === 0 ? 0 : 1);

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { reportPage } from './page.ts';
import { reportRows } from './rows.ts';
import { syntheticRuns } from './testdata/synthetic_runs.ts';

const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
const skip = browser || process.env.CI === 'true' ? false : 'page_system_test: chromium is missing';
const home = mkdtempSync(join(tmpdir(), 'page-'));
after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** What the browser makes of a page at one width. */
interface Measures {
  /** Of the page beyond the window. */
  overflowPx: number;
  rows: number;
  visibleCharts: number;
  faults: string[];
}

/**
 * Runs in the browser: texts of each chart as drawn, which of them overlap or leave their chart, and what the window
 * cannot hold. Kept as text, because nothing here knows the browser's types.
 */
const measure = `
const page = frame.contentDocument;
const faults = [];
const visible = (element) => element.getClientRects().length > 0;
for (const svg of [...page.querySelectorAll('svg')].filter(visible)) {
  const bounds = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map((text) => ({ name: text.textContent, box: text.getBoundingClientRect() }));
  const title = svg.querySelector('title')?.textContent ?? 'axis';
  texts.forEach(({ name, box }, i) => {
    if (box.left < bounds.left - 0.5 || box.right > bounds.right + 0.5 || box.top < bounds.top - 0.5 || box.bottom > bounds.bottom + 0.5) faults.push(title + ': "' + name + '" leaves the chart');
    for (const other of texts.slice(i + 1)) {
      const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
      const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
      if (across > 0.5 && down > 3) faults.push(title + ': "' + name + '" overlaps "' + other.name + '"');
    }
  });
}
for (const cell of [...page.querySelectorAll('.rates th, .rates td, h1, h2, h3, p, figcaption, li')].filter(visible)) {
  if (cell.scrollWidth > cell.clientWidth + 1 && !cell.matches('.plot')) faults.push('"' + cell.textContent.slice(0, 40) + '" is wider than its box');
}
document.body.dataset.measures = JSON.stringify({
  overflowPx: page.documentElement.scrollWidth - page.documentElement.clientWidth,
  rows: page.querySelectorAll('.rates tr.row').length,
  visibleCharts: [...page.querySelectorAll('figure svg')].filter(visible).length,
  faults,
});`;

/** Opens the page in a frame of that width: the window of a headless browser cannot be as narrow as a telephone. */
function measured(page: string, widthPx: number): { measures: Measures; log: string } {
  assert.ok(browser, 'chromium is missing; install it, or run without CI=true');
  const file = join(home, `${widthPx}.html`);
  const source = page.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body style="margin:0"><iframe style="border:0;width:${widthPx}px;height:900px" srcdoc="${source}"></iframe>
<script>const frame = document.querySelector('iframe'); frame.onload = () => {${measure}};</script>`,
  );
  const profile = mkdtempSync(join(home, 'profile-'));
  const quiet = [
    '--disable-gpu',
    '--hide-scrollbars',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  const { stdout, stderr } = spawnSync(
    browser,
    [
      '--headless',
      '--no-sandbox',
      ...quiet,
      '--enable-logging=stderr',
      `--user-data-dir=${profile}`,
      '--window-size=1300,1000',
      '--virtual-time-budget=5000',
      '--dump-dom',
      pathToFileURL(file).href,
    ],
    { encoding: 'utf8', timeout: 60_000, maxBuffer: 64e6 },
  );
  const [, found] = /data-measures="([^"]*)"/.exec(stdout) ?? [];
  assert.ok(found, `the browser measured nothing: ${stderr.slice(-2000)}`);
  return {
    measures: JSON.parse(
      found.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    ),
    log: stderr,
  };
}

const names = { baseline: 'hard', ensemble: 'ensemble', resamples: 200 };
const report = reportRows(syntheticRuns({ protocols: ['seen', 'unseen'] }), { ...names, seed: 0 });
const page = reportPage(report, {
  ...names,
  title: 'Digits: what a student keeps of its teachers',
  attribution: 'Somebody, CC BY-SA 4.0',
  command: `report --scores ${'exp/digits/seen/score/hard-large/s0/test '.repeat(40)}--out DIR`,
});

for (const widthPx of [390, 768, 1200]) {
  test(`the page has no overlap, overflow or error in a window of ${widthPx} px`, { skip }, () => {
    const { measures, log } = measured(page, widthPx);
    assert.deepEqual(measures.faults, []);
    assert.ok(measures.overflowPx <= 0, `${measures.overflowPx} px wider than the window`);
    assert.equal(measures.rows, report.rows.length);
    assert.equal(measures.visibleCharts, 2 * 2 * 3); // protocols × sizes × (bytes, two curves)
    assert.doesNotMatch(log, /CONSOLE/);
  });
}

// The run, from the script elements of this file. Records and traces are unpacked when they are looked at.

const run = JSON.parse(byId("run").textContent);
const metrics = run.manifest.metrics;
const metricOf = Object.fromEntries(metrics.map((metric) => [metric.name, metric]));

const rows = JSON.parse(byId("rows").textContent).map(
  ([id, sample, place, failed, question, values, groups, flags, latency, tokens, cause], n) => ({
    n,
    id,
    sample,
    place,
    failed: failed === 1,
    question,
    values,
    groups,
    flags,
    latency,
    tokens,
    cause,
    words: null,
  }),
);
rows.sort((a, b) => a.place - b.place || a.sample - b.sample);

function address(row) {
  return encodeURIComponent(row.id.toWellFormed ? row.id.toWellFormed() : row.id) + (row.sample ? `/${row.sample}` : "");
}

const rowAt = new Map(rows.map((row) => [address(row), row]));

const parsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve, { once: true });
  else resolve();
});

async function unpacked(name) {
  await parsed; // the browser may still be reading the end of the file
  const element = byId(name);
  if (!element) return null;
  const text = atob(element.textContent);
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

const kept = new Map();

async function piece(name) {
  if (!kept.has(name)) kept.set(name, unpacked(name));
  const found = kept.get(name);
  kept.delete(name);
  kept.set(name, found); // the one used last is dropped last
  if (kept.size > 24) kept.delete(kept.keys().next().value);
  return found;
}

async function recordOf(row) {
  const size = run.chunks.records;
  return (await piece(`records-${Math.floor(row.n / size)}`))[row.n % size];
}

// The events; null: none was kept; a number: too long, its size in bytes; undefined: left out of this file.
async function traceOf(row) {
  const size = run.chunks.traces;
  const found = await piece(`traces-${Math.floor(row.n / size)}`);
  return found === null ? undefined : found[row.n % size];
}

function textsIn(value, found) {
  if (typeof value === "string") found.push(value);
  else if (value && typeof value === "object") for (const item of Object.values(value)) textsIn(item, found);
  return found;
}

// What a search looks through: all but the passages that were found, which are in nearly every example alike.
async function gatherWords(onProgress) {
  const size = run.chunks.records;
  const byNumber = [...rows].sort((a, b) => a.n - b.n);
  for (let start = 0; start < byNumber.length; start += size) {
    if (byNumber[start].words !== null) continue;
    const records = await unpacked(`records-${start / size}`);
    for (const row of byNumber.slice(start, start + size)) {
      const { example, result } = records[row.n - start];
      const found = [row.id, ...row.flags.map((flag) => run.flags[flag])];
      textsIn(example && [example.messages, example.gold, example.groups], found);
      textsIn([result.output && [result.output.text, result.output.reasoning, result.output.data.calls], result.score, result.failure], found);
      row.words = found.join("\n").toLowerCase();
    }
    onProgress(Math.min(start + size, byNumber.length));
  }
}

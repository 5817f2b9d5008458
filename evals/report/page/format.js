// Numbers as people read them.

const many = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

function count(number) {
  return many.format(number);
}

function plainNumber(number) {
  if (Number.isInteger(number)) return Math.abs(number) < 10000 ? String(number) : count(number);
  return Math.abs(number) >= 1000 ? count(number) : String(Number(number.toPrecision(3)));
}

// A metric's value: a rate in percent, anything else as it is.
function measured(metric, value) {
  if (value === null || value === undefined) return "–";
  return metric.kind === "rate" ? `${(100 * value).toFixed(1)} %` : plainNumber(value);
}

function interval(metric, ci) {
  if (!ci) return "";
  const [low, high] = ci;
  return metric.kind === "rate"
    ? `${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)}`
    : `${plainNumber(low)} – ${plainNumber(high)}`;
}

function difference(metric, value) {
  if (value === null || value === undefined) return "–";
  const sign = value > 0 ? "+" : value < 0 ? "−" : "±";
  const size = Math.abs(value);
  return metric.kind === "rate" ? `${sign}${(100 * size).toFixed(1)} pts` : sign + plainNumber(size);
}

function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.001) return `${Math.round(value * 1e6)} µs`;
  if (value < 1) return `${plainNumber(Number((value * 1000).toPrecision(3)))} ms`;
  if (value < 100) return `${plainNumber(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  return `${(value / 3600).toFixed(1)} h`;
}

function share(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)} %` : "–";
}

function moment(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return String(iso);
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" }).format(date);
}

function words(name) {
  const text = String(name).replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// What a value says of one example: all of it, nothing, a part.
function verdict(metric, value) {
  if (value === null || value === undefined) return "none";
  if (metric.better === "lower") return value <= 0 ? "right" : "wrong";
  return value >= 1 ? "right" : value <= 0 ? "wrong" : "partly";
}

const MARKS = { right: "✓", wrong: "✗", partly: "◐", none: "–", failed: "!" };
const MARK_WORDS = { right: "right", wrong: "wrong", partly: "partly right", none: "does not apply", failed: "failed" };

function mark(kind) {
  return el("span", { class: `mark ${kind}`, role: "img", "aria-label": MARK_WORDS[kind] }, MARKS[kind]);
}

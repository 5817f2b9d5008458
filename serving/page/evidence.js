// The panel beside the answer: each passage or record under its number, the cited sentence marked in it.

import { byId, link, make } from "./dom.js";

/** `evidence` is a map of n to {title, text, source, date, url, quotes}. */
export function showEvidence(evidence) {
  const items = [...evidence.entries()].sort(([a], [b]) => a - b);
  byId("no-evidence").hidden = items.length > 0;
  byId("evidence").replaceChildren(...items.map(([n, one]) => card(n, one)));
  byId("open-panel").textContent = items.length ? `Evidence (${items.length})` : "Evidence";
}

function card(n, one) {
  const dated = one.date ? one.date : "date unknown";
  return make(
    "li",
    { id: `evidence-${n}`, tabindex: "-1", class: one.quotes.length ? "cited" : "" },
    make("h3", {}, make("span", { class: "n" }, String(n)), " ", one.title),
    make("p", { class: "faint small" }, one.url ? link(one.url, one.source) : one.source, ` · ${dated}`),
    make("blockquote", { class: "passage" }, marked(one.text, one.quotes)),
  );
}

/** The text with the quotes marked, whatever the spaces between their words are. */
export function marked(text, quotes) {
  const spans = quotes
    .map((quote) => place(text, quote))
    .filter(Boolean)
    .sort((a, b) => a[0] - b[0]);
  const parts = [];
  let from = 0;
  for (const [start, end] of spans) {
    if (start < from) continue;
    parts.push(text.slice(from, start), make("mark", {}, text.slice(start, end)));
    from = end;
  }
  parts.push(text.slice(from));
  return parts;
}

function place(text, quote) {
  const words = quote.trim().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const found = new RegExp(escaped.join("\\s+"), "i").exec(text);
  return found ? [found.index, found.index + found[0].length] : null;
}

export function openEvidence(n) {
  document.body.classList.add("with-panel");
  byId("open-panel").setAttribute("aria-expanded", "true");
  const item = byId(`evidence-${n}`);
  if (!item) return;
  for (const other of byId("evidence").children) other.classList.toggle("chosen", other === item);
  (item.querySelector("mark") ?? item).scrollIntoView({ block: "center" });
  item.focus({ preventScroll: true });
}

// The examples as a list that can be searched, filtered and sorted. Only the rows in sight are drawn.

const ROW = 62;
const chosen = { query: "", metric: 0, outcome: "", group: "", flag: "", cause: "", sort: "place" };
let listed = rows;
let current = null; // the row that is open or that the keys stand on
const list = el("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": "Examples", id: "list" });
const sheet = el("div", { class: "sheet", role: "presentation" });
const told = el("p", { class: "told", "aria-live": "polite" });

function outcomeOf(row) {
  return row.failed ? "failed" : verdict(metrics[chosen.metric], row.values[chosen.metric]);
}

function fits(row) {
  if (chosen.outcome) {
    const seen = verdict(metrics[chosen.metric], row.values[chosen.metric]);
    if (chosen.outcome === "failed" ? !row.failed : seen !== chosen.outcome) return false;
  }
  if (chosen.group !== "" && !row.groups.includes(Number(chosen.group))) return false;
  if (chosen.flag !== "" && !row.flags.includes(Number(chosen.flag))) return false;
  if (chosen.cause && run.causes[row.cause] !== chosen.cause) return false;
  if (!chosen.query) return true;
  const text = row.words ?? `${row.id}\n${row.question}`.toLowerCase();
  return chosen.query.split(/\s+/).every((word) => text.includes(word));
}

const SORTS = {
  place: ["Order of the data", (a, b) => a.place - b.place || a.sample - b.sample],
  id: ["Name", (a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }) || a.sample - b.sample],
  slow: ["Slowest first", (a, b) => (b.latency ?? -1) - (a.latency ?? -1)],
  fast: ["Fastest first", (a, b) => (a.latency ?? Infinity) - (b.latency ?? Infinity)],
  tokens: ["Most tokens first", (a, b) => b.tokens - a.tokens],
  low: ["Lowest figure first", (a, b) => (a.values[chosen.metric] ?? Infinity) - (b.values[chosen.metric] ?? Infinity)],
  high: ["Highest figure first", (a, b) => (b.values[chosen.metric] ?? -Infinity) - (a.values[chosen.metric] ?? -Infinity)],
};

function refresh() {
  listed = rows.filter(fits).sort(SORTS[chosen.sort][1]);
  told.textContent = listed.length === rows.length ? `${count(rows.length)} examples` : `${count(listed.length)} of ${count(rows.length)} examples`;
  sheet.style.height = `${listed.length * ROW}px`;
  list.scrollTop = 0;
  byId("clear").hidden = !["query", "outcome", "group", "flag", "cause"].some((name) => chosen[name] !== "");
  drawRows();
}

function drawRows() {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 8);
  const last = Math.min(listed.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 8);
  const drawn = [];
  for (let n = first; n < last; n += 1) drawn.push(rowOf(listed[n], n));
  sheet.replaceChildren(...drawn);
  if (!listed.length) sheet.append(el("p", { class: "nothing" }, "No example fits."));
  const at = current && listed.indexOf(current);
  if (at !== null && at >= first && at < last) list.setAttribute("aria-activedescendant", `row-${current.n}`);
  else list.removeAttribute("aria-activedescendant");
}

function rowOf(row, n) {
  const node = el(
    "div",
    { class: "row", role: "option", id: `row-${row.n}`, "aria-selected": row === current ? "true" : "false", "aria-posinset": n + 1, "aria-setsize": listed.length, onclick: () => open(row) },
    mark(outcomeOf(row)),
    el("span", { class: "id", dir: "auto" }, row.id, row.sample ? el("span", { class: "faint" }, ` · sample ${row.sample + 1}`) : null),
    el("span", { class: "time" }, row.latency === null ? "" : seconds(row.latency)),
    el("span", { class: "asked", dir: "auto" }, row.question),
  );
  node.style.top = `${n * ROW}px`;
  return node;
}

function bringIntoSight(row) {
  const top = listed.indexOf(row) * ROW;
  if (top < 0) return;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
}

function step(by) {
  if (!listed.length) return;
  const at = listed.indexOf(current);
  open(listed[at < 0 ? 0 : Math.max(0, Math.min(listed.length - 1, at + by))]);
}

function pick(label, name, options) {
  const id = `by-${name}`;
  const node = el("select", { id, onchange: (event) => { chosen[name] = name === "metric" ? Number(event.target.value) : event.target.value; refresh(); } }, options);
  return el("div", { class: "pick" }, el("label", { for: id }, label), node);
}

function option(value, text) {
  return el("option", { value }, text);
}

function groupOptions() {
  const dimensions = new Map();
  run.groups.forEach(([dimension, group], n) => {
    if (!dimensions.has(dimension)) dimensions.set(dimension, []);
    dimensions.get(dimension).push([group, n]);
  });
  return [...dimensions].map(([dimension, groups]) =>
    el("optgroup", { label: words(dimension) }, groups.sort((a, b) => a[0].localeCompare(b[0])).map(([group, n]) => option(n, group))),
  );
}

let reading = null;

function search(event) {
  chosen.query = event.target.value.trim().toLowerCase();
  refresh();
  reading ??= gatherWords((done) => {
    if (!chosen.query) return;
    refresh();
    if (done < rows.length) told.textContent += `, ${share(done, rows.length)} looked through`;
  });
}

function filterBy(wanted) {
  Object.assign(chosen, { query: "", outcome: "", group: "", flag: "", cause: "" }, wanted);
  if (wanted.flag !== undefined) chosen.flag = String(run.flags.indexOf(wanted.flag));
  for (const name of ["outcome", "group", "flag"]) if (byId(`by-${name}`)) byId(`by-${name}`).value = chosen[name];
  byId("search").value = "";
  location.hash = "#examples";
  refresh();
}

function filters() {
  const first = Math.max(0, metrics.findIndex((metric) => metric.headline));
  chosen.metric = first;
  const outcomes = ["right", "partly", "wrong", "none", "failed"].map((kind) => option(kind, words(MARK_WORDS[kind])));
  const parts = [
    pick("Figure", "metric", metrics.map((metric, n) => option(n, metric.title))),
    pick("Outcome", "outcome", [option("", "Any"), ...outcomes]),
    run.groups.length ? pick("Group", "group", [option("", "All"), ...groupOptions()]) : null,
    run.flags.length ? pick("Flag", "flag", [option("", "Any"), ...run.flags.map((flag, n) => option(n, words(flag)))]) : null,
    pick("Sort", "sort", Object.entries(SORTS).map(([name, [title]]) => option(name, title))),
  ];
  parts[0].querySelector("select").value = String(first);
  return el(
    "form",
    { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
    el("div", { class: "find" }, el("label", { for: "search", class: "unseen" }, "Search the examples"), el("input", { id: "search", type: "search", placeholder: "Search questions, answers, gold …", autocomplete: "off", spellcheck: "false", oninput: search }), el("kbd", { "aria-hidden": "true" }, "/")),
    parts,
    el("button", { type: "button", class: "quiet", id: "clear", hidden: true, onclick: () => filterBy({}) }, "Clear filters"),
  );
}

function drawExamples() {
  list.append(sheet);
  list.addEventListener("scroll", drawRows, { passive: true });
  list.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -rows.length, End: rows.length };
    if (!(event.key in steps)) return;
    event.preventDefault();
    step(steps[event.key]);
  });
  new ResizeObserver(drawRows).observe(list);
  byId("examples").append(
    el("h1", { class: "unseen" }, "Examples"),
    filters(),
    el("div", { class: "panes" }, el("div", { class: "side" }, told, list), el("article", { id: "example", tabindex: -1, "aria-label": "Example" })),
  );
  refresh();
}

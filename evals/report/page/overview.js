// What was run and what came of it.

const summary = run.summary;
const LISTED = 20;

function section(title, ...content) {
  return el("section", {}, el("h2", {}, title), ...content);
}

function fact(name, value, title = null) {
  return value === null || value === undefined || value === "" ? null : el("div", {}, el("dt", {}, name), el("dd", { dir: "auto", title }, value));
}

function findOption(name) {
  for (const part of [run.manifest.target.options, run.manifest.benchmark.options]) {
    if (part && part[name] !== undefined) return part[name];
  }
  return null;
}

function opening() {
  const hash = String(findOption("data_sha256") || "");
  const model = findOption("model");
  const done = summary.unfinished ? `${count(summary.n)} of ${count(run.manifest.examples)}` : count(summary.n);
  const wall = summary.wall_s ? seconds(summary.wall_s) : "";
  return el(
    "header",
    { class: "opening" },
    el("p", { class: "over" }, "Evaluation report"),
    el("h1", {}, el("span", { dir: "auto" }, run.manifest.benchmark.name), el("span", { class: "by" }, " answered by "), el("span", { dir: "auto" }, run.manifest.target.name)),
    el(
      "dl",
      { class: "facts" },
      fact("Examples", done),
      fact("Failed", summary.failed ? `${count(summary.failed)} (count as wrong)` : "none"),
      fact("Samples of each", summary.samples > 1 ? count(summary.samples) : null),
      fact("Model", model && typeof model === "object" ? model.name || JSON.stringify(model) : model),
      fact("Begun", moment(run.manifest.created)),
      fact("Worked for", wall),
      fact("Data", hash ? `sha256 ${hash.slice(0, 12)}…` : null, hash),
      fact("Wardround", run.manifest.wardround),
    ),
    folded("Everything that decides this run", () =>
      shown({ benchmark: run.manifest.benchmark, target: run.manifest.target, samples: run.manifest.samples, "examples, sha256": run.manifest.examples_sha256, machine: run.manifest.environment }),
    ),
  );
}

function notices() {
  const items = [];
  if (summary.withheld) items.push(el("div", { class: "notice grave" }, el("h2", {}, "Headline figures are withheld"), said(summary.withheld)));
  if (summary.unfinished) {
    items.push(el("div", { class: "notice" }, el("h2", {}, "Not finished"), el("p", {}, `${count(summary.unfinished)} examples are still to be run: these are not yet the figures of the benchmark.`)));
  }
  if (summary.notes.length) {
    items.push(el("div", { class: "notice" }, el("h2", {}, "What to know when reading these figures"), el("ul", {}, summary.notes.map((note) => el("li", { dir: "auto" }, note)))));
  }
  return items;
}

function cards() {
  const first = metrics.filter((metric) => metric.headline);
  const chosen = (first.length ? first : metrics.slice(0, 3)).filter((m) => summary.figures[m.name] && summary.figures[m.name].value !== null);
  if (!chosen.length) return null;
  return el(
    "div",
    { class: "cards" },
    chosen.map((metric) => {
      const figure = summary.figures[metric.name];
      const domain = domainOf(metric, [figure]);
      return el(
        "div",
        { class: "card" },
        el("h3", { dir: "auto" }, metric.title),
        el("p", { class: "large" }, measured(metric, figure.value)),
        whisker(metric, figure, { domain, label: metric.title }),
        el("p", { class: "small" }, `95 % interval ${interval(metric, figure.ci) || "unknown"} · n ${count(figure.n)}`),
      );
    }),
  );
}

function figureRow(metric, name, figure, domain, at = null) {
  const nothing = !figure || figure.value === null;
  return el(
    "tr",
    {},
    el("th", { scope: "row", dir: "auto" }, name, metric.better === "lower" ? el("span", { class: "faint small" }, " lower is better") : null),
    el("td", { class: "drawn" }, nothing ? null : whisker(metric, figure, { domain, at, label: name })),
    el("td", { class: "number strong" }, nothing ? (figure && figure.method === "withheld" ? "withheld" : "–") : measured(metric, figure.value), el("span", { class: "under" }, nothing ? "" : interval(metric, figure.ci))),
    el("td", { class: "number" }, figure ? count(figure.n) : "–", figure && figure.failed ? el("span", { class: "under" }, `${count(figure.failed)} failed`) : null),
  );
}

function figureTable(caption, body, foot = null) {
  const head = el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Figure"), el("th", { scope: "col" }, el("span", { class: "unseen" }, "Drawn")), el("th", { scope: "col", class: "number" }, "Value, 95 % interval"), el("th", { scope: "col", class: "number" }, "n")));
  return el("table", { class: "figures" }, el("caption", { class: "unseen" }, caption), head, el("tbody", {}, body), foot);
}

function axisRow(metric, domain) {
  return el("tfoot", { "aria-hidden": "true" }, el("tr", {}, el("td"), el("td", { class: "drawn" }, axis(metric, domain)), el("td"), el("td")));
}

function table(caption, figures) {
  const listed = metrics.filter((metric) => figures[metric.name]);
  const rates = listed.filter((metric) => metric.kind === "rate");
  const drawn = listed.map((metric) => figureRow(metric, metric.title, figures[metric.name], domainOf(metric, [figures[metric.name]])));
  return figureTable(caption, drawn, rates.length === listed.length && rates.length ? axisRow(rates[0], [0, 1]) : null);
}

function groupPlots() {
  const dimensions = Object.entries(summary.groups);
  if (!dimensions.length) return null;
  const place = el("div", { class: "dimensions" });
  const draw = (name) => {
    const metric = metricOf[name];
    const overall = summary.figures[name];
    place.replaceChildren(...dimensions.map(([dimension, groups]) => dimensionPlot(metric, overall, dimension, Object.entries(groups))));
  };
  const choice = el("select", { id: "group-metric", onchange: (event) => draw(event.target.value) }, metrics.map((metric) => el("option", { value: metric.name }, metric.title)));
  draw((metrics.find((metric) => metric.headline) || metrics[0]).name);
  choice.value = (metrics.find((metric) => metric.headline) || metrics[0]).name;
  return section(
    "By group",
    el("p", { class: "tools" }, el("label", { for: "group-metric" }, "Figure"), choice, el("span", { class: "faint small" }, "The dashed line is the figure over all examples.")),
    place,
  );
}

function dimensionPlot(metric, overall, dimension, groups) {
  const figures = groups.map(([, by]) => by[metric.name]).filter(Boolean);
  const domain = domainOf(metric, [...figures, overall || { value: null }]);
  const at = overall ? overall.value : null;
  const drawn = groups.map(([group, by]) => figureRow({ ...metric, better: "higher" }, group, by[metric.name], domain, at));
  const body = el("div", { class: "dimension" }, el("h3", { dir: "auto" }, words(dimension)), figureTable(`${metric.title} by ${dimension}`, drawn.slice(0, LISTED), axisRow(metric, domain)));
  if (drawn.length > LISTED) {
    const more = el("button", { type: "button", class: "quiet" }, `Show all ${count(drawn.length)} groups`);
    more.addEventListener("click", () => {
      body.querySelector("tbody").append(...drawn.slice(LISTED));
      more.remove();
    });
    body.append(more);
  }
  return body;
}

function severalSamples() {
  const names = Object.keys(summary.several || {});
  return names.length ? section("Several samples of each example", ...names.flatMap((name) => [el("h3", {}, words(name)), table(name, summary.several[name])])) : null;
}

function unqualified() {
  if (!Object.keys(summary.unqualified || {}).length) return null;
  return section("Not to be quoted", el("p", {}, "What the withheld figures would be. No qualified judge stands behind them."), el("div", { class: "muted" }, table("Unqualified figures", summary.unqualified)));
}

function costs() {
  const times = rows.filter((row) => !row.failed && row.latency !== null).map((row) => row.latency);
  const answered = rows.length || 1;
  const nodes = Object.entries(run.node_seconds).slice(0, 12).map(([name, total]) => [name, total / answered]);
  const usage = Object.entries(summary.usage);
  return section(
    "Time and tokens",
    el(
      "div",
      { class: "columns" },
      times.length ? el("div", {}, el("h3", {}, "Seconds for an example"), histogram(times, { format: seconds, what: "Seconds for an example", marks: summary.latency_s })) : null,
      nodes.length ? el("div", {}, el("h3", {}, "Where the time goes, mean of an example"), bars(nodes, { format: seconds })) : null,
      usage.length
        ? el(
            "div",
            {},
            el("h3", {}, "Used"),
            el(
              "table",
              { class: "plain" },
              el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "What"), el("th", { scope: "col", class: "number" }, "In all"), el("th", { scope: "col", class: "number" }, "An example"))),
              el("tbody", {}, usage.map(([name, number]) => el("tr", {}, el("th", { scope: "row" }, words(name)), el("td", { class: "number" }, count(number)), el("td", { class: "number" }, plainNumber(Number((number / answered).toPrecision(3))))))),
            ),
          )
        : null,
    ),
  );
}

function failuresAndFlags() {
  const failures = Object.entries(summary.failures);
  const flags = Object.entries(summary.flags || {});
  if (!failures.length && !flags.length) return null;
  return section(
    "What went wrong, and what was noticed",
    el(
      "div",
      { class: "columns" },
      failures.length ? el("div", {}, el("h3", {}, "Failures by cause"), bars(failures, { whole: rows.length, choose: (cause) => filterBy({ outcome: "failed", cause: cause.split(":")[0] }) })) : null,
      flags.length ? el("div", {}, el("h3", {}, "Flags of the scorer"), bars(flags, { whole: rows.length, choose: (flag) => filterBy({ flag }) })) : null,
    ),
  );
}

function drawOverview() {
  byId("overview").append(
    ...[
      opening(),
      ...notices(),
      cards(),
      section("All figures", table("All figures", summary.figures)),
      unqualified(),
      severalSamples(),
      ...run.others.map(comparisonWith),
      groupPlots(),
      costs(),
      failuresAndFlags(),
    ].filter(Boolean),
  );
}

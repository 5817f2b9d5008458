// This run beside another one of the same benchmark.

function verdictOf(metric, { comparison, p_holm: corrected }) {
  if (!comparison.ci) return el("span", { class: "faint" }, "–");
  const [low, high] = comparison.ci;
  const clear = low > 0 || high < 0;
  const better = metric.better === "lower" ? high < 0 : low > 0;
  const p = corrected ?? comparison.p;
  const doubt = clear && p !== null && p !== undefined && p > 0.05;
  const told = p === null || p === undefined ? null : el("span", { class: "under" }, p < 0.001 ? "p < 0.001" : `p ${p.toFixed(3)}`);
  if (!clear || doubt) return [el("span", { class: "faint" }, "within noise"), told];
  return [el("span", { class: better ? "better" : "worse" }, better ? "better" : "worse"), told];
}

function comparisonWith(other) {
  const paired = other.comparison;
  const drawn = paired.metrics.map((one) => {
    const metric = one.metric;
    const mine = summary.figures[metric.name];
    const theirs = other.summary.figures[metric.name];
    const domain = domainOf(metric, [mine, theirs].filter(Boolean));
    return el(
      "tr",
      {},
      el("th", { scope: "row", dir: "auto" }, metric.title),
      el("td", { class: "drawn" }, whisker(metric, mine, { domain, beside: theirs, label: metric.title })),
      el("td", { class: "number" }, el("span", { class: "strong" }, measured(metric, mine && mine.value)), el("span", { class: "under" }, measured(metric, theirs && theirs.value))),
      el("td", { class: "number" }, difference(metric, one.comparison.difference), el("span", { class: "under" }, interval(metric, one.comparison.ci))),
      el("td", { class: "number" }, verdictOf(metric, one)),
    );
  });
  const heads = ["Figure", "Drawn", "This, other", "Difference, 95 %", "Verdict"];
  const only = [paired.only_b && `${count(paired.only_b)} only in this run`, paired.only_a && `${count(paired.only_a)} only in the other`].filter(Boolean);
  return section(
    `Compared with ${other.name}`,
    el("p", { class: "legend" }, el("span", {}, el("i"), "this run"), el("span", {}, el("i", { class: "other" }), other.name), el("span", { class: "faint" }, `Differences are paired over ${count(paired.n)} examples that both have${only.length ? `; ${only.join(", ")}` : ""}.`)),
    el(
      "table",
      { class: "figures compared" },
      el("caption", { class: "unseen" }, `This run compared with ${other.name}`),
      el("thead", {}, el("tr", {}, heads.map((name, n) => el("th", { scope: "col", class: n > 1 ? "number" : null }, n === 1 ? el("span", { class: "unseen" }, name) : name)))),
      el("tbody", {}, drawn),
    ),
    paired.changed.length ? folded("What differs between the two", () => el("ul", { class: "plain-list" }, paired.changed.map((line) => el("li", { dir: "auto" }, line)))) : null,
  );
}

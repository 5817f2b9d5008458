// Drawings: SVG with places in percent, so that they fit any width without being stretched.

function domainOf(metric, figures) {
  if (metric.kind === "rate") return [0, 1];
  const ends = figures.flatMap((figure) => [figure.value, ...(figure.ci || [])]).filter((v) => v !== null && v !== undefined);
  const low = Math.min(0, ...ends);
  const high = Math.max(...ends, 0);
  return high <= 1 && low >= 0 ? [0, 1] : [low, high === low ? low + 1 : high];
}

function place([low, high], value) {
  return `${(2 + (96 * (value - low)) / (high - low)).toFixed(3)}%`;
}

function grid(domain, height) {
  return [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const x = place(domain, domain[0] + part * (domain[1] - domain[0]));
    return svg("line", { x1: x, x2: x, y1: 0, y2: height, class: part % 1 ? "grid" : "grid end" });
  });
}

// A dot for the value and a line for its interval; `beside` is drawn hollow below it, `at` a dashed line.
function whisker(metric, figure, { domain, beside = null, at = null, label = "" } = {}) {
  const height = beside ? 34 : 24;
  const marks = [];
  if (at !== null) marks.push(svg("line", { x1: place(domain, at), x2: place(domain, at), y1: 0, y2: height, class: "at" }));
  const one = (each, y, kind) => {
    if (!each || each.value === null) return;
    if (each.ci) {
      const [low, high] = each.ci.map((end) => place(domain, end));
      marks.push(svg("line", { x1: low, x2: high, y1: y, y2: y, class: `whisker ${kind}` }));
      for (const end of [low, high]) marks.push(svg("line", { x1: end, x2: end, y1: y - 4, y2: y + 4, class: `whisker ${kind}` }));
    }
    marks.push(svg("circle", { cx: place(domain, each.value), cy: y, r: 5, class: `dot ${kind}` }));
  };
  one(figure, beside ? 10 : 12, "this");
  one(beside, 24, "other");
  const text = figure && figure.value !== null ? `${measured(metric, figure.value)}, 95 % interval ${interval(metric, figure.ci) || "unknown"}` : "no figure";
  const other = beside && beside.value !== null ? `; the other run ${measured(metric, beside.value)}, ${interval(metric, beside.ci)}` : "";
  return svg(
    "svg",
    { class: "plot", width: "100%", height, role: "img", "aria-label": `${label ? label + ": " : ""}${text}${other}` },
    grid(domain, height),
    marks,
  );
}

function axis(metric, domain) {
  const ends = [0, 0.5, 1].map((part) => domain[0] + part * (domain[1] - domain[0]));
  return el(
    "div",
    { class: "axis", "aria-hidden": "true" },
    ends.map((value) => el("span", {}, metric.kind === "rate" ? `${Math.round(100 * value)} %` : plainNumber(value))),
  );
}

// How often values lie where; the last bar holds all that is longer than nearly all others.
function histogram(values, { format, what, marks = {} }) {
  const ordered = [...values].sort((a, b) => a - b);
  const most = ordered[Math.min(ordered.length - 1, Math.floor(0.99 * ordered.length))] || 1;
  const bins = Math.max(6, Math.min(32, Math.ceil(Math.sqrt(ordered.length)) * 2));
  const counts = new Array(bins).fill(0);
  for (const value of ordered) counts[Math.min(bins - 1, Math.floor((value / most) * bins))] += 1;
  const tallest = Math.max(...counts);
  const height = 120;
  const bars = counts.map((number, n) => {
    const tall = (number / tallest) * (height - 18);
    return svg(
      "rect",
      { x: `${(100 * n) / bins + 0.2}%`, width: `${100 / bins - 0.4}%`, y: height - tall, height: tall, class: "bar", rx: 1 },
      svg("title", {}, `${format((most * n) / bins)} to ${n === bins - 1 ? "any" : format((most * (n + 1)) / bins)}: ${number}`),
    );
  });
  const lines = Object.entries(marks).flatMap(([name, value]) => {
    const x = Math.min(100, (100 * value) / most);
    const end = x > 70;
    return [
      svg("line", { x1: `${x}%`, x2: `${x}%`, y1: 0, y2: height, class: "at strong" }),
      svg("text", { x: `${x}%`, dx: end ? -5 : 5, y: name === "p50" ? 11 : 27, class: "note", "text-anchor": end ? "end" : "start" }, `${name} ${format(value)}`),
    ];
  });
  const told = Object.entries(marks).map(([name, value]) => `${name} ${format(value)}`).join(", ");
  return el(
    "figure",
    { class: "histogram" },
    svg("svg", { width: "100%", height, role: "img", "aria-label": `${what}: ${told}; ${format(ordered[0])} to ${format(ordered.at(-1))}` }, bars, lines),
    el("div", { class: "axis", "aria-hidden": "true" }, el("span", {}, "0"), el("span", {}, format(most / 2)), el("span", {}, `${format(most)} and more`)),
  );
}

// Names with bars, the longest first; each can be a button.
function bars(entries, { whole, format = count, choose = null }) {
  const longest = Math.max(...entries.map(([, number]) => number));
  return el(
    "ul",
    { class: "bars" },
    entries.map(([name, number]) => {
      const label = el("span", { class: "name", dir: "auto" }, name);
      return el(
        "li",
        {},
        choose ? el("button", { type: "button", class: "link", title: "Show these examples", onclick: () => choose(name) }, label) : label,
        svg("svg", { width: "100%", height: 8, "aria-hidden": "true" }, svg("rect", { x: 0, y: 0, height: 8, rx: 2, width: `${(100 * number) / longest}%`, class: "bar" })),
        el("span", { class: "number" }, format(number), whole ? el("span", { class: "faint" }, ` ${share(number, whole)}`) : null),
      );
    }),
  );
}

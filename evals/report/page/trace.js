// The steps of an example: nodes, model calls and tool calls on one time line, each to be opened.

let left = null; // what the end of the file says of traces left out

function traceOrWhy(steps, path) {
  left ??= byId("end") ? JSON.parse(byId("end").textContent) : {};
  if (Array.isArray(steps) && steps.length) return timeline(steps);
  const where = path ? ` It is in ${path} of the run's folder.` : "";
  if (steps === undefined) return el("p", { class: "faint" }, `Left out: traces stop at ${plainNumber(left.max_traces_mb || 0)} MB in this file.${where}`);
  if (typeof steps === "number") return el("p", { class: "faint" }, `Left out: this trace has ${plainNumber(steps / 1e6)} MB.${where}`);
  return el("p", { class: "faint" }, "No trace was kept.");
}

function titleOf(event) {
  if (event.event === "node") return ["node", event.name];
  if (event.event === "model") return ["model", event.role || event["gen_ai.request.model"] || "call"];
  if (event.event === "tool") return ["tool", event["gen_ai.tool.name"] || "call"];
  return [String(event.event), ""];
}

// Events are written when they end; here they stand in the order of their beginnings, inner ones below outer ones.
function placed(steps) {
  const timed = steps
    .filter((event) => typeof event.duration_s === "number" && !Number.isNaN(Date.parse(event.at)))
    .map((event, n) => {
      const end = Date.parse(event.at) / 1000;
      return { event, n, start: end - event.duration_s, end, inner: event.event !== "node" };
    });
  const slack = 0.002; // times are written in milliseconds
  for (const one of timed) {
    one.inner = one.inner && timed.some((node) => node.event.event === "node" && node.start <= one.start + slack && node.end >= one.end - slack);
  }
  timed.sort((a, b) => (Math.abs(a.start - b.start) < slack ? a.inner - b.inner || a.n - b.n : a.start - b.start));
  return timed;
}

function timeline(steps) {
  const timed = placed(steps);
  const others = steps.filter((event) => !timed.some((one) => one.event === event) && !["trace", "end"].includes(event.event));
  const begin = Math.min(...timed.map((one) => one.start));
  const whole = Math.max(...timed.map((one) => one.end)) - begin || 1e-6;
  return el(
    "div",
    { class: "steps" },
    timed.map((one) => stepOf(one, begin, whole)),
    others.map((event) => folded(titleOf(event).join(" "), () => shown(event))),
  );
}

function stepOf({ event, start, inner }, begin, whole) {
  const [kind, name] = titleOf(event);
  const from = Math.min(99, (100 * (start - begin)) / whole);
  const wide = Math.max(0.8, Math.min(100 - from, (100 * event.duration_s) / whole));
  const body = el("div", { class: "folded" });
  const node = el(
    "details",
    { class: `step ${kind}${inner ? " inner" : ""}` },
    el(
      "summary",
      {},
      el("span", { class: "kind" }, kind),
      el("span", { class: "name", dir: "auto" }, name, event["error.type"] ? el("span", { class: "chip grave" }, "error") : null),
      svg("svg", { class: "when", width: "100%", height: 10, "aria-hidden": "true" }, svg("rect", { x: `${from}%`, y: 1, width: `${wide}%`, height: 8, rx: 2 })),
      el("span", { class: "time" }, seconds(event.duration_s)),
    ),
    body,
  );
  node.addEventListener("toggle", () => {
    if (node.open && !body.hasChildNodes()) body.append(...[problemOf(event), ...stepBody(event)].filter(Boolean));
  });
  return node;
}

function problemOf(event) {
  return event["error.type"] ? el("div", { class: "notice grave" }, el("p", { class: "strong" }, event["error.type"]), said(event.error || "")) : null;
}

function stepBody(event) {
  if (event.event === "model") return modelBody(event);
  if (event.event === "tool") return toolBody(event);
  return [isEmpty(event.output) ? el("p", { class: "faint" }, "It changed nothing.") : shown(event.output)];
}

function modelBody(event) {
  const asked = event["gen_ai.input.messages"] || [];
  const facts = [
    ["model", event["gen_ai.request.model"]],
    ["prompt", event.prompt && String(event.prompt).replace(/@(.{12}).*/u, "@$1…")],
    ["tokens in", event["gen_ai.usage.input_tokens"]],
    ["tokens out", event["gen_ai.usage.output_tokens"]],
    ["ended by", (event["gen_ai.response.finish_reasons"] || []).filter(Boolean).join(", ")],
    ["retries", event.retries || null],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  return [
    el("p", { class: "faint small", dir: "auto" }, facts.map(([name, value]) => `${name} ${typeof value === "number" ? count(value) : value}`).join(" · ")),
    el("h4", {}, "Asked"),
    conversation(asked),
    el("h4", {}, "Replied"),
    ...(event["gen_ai.output.messages"] || []).map((reply) =>
      el(
        "div",
        { class: "talk" },
        el(
          "div",
          { class: "message other" },
          el("p", { class: "who" }, "Model"),
          reply.reasoning ? folded("Reasoning", () => said(reply.reasoning)) : null,
          isEmpty(reply.content) ? null : textOf(reply.content),
          (reply.tool_calls || []).map((call) => el("div", { class: "call" }, el("p", { class: "strong", dir: "auto" }, `calls ${call.name}`), shown(call.arguments))),
        ),
      ),
    ),
  ];
}

function toolBody(event) {
  const found = event.evidence || [];
  return [
    el("h4", {}, "Arguments"),
    shown(event.arguments),
    el("h4", {}, `Found ${count(found.length)}`),
    found.length
      ? el("table", { class: "plain" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Passage"), el("th", { scope: "col", class: "number" }, "Score"))), el("tbody", {}, found.map((hit) => el("tr", {}, el("td", { dir: "auto" }, String(hit.passage_id)), el("td", { class: "number" }, typeof hit.score === "number" ? hit.score.toFixed(3) : "–")))))
      : null,
  ];
}

// One example: what was asked, what came back, what it rests on, and why it was scored as it was.

function part(title, ...content) {
  return el("section", { class: "part" }, el("h3", {}, title), ...content);
}

function textOf(content) {
  if (typeof content === "string") return said(content);
  if (!Array.isArray(content)) return shown(content);
  return el(
    "div",
    {},
    content.map((piece) => {
      if (typeof piece === "string") return said(piece);
      if (piece && typeof piece.text === "string") return said(piece.text);
      const path = piece && (piece.path || (piece.image_url && piece.image_url.url));
      return path ? el("p", { class: "image", dir: "auto" }, `Image: ${path}`) : shown(piece);
    }),
  );
}

const SPEAKERS = { user: "Person", human: "Person", assistant: "Assistant", ai: "Assistant", system: "Instructions", tool: "Tool" };

function conversation(messages) {
  return el(
    "div",
    { class: "talk" },
    (messages || []).map((message) => {
      const role = String(message.role);
      const calls = message.tool_calls && message.tool_calls.length ? shown(message.tool_calls) : null;
      return el("div", { class: `message ${["user", "human"].includes(role) ? "person" : role === "system" ? "system" : "other"}` }, el("p", { class: "who" }, SPEAKERS[role] || role), textOf(message.content), calls);
    }),
  );
}

// An answer in which [1] leads to the passage with that number.
function cited(text, evidence) {
  const numbers = new Set(evidence.map((item) => String(item.n)));
  if (!numbers.size || text.length > LONG) return said(text, "said answer");
  const pieces = text.split(/(\[\d+(?:\s*[,–-]\s*\d+)*\])/u).map((piece, n) => {
    const first = n % 2 ? piece.match(/\d+/u)[0] : null;
    if (first === null || !numbers.has(first)) return piece;
    return el("button", { type: "button", class: "cite", "aria-label": `Passage ${piece.slice(1, -1)}`, onclick: () => showPassage(first) }, piece);
  });
  return el("div", { class: "said answer", dir: "auto" }, pieces);
}

function showPassage(n) {
  const node = byId(`passage-${n}`);
  if (!node) return;
  node.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  node.focus({ preventScroll: true });
}

// The passage with the quoted sentences marked. Returns the quotes that do not stand in it, too.
function highlighted(text, quotes) {
  const spans = [];
  const absent = [];
  for (const quote of quotes) {
    const pattern = quote.trim().split(/\s+/u).map((word) => word.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&")).join("\\s+");
    const found = pattern && pattern.length < 5000 ? text.match(new RegExp(pattern, "u")) : null;
    if (found) spans.push([found.index, found.index + found[0].length]);
    else absent.push(quote);
  }
  spans.sort((a, b) => a[0] - b[0]);
  const pieces = [];
  let at = 0;
  for (const [start, end] of spans) {
    if (end <= at) continue;
    pieces.push(text.slice(at, Math.max(at, start)), el("mark", {}, text.slice(Math.max(at, start), end)));
    at = end;
  }
  return [el("div", { class: "said", dir: "auto" }, ...pieces, text.slice(at)), absent];
}

function passages(evidence, citations) {
  return el(
    "ol",
    { class: "passages" },
    evidence.map((item) => {
      const quotes = citations.filter((citation) => citation.n === item.n && citation.quote).map((citation) => citation.quote);
      const [text, absent] = highlighted(String(item.text), [...new Set(quotes)]);
      return el(
        "li",
        { id: `passage-${item.n}`, tabindex: -1, class: quotes.length ? "used" : "" },
        el("p", { class: "head" }, el("span", { class: "n" }, `[${item.n}]`), el("span", { class: "strong", dir: "auto" }, String(item.medicine ?? "")), el("span", { dir: "auto" }, words(item.attribute ?? "")), el("span", { class: "faint" }, item.date || "date unknown"), quotes.length ? el("span", { class: "chip" }, "cited") : null),
        text,
        absent.map((quote) => el("p", { class: "absent" }, "Quoted, but not found in the passage: ", el("q", { dir: "auto" }, quote))),
        el("p", { class: "faint small id", dir: "auto" }, String(item.passage_id ?? "")),
      );
    }),
  );
}

function valueChips(row) {
  return el(
    "ul",
    { class: "scores" },
    metrics.map((metric, n) => {
      const value = row.values[n];
      const kind = verdict(metric, value);
      const plain = value === null || value === 0 || value === 1;
      return el("li", { class: kind }, mark(kind), el("span", { dir: "auto" }, metric.title), plain ? null : el("span", { class: "number" }, plainNumber(value)));
    }),
  );
}

function isEmpty(value) {
  return value === null || value === undefined || value === "" || (typeof value === "object" && !Object.keys(value).length);
}

const SHOWN_ELSEWHERE = new Set(["evidence", "citations", "flags", "calls"]);

function answerParts(output) {
  if (!output) return [];
  const data = output.data || {};
  const evidence = (Array.isArray(data.evidence) ? data.evidence : []).filter((item) => item && item.text !== undefined && item.n !== undefined);
  const citations = Array.isArray(data.citations) ? data.citations : [];
  const rest = Object.fromEntries(Object.entries(data).filter(([name]) => !SHOWN_ELSEWHERE.has(name) || (name === "evidence" && !evidence.length)).filter(([, value]) => !isEmpty(value)));
  const used = new Set(citations.map((citation) => citation.n)).size;
  return [
    part("Answer", output.text ? cited(output.text, evidence) : el("p", { class: "faint" }, "Nothing was said."), output.reasoning ? folded("Reasoning", () => said(output.reasoning), { note: `${count(output.reasoning.length)} characters` }) : null),
    isEmpty(data.flags) ? null : part("Flags of the answer", el("ul", { class: "plain-list" }, [data.flags].flat().map((flag) => el("li", { dir: "auto" }, typeof flag === "object" && flag ? [el("strong", {}, words(flag.kind)), ` ${flag.text ?? ""}`] : String(flag))))),
    isEmpty(data.calls) ? null : part("Searches", callTable(data.calls)),
    evidence.length ? part("Evidence", el("p", { class: "faint small" }, `${count(evidence.length)} passages, ${count(used)} cited. The quoted sentence is marked.`), passages(evidence, citations)) : null,
    isEmpty(rest) ? null : part("More about the answer", shown(rest)),
  ];
}

function callTable(calls) {
  if (!Array.isArray(calls) || !calls.every((call) => call && typeof call === "object" && "distilled_by" in call)) return shown(calls);
  const head = ["Medicine", "Subject", "Words", "Made by", "Hits"];
  return el(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Searches" },
    el(
      "table",
      { class: "plain" },
      el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, calls.map((call) => el("tr", {}, [call.medicine, call.attribute, [...(call.other_names || []), call.keywords].filter(Boolean).join(" "), call.distilled_by + (call.reason ? `: ${call.reason}` : ""), call.hits].map((value) => el("td", { dir: "auto" }, value === null || value === undefined || value === "" ? "–" : String(value)))))),
    ),
  );
}

function failureNotice(failure) {
  return el("div", { class: "notice grave" }, el("h3", {}, `Failed: ${failure.type}`), el("p", { class: "small" }, failure.stage === "judge" ? "The judge could not do its part." : "The target gave no answer."), said(failure.message));
}

function exampleHead(row) {
  const at = listed.indexOf(row);
  const same = rows.filter((other) => other.place === row.place && other.id === row.id);
  return el(
    "header",
    { class: "example-head" },
    el("p", { class: "tools" }, el("a", { class: "back", href: "#examples" }, "← All examples"), el("span", { class: "faint small" }, at < 0 ? "not in the list as filtered" : `${count(at + 1)} of ${count(listed.length)}`), el("span", { class: "steps" }, el("button", { type: "button", class: "quiet", onclick: () => step(-1), title: "Previous (k)" }, "Previous"), el("button", { type: "button", class: "quiet", onclick: () => step(1), title: "Next (j)" }, "Next"))),
    el("h2", { dir: "auto" }, el("a", { href: `#example/${address(row)}`, title: "Link to this example" }, row.id)),
    same.length > 1 ? el("p", { class: "small" }, "Sample ", same.map((other) => [other === row ? el("strong", {}, String(other.sample + 1)) : el("a", { href: `#example/${address(other)}` }, String(other.sample + 1)), " "])) : null,
    row.groups.length ? el("p", { class: "chips" }, row.groups.map((n) => el("span", { class: "chip", dir: "auto", title: words(run.groups[n][0]) }, run.groups[n][1]))) : null,
  );
}

async function drawExample(row) {
  const place = byId("example");
  const record = await recordOf(row);
  if (current !== row) return; // another was opened meanwhile
  const { example, result } = record;
  const score = result.score;
  const used = Object.entries(result.usage).filter(([, number]) => number);
  place.replaceChildren(
    exampleHead(row),
    ...[
      result.failure ? failureNotice(result.failure) : null,
      el("div", { class: "verdict" }, valueChips(row), score.why ? said(score.why, "said why") : null, score.flags.length ? el("p", { class: "chips" }, score.flags.map((flag) => el("span", { class: "chip warn", dir: "auto" }, words(flag)))) : null),
      example ? part(example.messages.length > 1 ? "Dialogue" : "Question", conversation(example.messages)) : part("Question", el("p", {}, "This example is not in examples.jsonl.")),
      example && !isEmpty(example.gold) ? part("Gold", shown(example.gold)) : null,
      ...answerParts(result.output),
      isEmpty(score.details) ? null : part("What the scorer saw", shown(score.details)),
      part("Steps", el("div", { id: "steps" }, el("p", { class: "faint" }, "Unpacking …"))),
      el("p", { class: "faint small last" }, [result.at && `finished ${moment(result.at)}`, result.attempt > 1 && `attempt ${result.attempt}`, ...used.map(([name, number]) => `${words(name).toLowerCase()} ${count(number)}`)].filter(Boolean).join(" · ")),
    ].filter(Boolean),
  );
  const steps = await traceOf(row);
  if (current === row) byId("steps").replaceChildren(traceOrWhy(steps, result.trace));
}

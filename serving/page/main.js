// The page: what there is, the conversations, and the turns of the one that is open.

import { Refused, fetchJson, keepKey, runTurn, takeKey } from "./api.js";
import { byId, make, tell } from "./dom.js";
import { openEvidence, showEvidence } from "./evidence.js";
import { Films } from "./films.js";
import { Drawing, Steps } from "./graph.js";
import { TurnView } from "./turn.js";

const page = { agents: [], patients: [], conversation: "", turns: [], said: [], running: null, shown: null };
const films = new Films(complain);

const agent = () => page.agents.find((one) => one.name === byId("agent").value) ?? page.agents[0];
const newName = () => `p-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
const isWide = () => matchMedia("(min-width: 1080px)").matches;

function complain(text) {
  tell(text);
  byId("ask").querySelector(".problem")?.remove();
  if (text) byId("ask").prepend(make("p", { class: "problem", role: "alert" }, text));
}

// -- what there is ---------------------------------------------------------------------------------------------------

async function open() {
  takeKey();
  let about;
  try {
    about = await fetchJson("/api/page");
  } catch (error) {
    if (error.status === 401) return askKey(error);
    return complain(error.message);
  }
  page.agents = about.agents;
  page.patients = about.patients;
  byId("agent").replaceChildren(...about.agents.map((one) => make("option", { value: one.name }, one.name.replaceAll("_", " "))));
  byId("patient").replaceChildren(make("option", { value: "" }, "none"), ...about.patients.map((id) => make("option", {}, id)));
  byId("about").replaceChildren(make("dt", {}, "Model"), make("dd", {}, about.model), make("dt", {}, "Corpus"), make("dd", {}, about.corpus));
  chooseAgent();
  begin();
  return listConversations();
}

function askKey(error) {
  const form = byId("key-form");
  byId("key-problem").hidden = !sessionStorage.getItem("wardround-key");
  byId("key-problem").textContent = error.message;
  form.showModal();
  form.addEventListener("close", () => { keepKey(byId("key").value.trim()); byId("key").value = ""; open(); }, { once: true });
}

function chooseAgent() {
  const chosen = agent();
  if (!chosen) return complain("This key may use no agent.");
  byId("question").placeholder = `Ask: ${chosen.title}`;
  byId("about-whom").hidden = !(chosen.patients && page.patients.length);
  films.offer(chosen.images, chosen.patients);
  if (!page.running) byId("graph").replaceChildren(new Drawing(chosen).element);
  return undefined;
}

// -- conversations ---------------------------------------------------------------------------------------------------

async function listConversations() {
  const { data } = await fetchJson("/api/conversations");
  byId("no-conversations").hidden = data.length > 0;
  byId("conversations").replaceChildren(...data.map(conversationLine));
}

function conversationLine(one) {
  const title = one.title || "Without text";
  const line = make(
    "li",
    {},
    make("button", { type: "button", class: "open", "aria-current": one.id === page.conversation ? "true" : false, onclick: () => reopen(one).catch(fault) },
      make("span", { class: "title" }, title),
      make("span", { class: "faint small" }, `${one.agent.replaceAll("_", " ")} · ${when(one.last)}`)),
    make("button", { type: "button", class: "quiet small delete", "aria-label": `Delete: ${title}`, onclick: (event) => remove(one, event.currentTarget).catch(fault) }, "Delete"),
  );
  return line;
}

const when = (seconds) => {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(undefined, today ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" });
};

/** The first press asks, the second deletes. */
async function remove(one, button) {
  if (!button.classList.contains("sure")) {
    button.classList.add("sure");
    button.textContent = "Really?";
    button.addEventListener("blur", () => { button.classList.remove("sure"); button.textContent = "Delete"; }, { once: true });
    return;
  }
  await fetchJson(`/api/conversations/${encodeURIComponent(one.id)}`, { method: "DELETE" });
  if (one.id === page.conversation) begin();
  await listConversations();
}

function begin() {
  stop();
  Object.assign(page, { conversation: newName(), turns: [], said: [], shown: null });
  byId("turns").replaceChildren(welcome());
  showEvidence(new Map());
  complain("");
  close();
  for (const line of byId("conversations").querySelectorAll("[aria-current]")) line.removeAttribute("aria-current");
  if (isWide()) byId("question").focus();
}

function welcome() {
  return make(
    "div",
    { class: "welcome" },
    make("h2", {}, "What would you like to know?"),
    make("ul", {}, page.agents.map((one) =>
      make("li", {}, make("button", { type: "button", class: "link", onclick: () => { byId("agent").value = one.name; chooseAgent(); byId("question").focus(); } }, one.name.replaceAll("_", " ")), `: ${one.title}`))),
  );
}

async function reopen(one) {
  const { data } = await fetchJson(`/api/conversations/${encodeURIComponent(one.id)}`);
  begin();
  page.conversation = one.id;
  byId("turns").replaceChildren();
  if (page.agents.some((known) => known.name === one.agent)) byId("agent").value = one.agent;
  chooseAgent();
  for (const turn of data) await restore(turn, turn === data.at(-1));
  page.turns.at(-1)?.element.scrollIntoView({ block: "start" });
  await listConversations();
}

async function restore(turn, isLast) {
  const view = addTurn({ question: turn.question ?? null });
  view.run = turn.run;
  for (const source of turn.sources) view.source(source);
  if (turn.question) page.said.push({ role: "user", content: turn.question });
  if (turn.answer !== null && turn.answer !== undefined) {
    view.final({ text: turn.answer, flags: [] });
    page.said.push({ role: "assistant", content: turn.answer });
  }
  if (turn.status === "waiting" && isLast) {
    const { data } = await fetchJson(`/api/turns/${turn.run}/waiting?agent=${encodeURIComponent(turn.agent)}`);
    view.interrupts = data;
  }
  const ends = { failed: "This turn failed.", lost: "The server ended before this turn did.", cancelled: "Stopped.", unfinished: "This turn has not ended." };
  if (ends[turn.status]) view.over(ends[turn.status]);
  else view.over();
  showTurn(view);
}

// -- turns -----------------------------------------------------------------------------------------------------------

function addTurn(about) {
  const view = new TurnView({
    agent: agent(),
    open: (turn, n) => { showTurn(turn); openEvidence(n); },
    decide: (turn, decision) => decide(turn, decision),
    ...about,
  });
  byId("turns").querySelector(".welcome")?.remove();
  page.turns.push(view);
  byId("turns").append(view.element);
  return view;
}

function showTurn(view) {
  page.shown = view;
  showEvidence(view.evidence);
}

async function ask(event) {
  event?.preventDefault();
  const question = byId("question").value.trim();
  if (!question || page.running) return;
  const sent = films.take();
  byId("question").value = "";
  grow();
  const before = [...page.said];
  const body = { agent: agent().name, messages: [...before, { role: "user", content: question }], films: sent, conversation: page.conversation, ...whom() };
  const again = () => { view.element.remove(); page.said = before; films.list = sent.map((film) => ({ name: film.label, url: film.url })); films.show(); byId("question").value = question; ask(); };
  const view = addTurn({ question, films: sent, again });
  page.said.push({ role: "user", content: question });
  await run(view, body);
}

const whom = () => {
  if (byId("about-whom").hidden || !byId("patient").value) return {};
  return { patient: byId("patient").value, study: byId("study").value.trim() || null };
};

async function decide(turn, decision) {
  const view = addTurn({ question: null });
  view.steps = turn.steps; // the same run goes on
  await run(view, { agent: turn.agent.name, conversation: page.conversation, resumes: turn.run, decision, ...whom() });
}

async function run(view, body) {
  complain("");
  showTurn(view);
  view.steps ??= new Steps(view.agent, page.agents);
  const { steps } = view;
  page.running = new AbortController();
  working(true);
  view.element.scrollIntoView({ block: "start" });
  tell("The agent works.");
  let problem = null;
  try {
    await runTurn(body, page.running.signal, (event) => {
      if (event.kind === "status") steps.status(event.data);
      else if (event.kind === "error") problem = event.data.message;
      else view.show(event);
      if ((event.kind === "source" || event.kind === "final") && page.shown === view) showEvidence(view.evidence);
    });
    view.over(problem);
    if (view.text) page.said.push({ role: "assistant", content: view.text });
    tell(problem ?? (view.interrupts.length ? "The agent waits for your decision." : "The answer is complete."));
  } catch (error) {
    if (error.name === "AbortError") {
      view.stopped();
      tell("Stopped.");
    } else if (error instanceof Refused) {
      problem = error.message;
      view.over(problem);
    } else throw error;
  } finally {
    steps.rest(problem ? "It ended with an error." : view.interrupts.length ? "It waits for a person." : " ");
    page.running = null;
    working(false);
    if (view.interrupts.length) view.element.querySelector(".approval")?.focus();
  }
  await listConversations();
}

function working(is) {
  byId("send").hidden = is;
  byId("stop").hidden = !is;
  byId("agent").disabled = is;
  if (is) byId("stop").focus({ preventScroll: true });
  else if (isWide()) byId("question").focus({ preventScroll: true });
}

const stop = () => page.running?.abort();
const fault = (error) => complain(error.message);

// -- what is pressed -------------------------------------------------------------------------------------------------

function grow() {
  const field = byId("question");
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, 220)}px`;
}

function toggle(name, id) {
  const shown = document.body.classList.toggle(name);
  byId(id).setAttribute("aria-expanded", String(shown));
  return shown;
}

function close() {
  document.body.classList.remove("with-panel", "with-list");
  for (const id of ["open-panel", "open-list"]) byId(id).setAttribute("aria-expanded", "false");
}

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  byId("theme").textContent = `Colours: ${theme}`;
  localStorage.setItem("wardround-theme", theme);
}

function onKey(event) {
  const inField = event.target.closest("input, textarea, select, dialog");
  if (event.key === "Escape" && !event.target.closest("dialog")) {
    if (document.body.classList.contains("with-panel") || document.body.classList.contains("with-list")) {
      close();
      byId("question").focus();
    } else stop();
  } else if (!inField && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const act = { "/": () => byId("question").focus(), n: begin, e: () => { document.body.classList.add("with-panel"); (byId("evidence").firstElementChild ?? byId("close-panel")).focus(); } }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  }
}

byId("ask").addEventListener("submit", (event) => ask(event).catch(fault));
byId("question").addEventListener("input", grow);
byId("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    ask().catch(fault);
  }
});
byId("stop").addEventListener("click", stop);
byId("agent").addEventListener("change", chooseAgent);
byId("new").addEventListener("click", begin);
byId("open-list").addEventListener("click", () => toggle("with-list", "open-list") && byId("new").focus());
byId("open-panel").addEventListener("click", () => toggle("with-panel", "open-panel") && byId("close-panel").focus());
byId("close-panel").addEventListener("click", () => { close(); byId("question").focus(); });
byId("keys-help").addEventListener("click", () => byId("keys").showModal());
byId("theme").addEventListener("click", () => setTheme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % 3]));
document.addEventListener("keydown", onKey);
setTheme(localStorage.getItem("wardround-theme") ?? "auto");
open().catch(fault);

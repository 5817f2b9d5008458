// One turn on the page: the question, what was done, the answer and what belongs to it.

import { Told, answerText } from "./answer.js";
import { approvalCard } from "./approval.js";
import { make } from "./dom.js";
import { dateOf, differentialTable, filmPair, notes, timeLine } from "./parts.js";

export class TurnView {
  /** `open(turn, n)` shows the turn's evidence; `decide(turn, decision)` answers what waits; `again()` asks once more. */
  constructor({ question, films = [], agent, open, decide, again }) {
    this.evidence = new Map();
    this.told = new Told();
    this.interrupts = [];
    this.films = films;
    this.agent = agent;
    this.openEvidence = (n) => open(this, n);
    this.decide = (decision) => decide(this, decision);
    this.again = again;
    this.run = null;
    this.answer = make("div", { class: "answer" });
    this.extras = make("div", {});
    this.notes = make("ul", { class: "notes" });
    this.log = make("ol", { class: "log small" });
    this.thought = make("p", { class: "thought small" });
    this.logTitle = make("summary", {}, "Working…");
    this.how = make("details", { class: "how" }, this.logTitle, this.log, this.thought);
    this.end = make("div", { class: "end" });
    const asked = question === null ? null : make("div", { class: "question" }, films.length ? filmPair(films) : null, make("p", {}, question));
    this.element = make(
      "article",
      { class: "turn", "aria-label": question === null ? "Decision" : `Question: ${question.slice(0, 80)}` },
      asked,
      this.how,
      this.answer,
      this.extras,
      this.notes,
      this.end,
    );
    this.busy(true);
  }

  busy(is) {
    this.element.setAttribute("aria-busy", String(is));
    this.how.hidden = !is && !this.log.childElementCount && !this.thought.textContent;
    if (!is) this.logTitle.textContent = "How this came about";
  }

  show(event) {
    const { kind, data } = event;
    if (kind === "begun") this.run = data.run;
    else if (kind === "text") this.told.add(data);
    else if (kind === "withdrawn") {
      this.told.withdraw();
      this.note(`Withdrawn: ${data.reason}`);
    } else if (kind === "reasoning") this.thought.append(data.text);
    else if (kind === "tool_start") this.note(`${named(data.tool)}: ${wanted(data.arguments)}`);
    else if (kind === "tool_end" && data.hits !== undefined) this.note(`${named(data.tool)}: ${data.hits === 1 ? "1 passage" : `${data.hits} passages`}`);
    else if (kind === "hand_over") this.note(`Handed to ${named(data.to).toLowerCase()}`);
    else if (kind === "source") this.source(data);
    else if (kind === "interrupt") this.interrupts.push(data);
    else if (kind === "final") this.final(data);
    if (kind === "text" || kind === "withdrawn") this.answer.replaceChildren(...answerText(this.told.text, this.evidence, this.openEvidence));
  }

  note(text) {
    this.log.append(make("li", {}, text));
    this.logTitle.textContent = text;
  }

  source(data) {
    this.evidence.set(data.n, { title: data.title, text: data.text, source: data.source, date: data.date, url: data.url, quotes: [] });
  }

  final(data) {
    for (const { n, record } of data.records ?? []) {
      this.evidence.set(n, { title: `Report of ${record.study_id}`, text: record.text, source: "patient record", date: dateOf(record), url: null, quotes: [] });
    }
    for (const { n, quote } of data.answer?.citations ?? data.reading?.citations ?? []) this.evidence.get(n)?.quotes.push(quote);
    if (data.differential?.diagnoses?.length) {
      this.answer.replaceChildren(differentialTable(data.differential));
    } else {
      this.answer.replaceChildren(...answerText(data.text || this.told.text, this.evidence, this.openEvidence));
    }
    if (data.records?.length) this.extras.replaceChildren(timeLine(data.records, this.openEvidence));
    this.notes.replaceChildren(...notes(data.flags ?? []));
    this.text = data.text;
  }

  /** It is over: by its end, because a person is asked, because it was stopped, or by an error. */
  over(problem = null) {
    this.busy(false);
    if (problem) {
      const again = this.again ? make("button", { type: "button", class: "quiet", onclick: () => this.again() }, "Ask again") : null;
      this.end.replaceChildren(make("p", { class: "problem", role: "alert" }, problem), again ?? "");
    } else if (this.interrupts.length) {
      this.end.replaceChildren(approvalCard(this.interrupts, this.decide));
    }
  }

  stopped() {
    this.busy(false);
    this.end.replaceChildren(make("p", { class: "faint" }, "Stopped."));
  }
}

const named = (tool) => {
  const words = (tool ?? "tool").replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
};

const wanted = (values) =>
  Object.values(values && typeof values === "object" ? values : { values })
    .filter((value) => value !== null && value !== "" && !(Array.isArray(value) && !value.length))
    .map((value) => String(value).slice(0, 200))
    .join(" · ");

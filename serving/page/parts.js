// What an agent gives beside its text: a differential, films with the records on a time line, notes.

import { make } from "./dom.js";

export function differentialTable(differential) {
  const rows = differential.diagnoses.map((one) =>
    make(
      "tr",
      {},
      make("td", { class: "number" }, String(one.rank)),
      make("th", { scope: "row" }, one.diagnosis, one.icd10cm ? make("span", { class: "faint small" }, ` ${one.icd10cm}`) : null),
      make("td", { "data-title": "For" }, findings(one.for)),
      make("td", { "data-title": "Against" }, findings(one.against)),
    ),
  );
  return make(
    "div",
    { class: "differential" },
    differential.red_flags.map((text) => make("p", { class: "notice grave" }, make("strong", {}, "Red flag: "), text)),
    rows.length
      ? make(
          "table",
          {},
          make("caption", { class: "unseen" }, "Differential diagnosis"),
          make("thead", {}, make("tr", {}, make("td", {}, ""), ["Diagnosis", "For", "Against"].map((name) => make("th", { scope: "col" }, name)))),
          make("tbody", {}, rows),
        )
      : make("p", {}, "No diagnosis could be read of the model's replies."),
    differential.next_tests.length
      ? make("div", {}, make("h3", {}, "Next"), make("ul", {}, differential.next_tests.map((text) => make("li", {}, text))))
      : null,
  );
}

function findings(list) {
  if (!list?.length) return make("span", { class: "faint" }, "none named");
  return make(
    "ul",
    {},
    list.map((one) =>
      make("li", { class: one.in_case ? "" : "invented" }, `“${one.quote}”`, one.in_case ? null : make("span", { class: "small" }, " not in the case")),
    ),
  );
}

export function filmPair(films) {
  return make(
    "div",
    { class: "films" },
    films.map((film) => make("figure", {}, make("img", { src: film.url, alt: film.label }), make("figcaption", {}, film.label))),
  );
}

/** The records to scale on a line, the current film at its right end; a dot leads to its record. */
export function timeLine(records, open) {
  const oldest = [...records].sort((a, b) => b.record.days_before - a.record.days_before);
  const most = Math.max(1, oldest[0].record.days_before);
  let least = 0;
  const dots = oldest.map(({ n, record }, place) => {
    const right = 90 - 6 * (oldest.length - 1 - place); // none lies on another
    least = Math.min(right, Math.max(least, 90 * (1 - record.days_before / most)));
    const dot = make("button", { type: "button", class: "dot", onclick: () => open(n), "aria-label": `Record ${n} of ${dateOf(record)}, ${days(record)}` }, String(n));
    dot.style.left = `${least}%`;
    least += 6;
    return dot;
  });
  return make(
    "section",
    { class: "time", "aria-label": "Earlier records on a time line" },
    make("div", { class: "line" }, dots, make("span", { class: "today" }, "now")),
    make(
      "ol",
      {},
      oldest
        .map(({ n, record }) =>
          make(
            "li",
            {},
            make("button", { type: "button", class: "cite", "aria-label": `Evidence ${n}`, onclick: () => open(n) }, String(n)),
            make("span", { class: "strong" }, ` ${dateOf(record)} `),
            make("span", { class: "faint small" }, days(record)),
            make("p", { class: "small" }, record.text.length > 220 ? `${record.text.slice(0, 220)}…` : record.text),
          ),
        ),
    ),
  );
}

export const dateOf = (record) => {
  const day = record.time.slice(0, 10);
  const until = record.until?.slice(0, 10);
  if (!until || until === day) return day;
  return until.slice(0, 7) === day.slice(0, 7) ? day.slice(0, 7) : day.slice(0, 4);
};

const days = (record) => (record.days_before === 1 ? "1 day before" : `${record.days_before} days before`);

const GRAVE = new Set(["urgent", "weak_model"]);

export const notes = (flags) =>
  flags.map((flag) => make("li", { class: GRAVE.has(flag.kind) ? "grave" : "" }, flag.text));

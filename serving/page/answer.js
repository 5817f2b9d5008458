// An answer as text: paragraphs, emphasis, and citation marks that lead to their evidence.

import { make } from "./dom.js";

const MARK = /\[(\d+(?:\s*,\s*\d+)*)\]|\*\*([^*\n]+)\*\*/g;

/** `open(n)` shows the evidence of a number. */
export function answerText(text, known, open) {
  return text
    .split(/\n{2,}/)
    .filter((part) => part.trim())
    .map((part) => make("p", {}, inline(part.trim(), known, open)));
}

function inline(text, known, open) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(MARK)) {
    parts.push(text.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[2] !== undefined) {
      parts.push(make("strong", {}, found[2]));
      continue;
    }
    const after = /^[.,;:!?)]/.exec(text.slice(from))?.[0] ?? ""; // stays on the line of its mark
    from += after.length;
    const marks = make("span", { class: "marks" });
    parts.push(marks);
    for (const number of found[1].split(/\s*,\s*/).map(Number)) {
      marks.append(
        known.has(number)
          ? make("button", { type: "button", class: "cite", "aria-label": `Evidence ${number}`, onclick: () => open(number) }, String(number))
          : `[${number}]`,
      );
    }
    marks.append(after);
  }
  parts.push(text.slice(from));
  return parts;
}

/** The answer while it is told, piece by piece; what was withdrawn is taken out again. */
export class Told {
  pieces = [];

  add(data) {
    this.pieces.push(data);
  }

  withdraw() {
    this.pieces = this.pieces.filter((piece) => piece.lasting);
  }

  get text() {
    let text = "";
    let before = null;
    for (const piece of this.pieces) {
      if (before) {
        if (before.lasting || piece.lasting) text += "\n\n";
        else if (!piece.token) text += piece.line ? "\n" : " ";
      }
      text += piece.text;
      before = piece;
    }
    return text;
  }
}

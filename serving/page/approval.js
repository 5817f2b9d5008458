// A card for what a person must decide before a run goes on.

import { make } from "./dom.js";

/** `decide(decision)` is called once with what the run is given. `asked` are the interrupts: id and value. */
export function approvalCard(asked, decide) {
  const actions = asked.flatMap((one) =>
    (one.value?.action_requests ?? []).map((request) => ({ interrupt: one.id, request, decision: null })),
  );
  if (!actions.length) return openQuestion(asked, decide);
  const card = make("section", { class: "approval", tabindex: "-1", "aria-label": "Waits for your decision" });
  const decided = (action, decision) => {
    action.decision = decision;
    if (actions.some((one) => !one.decision)) return;
    for (const button of card.querySelectorAll("button, textarea")) button.disabled = true;
    decide(answer(asked, actions));
  };
  card.append(make("h3", {}, "Waits for your decision"), ...actions.map((action) => actionForm(action, (d) => decided(action, d))));
  return card;
}

/** One interrupt is answered plainly, several by their ids. */
function answer(asked, actions) {
  const of = (id) => ({ decisions: actions.filter((one) => one.interrupt === id).map((one) => one.decision) });
  return asked.length === 1 ? of(asked[0].id) : Object.fromEntries(asked.map((one) => [one.id, of(one.id)]));
}

function actionForm({ request }, decided) {
  const isText = typeof request.args?.text === "string";
  const shown = isText ? request.args.text : JSON.stringify(request.args ?? {}, null, 2);
  const text = make("textarea", { rows: Math.min(14, shown.split("\n").length + 1), "aria-label": `What stands in ${request.name}`, spellcheck: "false" });
  text.value = shown;
  const why = make("input", { "aria-label": "Why it is rejected", placeholder: "Why, if you reject it", maxlength: "2000" });
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const form = make("div", { class: "action" });
  const done = (words, decision) => {
    form.replaceChildren(make("p", {}, words));
    decided(decision);
  };
  const go = make("button", { type: "button", class: "main" }, "Approve");
  const isEdited = () => text.value !== shown;
  text.addEventListener("input", () => (go.textContent = isEdited() ? "Approve as edited" : "Approve"));
  go.addEventListener("click", () => {
    if (!isEdited()) return done("Approved.", { type: "approve" });
    let args = { ...request.args, text: text.value };
    if (!isText) {
      try {
        args = JSON.parse(text.value);
      } catch (error) {
        problem.textContent = `This is no JSON: ${error.message}`;
        problem.hidden = false;
        return undefined;
      }
    }
    return done("Approved as edited.", { type: "edit", edited_action: { name: request.name, args } });
  });
  const reject = make("button", { type: "button", class: "quiet", onclick: () => done("Rejected.", { type: "reject", message: why.value }) }, "Reject");
  form.append(
    make("p", { class: "strong" }, request.name.replaceAll("_", " ")),
    ...(request.description ? [make("p", { class: "faint" }, request.description)] : []),
    text,
    problem,
    make("div", { class: "row" }, go, reject, why),
  );
  return form;
}

/** Something else than an action is asked: it is shown, and answered in words. */
function openQuestion(asked, decide) {
  const shown = asked.map((one) => (typeof one.value === "string" ? one.value : JSON.stringify(one.value, null, 2)));
  const text = make("textarea", { rows: 3, "aria-label": "Your answer" });
  const send = make("button", { type: "button", class: "main" }, "Answer");
  send.addEventListener("click", () => {
    if (!text.value.trim()) return;
    send.disabled = text.disabled = true;
    decide(asked.length === 1 ? text.value : Object.fromEntries(asked.map((one) => [one.id, text.value])));
  });
  return make("section", { class: "approval", tabindex: "-1", "aria-label": "Waits for your answer" }, make("h3", {}, "Waits for your answer"), shown.map((one) => make("p", { class: "said" }, one)), text, make("div", { class: "row" }, send));
}

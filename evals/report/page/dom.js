// Everything that enters the page goes through here, and text only ever as text.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function byId(id) {
  return document.getElementById(id);
}

const LONG = 6000;

// Text of others. A very long one is cut until somebody asks for the rest.
function said(text, kind = "said") {
  const whole = String(text);
  const node = el("div", { class: kind, dir: "auto" }, whole.length > LONG ? whole.slice(0, LONG) + "…" : whole);
  if (whole.length <= LONG) return node;
  const more = el("button", { type: "button", class: "quiet" }, `Show all ${count(whole.length)} characters`);
  more.addEventListener("click", () => {
    node.textContent = whole;
    more.remove();
  });
  return el("div", {}, node, more);
}

// Any JSON value, for people: texts as text, lists as lists, objects as names with values.
function shown(value, depth = 0) {
  if (value === null || value === undefined || value === "") return el("span", { class: "faint" }, "–");
  if (typeof value === "string") return said(value, "value");
  if (typeof value === "number") return el("span", { class: "value" }, plainNumber(value));
  if (typeof value === "boolean") return el("span", { class: "value" }, value ? "yes" : "no");
  if (depth > 6) return el("code", {}, JSON.stringify(value).slice(0, 2000));
  if (Array.isArray(value)) {
    if (!value.length) return el("span", { class: "faint" }, "none");
    if (value.every((item) => typeof item !== "object" || item === null) && JSON.stringify(value).length < 160) {
      return el("span", { class: "value", dir: "auto" }, value.map(String).join(", "));
    }
    return el("ol", { class: "values" }, value.map((item) => el("li", {}, shown(item, depth + 1))));
  }
  const names = Object.keys(value);
  if (!names.length) return el("span", { class: "faint" }, "none");
  return el(
    "dl",
    { class: "pairs" },
    names.map((name) => el("div", {}, el("dt", { dir: "auto" }, name), el("dd", {}, shown(value[name], depth + 1)))),
  );
}

function folded(title, content, { open = false, note = "" } = {}) {
  const body = el("div", { class: "folded" });
  const node = el("details", { open }, el("summary", {}, title, note && el("span", { class: "faint" }, ` ${note}`)), body);
  const draw = () => {
    if (node.open && !body.hasChildNodes()) body.append(content());
  };
  node.addEventListener("toggle", draw);
  draw();
  return node;
}

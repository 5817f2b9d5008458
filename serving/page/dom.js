// Making elements. Text is only ever put in as text: there is no way here to put in markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function make(tag, about = {}, ...children) {
  return fill(document.createElement(tag), about, children);
}

export function draw(tag, about = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), about, children);
}

function fill(element, about, children) {
  for (const [name, value] of Object.entries(about)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export function tell(text) {
  byId("told").textContent = text;
}

export const link = (address, text) =>
  /^https?:\/\//.test(address)
    ? make("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text)
    : document.createTextNode(text);

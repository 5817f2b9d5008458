// The agent's graph, drawn in layers; the node that works is lit.

import { byId, draw, make } from "./dom.js";

const WIDTH = 340;
const HEIGHT = 26;
const LAYER = 44;

/** Which layer each node stands in: as far from the start as the longest way that never goes back. */
export function layers(agent) {
  const known = new Set(agent.nodes);
  const next = new Map([...known, "__start__"].map((name) => [name, []]));
  for (const [from, to] of agent.edges) if (next.has(from) && known.has(to)) next.get(from).push(to);
  const depth = new Map();
  const onWay = new Set();
  const visit = (name, at) => {
    if (onWay.has(name) || (depth.get(name) ?? -1) >= at) return;
    depth.set(name, at);
    onWay.add(name);
    for (const one of next.get(name)) visit(one, at + 1);
    onWay.delete(name);
  };
  visit("__start__", -1);
  for (const one of next.get("__start__")) visit(one, 0);
  for (const name of known) if (!depth.has(name)) depth.set(name, 0);
  depth.delete("__start__");
  const rows = [];
  for (const [name, at] of depth) (rows[at] ??= []).push(name);
  return rows.filter(Boolean);
}

export class Drawing {
  constructor(agent) {
    this.agent = agent;
    this.boxes = new Map();
    this.state = new Map();
    this.now = make("p", { class: "small faint" }, " ");
    this.element = make("div", { class: "drawing" }, this.draw(), this.now);
  }

  draw() {
    const rows = layers(this.agent);
    const at = new Map();
    rows.forEach((row, number) => {
      const room = WIDTH / row.length;
      const wide = Math.min(room - 8, 132);
      row.forEach((name, place) => at.set(name, { x: room * (place + 0.5), y: 8 + number * LAYER, wide }));
    });
    const lines = this.agent.edges
      .filter(([from, to]) => at.has(from) && at.has(to))
      .map(([from, to]) => draw("path", { class: "edge", d: way(at.get(from), at.get(to)) }));
    const boxes = [...at].map(([name, { x, y, wide }]) => {
      const small = name.length * 6.6 > wide;
      const box = draw(
        "g",
        { class: "node" },
        draw("rect", { x: x - wide / 2, y, width: wide, height: HEIGHT, rx: 6 }),
        draw("text", { x, y: y + HEIGHT / 2 + 4, "text-anchor": "middle", class: small ? "small" : "" }, name.replaceAll("_", " ")),
      );
      this.boxes.set(name, box);
      return box;
    });
    const high = 8 + (rows.length - 1) * LAYER + HEIGHT + 8;
    return draw(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${high}`, role: "img", "aria-label": `The graph of ${this.agent.name}: ${this.agent.nodes.join(", ")}` },
      lines,
      boxes,
    );
  }

  /** A node begins or has ended. */
  set(name, state) {
    const box = this.boxes.get(name);
    if (!box) return;
    this.state.set(name, state);
    box.setAttribute("class", `node ${state}`);
    const working = [...this.state].filter(([, value]) => value === "working").map(([one]) => one);
    this.now.textContent = working.length ? `Working: ${working.join(", ")}` : " ";
  }

  rest(text) {
    for (const [name, state] of this.state) if (state === "working") this.set(name, "stopped");
    this.now.textContent = text;
  }
}

function way(from, to) {
  const y1 = from.y + HEIGHT;
  if (to.y > from.y) return `M${from.x},${y1} C${from.x},${y1 + 12} ${to.x},${to.y - 12} ${to.x},${to.y}`;
  const side = Math.max(from.x + from.wide / 2, to.x + to.wide / 2);
  return `M${from.x + from.wide / 2},${from.y + HEIGHT / 2} C${side + 40},${from.y} ${side + 40},${to.y + HEIGHT} ${to.x + to.wide / 2},${to.y + HEIGHT / 2}`;
}

/** The drawings of one turn: the agent's, and below it those of the agents that it hands over to. */
export class Steps {
  constructor(agent, agents) {
    this.agents = agents;
    this.drawings = new Map([["", new Drawing(agent)]]);
    byId("graph").replaceChildren(this.drawings.get("").element);
  }

  status({ node, begins, path }) {
    if (begins === undefined) return;
    const inside = (path ?? [])[0] ?? "";
    if (!this.drawings.has(inside)) {
      const known = this.agents.find((agent) => agent.name === inside);
      if (!known) return;
      const drawing = new Drawing(known);
      this.drawings.set(inside, drawing);
      byId("graph").append(make("h3", { class: "small" }, `Inside ${inside.replaceAll("_", " ")}`), drawing.element);
    }
    this.drawings.get(inside).set(node, begins ? "working" : "done");
  }

  rest(text) {
    for (const drawing of this.drawings.values()) drawing.rest(" ");
    this.drawings.get("").rest(text);
  }
}

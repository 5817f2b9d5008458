// Which part of the report is shown: the address after # says it, so every example has a link.

function open(row) {
  if (`#example/${address(row)}` === location.hash) route();
  else location.hash = `#example/${address(row)}`;
}

function route() {
  const hash = location.hash;
  const row = hash.startsWith("#example/") ? rowAt.get(hash.slice("#example/".length)) : null;
  const inExamples = hash === "#examples" || hash.startsWith("#example/");
  byId("overview").hidden = inExamples;
  byId("examples").hidden = !inExamples;
  byId("examples").classList.toggle("reading", Boolean(row));
  for (const [name, here] of [["overview", !inExamples], ["examples", inExamples]]) {
    if (here) byId(`to-${name}`).setAttribute("aria-current", "page");
    else byId(`to-${name}`).removeAttribute("aria-current");
  }
  if (!inExamples) return;
  const from = current;
  if (row) {
    current = row;
    drawExample(row);
    if (from !== row) scrollTo(0, 0);
  } else if (hash.startsWith("#example/")) {
    byId("example").replaceChildren(el("p", { class: "nothing" }, "This run has no such example."));
  } else if (!current) {
    byId("example").replaceChildren(el("p", { class: "nothing" }, "Choose an example. "), el("p", { class: "keys" }, el("kbd", {}, "j"), " ", el("kbd", {}, "k"), " next, previous   ", el("kbd", {}, "/"), " search"));
  }
  if (row) bringIntoSight(row);
  drawRows();
}

function keys(event) {
  const typing = event.target.closest && event.target.closest("input, select, textarea");
  if (event.key === "Escape" && typing) {
    event.target.blur();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    if (byId("examples").hidden || byId("examples").classList.contains("reading")) location.hash = "#examples";
    route();
    byId("search").focus();
  } else if (!byId("examples").hidden && (event.key === "j" || event.key === "k")) {
    step(event.key === "j" ? 1 : -1);
  }
}

byId("run-name").textContent = `${run.manifest.benchmark.name} · ${run.manifest.target.name}`;
drawOverview();
drawExamples();
route();
addEventListener("hashchange", route);
addEventListener("keydown", keys);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
document.documentElement.dataset.ready = String(Math.round(performance.now()));

// Stored studies: list, filter, open, compare, follow, start and cancel.

import { ask, askWithHeaders, byId, change, LANGUAGE, make, marksOf, say, showError } from "./common.js";
import { lineChart } from "./lines.js";

const PATIENCE = 1500; // ms between two looks at what is running
const chosen = new Set();
let listed = [];
let open = null;
let shownText = "";
let store = null; // counts the files that took the store's place

// ---- what failed: each error stays until that which failed is tried again ---------------------

const errors = new Map(); // what was tried -> the error, the newest last

function tried(what, error = null) {
  errors.delete(what);
  if (error) errors.set(what, error);
  const [newest, found] = [...errors].pop() ?? [null, null];
  const place = newest === "start" ? byId("start") : document.querySelector("h1");
  if (newest && place.nextElementSibling !== byId("error")) place.after(byId("error"));
  if (byId("error").textContent !== (found?.message ?? "")) showError(found);
}

// ---- the list --------------------------------------------------------------------------------

async function look() {
  try {
    const { given, headers } = await askWithHeaders("/api/studies");
    listed = given;
    const now = headers.get("x-descenso-store");
    byId("note").textContent = say("replaced");
    if (store !== null && now !== store) byId("note").hidden = false;
    store = now;
    tried("list");
  } catch (error) {
    listed = [];
    tried("list", error);
  }
  for (const identity of chosen) if (!listed.some((s) => s.identity === identity)) chosen.delete(identity);
  showList();
}

function fits(study) {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [study.identity, study.problem, ...study.methods].join(" ").toLowerCase();
  const state = byId("state").value;
  const same = !state || study.state === state || (state === "unfinished" && study.state === "running");
  return same && words.every((word) => text.includes(word));
}

function showList() {
  const table = byId("list");
  const heads = ["", say("problem"), say("methods"), say("started"), say("standing"), ""];
  if (!table.tHead.rows.length) table.tHead.append(make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text))));
  const fitting = listed.filter(fits);
  const kept = document.activeElement?.dataset?.key;
  table.tBodies[0].replaceChildren(...fitting.map(row));
  if (kept) table.querySelector(`[data-key="${CSS.escape(kept)}"]`)?.focus();
  byId("none").hidden = fitting.length > 0;
  byId("none").textContent = errors.has("list") ? "" : say(listed.length ? "none_found" : "no_studies");
  showHint();
}

function row(study) {
  const name = `${study.problem} ${study.identity.slice(0, 6)}`;
  const box = make("input", {
    type: "checkbox", checked: chosen.has(study.identity), disabled: study.state !== "finished",
    ariaLabel: say("select", { name }),
    onchange: (event) => {
      if (event.target.checked) chosen.add(study.identity);
      else chosen.delete(study.identity);
      showHint();
    },
  });
  box.dataset.key = `box-${study.identity}`;
  const button = make("button", { type: "button", ariaLabel: `${say("open")} ${name}`, onclick: () => openStudy(study.identity, true) }, say("open"));
  button.dataset.key = `open-${study.identity}`;
  const cells = [box, study.problem, study.methods.join(", "), study.started, say(study.state), button];
  return make("tr", {}, ...cells.map((cell, i) => make(i === 1 ? "th" : "td", i === 1 ? { scope: "row" } : {}, cell)));
}

function showHint() {
  byId("compare").disabled = chosen.size < 2;
  byId("compare-hint").textContent = chosen.size < 2 ? say("choose_two") : "";
}

// ---- one study, or several beside one another ------------------------------------------------

async function openStudy(identity, byHand) {
  open = [identity];
  shownText = "";
  history.replaceState(null, "", `#${identity}`);
  await showOpen();
  if (byHand) byId("detail-title").focus();
}

async function showOpen() {
  if (!open) return;
  let studies;
  try {
    studies = await Promise.all(open.map((identity) => ask(`/api/studies/${encodeURIComponent(identity)}`)));
    tried("open");
  } catch (error) {
    tried("open", error);
    return;
  }
  const text = JSON.stringify(studies);
  if (text === shownText) return; // nothing new: keep the reader's place
  shownText = text;
  byId("detail").hidden = false;
  byId("detail-title").textContent = studies.map((s) => s.problem).join(" · ");
  const parts = studies.map((study) => make("div", {}, ...detail(study, studies.length > 1)));
  byId("detail-body").replaceChildren(make("div", { className: studies.length > 1 ? "compared" : "" }, ...parts));
  studies.forEach((study, i) => drawCurves(study, parts[i].querySelector("canvas")));
}

function detail(study, several) {
  const canvas = make("canvas", { role: "img", ariaLabel: say("chart", { methods: study.methods.join(", ") }) });
  const chart = make("div", { className: "canvas chart" }, canvas);
  const title = several ? [make("h3", {}, `${study.problem} ${study.identity.slice(0, 6)}`)] : [];
  if (study.live) {
    return [...title, make("p", {}, `${say("live")} ${say("runs", { count: study.live.count })}`), chart, key(study.live.methods)];
  }
  const place = `/studies/${encodeURIComponent(study.identity)}`;
  const links = make("p", { className: "row" },
    make("a", { href: `${place}/report.html?lang=${LANGUAGE}` }, say("report")),
    make("a", { href: `${place}/report.html?lang=${LANGUAGE}&download=1`, download: "" }, `${say("report")} ↓`),
    make("a", { href: `${place}/study.json?lang=${LANGUAGE}`, download: "" }, say("data")));
  return [...title, make("p", { className: "verdict" }, study.verdict), table(study), chart, links];
}

function table(study) {
  const heads = [say("method"), say("settings"), `${study.metric}, ${say("test")}`, say("interval"), say("diverged_runs"), say("time_per_run")];
  const rows = study.rows.map((r) => {
    const standing = r.standing ? ` (${r.standing})` : "";
    const name = make("th", { scope: "row" }, swatch(marksOf(study.methods)[r.place]), r.method + standing);
    const cells = [r.settings, r.test, r.interval, r.diverged, r.seconds];
    return make("tr", {}, name, ...cells.map((text, i) => make("td", i ? { className: "number" } : {}, text)));
  });
  return make("div", { className: "wide", tabIndex: 0, role: "region", ariaLabel: study.problem },
    make("table", { className: "detail-table" },
      make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)))),
      make("tbody", {}, ...rows)));
}

function swatch(mark) {
  const dot = make("span", { className: "swatch" });
  dot.style.background = mark.colour;
  return dot;
}

function key(methods) {
  return make("p", { className: "row quiet" }, ...methods.map((name, i) => make("span", {}, swatch(marksOf(methods)[i]), name)));
}

function drawCurves(study, canvas) {
  const series = study.live
    ? study.live.curves.map((c) => ({ values: c.values, faint: true, cut: c.diverged, ...marksOf(study.live.methods)[study.live.methods.indexOf(c.method)] }))
    : study.rows.map((r) => ({ values: r.curve, ...marksOf(study.methods)[r.place] }));
  const title = say("validation", { metric: study.metric ?? "" }).replace(/^, /, "");
  lineChart(canvas, series, { xTitle: say("epoch"), title, percent: study.percent, target: study.target });
}

// ---- starting --------------------------------------------------------------------------------

async function start(event) {
  event.preventDefault();
  const fields = [...byId("start").elements].filter((field) => field.id);
  const asked = Object.fromEntries(fields.map((field) => [field.id, field.type === "checkbox" ? field.checked : field.value.trim()]));
  try {
    await change("/api/jobs/start", asked);
    tried("start");
    await watch();
  } catch (error) {
    tried("start", new Error(say("start_failed", { reason: error.message })));
  }
}

async function watch() {
  let jobs;
  try {
    jobs = await ask("/api/jobs");
  } catch (error) {
    return; // the list says that the server does not answer
  }
  const box = byId("jobs");
  const held = document.activeElement?.dataset?.key;
  box.replaceChildren(...jobs.slice(0, 4).map(job));
  if (held) box.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}

function job(given) {
  const stage = { search: say("searching"), confirm: say("confirming") }[given.stage] ?? say("starting");
  const running = given.state === "running";
  const said = running ? `${stage} ${given.method}` : say(given.state);
  const parts = [make("p", {}, make("strong", {}, given.problem), ` – ${said}`)];
  if (running) {
    parts.push(make("progress", { max: 1, value: given.share, ariaLabel: `${given.problem}: ${said}` }));
    const cancel = make("button", { type: "button", onclick: () => end(given.number) }, say("cancel"));
    cancel.dataset.key = `cancel-${given.number}`;
    parts.push(cancel);
  }
  if (given.error) parts.push(make("p", { className: "error" }, given.error));
  if (given.study) {
    const button = make("button", { type: "button", onclick: () => openStudy(given.study, true) }, say("open"));
    button.dataset.key = `job-${given.number}`;
    parts.push(button);
  }
  return make("div", { className: "job" }, ...parts);
}

async function end(number) {
  try {
    await change(`/api/jobs/${number}/cancel`);
    tried("start");
    await watch();
  } catch (error) {
    tried("start", error);
  }
}

// ---- beginning -------------------------------------------------------------------------------

byId("filter").addEventListener("input", showList);
byId("state").addEventListener("change", showList);
byId("compare").addEventListener("click", async () => {
  open = [...chosen];
  shownText = "";
  await showOpen();
  byId("detail-title").focus();
});
byId("start").addEventListener("submit", start);
window.addEventListener("resize", () => {
  shownText = "";
  showOpen();
});

async function round() {
  if (document.visibilityState === "visible") {
    await look();
    await watch();
    if (open && listed.some((s) => open.includes(s.identity) && s.state !== "finished")) await showOpen();
    else if (open && shownText.includes('"live"')) await showOpen();
  }
  setTimeout(round, PATIENCE);
}

function openAddressed() {
  const named = location.hash.slice(1);
  if (!named) return;
  if (/^[0-9a-f]{4,64}$/.test(named)) openStudy(named, false);
  else tried("open", new Error(say("no_such_study", { what: named.slice(0, 60) })));
}

window.addEventListener("hashchange", openAddressed);
round().then(openAddressed);

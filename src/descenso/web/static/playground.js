// The playground: what is set is asked of the server, what it answers is drawn.

import { ask, byId, colour, DATA, make, marksOf, number, point, say, showError } from "./common.js";
import { chooseFramework, copy, showCode, showFormula, showNumbers, showRule } from "./inside.js";
import { lineChart } from "./lines.js";
import { showMethods } from "./methods.js";
import { noiseScale } from "./sliders.js";
import { PARTS, Stage } from "./stage.js";
import { around, forgetRates, fromAddress, query, readMethod, toAddress, usual } from "./state.js";
import { offerTours } from "./tours.js";

const OWN = "function";
const stage = new Stage(byId("paths"));
let state = fromAddress(location.hash.slice(1));
let surface = null;
let shown = null; // the newest answer, with the state it answers: all that is drawn comes from here
let playing = null;

const stepShown = () => (state.k === null ? shown.steps : Math.min(state.k, shown.steps));
const chosen = () => Math.min(state.selected, shown.paths.length - 1);

// ---- asking: never more than one question at a time, and the newest wins ---------------------

let asking = false;
let again = false;

async function refresh() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  byId("main").setAttribute("aria-busy", "true");
  try {
    do {
      again = false;
      await fetchAll();
    } while (again);
    showError(null);
    markStale(false);
  } catch (error) {
    showError(shown ? new Error(`${error.message}. ${say("stale")}`) : error);
    markStale(Boolean(shown));
  } finally {
    asking = false;
    byId("main").setAttribute("aria-busy", "false");
    if (again) refresh();
  }
}

async function fetchAll() {
  const wanted = structuredClone(state);
  const key = [wanted.function, wanted.surface, wanted.window].join("|");
  const found = surface?.key === key ? surface : { ...(await ask("/api/surface", placeOf(wanted))), key };
  if (wanted.x === null) [wanted.x, wanted.y] = found.start;
  const asked = query(wanted);
  if (wanted.arrows) asked.set("parts", wanted.selected);
  const answer = await ask("/api/paths", asked);
  if (state.x === null) [state.x, state.y] = found.start;
  if (takeRates(wanted, answer)) return;
  shown = { ...answer, state: wanted };
  if (surface !== found) {
    surface = found;
    stage.show(surface);
    showSurface();
  }
  keepAddress();
  draw();
}

function placeOf(wanted) {
  const place = new URLSearchParams(wanted.function ? { function: wanted.function } : { surface: wanted.surface });
  if (wanted.window) place.set("window", wanted.window.join(","));
  return place;
}

// Where the server chose learning rates, they are set here, to the digits shown, and asked for again.
function takeRates(wanted, answer) {
  const without = wanted.methods.map((method, i) => i).filter((i) => !("lr" in wanted.methods[i].settings));
  if (!without.length) return false;
  for (const i of without) {
    const method = state.methods[i];
    if (method?.name !== wanted.methods[i].name || "lr" in method.settings) continue;
    method.settings = { lr: Number(answer.paths[i].settings.lr.toPrecision(3)), ...method.settings };
  }
  showMethods(state, listeners);
  again = true;
  return true;
}

// The address says what is drawn, not what was refused.
function keepAddress() {
  history.replaceState(null, "", `#${toAddress({ ...shown.state, k: state.k, selected: chosen() })}`);
}

function markStale(stale) {
  byId("stage").classList.toggle("stale", stale);
  byId("inside").classList.toggle("stale", stale);
}

// ---- drawing ---------------------------------------------------------------------------------

function draw() {
  if (!shown) return;
  const k = stepShown();
  const factor = stage.draw(shown.paths, k, chosen(), shown.state.arrows);
  showArrowLegend(factor);
  drawLosses(k);
  showEnds();
  const path = shown.paths[chosen()];
  showRule(shown.state.methods[chosen()], path);
  showNumbers(path, k);
  showCode(path);
  showPlayer(k);
  describe();
}

function drawLosses(k) {
  const log = surface.minima.length > 0;
  const heights = (path) => path.values.map((v) => (log ? Math.max(v - surface.lowest, 1e-300) : v));
  const marks = marksOf(shown.paths.map((path) => path.label));
  const series = shown.paths.map((path, i) => ({
    values: heights(path), colour: marks[i].colour, dash: marks[i].dash, cut: path.end === "diverged",
  }));
  const first = Math.max(...shown.paths.map((path) => path.values[0]));
  lineChart(byId("losses"), series, {
    log, xTitle: say("step"), title: say(log ? "height" : "value"), xMax: shown.steps, mark: k,
    range: (low, high) => [Math.max(low, first - 20 * Math.abs(first || 1)), high],
  });
}

const named = (path, i) => shown.state.methods[i].name;

function settingsText(path) {
  const { settings } = shown.state.methods[shown.paths.indexOf(path)];
  const kept = Object.entries(path.settings).filter(([name]) => name === "lr" || Object.hasOwn(settings, name));
  if (path.rates) kept.unshift(["lr", path.rates[0]]);
  return kept.map(([name, v]) => `${name} = ${typeof v === "boolean" ? v : number(v)}`).join(", ");
}

function endText(path) {
  if (path.end === "diverged") return say("diverged", { step: path.diverged_at });
  return say(path.end);
}

function showEnds() {
  const table = byId("ends");
  const heads = ["method", "settings", "ends_at", "value", "state"];
  table.tHead.replaceChildren(make("tr", {}, ...heads.map((key) => make("th", { scope: "col" }, say(key)))));
  const focused = document.activeElement?.name === "selected" ? document.activeElement.value : null;
  const marks = marksOf(shown.paths.map((path) => path.label));
  table.tBodies[0].replaceChildren(...shown.paths.map((path, i) => {
    const swatch = make("span", { className: "swatch" });
    swatch.style.background = marks[i].colour;
    const radio = make("input", {
      type: "radio", name: "selected", value: String(i), checked: i === chosen(),
      onchange: () => {
        state.selected = i;
        if (state.arrows) refresh();
        else draw();
      },
    });
    const last = path.points.length - 1;
    const row = make("tr", {},
      make("th", { scope: "row" }, make("label", {}, radio, " ", swatch, named(path, i))),
      make("td", {}, settingsText(path)),
      make("td", { className: "number" }, point(path.points[last])),
      make("td", { className: "number" }, number(path.values[last])),
      make("td", {}, endText(path)));
    row.setAttribute("aria-selected", String(i === chosen()));
    return row;
  }));
  if (focused !== null) table.querySelector(`input[value="${Number(focused)}"]`)?.focus();
}

function showPlayer(k) {
  const slider = byId("k");
  slider.max = shown.steps;
  slider.value = k;
  byId("k-shown").textContent = `${k} / ${shown.steps}`;
  byId("arrows").checked = state.arrows;
  byId("zoom").textContent = say(state.window ? "whole_view" : "zoom");
}

function showArrowLegend(factor) {
  const box = byId("arrow-legend");
  box.hidden = !shown.state.arrows;
  if (box.hidden) return;
  const path = shown.paths[chosen()];
  const there = Object.keys(PARTS).filter((name) => path.parts?.[name].some((v) => Math.hypot(...v) > 1e-12));
  const parts = [...there.map((name) => [PARTS[name], say(name)]), [colour("text"), say("whole")]];
  box.replaceChildren(...parts.map(([ink, text]) => {
    const swatch = make("span", { className: "swatch" });
    swatch.style.background = ink;
    return make("span", {}, swatch, text);
  }));
  if (factor !== null && factor !== 1) box.append(make("span", {}, say("shortened", { factor: number(factor, 2) })));
}

let described = null;
function describe() {
  clearTimeout(described);
  described = setTimeout(() => {
    const methods = shown.paths.map(named).join(", ");
    byId("paths").setAttribute("aria-label", say("picture", { surface: surface.name, methods, start: point(shown.start) }));
    byId("losses").setAttribute("aria-label", say("chart", { methods }));
    byId("summary").textContent = shown.paths.map((path, i) => say("summary", {
      name: named(path, i), point: point(path.points[path.points.length - 1]), value: number(path.values[path.values.length - 1]),
    })).join(" ");
  }, 600);
}

function showSurface() {
  const known = DATA.catalog.surfaces.find((s) => s.name === surface.name);
  byId("surface-summary").textContent = known ? known.summary : "";
  showFormula(byId("surface-formula"), surface.formula);
  [byId("x-name").textContent, byId("y-name").textContent] = surface.axes;
}

// ---- controls --------------------------------------------------------------------------------

// What the user sets is shown whole: at step 0 nothing of it could be seen.
function changed() {
  if (state.k === 0) state.k = null;
  showNote("");
  refresh();
}

const listeners = {
  changed,
  rebuilt: (i) => {
    if (i !== undefined) state.selected = i;
    showMethods(state, listeners);
    changed();
  },
  tune: (i) => {
    const method = state.methods[i];
    method.byHand = false;
    forgetRates([method]);
    state.selected = i;
    changed();
  },
};

function showControls() {
  const names = DATA.catalog.surfaces.map((s) => s.name);
  if (!state.function && !names.includes(state.surface)) names.push(state.surface);
  byId("surface").replaceChildren(
    ...names.map((name) => make("option", { value: name, selected: !state.function && name === state.surface }, name)),
    make("option", { value: OWN, selected: Boolean(state.function) }, "f(x, y) = …"));
  byId("function-row").hidden = !state.function;
  byId("function").value = state.function;
  showStart();
  byId("steps").value = state.steps;
  byId("seeds").value = state.seeds;
  byId("noise").value = noiseScale.toPlace(state.noise);
  showNoise();
  showMethods(state, listeners);
}

function showStart() {
  if (state.x === null) return;
  byId("x").value = Number(state.x.toPrecision(4));
  byId("y").value = Number(state.y.toPrecision(4));
}

function showNoise() {
  byId("noise-shown").textContent = number(state.noise);
  byId("noise").setAttribute("aria-valuetext", number(state.noise));
}

function listen() {
  byId("surface").addEventListener("change", async (event) => {
    const own = event.target.value === OWN;
    byId("function-row").hidden = !own;
    if (own) {
      byId("function").value ||= "x**2 + 10*y**2";
      byId("function").focus();
    }
    state.function = own ? byId("function").value : "";
    if (!own) state.surface = event.target.value;
    await moved();
  });
  byId("function").addEventListener("change", async (event) => {
    if (!event.target.value.trim()) {
      showError(new Error(say("formula_needed")));
      return;
    }
    state.function = event.target.value;
    await moved();
  });
  for (const name of ["x", "y"]) byId(name).addEventListener("input", (event) => whenNumber(event, (v) => (state[name] = v)));
  byId("steps").addEventListener("input", (event) => whenNumber(event, (v) => {
    state.steps = Math.round(v);
    state.k = null;
  }));
  byId("seeds").addEventListener("input", (event) => whenNumber(event, (v) => (state.seeds = Math.round(v))));
  byId("noise").addEventListener("input", (event) => {
    state.noise = noiseScale.toValue(Number(event.target.value));
    showNoise();
    changed();
  });
  byId("add").addEventListener("click", () => {
    state.methods.push(readMethod("rmsprop"));
    listeners.rebuilt(state.methods.length - 1);
    byId("methods").lastChild.querySelector("select").focus();
  });
  byId("share").addEventListener("click", () => copy(location.href, byId("shared")));
  byId("copy-code").addEventListener("click", () => copy(byId("code").textContent, byId("code-copied")));
  chooseFramework(() => shown && showCode(shown.paths[chosen()]));
}

// Another surface: its own start, and learning rates that fit it.
async function moved() {
  [state.x, state.y, state.k, state.window] = [null, null, null, null];
  forgetRates(state.methods);
  showNote("");
  await refresh();
  showStart();
}

// While a number is being typed it may be no number yet; the server says what is too large.
function whenNumber(event, set) {
  if (event.target.value === "" || !Number.isFinite(event.target.valueAsNumber)) return;
  set(event.target.valueAsNumber);
  changed();
}

function listenToPlayer() {
  const go = (k) => {
    if (!shown) return;
    state.k = Math.max(0, Math.min(shown.steps, k));
    if (!playing) keepAddress(); // browsers count how often an address changes
    draw();
  };
  const halt = () => {
    if (!playing) return;
    clearInterval(playing);
    playing = null;
    byId("play").textContent = say("play");
    keepAddress();
  };
  byId("k").addEventListener("input", (event) => {
    halt();
    go(Number(event.target.value));
  });
  const step = (by) => {
    halt();
    if (shown) go(stepShown() + by);
  };
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("play").addEventListener("click", () => {
    if (playing) {
      halt();
      return;
    }
    if (!shown) return;
    if (stepShown() >= shown.steps) state.k = 0;
    byId("play").textContent = say("pause");
    const each = Math.max(1, Math.round(shown.steps / 120));
    playing = setInterval(() => {
      go(stepShown() + each);
      if (stepShown() >= shown.steps) halt();
    }, 90);
  });
  byId("zoom").addEventListener("click", () => {
    if (!shown) return;
    state.window = state.window ? null : around(shown.paths, surface);
    refresh();
  });
  byId("arrows").addEventListener("change", (event) => {
    state.arrows = event.target.checked;
    if (shown && state.arrows && stepShown() >= shown.steps) state.k = Math.min(2, shown.steps - 1);
    refresh();
  });
}

const NEAR = 30; // pixels between a finger and the start that it takes hold of
const STILL = 8; // pixels within which a finger's touch is a tap

function listenToPicture() {
  const canvas = byId("paths");
  const within = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const place = (event) => {
    [state.x, state.y] = stage.from(...within(event)).map((v) => Number(v.toPrecision(4)));
    showStart();
    changed();
  };
  const atStart = (event) => {
    const [x, y] = within(event);
    const [a, b] = stage.at(shown.start);
    return Math.hypot(x - a, y - b) < NEAR;
  };
  // A finger scrolls the page. It moves the start where it takes hold of it, or taps.
  let tap = null;
  canvas.addEventListener("touchstart", (event) => {
    if (shown && event.touches.length === 1 && atStart(event.touches[0])) event.preventDefault();
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (!shown || !event.isPrimary) return;
    tap = null;
    if (event.pointerType === "touch" && !atStart(event)) {
      tap = event;
      return;
    }
    canvas.setPointerCapture(event.pointerId);
    dragged = event.pointerId;
    if (event.pointerType !== "touch") place(event);
  });
  let dragged = null;
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId === dragged) place(event);
    else if (tap && Math.hypot(event.clientX - tap.clientX, event.clientY - tap.clientY) > STILL) tap = null;
  });
  canvas.addEventListener("pointerup", (event) => {
    if (tap && event.pointerId === tap.pointerId) place(event);
    [tap, dragged] = [null, null];
  });
  canvas.addEventListener("pointercancel", () => ([tap, dragged] = [null, null]));
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || !surface) return;
    event.preventDefault();
    const sides = surface.window.map(([low, high]) => high - low);
    const by = event.shiftKey ? 0.05 : 0.01;
    [state.x, state.y] = [state.x, state.y].map((v, i) => Math.max(surface.window[i][0], Math.min(surface.window[i][1], Number((v + by * way[i] * sides[i]).toPrecision(6)))));
    showStart();
    changed();
  });
}

function showNote(text) {
  byId("note").textContent = text;
  byId("note").hidden = !text;
}

// An address that cannot be shown is said, and the usual picture shown in its place.
async function begin(next) {
  state = next;
  const leftOut = state.leftOut.length ? say("left_out", { what: state.leftOut.join(", ").slice(0, 200) }) : "";
  showNote(leftOut);
  showControls();
  await refresh();
  if (!shown && !byId("error").hidden && !asking) {
    const refused = byId("error").textContent;
    state = usual();
    showControls();
    await refresh();
    if (shown) showNote([refused, leftOut].filter(Boolean).join(" – "));
  }
  showStart();
}

listen();
listenToPlayer();
listenToPicture();
offerTours((given) => begin({
  ...usual(), k: null, ...given, function: "", methods: given.methods.map(readMethod), selected: 0,
}));
new ResizeObserver(() => draw()).observe(byId("paths"));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (!surface) return;
  stage.shade();
  draw();
});
window.addEventListener("hashchange", () => begin(fromAddress(location.hash.slice(1))));
begin(state);

// The playground: what is set is asked of the server, what it answers is drawn.

import { ask, byId, colour, DATA, make, marksOf, number, point, say, showError } from "./common.js";
import { chooseFramework, copy, showCode, showFormula, showNumbers, showRule } from "./inside.js";
import { lineChart } from "./lines.js";
import { showMethods } from "./methods.js";
import { noiseScale } from "./sliders.js";
import { PARTS, Stage } from "./stage.js";
import { around, fromAddress, query, readMethod, toAddress, usual } from "./state.js";
import { offerTours } from "./tours.js";

const OWN = "function";
const stage = new Stage(byId("paths"));
let state = fromAddress(location.hash.slice(1));
let surface = null;
let answer = { paths: [], steps: state.steps };
let playing = null;

const stepShown = () => (state.k === null ? answer.steps : Math.min(state.k, answer.steps));

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
  } catch (error) {
    showError(error);
  } finally {
    asking = false;
    byId("main").setAttribute("aria-busy", "false");
    if (again) refresh();
  }
}

async function fetchAll() {
  const key = [state.function, state.surface, state.window].join("|");
  if (!surface || surface.key !== key) {
    const place = new URLSearchParams(state.function ? { function: state.function } : { surface: state.surface });
    if (state.window) place.set("window", state.window.join(","));
    const found = await ask("/api/surface", place);
    surface = { ...found, key };
    stage.show(surface);
    showSurface();
  }
  if (state.x === null) [state.x, state.y] = surface.start;
  const asked = query(state);
  if (state.arrows) asked.set("parts", state.selected);
  answer = await ask("/api/paths", asked);
  history.replaceState(null, "", `#${toAddress(state)}`);
  draw();
}

// ---- drawing ---------------------------------------------------------------------------------

function draw() {
  if (!surface || !answer.paths.length) return;
  const k = stepShown();
  const factor = stage.draw(answer.paths, k, state.selected, state.arrows);
  showArrowLegend(factor);
  drawLosses(k);
  showEnds();
  const path = answer.paths[state.selected];
  showRule(state.methods[state.selected]);
  showNumbers(path, k);
  showCode(path);
  showPlayer(k);
  describe();
}

function drawLosses(k) {
  const log = surface.minima.length > 0;
  const heights = (path) => path.values.map((v) => (log ? Math.max(v - surface.lowest, 1e-300) : v));
  const marks = marksOf(answer.paths.map((path) => path.label));
  const series = answer.paths.map((path, i) => ({
    values: heights(path), colour: marks[i].colour, dash: marks[i].dash, cut: path.end === "diverged",
  }));
  const first = Math.max(...answer.paths.map((path) => path.values[0]));
  lineChart(byId("losses"), series, {
    log, xTitle: say("step"), title: say(log ? "height" : "value"), xMax: answer.steps, mark: k,
    range: (low, high) => [Math.max(low, first - 20 * Math.abs(first || 1)), high],
  });
}

const named = (path, i) => state.methods[i]?.name ?? path.label;

function settingsText(path) {
  const kept = Object.entries(path.settings).filter(([name]) => name === "lr" || name in (state.methods[answer.paths.indexOf(path)]?.settings ?? {}));
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
  const marks = marksOf(answer.paths.map((path) => path.label));
  table.tBodies[0].replaceChildren(...answer.paths.map((path, i) => {
    const swatch = make("span", { className: "swatch" });
    swatch.style.background = marks[i].colour;
    const radio = make("input", {
      type: "radio", name: "selected", value: String(i), checked: i === state.selected,
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
    row.setAttribute("aria-selected", String(i === state.selected));
    return row;
  }));
  if (focused !== null) table.querySelector(`input[value="${Number(focused)}"]`)?.focus();
}

function showPlayer(k) {
  const slider = byId("k");
  slider.max = answer.steps;
  slider.value = k;
  byId("k-shown").textContent = `${k} / ${answer.steps}`;
  byId("arrows").checked = state.arrows;
  byId("zoom").textContent = say(state.window ? "whole_view" : "zoom");
}

function showArrowLegend(factor) {
  const box = byId("arrow-legend");
  box.hidden = !state.arrows;
  if (!state.arrows) return;
  const path = answer.paths[state.selected];
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
    const methods = answer.paths.map(named).join(", ");
    byId("paths").setAttribute("aria-label", say("picture", { surface: surface.name, methods, start: point(answer.start) }));
    byId("losses").setAttribute("aria-label", say("chart", { methods }));
    byId("summary").textContent = answer.paths.map((path, i) => say("summary", {
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

const listeners = {
  changed: () => refresh(),
  rebuilt: (i) => {
    if (i !== undefined) state.selected = i;
    showMethods(state, listeners);
    refresh();
  },
  tune: async (i) => {
    const asked = query(state);
    const method = { ...state.methods[i], settings: { ...state.methods[i].settings }, schedule: "constant" };
    delete method.settings.lr;
    asked.delete("m");
    asked.append("m", `${method.name}(${Object.entries(method.settings).map(([n, v]) => `${n}=${v}`).join(",")})`);
    try {
      const tuned = await ask("/api/paths", asked);
      state.methods[i].settings = { lr: Number(tuned.paths[0].settings.lr.toPrecision(4)), ...method.settings };
      listeners.rebuilt(i);
    } catch (error) {
      showError(error);
    }
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
    refresh();
  });
  byId("add").addEventListener("click", () => {
    state.methods.push(readMethod("rmsprop(lr=0.1)"));
    listeners.rebuilt(state.methods.length - 1);
    byId("methods").lastChild.querySelector("select").focus();
  });
  byId("share").addEventListener("click", () => copy(location.href, byId("shared")));
  byId("copy-code").addEventListener("click", () => copy(byId("code").textContent, byId("code-copied")));
  chooseFramework(() => answer.paths.length && showCode(answer.paths[state.selected]));
}

async function moved() {
  [state.x, state.y, state.k, state.window] = [null, null, null, null];
  await refresh();
  showStart();
}

// While a number is being typed it may be no number yet; the server says what is too large.
function whenNumber(event, set) {
  if (event.target.value === "" || !Number.isFinite(event.target.valueAsNumber)) return;
  set(event.target.valueAsNumber);
  refresh();
}

function listenToPlayer() {
  const go = (k) => {
    state.k = Math.max(0, Math.min(answer.steps, k));
    history.replaceState(null, "", `#${toAddress(state)}`);
    draw();
  };
  const halt = () => {
    clearInterval(playing);
    playing = null;
    byId("play").textContent = say("play");
  };
  byId("k").addEventListener("input", (event) => {
    halt();
    go(Number(event.target.value));
  });
  byId("previous").addEventListener("click", () => (halt(), go(stepShown() - 1)));
  byId("next").addEventListener("click", () => (halt(), go(stepShown() + 1)));
  byId("play").addEventListener("click", () => {
    if (playing) {
      halt();
      return;
    }
    if (stepShown() >= answer.steps) state.k = 0;
    byId("play").textContent = say("pause");
    const each = Math.max(1, Math.round(answer.steps / 120));
    playing = setInterval(() => {
      go(stepShown() + each);
      if (stepShown() >= answer.steps) halt();
    }, 90);
  });
  byId("zoom").addEventListener("click", () => {
    state.window = state.window ? null : around(answer.paths, surface);
    refresh();
  });
  byId("arrows").addEventListener("change", (event) => {
    state.arrows = event.target.checked;
    if (state.arrows && stepShown() >= answer.steps) state.k = Math.min(2, answer.steps - 1);
    refresh();
  });
}

function listenToPicture() {
  const canvas = byId("paths");
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    [state.x, state.y] = stage.from(event.clientX - box.left, event.clientY - box.top).map((v) => Number(v.toPrecision(4)));
    showStart();
    refresh();
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (!surface) return;
    canvas.setPointerCapture(event.pointerId);
    place(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) place(event);
  });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || !surface) return;
    event.preventDefault();
    const sides = surface.window.map(([low, high]) => high - low);
    const by = event.shiftKey ? 0.05 : 0.01;
    [state.x, state.y] = [state.x, state.y].map((v, i) => Math.max(surface.window[i][0], Math.min(surface.window[i][1], Number((v + by * way[i] * sides[i]).toPrecision(6)))));
    showStart();
    refresh();
  });
}

function begin(next) {
  state = next;
  showControls();
  refresh().then(showStart);
}

listen();
listenToPlayer();
listenToPicture();
offerTours((given) => begin({
  ...usual(), ...given, function: "", methods: given.methods.map(readMethod), selected: 0,
}));
new ResizeObserver(() => draw()).observe(byId("paths"));
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (!surface) return;
  stage.shade();
  draw();
});
window.addEventListener("hashchange", () => begin(fromAddress(location.hash.slice(1))));
begin(state);

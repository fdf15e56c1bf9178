// What is on the screen, and its form in the address, so that it can be shared.

import { DATA } from "./common.js";

const METHODS = new Map(DATA.catalog.methods.map((m) => [m.name, m])); // an object knows "constructor"
const SCHEDULES = ["constant", "cosine", "exponential", "step_decay", "warmup"];

const LONGEST_METHOD = 400; // letters, as on the server

export const definition = (name) => METHODS.get(name);

// What a page without an address opens with: the start of a descent, ready to be played.
export function usual() {
  return {
    surface: "ravine", function: "", x: null, y: null, steps: 60, noise: 0, seeds: 1, k: 0,
    selected: 0, arrows: false, window: null, leftOut: [],
    methods: ["gradient_descent(lr=0.0185)", "momentum(lr=0.1,beta=0.9)", "adam(lr=0.4)"].map(readMethod),
  };
}

// A learning rate fits one surface: where nobody set it by hand, the server chooses it anew.
export function forgetRates(methods) {
  for (const method of methods) if (!method.byHand) delete method.settings.lr;
}

// adam(lr=0.1,beta1=0.8)~cosine -> {name, settings, schedule}
export function readMethod(text) {
  if (text.length > LONGEST_METHOD) return null;
  const match = /^\s*(\w+)\s*(?:\(([^()]*)\))?\s*(?:~(\w+))?\s*$/.exec(text);
  if (!match) return null;
  const name = match[1];
  if (!METHODS.has(name)) return null;
  const known = new Map(METHODS.get(name).settings.map((s) => [s.name, s]));
  const settings = {};
  for (const part of (match[2] || "").split(",").filter((p) => p.includes("="))) {
    const [key, value] = part.split("=").map((p) => p.trim());
    if (!known.has(key)) continue;
    if (known.get(key).scale === "switch") settings[key] = value.toLowerCase() === "true";
    else if (Number.isFinite(Number(value)) && value !== "") settings[key] = Number(value);
  }
  return { name, settings, schedule: SCHEDULES.includes(match[3]) ? match[3] : "constant" };
}

export function writeMethod(method) {
  const inside = Object.entries(method.settings).map(([name, value]) => `${name}=${value}`).join(",");
  const schedule = method.schedule === "constant" ? "" : `~${method.schedule}`;
  return `${method.name}(${inside})${schedule}`;
}

export function query(state) {
  const asked = new URLSearchParams();
  if (state.function) asked.set("function", state.function);
  else asked.set("surface", state.surface);
  for (const name of ["x", "y"]) if (state[name] !== null) asked.set(name, state[name]);
  for (const name of ["steps", "noise", "seeds"]) asked.set(name, state[name]);
  for (const method of state.methods) asked.append("m", writeMethod(method));
  return asked;
}

export function toAddress(state) {
  const kept = query(state);
  if (state.k !== null) kept.set("k", state.k);
  if (state.selected) kept.set("sel", state.selected);
  if (state.arrows) kept.set("arrows", "1");
  if (state.window) kept.set("w", state.window.join(","));
  // What may stand in a fragment as it is, stays readable.
  return kept.toString().replace(/%(28|29|3D|2C|7E|2F|5E)/g, (escaped) => decodeURIComponent(escaped));
}

// An address may come from anywhere: what does not fit is left at what is usual.
export function fromAddress(text) {
  const state = usual();
  if (!text) return state;
  const given = new URLSearchParams(text);
  state.k = null;
  state.function = (given.get("function") || "").slice(0, 300);
  const surface = given.get("surface") || "";
  if (surface && surface.length < 80) state.surface = surface;
  else if (surface) state.leftOut.push(`surface=${surface}`);
  const { limits } = DATA.catalog;
  for (const name of ["x", "y"]) state[name] = within(given.get(name), -1e9, 1e9, null);
  state.steps = Math.round(within(given.get("steps"), 1, limits.steps, state.steps));
  state.seeds = Math.round(within(given.get("seeds"), 1, limits.seeds, state.seeds));
  state.noise = within(given.get("noise"), 0, 1e6, 0);
  const k = within(given.get("k"), 0, state.steps, null);
  state.k = k === null ? null : Math.round(k);
  const asked = given.getAll("m").map((text) => [text, readMethod(text)]);
  state.leftOut.push(...asked.filter(([, method]) => !method).map(([text]) => `m=${text}`));
  const methods = asked.map(([, method]) => method).filter(Boolean);
  state.leftOut.push(...methods.slice(limits.methods).map((method) => `m=${writeMethod(method)}`));
  if (methods.length) state.methods = methods.slice(0, limits.methods);
  else if (state.function || state.surface !== "ravine") forgetRates(state.methods);
  state.selected = Math.round(within(given.get("sel"), 0, state.methods.length - 1, 0));
  state.arrows = given.get("arrows") === "1";
  const view = (given.get("w") || "").split(",").map(Number);
  if (view.length === 4 && view.every(Number.isFinite) && view[0] < view[1] && view[2] < view[3]) state.window = view;
  for (const name of ["x", "y", "steps", "seeds", "noise", "k"]) {
    const text = given.get(name);
    if (text && !Number.isFinite(Number(text))) state.leftOut.push(`${name}=${text}`);
  }
  return state;
}

// The part of the window that the paths take up, with room around it: x1, x2, y1, y2.
export function around(paths, surface) {
  const seen = (p) => p.every((v, i) => v >= surface.window[i][0] && v <= surface.window[i][1]);
  const points = [...paths.flatMap((path) => path.points), ...surface.minima.map((m) => m.position)].filter(seen);
  if (!points.length) return null;
  return [0, 1].flatMap((i) => {
    const [low, high] = [Math.min(...points.map((p) => p[i])), Math.max(...points.map((p) => p[i]))];
    const whole = surface.window[i][1] - surface.window[i][0];
    const side = Math.max(1.3 * (high - low), 0.02 * whole);
    const middle = (low + high) / 2;
    return [middle - side / 2, middle + side / 2].map((v) => Number(v.toPrecision(4)));
  });
}

function within(text, low, high, otherwise) {
  const value = Number(text);
  if (text === null || text === "" || !Number.isFinite(value)) return otherwise;
  return Math.max(low, Math.min(high, value));
}

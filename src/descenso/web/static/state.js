// What is on the screen, and its form in the address, so that it can be shared.

import { DATA } from "./common.js";

const METHODS = Object.fromEntries(DATA.catalog.methods.map((m) => [m.name, m]));
const SCHEDULES = ["constant", "cosine", "exponential", "step_decay", "warmup"];

export const definition = (name) => METHODS[name];

export function usual() {
  return {
    surface: "ravine", function: "", x: null, y: null, steps: 60, noise: 0, seeds: 1, k: null,
    selected: 0, arrows: false,
    methods: ["gradient_descent(lr=0.0185)", "momentum(lr=0.1,beta=0.9)", "adam(lr=0.4)"].map(readMethod),
  };
}

// adam(lr=0.1,beta1=0.8)~cosine -> {name, settings, schedule}
export function readMethod(text) {
  const match = /^\s*(\w+)\s*(?:\(([^()]*)\))?\s*(?:~(\w+))?\s*$/.exec(text);
  if (!match) return null;
  const name = match[1];
  if (!METHODS[name]) return null;
  const known = new Map(METHODS[name].settings.map((s) => [s.name, s]));
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
  // What may stand in a fragment as it is, stays readable.
  return kept.toString().replace(/%(28|29|3D|2C|7E|2F|5E)/g, (escaped) => decodeURIComponent(escaped));
}

// An address may come from anywhere: what does not fit is left at what is usual.
export function fromAddress(text) {
  const state = usual();
  if (!text) return state;
  const given = new URLSearchParams(text);
  state.function = (given.get("function") || "").slice(0, 300);
  const surface = given.get("surface") || "";
  if (surface && surface.length < 80) state.surface = surface;
  const { limits } = DATA.catalog;
  for (const name of ["x", "y"]) state[name] = within(given.get(name), -1e9, 1e9, null);
  state.steps = Math.round(within(given.get("steps"), 1, limits.steps, state.steps));
  state.seeds = Math.round(within(given.get("seeds"), 1, limits.seeds, state.seeds));
  state.noise = within(given.get("noise"), 0, 1e6, 0);
  const k = within(given.get("k"), 0, state.steps, null);
  state.k = k === null ? null : Math.round(k);
  const methods = given.getAll("m").map(readMethod).filter(Boolean).slice(0, limits.methods);
  if (methods.length) state.methods = methods;
  state.selected = Math.round(within(given.get("sel"), 0, state.methods.length - 1, 0));
  state.arrows = given.get("arrows") === "1";
  return state;
}

function within(text, low, high, otherwise) {
  const value = Number(text);
  if (text === null || text === "" || !Number.isFinite(value)) return otherwise;
  return Math.max(low, Math.min(high, value));
}

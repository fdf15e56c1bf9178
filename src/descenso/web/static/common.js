// What both pages share: texts, elements, numbers, and talking to the server.

export const DATA = JSON.parse(document.getElementById("data").textContent);
export const LANGUAGE = document.documentElement.lang;

export function say(key, values = {}) {
  return DATA.texts[key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

export const byId = (id) => document.getElementById(id);

// Texts become text nodes, never markup: a hostile name is shown, not run.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function number(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(digits - 1).replace(/\.?0*e\+?/, "e").replace(/-/g, "−");
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

export const point = (p) => `(${number(p[0], 3)}, ${number(p[1], 3)})`;

export async function ask(path, query, options) {
  return (await askWithHeaders(path, query, options)).given;
}

export async function askWithHeaders(path, query = new URLSearchParams(), options = {}) {
  query.set("lang", LANGUAGE);
  let answer;
  try {
    answer = await fetch(`${path}?${query}`, options);
  } catch (error) {
    throw new Error(say("offline"));
  }
  const given = await answer.json().catch(() => ({ error: answer.statusText || String(answer.status) }));
  if (!answer.ok) throw new Error(given.error || String(answer.status));
  return { given, headers: answer.headers };
}

export function change(path, body = {}) {
  return ask(path, undefined, {
    method: "POST",
    headers: { "content-type": "application/json", "x-descenso": "1" },
    body: JSON.stringify(body),
  });
}

export function showError(error) {
  const box = byId("error");
  box.textContent = error ? error.message : "";
  box.hidden = !error;
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// One colour for one method, as descenso.report.style.marks gives it: by the name without settings.
export function marksOf(names) {
  const { places, size, looks } = DATA.marks;
  const base = (name) => (name.match(/^[\p{L}\p{N}_]+/u) ?? [name])[0];
  const own = (i) => places[base(names[i])] ?? crc32(base(names[i])) % size;
  const rank = (i) => [!(base(names[i]) in places), names[i] !== base(names[i])].reduce((sum, b) => 2 * sum + b, 0);
  const order = names.map((_name, i) => i).sort((a, b) => rank(a) - rank(b));
  const found = [];
  const taken = new Set();
  const take = (i, place) => { found[i] = place; taken.add(place); };
  for (const i of order) if (!taken.has(own(i))) take(i, own(i));
  for (const i of order) if (found[i] === undefined) take(i, free(own(i), taken, size));
  return found.map((place) => looks[place % looks.length]);
}

function free(place, taken, size) {
  for (let step = 0; ; step += 1) {
    const at = size * Math.floor(step / size) + ((place + step) % size);
    if (!taken.has(at)) return at;
  }
}

function crc32(text) {
  let crc = -1;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ -1) >>> 0;
}

export const DASHES = { solid: [], dash: [9, 5], dot: [2, 4], dashdot: [9, 4, 2, 4], longdash: [15, 5] };

// Keep what is set when the language is changed.
for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const address = new URL(location.href);
    address.searchParams.set("lang", link.dataset.language);
    location.assign(address);
  });
}

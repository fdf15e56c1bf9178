// Line charts on a canvas: losses of paths, learning curves of studies.

import { colour, DASHES, number } from "./common.js";

export function ready(canvas) {
  const box = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(box.width * ratio);
  canvas.height = Math.round(box.height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, box.width, box.height);
  return { pen, width: box.width, height: box.height };
}

export function ticks(low, high, count = 6) {
  const rough = (high - low) / count || 1;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i += 1) found.push(Number((i * step).toPrecision(12)));
  return found;
}

function logTicks(low, high) {
  const every = Math.max(1, Math.ceil((high - low) / 6));
  const found = [];
  for (let k = Math.ceil(low / every) * every; k <= high; k += every) found.push(k);
  return found.length > 1 ? found : ticks(low, high, 4);
}

// series: [{values, colour, dash, faint, cut}]; options: {log, xTitle, title, xMax, mark, target, percent}
export function lineChart(canvas, series, options) {
  const { pen, width, height } = ready(canvas);
  const shown = series.flatMap((s) => s.values.filter((v) => v !== null && Number.isFinite(v)));
  if (!shown.length) return;
  const scale = options.log ? (v) => Math.log10(Math.max(v, 1e-300)) : (v) => v;
  let low = Math.min(...shown.map(scale));
  let high = Math.max(...shown.map(scale));
  if (options.log) {
    const first = Math.max(...series.map((s) => scale(s.values[0])));
    high = Math.min(high, first + 4);
    low = Math.max(low, high - 14);
  } else if (options.range) {
    [low, high] = options.range(low, high);
  }
  if (options.target !== undefined && options.target !== null) {
    low = Math.min(low, options.target);
    high = Math.max(high, options.target);
  }
  const room = 0.05 * (high - low) || 0.5;
  low -= room;
  high += room;
  const frame = { left: 62, right: width - 14, top: 26, bottom: height - 38 };
  const xMax = options.xMax || Math.max(1, ...series.map((s) => s.values.length - 1));
  const atX = (i) => frame.left + ((frame.right - frame.left) * i) / xMax;
  const atY = (v) => frame.bottom - ((frame.bottom - frame.top) * (scale(v) - low)) / (high - low);
  drawAxes(pen, frame, low, high, xMax, atX, options);
  pen.save();
  pen.beginPath();
  pen.rect(frame.left, frame.top - 2, frame.right - frame.left + 2, frame.bottom - frame.top + 4);
  pen.clip();
  if (options.target !== undefined && options.target !== null) {
    stroke(pen, [[frame.left, atY(options.target)], [frame.right, atY(options.target)]], colour("quiet"), 1.2, [4, 4]);
  }
  for (const s of series) {
    const points = s.values.map((v, i) => (v === null ? null : [atX(i), atY(v)])).filter(Boolean);
    pen.globalAlpha = s.faint ? 0.35 : 1;
    stroke(pen, points, s.colour, s.faint ? 1 : 2.2, DASHES[s.dash] || []);
    if (s.cut && points.length) cross(pen, points[points.length - 1], s.colour);
  }
  pen.globalAlpha = 1;
  if (options.mark !== undefined && options.mark !== null) {
    stroke(pen, [[atX(options.mark), frame.top], [atX(options.mark), frame.bottom]], colour("quiet"), 1, []);
  }
  pen.restore();
}

function drawAxes(pen, frame, low, high, xMax, atX, options) {
  pen.font = "12.5px system-ui, sans-serif";
  pen.fillStyle = colour("text");
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  const span = frame.bottom - frame.top;
  for (const tick of options.log ? logTicks(low, high) : ticks(low, high, 5)) {
    const y = frame.bottom - (span * (tick - low)) / (high - low);
    stroke(pen, [[frame.left, y], [frame.right, y]], colour("grid"), 1, []);
    pen.fillText(label(tick, options), frame.left - 7, y);
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const tick of ticks(0, xMax, Math.min(8, xMax))) {
    if (Number.isInteger(tick)) pen.fillText(String(tick), atX(tick), frame.bottom + 6);
  }
  stroke(pen, [[frame.left, frame.top], [frame.left, frame.bottom], [frame.right, frame.bottom]], colour("text"), 1, []);
  pen.fillText(options.xTitle, (frame.left + frame.right) / 2, frame.bottom + 21);
  pen.textAlign = "left";
  pen.font = "600 13.5px system-ui, sans-serif";
  pen.fillText(options.title, frame.left, 5);
}

function label(tick, options) {
  if (!options.log) return options.percent ? `${Number((100 * tick).toFixed(1))}%` : number(tick, 3);
  if (!Number.isInteger(tick)) return number(10 ** tick, 2);
  const raised = String(tick).replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]));
  return tick >= 0 && tick <= 3 ? String(10 ** tick) : `10${raised}`;
}

export function stroke(pen, points, style, width, dash) {
  if (points.length < 2) return;
  pen.strokeStyle = style;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.lineJoin = "round";
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
  pen.setLineDash([]);
}

export function cross(pen, [x, y], style) {
  for (const [width, ink] of [[6, colour("ground")], [3, style]]) {
    stroke(pen, [[x - 6, y - 6], [x + 6, y + 6]], ink, width, []);
    stroke(pen, [[x - 6, y + 6], [x + 6, y - 6]], ink, width, []);
  }
}

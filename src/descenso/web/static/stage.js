// The picture: ground, contour lines, minima, paths, arrows of one step.

import { colour, DASHES, marksOf } from "./common.js";
import { cross, ready, stroke, ticks } from "./lines.js";

const EDGE = { left: 46, right: 10, top: 10, bottom: 38 };
export const PARTS = { fresh: "#0072B2", carried: "#E69F00", scaling: "#009E73", decay: "#CC79A7" };

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.ground = document.createElement("canvas");
    this.surface = null;
  }

  show(surface) {
    this.surface = surface;
    this.shade();
  }

  shade() {
    const rows = this.surface.shade;
    const height = rows.length;
    const width = rows[0].length;
    this.ground.width = width;
    this.ground.height = height;
    const pen = this.ground.getContext("2d");
    const image = pen.createImageData(width, height);
    const [low, high] = ["low", "high"].map((name) => rgb(colour(name)));
    rows.forEach((row, j) => row.forEach((share, i) => {
      const at = 4 * ((height - 1 - j) * width + i);
      for (let c = 0; c < 3; c += 1) image.data[at + c] = low[c] + ((high[c] - low[c]) * share) / 255;
      image.data[at + 3] = 255;
    }));
    pen.putImageData(image, 0, 0);
  }

  frame() {
    const box = this.canvas.getBoundingClientRect();
    return { left: EDGE.left, right: box.width - EDGE.right, top: EDGE.top, bottom: box.height - EDGE.bottom };
  }

  at([x, y]) {
    const [[left, right], [bottom, top]] = this.surface.window;
    const f = this.frame();
    // Far outside, any place does: nothing of it is seen, and canvases draw no infinities.
    const px = f.left + ((f.right - f.left) * (x - left)) / (right - left);
    const py = f.bottom - ((f.bottom - f.top) * (y - bottom)) / (top - bottom);
    return [Math.max(-1e4, Math.min(1e4, px)), Math.max(-1e4, Math.min(1e4, py))];
  }

  from(px, py) {
    const [[left, right], [bottom, top]] = this.surface.window;
    const f = this.frame();
    const x = left + ((right - left) * (px - f.left)) / (f.right - f.left);
    const y = bottom + ((top - bottom) * (f.bottom - py)) / (f.bottom - f.top);
    return [Math.max(left, Math.min(right, x)), Math.max(bottom, Math.min(top, y))];
  }

  draw(paths, k, selected, arrows) {
    if (!this.surface) return null;
    const { pen } = ready(this.canvas);
    const f = this.frame();
    pen.imageSmoothingEnabled = true;
    pen.drawImage(this.ground, f.left, f.top, f.right - f.left, f.bottom - f.top);
    pen.save();
    pen.beginPath();
    pen.rect(f.left, f.top, f.right - f.left, f.bottom - f.top);
    pen.clip();
    this.contours(pen);
    for (const minimum of this.surface.minima) star(pen, this.at(minimum.position));
    const marks = marksOf(paths.map((path) => path.label));
    [...paths].reverse().forEach((path, back) => {
      const i = paths.length - 1 - back;
      for (const other of path.others) this.cloud(pen, other.points.slice(0, k + 1), marks[i]);
      this.path(pen, path, k, marks[i]);
    });
    if (paths.length) dot(pen, this.at(paths[0].points[0]), colour("text"), 5);
    const factor = arrows && paths[selected] ? this.parts(pen, paths[selected], k) : null;
    pen.restore();
    this.axes(pen, f);
    return factor;
  }

  contours(pen) {
    const style = colour("contour");
    let piece = [];
    for (const p of [...this.surface.lines, [null, null]]) {
      if (p[0] !== null) piece.push(this.at(p));
      else {
        stroke(pen, piece, style, 0.8, []);
        piece = [];
      }
    }
    pen.font = "11px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const [x, y, text] of this.surface.labels) {
      const [px, py] = this.at([x, y]);
      written(pen, text, px, py, colour("quiet"), colour("ground"), 3);
    }
  }

  path(pen, path, k, mark) {
    const points = path.points.map((p) => this.at(p));
    pen.globalAlpha = 0.45;
    stroke(pen, points.slice(k), mark.colour, 1.5, []);
    pen.globalAlpha = 0.8;
    const walked = points.slice(0, k + 1);
    stroke(pen, walked, colour("ground"), 4, []);
    pen.globalAlpha = 1;
    stroke(pen, walked, mark.colour, 2.1, DASHES[mark.dash]);
    for (let i = 1; i < walked.length; i += 1) head(pen, walked[i - 1], walked[i], mark.colour);
    if (k >= path.points.length - 1 && path.end === "diverged") cross(pen, inside(walked, this.frame()), mark.colour);
    else dot(pen, walked[walked.length - 1], mark.colour, 6);
  }

  cloud(pen, points, mark) {
    pen.globalAlpha = 0.35;
    const drawn = points.map((p) => this.at(p));
    stroke(pen, drawn, mark.colour, 0.9, []);
    pen.globalAlpha = 0.8;
    dot(pen, drawn[drawn.length - 1], mark.colour, 3);
    pen.globalAlpha = 1;
  }

  // The arrows that make the step after k. Arrows before scaling are shortened alike; returns by how much.
  parts(pen, path, k) {
    if (!path.parts || k >= path.parts.step.length) return null;
    const at = path.points[k];
    const { fresh, carried, scaling, decay, step } = Object.fromEntries(Object.entries(path.parts).map(([n, a]) => [n, a[k]]));
    const length = (v) => Math.hypot(v[0], v[1]);
    const whole = length(step);
    const before = [fresh[0] + carried[0], fresh[1] + carried[1]];
    const factor = length(scaling) > 1e-9 * whole && length(before) > 0 ? whole / length(before) : 1;
    let tip = at;
    const add = (v, by = 1) => [tip[0] + by * v[0], tip[1] + by * v[1]];
    for (const [name, v] of [["fresh", fresh], ["carried", carried]]) {
      if (length(v) > 1e-9 * (whole + length(before))) {
        const next = add(v, factor);
        arrow(pen, this.at(tip), this.at(next), PARTS[name], 3.4);
        tip = next;
      }
    }
    const end = [at[0] + step[0], at[1] + step[1]];
    const target = [end[0] - decay[0], end[1] - decay[1]];
    if (length([target[0] - tip[0], target[1] - tip[1]]) > 1e-6 * whole) {
      arrow(pen, this.at(tip), this.at(target), PARTS.scaling, 3.4);
    }
    if (length(decay) > 1e-9 * whole) arrow(pen, this.at(target), this.at(end), PARTS.decay, 3.4);
    arrow(pen, this.at(at), this.at(end), colour("text"), 2.4);
    return factor;
  }

  axes(pen, f) {
    const [[left, right], [bottom, top]] = this.surface.window;
    pen.strokeStyle = colour("text");
    pen.lineWidth = 1;
    pen.strokeRect(f.left, f.top, f.right - f.left, f.bottom - f.top);
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = colour("text");
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const x of ticks(left, right, 6)) pen.fillText(short(x), this.at([x, bottom])[0], f.bottom + 5);
    pen.fillText(this.surface.axes[0], (f.left + f.right) / 2, f.bottom + 20);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const y of ticks(bottom, top, 5)) pen.fillText(short(y), f.left - 5, this.at([left, y])[1]);
    pen.textAlign = "left";
    pen.fillText(this.surface.axes[1], 3, (f.top + f.bottom) / 2 - 12);
  }
}

const short = (v) => String(v).replace("-", "−");

function rgb(text) {
  const hex = text.replace("#", "");
  return [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

function dot(pen, [x, y], style, size) {
  pen.beginPath();
  pen.arc(x, y, size, 0, 2 * Math.PI);
  pen.fillStyle = style;
  pen.fill();
  pen.lineWidth = 1.2;
  pen.strokeStyle = colour("ground");
  pen.stroke();
}

function star(pen, [x, y]) {
  pen.beginPath();
  for (let i = 0; i < 10; i += 1) {
    const [size, turn] = [i % 2 ? 4 : 10, (Math.PI * i) / 5 - Math.PI / 2];
    pen.lineTo(x + size * Math.cos(turn), y + size * Math.sin(turn));
  }
  pen.closePath();
  pen.fillStyle = colour("ground");
  pen.fill();
  pen.strokeStyle = colour("text");
  pen.lineWidth = 1.6;
  pen.stroke();
}

function head(pen, [x0, y0], [x1, y1], style) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 18 || length > 9000) return;
  triangle(pen, [x0 + 0.58 * (x1 - x0), y0 + 0.58 * (y1 - y0)], Math.atan2(y1 - y0, x1 - x0), 7, style);
}

function triangle(pen, [x, y], turn, size, style) {
  pen.beginPath();
  for (const [along, across] of [[0, 0], [-size, size * 0.55], [-size, -size * 0.55]]) {
    pen.lineTo(x + along * Math.cos(turn) - across * Math.sin(turn), y + along * Math.sin(turn) + across * Math.cos(turn));
  }
  pen.closePath();
  pen.fillStyle = style;
  pen.fill();
}

function arrow(pen, from, to, style, width) {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (length < 1.5) return;
  const turn = Math.atan2(to[1] - from[1], to[0] - from[0]);
  const size = Math.min(13, 0.6 * length);
  const neck = [to[0] - 0.7 * size * Math.cos(turn), to[1] - 0.7 * size * Math.sin(turn)];
  stroke(pen, [from, neck], colour("ground"), width + 2.5, []);
  stroke(pen, [from, neck], style, width, []);
  triangle(pen, to, turn, size, style);
}

function written(pen, text, x, y, style, halo, width) {
  pen.strokeStyle = halo;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.globalAlpha = 0.7;
  pen.strokeText(text, x, y);
  pen.globalAlpha = 1;
  pen.fillStyle = style;
  pen.fillText(text, x, y);
}

// Where a path that runs away was last seen.
function inside(points, f) {
  const seen = points.filter(([x, y]) => x >= f.left && x <= f.right && y >= f.top && y <= f.bottom);
  const last = points[points.indexOf(seen[seen.length - 1]) + 1] || seen[seen.length - 1] || points[0];
  return [Math.max(f.left + 9, Math.min(f.right - 9, last[0])), Math.max(f.top + 9, Math.min(f.bottom - 9, last[1]))];
}

// Drawing: numbers as arrays, elements of a page, and a plot with axes, points, maps and a colour bar on a canvas.

const INK = "#222", GRID = "#ddd", MARK = "#111";
const MARKS = ["●", "■", "▲", "◆", "▼", "▶", "◀", "✚"];  // what `shape` draws, for legends

function numbers(text, Kind = Float32Array) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "style" || name === "className" || name === "textContent") {
      if (name === "style") made.style.cssText = value; else made[name] = value;
    } else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// Values that the kernel shall know too; where it has gone, the page keeps them and goes on.
function keep(model, values) {
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  return reached(() => model.save_changes());
}

function reached(call) {
  try {
    Promise.resolve(call()).catch(() => {});
    return true;
  } catch (error) { return false; }
}

const SILENCE = 6000;  // milliseconds after which the page says that the kernel has not answered

function short(value, digits = 3) {
  if (value === null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e4 || size < 1e-3 ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
}

function ticks(low, high, wanted = 5) {
  const rough = (high - low) / wanted;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough * 0.999);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found;
}

// A number at an axis with ticks that far apart: as many digits as tell neighbours apart, and no more.
function tickText(value, step, spare = 0) {
  if (!(step > 0)) return short(value);
  if (Math.abs(value) < 1e-9 * step) return "0";
  const digits = Math.min(12, 1 + spare + Math.max(0, power(value) - power(step)));
  return Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3
    ? value.toExponential(digits - 1).replace(/\.?0+e/, "e") : String(Number(value.toPrecision(digits)));
}

function power(value) { return Math.floor(Math.log10(Math.abs(value)) + 1e-9); }

function extent(values, symmetric = false) {
  let low = Infinity, high = -Infinity;
  for (const v of values) if (Number.isFinite(v)) { if (v < low) low = v; if (v > high) high = v; }
  if (low > high) return [0, 1];
  if (symmetric) { const size = Math.max(-low, high) || 1; return [-size, size]; }
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

// A share of 0..1 of the colour table; signed values may be compressed like a symmetric logarithm.
function share(value, [low, high], logarithmic) {
  if (!logarithmic) return (value - low) / (high - low || 1);
  const size = Math.max(-low, high), near = 1e-3 * size;
  const bend = v => Math.sign(v) * Math.log1p(Math.abs(v) / near) / Math.log1p(1 / 1e-3);
  return low < 0 ? 0.5 + 0.5 * bend(value) : bend(value);
}

class Plot {
  // title, x and y: labels; table: 256 colours; pick: called with (index, event) when a point is chosen
  // aspect: height of the data divided by their width, where both are lengths
  constructor({ title, x, y, pick = null, name = "plot", width = 430, height = 300, aspect = null }) {
    const inner = width - 58 - 84;
    if (aspect) height = 70 + Math.min(360, Math.max(50, inner * aspect));
    const across = aspect ? Math.min(inner, (height - 70) / aspect) : inner;
    Object.assign(this, { title, x, y, pick, name, width, height, focused: -1, marked: new Set() });
    this.canvas = element("canvas", { className: "sciml-plot", "data-plot": name });
    this.pen = this.canvas.getContext("2d");
    this.resize(height);
    this.box = { left: 58, top: 26, width: across, height: height - 26 - 44 };
    this.inner = { width: inner, height: height - 26 - 44 };
    if (pick) this.listen();
    else this.canvas.setAttribute("role", "img");
  }

  resize(height) {
    const scale = window.devicePixelRatio || 1, { width, canvas } = this;
    this.height = height;
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(canvas, { width: width * scale, height: height * scale });
    this.pen.scale(scale, scale);
  }

  listen() {
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.addEventListener("click", event => {
      const frame = this.canvas.getBoundingClientRect();
      const zoom = this.width / frame.width;
      const found = this.nearest((event.clientX - frame.left) * zoom, (event.clientY - frame.top) * zoom);
      if (found >= 0) { this.focused = found; this.pick(found, event); }
    });
    this.canvas.addEventListener("keydown", event => {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const turn = { PageDown: 1, PageUp: -1 }[event.key];
      if (ways[event.key]) { this.step(ways[event.key]); event.preventDefault(); }
      else if (turn) { this.turn(turn); event.preventDefault(); }
      else if ((event.key === "Enter" || event.key === " ") && this.focused >= 0) {
        this.pick(this.focused, event);
        event.preventDefault();
      } else if (event.key === "Escape") this.pick(-1, event);
    });
  }

  // data
  points(across, up, values, options = {}) {
    Object.assign(this, { across, up, values, map: null }, options);
    this.limits = { x: extent(across), y: extent(options.span || up) };
    this.pad();
    return this;
  }

  raster(limits, shape, values, options = {}) {
    Object.assign(this, { values, map: shape, limits }, options);
    return this;
  }

  curves(across, lines, options = {}) {
    Object.assign(this, { across, lines, map: null, values: null }, options);
    this.limits = { x: extent(across), y: options.range || extent(lines.flatMap(line => Array.from(line.values))) };
    this.pad();
    return this;
  }

  // the same section as another plot, and more where points lie outside of it
  cover(other, sides) {
    for (const key of sides) {
      const [mine, theirs] = [this.limits[key], other.limits[key]], edge = 0.03 / 1.06 * (mine[1] - mine[0]);
      this.limits[key] = [Math.min(mine[0] + edge, theirs[0]), Math.max(mine[1] - edge, theirs[1])];
    }
    return this;
  }

  // both axes on one scale, where they are lengths of comparable extent; else each fills its side
  fit(equal) {
    const [x, y] = ["x", "y"].map(key => this.limits[key][1] - this.limits[key][0]), aspect = y / x;
    const { width, height } = this.inner, shared = Boolean(equal) && aspect > 0.2 && aspect < 5;
    this.canvas.dataset.equal = String(shared);
    this.box.width = shared ? Math.min(width, height / aspect) : width;
    this.box.height = shared ? Math.min(height, width * aspect) : height;
    this.resize(this.box.height + 26 + 44);
    return this;
  }

  pad() {
    for (const key of ["x", "y"]) {
      const [low, high] = this.limits[key], edge = 0.03 * (high - low);
      this.limits[key] = [low - edge, high + edge];
    }
  }

  place(i) { return [this.toX(this.across[i]), this.toY(this.up[i])]; }

  toX(v) { const [a, b] = this.limits.x; return this.box.left + (v - a) / (b - a) * this.box.width; }

  toY(v) { const [a, b] = this.limits.y; return this.box.top + this.box.height * (1 - (v - a) / (b - a)); }

  nearest(px, py, reach = 14) {
    let best = -1, least = reach * reach;
    for (let i = 0; i < this.across.length; i++) {
      const [x, y] = this.place(i), d = (x - px) ** 2 + (y - py) ** 2;
      if (d < least) { least = d; best = i; }
    }
    return best;
  }

  // Page keys go through all points in turn, so that every one can be reached
  turn(by) {
    const count = this.across.length;
    this.focused = (this.focused + by + count) % count;
    this.draw();
    if (this.moved) this.moved(this.focused);
  }

  // arrow keys go to the nearest point in their direction
  step([dx, dy]) {
    if (this.focused < 0) this.focused = 0;
    else {
      const [px, py] = this.place(this.focused);
      let best = -1, least = Infinity;
      for (let i = 0; i < this.across.length; i++) {
        const [x, y] = this.place(i), ahead = (x - px) * dx + (y - py) * dy;
        if (i === this.focused || ahead <= 1e-6) continue;
        const cost = ahead + 3 * Math.abs((x - px) * dy - (y - py) * dx);
        if (cost < least) { least = cost; best = i; }
      }
      if (best >= 0) this.focused = best;
    }
    this.draw();
    if (this.moved) this.moved(this.focused);
  }

  draw() {
    const { pen, box } = this;
    pen.clearRect(0, 0, this.width, this.height);
    if (this.map) this.drawRaster();
    this.drawAxes();
    if (this.lines) this.drawCurves();
    else if (!this.map) this.drawPoints();
    if (this.table) this.drawBar();
    pen.fillStyle = INK;
    pen.font = "13px sans-serif";
    pen.textAlign = "center";
    const half = Math.min(pen.measureText(this.title).width, this.width - 8) / 2;  // in the picture also over a narrow map
    const middle = Math.min(Math.max(box.left + box.width / 2, half + 4), this.width - half - 4);
    pen.fillText(this.title, middle, 16, this.width - 8);
    return this;
  }

  drawAxes() {
    const { pen, box } = this;
    pen.strokeStyle = GRID;
    pen.fillStyle = INK;
    pen.font = "11px sans-serif";
    pen.lineWidth = 1;
    pen.textAlign = "center";
    const [across, up] = [ticks(...this.limits.x, 5 * box.width / this.inner.width), ticks(...this.limits.y)];
    for (const v of across) {
      const x = this.toX(v);
      this.line(x, box.top + box.height, x, box.top + box.height + 4, INK);
      pen.fillText(tickText(v, across[1] - across[0]), x, box.top + box.height + 16);
    }
    pen.textAlign = "right";
    for (const v of up) {
      const y = this.toY(v);
      this.line(box.left - 4, y, box.left, y, INK);
      pen.fillText(this.powers ? short(10 ** v, 1) : tickText(v, up[1] - up[0]), box.left - 7, y + 4);
    }
    pen.strokeStyle = INK;
    pen.strokeRect(box.left, box.top, box.width, box.height);
    pen.textAlign = "center";
    pen.font = "12px sans-serif";
    pen.fillText(this.x, box.left + box.width / 2, box.top + box.height + 36);
    pen.save();
    pen.translate(11, box.top + box.height / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(this.y, 0, 0);
    pen.restore();
  }

  line(x0, y0, x1, y1, colour) {
    this.pen.strokeStyle = colour;
    this.pen.beginPath();
    this.pen.moveTo(x0, y0);
    this.pen.lineTo(x1, y1);
    this.pen.stroke();
  }

  colour(value) {
    if (!Number.isFinite(value)) return "rgba(0,0,0,0)";
    const k = 3 * Math.round(255 * Math.min(1, Math.max(0, share(value, this.range, this.logarithmic))));
    return `rgb(${this.table[k]},${this.table[k + 1]},${this.table[k + 2]})`;
  }

  drawPoints() {
    const { pen } = this;
    const order = Array.from(this.across.keys());
    if (this.values) order.sort((a, b) => Math.abs(this.values[a]) - Math.abs(this.values[b]));
    for (const i of order) {
      const [x, y] = this.place(i);
      pen.fillStyle = this.paint ? this.paint(i) : this.values && this.table ? this.colour(this.values[i]) : "#4477aa";
      this.shape(this.shapes ? this.shapes[i] : 0, x, y, this.size || 4);
      pen.fill();
      pen.strokeStyle = "rgba(0,0,0,.35)";
      pen.lineWidth = 0.6;
      pen.stroke();
    }
    for (const i of this.marked) this.ring(i, MARK, 8);
    if (this.focused >= 0) this.ring(this.focused, "#d55e00", 10, [3, 2]);
  }

  // circle, square, triangle, diamond, down, right, left, cross: kinds of points are told apart without colour
  shape(kind, x, y, size) {
    const { pen } = this, k = kind % MARKS.length;
    pen.beginPath();
    if (!k) { pen.arc(x, y, size, 0, 7); return; }
    if (k === 7) {
      const [thin, long] = [0.45 * size, 1.3 * size];
      pen.rect(x - long, y - thin, 2 * long, 2 * thin);
      pen.rect(x - thin, y - long, 2 * thin, 2 * long);
      return;
    }
    const corners = k === 1 || k === 3 ? 4 : 3;
    const turn = [0, Math.PI / 4, -Math.PI / 2, 0, Math.PI / 2, 0, Math.PI][k];
    for (let c = 0; c < corners; c++) {
      const angle = turn + 2 * Math.PI * c / corners;
      pen.lineTo(x + 1.3 * size * Math.cos(angle), y + 1.3 * size * Math.sin(angle));
    }
    pen.closePath();
  }

  ring(i, colour, radius, dash = []) {
    const [x, y] = this.place(i), { pen } = this;
    pen.setLineDash(dash);
    pen.lineWidth = 2;
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.stroke();
    pen.setLineDash([]);
    pen.lineWidth = 1;
  }

  drawRaster() {
    const [nx, ny] = this.map, image = new ImageData(nx, ny);
    for (let i = 0; i < nx; i++) for (let j = 0; j < ny; j++) {
      const value = this.values[i * ny + j], at = 4 * ((ny - 1 - j) * nx + i);
      if (!Number.isFinite(value)) continue;
      const k = 3 * Math.round(255 * Math.min(1, Math.max(0, share(value, this.range, this.logarithmic))));
      image.data.set([this.table[k], this.table[k + 1], this.table[k + 2], 255], at);
    }
    const sheet = element("canvas", { width: nx, height: ny });
    sheet.getContext("2d").putImageData(image, 0, 0);
    this.pen.drawImage(sheet, this.box.left, this.box.top, this.box.width, this.box.height);
  }

  drawCurves() {
    const { pen, box } = this;
    this.lines.forEach((line, number) => {
      pen.save();
      pen.beginPath();
      pen.rect(box.left, box.top, box.width, box.height);
      pen.clip();
      pen.strokeStyle = line.colour || ["#4477aa", "#d55e00", "#228833"][number % 3];
      pen.lineWidth = 2;
      pen.setLineDash(line.dash || []);
      pen.beginPath();
      let drawn = false;  // a curve is broken where there are no values
      for (let i = 0; i < this.across.length; i++) {
        const known = Number.isFinite(line.values[i]), place = [this.toX(this.across[i]), this.toY(line.values[i])];
        if (known && drawn) pen.lineTo(...place); else if (known) pen.moveTo(...place);
        drawn = known;
      }
      pen.stroke();
      const colour = pen.strokeStyle;
      pen.restore();
      if (line.label) {
        const y = box.top + 12 + 15 * number, left = box.left + box.width + 6;
        pen.lineWidth = 2;
        pen.setLineDash(line.dash || []);
        this.line(left, y, left + 14, y, colour);
        pen.setLineDash([]);
        pen.fillStyle = INK;
        pen.textAlign = "left";
        pen.font = "11px sans-serif";
        pen.fillText(line.label, left + 17, y + 4, 62);
      }
    });
    pen.lineWidth = 1;
  }

  drawBar() {
    const { pen, box } = this, left = box.left + box.width + 12, count = 64;
    for (let k = 0; k < count; k++) {
      const at = 3 * Math.round(255 * k / (count - 1));
      pen.fillStyle = `rgb(${this.table[at]},${this.table[at + 1]},${this.table[at + 2]})`;
      pen.fillRect(left, box.top + box.height * (1 - (k + 1) / count), 12, box.height / count + 1);
    }
    pen.strokeStyle = INK;
    pen.strokeRect(left, box.top, 12, box.height);
    pen.fillStyle = INK;
    pen.font = "10px sans-serif";
    pen.textAlign = "left";
    const [low, high] = this.range;
    const middle = ticks(low, high, 4).filter(v => v > low + 0.08 * (high - low) && v < high - 0.08 * (high - low));
    const labels = this.logarithmic ? [high, high / 30, 0, ...(low < 0 ? [low / 30, low] : [])] : [low, ...middle, high];
    for (const v of labels) {
      const part = share(v, this.range, this.logarithmic);
      const text = this.logarithmic ? short(v) : tickText(v, (high - low) / 4, 1);
      pen.fillText(text, left + 16, box.top + box.height * (1 - part) + 4);
    }
  }
}

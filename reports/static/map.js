
// The block map: groups by time, and each group at the moment chosen.
// Colours go from an empty group to a full one, light to dark (ColorBrewer's
// YlGnBu).
const shades = [[255, 255, 217], [237, 248, 177], [199, 233, 180], [127, 205, 187], [65, 182, 196], [29, 145, 192], [34, 94, 168], [37, 52, 148], [8, 29, 88]];
function shade(share) {
  const v = Math.min(Math.max(share, 0), 1) * (shades.length - 1);
  const i = Math.min(Math.floor(v), shades.length - 2), f = v - i;
  return shades[i].map((a, k) => Math.round(a + f * (shades[i + 1][k] - a)));
}

class BlockMap {
  constructor(run, box) {
    this.run = run;
    this.m = run.map;
    this.t = numbers(this.m.times).map(toUnit);
    this.used = bytes(this.m.used);
    if (!single) {
      const h = document.createElement("h4");
      h.textContent = run.name;
      box.append(h);
    }
    this.map = this.canvas(box, "Use of each group over time");
    this.now = this.canvas(box, "Use of each group at the moment chosen");
    this.paint();
    this.map.tabIndex = 0;
    onKeys(this.map);
    this.pointer();
    const draw = () => this.draw();
    listeners.view.push(draw);
    listeners.at.push(draw);
    redraws.push(draw);
    new ResizeObserver(draw).observe(box);
  }

  canvas(box, label) {
    const c = document.createElement("canvas");
    c.setAttribute("role", "img");
    c.setAttribute("aria-label", label + (single ? "" : ", " + this.run.name));
    box.append(c);
    return c;
  }

  // paint makes a picture of a pixel a sample and band; the first group is at the
  // bottom.
  paint() {
    const w = this.t.length, h = this.m.bands;
    this.picture = document.createElement("canvas");
    this.picture.width = w;
    this.picture.height = h;
    const ctx = this.picture.getContext("2d"), img = ctx.createImageData(w, h);
    const table = Array.from({ length: 251 }, (_, i) => shade(i / 250));
    for (let x = 0; x < w; x++) for (let b = 0; b < h; b++) {
      const k = ((h - 1 - b) * w + x) * 4, c = table[this.used[x * h + b]];
      img.data[k] = c[0]; img.data[k + 1] = c[1]; img.data[k + 2] = c[2]; img.data[k + 3] = 255;
    }
    ctx.putImageData(img, 0, 0);
  }

  share(i, band) { return this.used[i * this.m.bands + band] / 250; }

  // prepare sizes a canvas in CSS pixels and gives its context.
  prepare(c, w, h) {
    const r = devicePixelRatio || 1;
    c.style.height = h + "px";
    c.width = Math.round(w * r);
    c.height = Math.round(h * r);
    const ctx = c.getContext("2d");
    ctx.setTransform(r, 0, 0, r, 0, 0);
    ctx.imageSmoothingEnabled = false;
    ctx.font = font(12);
    return ctx;
  }

  draw() {
    const w = this.map.parentElement.clientWidth;
    if (w < 50) return;
    this.drawMap(w);
    this.drawNow(w);
    if (!hovering) status(this.words());
  }

  drawMap(w) {
    const plot = single ? Math.min(Math.max(this.m.bands * 6, 150), 260) : 110;
    const ctx = this.prepare(this.map, w, plot + 42);
    const left = Math.max(34, ctx.measureText(tick(this.run.groups, 1)).width + 10) + 16;
    const a = (this.area = { x: left, y: 6, w: w - left - 14, h: plot });
    const pos = (t) => a.x + ((t - state.lo) / (state.hi - state.lo)) * a.w;
    ctx.save();
    ctx.beginPath();
    ctx.rect(a.x, a.y, a.w, a.h);
    ctx.clip();
    const end = toUnit(this.run.end);
    for (let i = last(this.t, state.lo); i < this.t.length && this.t[i] <= state.hi; i++) {
      const x0 = Math.floor(Math.max(pos(this.t[i]), a.x)), x1 = Math.ceil(pos(i + 1 < this.t.length ? this.t[i + 1] : Math.max(end, this.t[i])));
      if (x1 > x0) ctx.drawImage(this.picture, i, 0, 1, this.m.bands, x0, a.y, x1 - x0, a.h);
    }
    if (single) this.run.phases.forEach((p) => this.vertical(ctx, pos(toUnit(p.start)), css("--mark"), [3, 3]));
    this.vertical(ctx, pos(state.at), "#000", []);
    this.vertical(ctx, pos(state.at) + 1, "#fff", []);
    ctx.restore();
    ctx.strokeStyle = css("--rule");
    ctx.strokeRect(a.x - 0.5, a.y - 0.5, a.w + 1, a.h + 1);
    this.axes(ctx, a, pos);
  }

  axes(ctx, a, pos) {
    ctx.fillStyle = css("--faint");
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    const x = ticks(state.lo, state.hi, Math.max(2, Math.floor(a.w / 80)));
    x.at.forEach((t) => ctx.fillText(tick(t, x.step), Math.min(pos(t), a.x + a.w), a.y + a.h + 5));
    ctx.fillText("simulated time (" + data.unit.name + ")", a.x + a.w / 2, a.y + a.h + 21);
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    const g = this.run.groups, y = ticks(0, g, Math.max(2, Math.floor(a.h / 34)), 1);
    y.at.filter((v) => v < g || v === 0).forEach((v) => {
      // A number stands at the middle of its group's row, or where the row begins
      // if rows are too low for a number.
      const row = a.h / g >= 8 ? 0.5 : 0;
      ctx.fillText(tick(v, y.step), a.x - 6, a.y + a.h - ((v + row) / g) * a.h);
    });
    ctx.save();
    ctx.translate(8, a.y + a.h / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.textAlign = "center";
    ctx.fillText("block group", 0, 0);
    ctx.restore();
  }

  vertical(ctx, x, stroke, dashes) {
    ctx.strokeStyle = stroke;
    ctx.lineWidth = 1;
    ctx.setLineDash(dashes);
    ctx.beginPath();
    ctx.moveTo(Math.round(x) + 0.5, 0);
    ctx.lineTo(Math.round(x) + 0.5, this.area.y + this.area.h);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  // drawNow draws a box a band at the moment chosen.
  drawNow(w) {
    const n = this.m.bands, side = n > 128 ? 12 : n > 40 ? 18 : 26;
    const columns = Math.max(1, Math.min(n, Math.floor((w - 4) / side))), rows = Math.ceil(n / columns);
    const ctx = this.prepare(this.now, w, rows * side + 6);
    const i = last(this.t, state.at);
    for (let b = 0; b < n; b++) {
      const x = (b % columns) * side, y = Math.floor(b / columns) * side + 4, s = this.share(i, b), c = shade(s);
      ctx.fillStyle = "rgb(" + c.join(",") + ")";
      ctx.fillRect(x + 1, y + 1, side - 2, side - 2);
      ctx.strokeStyle = css("--mark");
      ctx.lineWidth = 1;
      ctx.strokeRect(x + 1.5, y + 1.5, side - 3, side - 3);
      if (side >= 26) {
        ctx.fillStyle = s > 0.55 ? "#fff" : "#222";
        ctx.font = font(11);
        ctx.textAlign = "center";
        ctx.textBaseline = "middle";
        ctx.fillText(Math.round(s * 100), x + side / 2, y + side / 2 + 1);
      }
    }
    this.cells = { side, columns };
  }

  // band names the groups of a band.
  band(b) {
    const p = this.m.per_band, from = b * p, to = Math.min(from + p, this.run.groups) - 1;
    return from === to ? "group " + from : "groups " + from + " to " + to;
  }

  words() {
    if (!single) return "At " + moment(state.at) + ". The boxes show each group in per cent; point at one.";
    const i = last(this.t, state.at), n = this.m.bands;
    let sum = 0, top = 0;
    for (let b = 0; b < n; b++) { sum += this.share(i, b); if (this.share(i, b) > this.share(i, top)) top = b; }
    return "At " + moment(state.at) + ": a group is " + show(sum / n, "share") + " full in the mean; the fullest is " + this.band(top) + " with " + show(this.share(i, top), "share") + ". The boxes show each in per cent.";
  }

  pointer() {
    const at = (e) => {
      const r = this.map.getBoundingClientRect(), a = this.area;
      const x = e.clientX - r.left - a.x, y = e.clientY - r.top - a.y;
      if (x < 0 || x > a.w || y < 0 || y >= a.h) return null;
      const band = Math.min(Math.floor((((a.h - y) / a.h) * this.run.groups) / this.m.per_band), this.m.bands - 1);
      return { t: state.lo + (x / a.w) * (state.hi - state.lo), band };
    };
    const tell = (t, band) => status((single ? "" : this.run.name + ", ") + moment(t) + ", " + this.band(band) + ": " + show(this.share(last(this.t, t), band), "share") + " in use");
    this.map.addEventListener("pointermove", (e) => {
      const p = at(e);
      hovering = p !== null;
      if (!p) return status(this.words());
      if (e.buttons & 1) setAt(p.t);
      tell(p.t, p.band);
    });
    this.map.addEventListener("pointerdown", (e) => { const p = at(e); if (p) setAt(p.t); });
    const leave = () => { hovering = false; status(this.words()); };
    this.map.addEventListener("pointerleave", leave);
    this.now.addEventListener("pointermove", (e) => {
      const r = this.now.getBoundingClientRect(), c = this.cells;
      const column = Math.floor((e.clientX - r.left) / c.side), b = Math.floor((e.clientY - r.top - 4) / c.side) * c.columns + column;
      hovering = column < c.columns && b >= 0 && b < this.m.bands;
      if (hovering) tell(state.at, b); else leave();
    });
    this.now.addEventListener("pointerleave", leave);
  }
}

let hovering = false;
function status(words) { $("#map-status").textContent = words; }
if ($("#map")) {
  $("#map .scale i").style.background = "linear-gradient(90deg," + shades.map((c) => "rgb(" + c.join(",") + ")").join(",") + ")";
  runs.filter((r) => r.map).forEach((r) => new BlockMap(r, $("#map .maps")));
}


// Histograms: of one run at the start and at the moment chosen, of several runs
// side by side at the moment chosen.
const histograms = {
  free: { of: (s) => s.free, value: (b, r) => b[1] * r.block_size, scale: "bytes", thing: "pieces", x: "size of a piece", label: "free space", size: (i, r) => r.block_size * Math.pow(2, i) },
  sizes: { of: (s) => s.pieces, value: (b, r) => b[1] * r.block_size, scale: "bytes", thing: "extents", x: "size of an extent", label: "data", size: (i, r) => r.block_size * Math.pow(2, i) },
  files: { of: (s) => s.files, value: (b) => b[0], scale: "plain", thing: "files", x: "extents of a file", label: "files" },
};

// snapshot is the last of a run at the moment chosen.
function snapshot(r) {
  const t = r.snapshots.map((s) => toUnit(s.t));
  return r.snapshots[last(t, state.at)];
}

class Histogram {
  constructor(id) {
    this.h = histograms[id];
    this.figure = document.getElementById(id);
    this.box = $(".canvas", this.figure);
    this.runs = runs.filter((r) => r.snapshots && r.snapshots.length);
    const draw = () => this.draw(), pick = $("select", this.figure);
    if (pick) pick.addEventListener("change", () => { this.measure(pick.selectedIndex); this.draw(); });
    listeners.at.push(draw);
    new ResizeObserver(draw).observe(this.box);
    this.measure(0);
  }

  // measure chooses what the height of a bar is: space, or a number of things.
  measure(chosen) {
    const number = chosen === 1 || this.h.scale === "plain";
    this.value = number ? (b) => b[0] : this.h.value;
    this.scale = number ? "plain" : this.h.scale;
    this.label = number ? this.h.thing : this.h.label;
    // The classes and the height stay while the moment moves.
    const all = this.runs.flatMap((r) => r.snapshots.map((s) => [s, r]));
    this.first = Infinity; this.last = -1; this.most = 0; this.least = Infinity;
    all.forEach(([s, r]) => this.h.of(s).forEach((b, i) => {
      const v = this.value(b, r);
      if (v <= 0) return;
      this.first = Math.min(this.first, i); this.last = Math.max(this.last, i);
      this.most = Math.max(this.most, v); this.least = Math.min(this.least, v);
    }));
    if (this.last < 0) { this.first = 0; this.last = 0; }
    // Counts far apart need a logarithmic axis; areas of space would mislead on one.
    this.log = this.scale === "plain" && this.most / this.least > 50;
  }

  series() {
    if (!single) return this.runs.map((r, i) => ({ name: r.name, style: i, r, s: snapshot(r) }));
    const r = this.runs[0], s = snapshot(r);
    return [{ name: "at the start", past: true, r, s: r.snapshots[0] }, { name: "at " + moment(toUnit(s.t)), style: 0, r, s }];
  }

  name(i) {
    if (this.h.size) return size(this.h.size(i, this.runs[0]));
    const from = Math.pow(2, i);
    return from === 1 ? "1" : from < 1000 ? from + "–" + (2 * from - 1) : size(from);
  }

  draw() {
    const w = this.box.clientWidth, h = 230;
    if (w < 50) return;
    const series = this.series(), n = this.last - this.first + 1;
    const y = this.axis();
    const left = 22 + Math.max(...y.names.map((s) => s.length)) * 7.8 + 8, top = 8, bottom = 40;
    const widest = Math.max(...Array.from({ length: n }, (_, i) => this.name(this.first + i).length)) * 6.8 + 8;
    const right = 8 + Math.max(0, (widest - (w - left) / n) / 2), pw = w - left - right, ph = h - top - bottom, step = pw / n;
    const pos = (v) => top + ph - y.pos(v) * ph;
    let out = '<svg viewBox="0 0 ' + w + " " + h + '" width="' + w + '" height="' + h + '" aria-hidden="true" style="font:12px system-ui,\'Liberation Sans\',sans-serif;fill:var(--faint)">';
    y.at.forEach((v, i) => {
      out += '<path d="M' + left + " " + pos(v) + "H" + (w - right) + '" style="stroke:var(--rule)"/><text x="' + (left - 6) + '" y="' + (pos(v) + 4) + '" text-anchor="end">' + y.names[i] + "</text>";
    });
    const bar = Math.max(1, (step * 0.84) / series.length);
    series.forEach((x, k) => this.h.of(x.s).forEach((b, i) => {
      const v = this.value(b, x.r);
      if (v <= 0 || i < this.first || i > this.last) return;
      const x0 = left + (i - this.first) * step + step * 0.08 + k * bar, y0 = pos(v);
      const words = x.name + ": " + decimals(b[0], 0) + " " + this.h.thing + " of " + this.name(i) + (this.h.scale === "bytes" ? " and more, " + show(this.h.value(b, x.r), "bytes") : "");
      out += '<rect class="b" x="' + x0.toFixed(1) + '" y="' + y0.toFixed(1) + '" width="' + Math.max(1, bar - 0.5).toFixed(1) + '" height="' + Math.max(0.8, top + ph - y0).toFixed(1) + '" style="fill:' + (x.past ? "var(--past)" : "var(--c" + (x.style % 8) + ")") + '"><title>' + escape(words) + "</title></rect>";
    }));
    const every = Math.max(1, Math.ceil(widest / step));
    for (let i = 0; i < n; i += every) {
      out += '<text x="' + (left + (i + 0.5) * step).toFixed(1) + '" y="' + (top + ph + 15) + '" text-anchor="middle">' + this.name(this.first + i) + "</text>";
    }
    out += '<text x="' + (w < 480 ? w / 2 : left + pw / 2) + '" y="' + (h - 5) + '" text-anchor="middle">' + this.h.x + (this.h.size ? " (from the size named to twice that)" : "") + "</text>";
    out += '<text transform="translate(10 ' + (top + ph / 2) + ') rotate(-90)" text-anchor="middle">' + this.label + "</text></svg>";
    this.box.innerHTML = out;
    $(".legend", this.figure).innerHTML = series.map((x) => '<span class="key">' + key(x.style || 0, true, x.past) + escape(x.name) + "</span>").join("");
  }

  // axis are the numbers of the y axis, and where a value lies on it, 0 to 1.
  axis() {
    const most = this.most || 1;
    if (this.log) {
      const hi = Math.log10(most * 1.3), lo = Math.log10(0.5), at = [];
      for (let e = 0; Math.pow(10, e) <= most * 1.3; e++) at.push(Math.pow(10, e));
      return { at, names: at.map((v) => tick(v, v)), pos: (v) => Math.max(0, (Math.log10(v) - lo) / (hi - lo)) };
    }
    let at, names;
    if (this.scale === "bytes") {
      const unit = Math.pow(1024, Math.min(6, Math.max(0, Math.floor(Math.log2(most) / 10))));
      const t = ticks(0, most / unit, 4);
      at = t.at.map((v) => v * unit);
      names = at.map(size);
    } else {
      const t = ticks(0, most, 4, 1);
      at = t.at;
      names = at.map((v) => tick(v, t.step));
    }
    return { at, names, pos: (v) => v / (most * 1.05) };
  }
}
Object.keys(histograms).filter((id) => document.getElementById(id)).forEach((id) => new Histogram(id));

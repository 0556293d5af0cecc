
// Charts over time, drawn by uPlot. With one run each line is a metric; with
// several each line is a run, and the metric is chosen above the chart.
const font = (px) => px + 'px system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';

// linesOf are the lines of a chart: name, index of style, x and y without gaps.
function linesOf(c, chosen) {
  const out = [];
  runs.forEach((r, k) => c.lines.forEach((l, i) => {
    if (!single && i !== chosen) return;
    let x, y;
    if (l.metric) {
      const factor = l.factor ? l.factor[k] : 1;
      x = []; y = [];
      (r.column(l.metric) || []).forEach((v, j) => { if (v !== null) { x.push(r.t[j]); y.push(v * factor); } });
    } else {
      const rate = c.rates[k] && c.rates[k][i];
      x = rate ? numbers(rate.x).map(toUnit) : [];
      y = rate ? numbers(rate.y) : [];
    }
    out.push({ name: single ? l.name : r.name, style: single ? i : k, whole: l.whole, x, y });
  }));
  return out;
}

// yRange is the range of the y axis for values of min to max.
function yRange(c, whole, min, max) {
  if (min === null || max === null || !isFinite(min)) return [0, 1];
  if (isWhole() && (whole || c.scale === "bytes" || c.id === "used")) min = Math.min(min, 0);
  if (min === max) return min === 0 ? [0, 1] : min > 0 ? [0, max * 1.1] : [min * 1.1, 0];
  const pad = (max - min) * 0.06;
  const lo = min >= 0 && min - pad < 0 ? 0 : min - pad;
  return [lo, c.scale === "share" && max <= 1 && max + pad > 1 ? 1 + pad / 4 : max + pad];
}

function yTicks(c, splits, step) {
  if (c.scale === "share") return splits.map((v) => (v > 1.0001 ? "" : tick(v * 100, step * 100) + "%"));
  if (c.scale !== "bytes") return splits.map((v) => tick(v, step));
  return splits.map(size);
}

// steps are those of axes of numbers, wholeSteps of axes that count things, and
// byteSteps of axes of bytes.
const steps = [];
for (let e = -9; e < 16; e++) for (const m of [1, 2, 5]) steps.push(+(m + "e" + e));
const wholeSteps = steps.filter((s) => s >= 1);
const byteSteps = [];
for (let e = 0; e < 7; e++) for (const m of [1, 2, 5, 10, 20, 50, 100, 200, 500]) byteSteps.push(m * Math.pow(1024, e));

class Chart {
  constructor(c) {
    this.c = c;
    this.figure = document.getElementById(c.id);
    this.box = $(".canvas", this.figure);
    this.chosen = 0;
    this.off = new Set(single ? c.lines.filter((l) => l.off).map((l) => l.name) : []);
    const pick = $("select", this.figure);
    if (pick) pick.addEventListener("change", () => { this.choose(+pick.value); });
    onKeys(this.box);
    this.build();
    listeners.view.push(() => this.plot.setScale("x", { min: state.lo, max: state.hi }));
    listeners.at.push(() => { this.plot.redraw(false); this.values(); });
    redraws.push(() => this.plot.redraw(false));
    new ResizeObserver(() => this.resize()).observe(this.box);
  }

  choose(i) {
    this.chosen = i;
    const words = this.c.lines[i].words;
    $(".words", this.figure).textContent = words;
    this.box.setAttribute("aria-label", $("h3", this.figure).textContent + ". " + words);
    this.build();
  }

  resize() {
    const w = this.box.clientWidth;
    if (w > 0 && w !== this.plot.width) this.plot.setSize({ width: w, height: this.height(w) });
  }

  height(w) { return w < 480 ? 210 : 250; }

  build() {
    if (this.plot) this.plot.destroy();
    this.lines = linesOf(this.c, this.chosen);
    this.wholes = this.lines.every((l) => l.whole);
    const some = this.lines.map((l) => (l.x.length ? [l.x, l.y] : [[0], [null]]));
    this.plot = new uPlot(this.options(), uPlot.join(some), this.box);
    this.legend();
    this.values();
  }

  options() {
    const c = this.c, w = this.box.clientWidth || 560;
    const axis = { stroke: () => css("--faint"), font: font(12), grid: { stroke: () => css("--rule"), width: 1 }, ticks: { stroke: () => css("--rule"), width: 1, size: 4 }, labelFont: font(12), labelSize: 18, labelGap: 0, gap: 4 };
    return {
      width: w, height: this.height(w), legend: { show: false }, padding: [10, 14, 0, 0],
      scales: {
        x: { time: false, range: (u, lo, hi) => (lo === null ? [state.lo, state.hi] : [lo, hi]), min: state.lo, max: state.hi },
        y: { range: (u, lo, hi) => yRange(c, this.wholes, lo, hi) },
      },
      axes: [
        { ...axis, label: "simulated time (" + data.unit.name + ")", grid: { show: false }, space: 60, size: 22, incrs: steps, values: (u, s, i, sp, step) => s.map((v) => tick(v, step)) },
        {
          ...axis, label: (u) => c.label + (u.scales.y.min > 0 ? ", not from 0" : ""), space: 34, values: (u, s, i, sp, step) => yTicks(c, s, step),
          incrs: c.scale === "bytes" ? byteSteps : this.wholes ? wholeSteps : steps,
          size: (u, values) => {
            u.ctx.save();
            u.ctx.font = font(12 * devicePixelRatio);
            const most = Math.max(0, ...(values || []).map((v) => u.ctx.measureText(v).width));
            u.ctx.restore();
            return Math.ceil(most / devicePixelRatio) + 14;
          },
        },
      ],
      series: [{}].concat(this.lines.map((l) => ({
        label: l.name, show: !this.off.has(l.name), stroke: () => colour(l.style), width: 2, dash: dash(l.style), spanGaps: true,
        points: { show: l.x.length === 1, size: 7, fill: () => colour(l.style), stroke: () => colour(l.style) },
      }))),
      cursor: {
        sync: { key: "time", setSeries: false, scales: ["x", null] }, drag: { x: true, y: false, setScale: false },
        points: { size: 7, fill: (u, i) => colour(this.lines[i - 1].style), stroke: (u, i) => colour(this.lines[i - 1].style) },
        dataIdx: (u, i, idx) => nearestValue(u.data[i], u.data[0], idx, u.cursor.left < 0 ? null : u.posToVal(u.cursor.left, "x")),
        bind: { dblclick: () => () => { moves.all(); return null; } },
      },
      hooks: {
        setSelect: [(u) => {
          if (u.select.width > 3) setView(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
        setCursor: [() => this.values()],
        drawAxes: [(u) => drawMarks(u)],
        draw: [(u) => drawMoment(u)],
      },
    };
  }

  // legend makes a button for each line, which hides and shows it.
  legend() {
    const box = $(".legend", this.figure);
    box.textContent = "";
    this.outputs = this.lines.map((l, i) => {
      const b = document.createElement("button");
      b.type = "button";
      b.innerHTML = key(l.style) + "<span>" + escape(l.name) + "</span> <output></output>";
      b.setAttribute("aria-pressed", String(!this.off.has(l.name)));
      b.title = "Hide or show this line";
      b.addEventListener("click", () => {
        const hide = !this.off.has(l.name);
        if (hide) this.off.add(l.name); else this.off.delete(l.name);
        b.setAttribute("aria-pressed", String(!hide));
        this.plot.setSeries(i + 1, { show: !hide });
      });
      box.append(b);
      return $("output", b);
    });
  }

  // values shows each line's value under the pointer, or at the moment chosen.
  values() {
    if (!this.outputs) return;
    const u = this.plot;
    this.lines.forEach((l, i) => {
      const hover = u && u.cursor.idxs && u.cursor.left >= 0 ? u.cursor.idxs[i + 1] : null;
      let v = null;
      if (hover !== null && hover !== undefined) v = u.data[i + 1][hover];
      else if (l.x.length && l.x[0] <= state.at) v = l.y[last(l.x, state.at)];
      this.outputs[i].textContent = show(v, this.c.scale);
    });
  }
}

// nearestValue is the row with a value that is nearest to x.
function nearestValue(y, x, idx, at) {
  if (idx === null || (y[idx] !== null && y[idx] !== undefined)) return idx;
  let a = idx, b = idx;
  while (a >= 0 && (y[a] === null || y[a] === undefined)) a--;
  while (b < y.length && (y[b] === null || y[b] === undefined)) b++;
  if (a < 0) return b < y.length ? b : null;
  if (b >= y.length || at === null) return a;
  return at - x[a] <= x[b] - at ? a : b;
}

// drawMarks draws a line where a phase begins, and drawMoment where the moment is.
function drawMarks(u) {
  if (!single) return;
  runs[0].phases.forEach((p) => line(u, toUnit(p.start), css("--mark"), [3, 3], 1));
}
function drawMoment(u) {
  line(u, state.at, css("--cursor"), [], 1);
}
function line(u, t, stroke, dashes, width) {
  if (t <= u.scales.x.min || t >= u.scales.x.max) return;
  const x = Math.round(u.valToPos(t, "x", true)) + 0.5, ctx = u.ctx;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = width * devicePixelRatio;
  ctx.setLineDash(dashes.map((d) => d * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(x, u.bbox.top);
  ctx.lineTo(x, u.bbox.top + u.bbox.height);
  ctx.stroke();
  ctx.restore();
}
const plots = (data.charts || []).map((c) => new Chart(c));

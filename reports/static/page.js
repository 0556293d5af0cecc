"use strict";
// What all plots of the page share: the data, the time window and the moment that
// are shown, colours and numbers. Times are in the unit of the axes.
const $ = (s, e) => (e || document).querySelector(s);
const $$ = (s, e) => Array.from((e || document).querySelectorAll(s));
const data = JSON.parse($("#data").textContent);
const runs = data.runs || [];
const single = runs.length === 1;
const root = document.documentElement;

// numbers reads a column: n rows, null where there is no value.
function numbers(c, n) {
  let sum = 0;
  const v = c.d ? c.d.map((x) => (sum += x)) : c.v || [];
  if (!c.i) return v;
  const out = new Array(n).fill(null);
  let row = 0;
  c.i.forEach((step, k) => { row += step; out[row] = v[k]; });
  return out;
}

const toUnit = (seconds) => seconds / data.unit.seconds;
runs.forEach((r) => {
  r.phases = r.phases || [];
  r.snapshots = (r.snapshots || []).map((s) => ({ t: s.t, free: s.free || [], files: s.files || [], pieces: s.pieces || [] }));
  r.t = numbers(r.times).map(toUnit);
  r.column = (name) => (r.series[name] ? numbers(r.series[name], r.t.length) : null);
});

// The window of time and the moment.
const whole = { lo: 0, hi: Math.max(...runs.map((r) => toUnit(r.end)), 0) || 1 };
const state = { lo: whole.lo, hi: whole.hi, at: whole.hi };
const listeners = { view: [], at: [] };

function setView(lo, hi) {
  const least = (whole.hi - whole.lo) / 5000;
  const span = Math.min(Math.max(hi - lo, least), whole.hi - whole.lo);
  lo = Math.min(Math.max((lo + hi - span) / 2, whole.lo), whole.hi - span);
  state.lo = lo;
  state.hi = lo + span;
  if (span >= whole.hi - whole.lo) state.hi = whole.hi;
  root.dataset.lo = state.lo;
  root.dataset.hi = state.hi;
  const out = $("#window");
  if (out) out.textContent = time(state.lo, span) + " to " + time(state.hi, span) + " " + data.unit.name;
  listeners.view.forEach((f) => f());
}

function setAt(t) {
  state.at = Math.min(Math.max(t, whole.lo), whole.hi);
  root.dataset.at = state.at;
  const range = $("#scrub");
  if (range) {
    range.value = Math.round(((state.at - whole.lo) / (whole.hi - whole.lo)) * 1000);
    range.setAttribute("aria-valuetext", moment(state.at));
    $("#moment").textContent = moment(state.at);
  }
  listeners.at.forEach((f) => f());
}

const isWhole = () => state.lo <= whole.lo && state.hi >= whole.hi;
const moves = {
  in: () => zoom(0.5),
  out: () => zoom(2),
  left: () => pan(-0.25),
  right: () => pan(0.25),
  all: () => setView(whole.lo, whole.hi),
};
function zoom(f) {
  const span = state.hi - state.lo;
  let mid = (state.lo + state.hi) / 2;
  if (f < 1 && state.at > state.lo && state.at < state.hi) mid = state.at;
  const part = (mid - state.lo) / span;
  setView(mid - part * span * f, mid + (1 - part) * span * f);
}
function pan(f) {
  const d = (state.hi - state.lo) * f;
  setView(state.lo + d, state.hi + d);
}
const keys = { "+": "in", "=": "in", "-": "out", "_": "out", ArrowLeft: "left", ArrowRight: "right", 0: "all", Home: "all" };
function onKeys(el) {
  el.addEventListener("keydown", (e) => {
    const move = keys[e.key];
    if (!move || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    moves[move]();
  });
}

// Numbers as people read them.
function places(step) { return Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9))); }
function decimals(v, n) {
  return v.toLocaleString("en-US", { minimumFractionDigits: n, maximumFractionDigits: n }).replace("-", "−");
}
function tick(v, step) {
  if (v === 0) return "0";
  for (const [size, name] of [[1e9, "G"], [1e6, "M"]]) {
    if (step >= size / 1000 && Math.abs(v) >= size) return decimals(v / size, places(step / size)) + name;
  }
  return decimals(v, places(step));
}
function time(t, span) { return tick(t, Math.pow(10, Math.floor(Math.log10(span / 100)))); }
function moment(t) { return time(t, whole.hi - whole.lo) + " " + data.unit.name; }
function binary(v) {
  let i = 0;
  while (Math.abs(v) >= 1024 && i < 6) { v /= 1024; i++; }
  return [v, "KMGTPE".substring(i - 1, i)];
}
function four(v) {
  if (v === 0) return "0";
  if (Number.isInteger(v)) return decimals(v, 0);
  return decimals(v, Math.min(Math.max(3 - Math.floor(Math.log10(Math.abs(v))), 0), 4)).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}
function show(v, scale) {
  if (v === null || v === undefined) return "–";
  if (scale === "share") return four(Math.round(v * 1e4) / 100) + "%";
  if (scale === "bytes") { const [x, p] = binary(v); return four(Math.round(x * 100) / 100) + " " + (p ? p + "iB" : "bytes"); }
  return four(v);
}
function size(v) { const [x, p] = binary(v); return four(Math.round(x * 100) / 100) + p; }

// Colours and dashes: eight of each, so that lines differ in both.
const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
const colour = (i) => css("--c" + (i % 8));
const dashes = [[], [8, 4], [3, 3], [12, 4, 3, 4], [18, 5], [2, 5], [8, 3, 2, 3, 2, 3], [14, 3]];
const dash = (i) => dashes[i % dashes.length];
function key(i, box, past) {
  const c = past ? "var(--past)" : "var(--c" + (i % 8) + ")";
  if (box) return '<svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="2" style="fill:' + c + '"/></svg>';
  return '<svg width="26" height="10" aria-hidden="true"><path d="M0 5H26" style="stroke:' + c + ';stroke-width:2.5;stroke-dasharray:' + (dash(i).join(" ") || "none") + '"/></svg>';
}
function escape(s) {
  return String(s).replace(/[&<>"']/g, (c) => "&#" + c.charCodeAt(0) + ";");
}
// last is the index of the last of the increasing times that is not after t.
function last(times, t) {
  let lo = 0, hi = times.length - 1;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (times[mid] <= t * (1 + 1e-12)) lo = mid; else hi = mid - 1;
  }
  return lo;
}
// ticks are round numbers from lo to hi, at most n of them.
function ticks(lo, hi, n, least) {
  let step = Math.pow(10, Math.floor(Math.log10((hi - lo) / n || 1)));
  for (const m of [1, 2, 5, 10]) if (m * step >= Math.max((hi - lo) / n, least || 0)) { step *= m; break; }
  step = Math.max(step, least || 0);
  const out = [];
  for (let i = Math.ceil(lo / step - 1e-9); i * step <= hi * (1 + 1e-9); i++) out.push(i * step);
  return { step, at: out };
}

// The theme: as the system has it, or as asked for.
const redraws = [];
const redrawAll = () => redraws.forEach((f) => f());
const themes = [["", "auto", "as the system has them"], ["light", "light", "light"], ["dark", "dark", "dark"]];
let theme = 0;
$("#theme").addEventListener("click", () => {
  theme = (theme + 1) % themes.length;
  const [name, label, words] = themes[theme];
  if (name) root.dataset.theme = name; else delete root.dataset.theme;
  $("#theme").textContent = "Colours: " + label;
  $("#theme").setAttribute("aria-label", "Colours: " + words);
  redrawAll();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
let before;
addEventListener("beforeprint", () => {
  before = root.dataset.theme;
  root.dataset.theme = "light";
  $$("details").forEach((d) => { d.dataset.was = d.open; d.open = true; });
  redrawAll();
});
addEventListener("afterprint", () => {
  if (before) root.dataset.theme = before; else delete root.dataset.theme;
  $$("details").forEach((d) => { d.open = d.dataset.was === "true"; });
  redrawAll();
});

// Buttons.
$$("[data-do]").forEach((b) => b.addEventListener("click", () => moves[b.dataset.do]()));
$$(".copy").forEach((b) => b.addEventListener("click", () => {
  const code = b.previousElementSibling;
  const range = document.createRange();
  range.selectNodeContents(code);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  const done = () => { b.textContent = "Copied"; setTimeout(() => { b.textContent = "Copy"; }, 1500); };
  if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(done, () => {});
}));
if ($("#all-metrics")) $("#all-metrics").addEventListener("change", (e) => $("table.metrics").classList.toggle("every", e.target.checked));

// The slider and its button.
const scrub = $("#scrub");
let playing = 0;
function stopPlaying() {
  clearInterval(playing);
  playing = 0;
  $("#play").classList.remove("on");
  $("#play").setAttribute("aria-label", "Play");
}
if (scrub) {
  scrub.addEventListener("input", () => {
    if (playing) stopPlaying();
    setAt(whole.lo + (scrub.value / 1000) * (whole.hi - whole.lo));
  });
  $("#play").addEventListener("click", () => {
    if (playing) return stopPlaying();
    if (state.at >= state.hi || state.at < state.lo) setAt(state.lo);
    $("#play").classList.add("on");
    $("#play").setAttribute("aria-label", "Stop");
    playing = setInterval(() => {
      if (state.at >= state.hi) return stopPlaying();
      setAt(Math.min(state.at + (state.hi - state.lo) / 120, state.hi));
    }, 60);
  });
}

// Tables of the data as files.
function download(name, text) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}
const cell = (v) => (v === null || v === undefined ? "" : /[",\n]/.test(v) ? '"' + String(v).replace(/"/g, '""') + '"' : v);
const csv = (rows) => rows.map((r) => r.map(cell).join(",")).join("\n") + "\n";
function tableOf(what, run) {
  const r = runs[run || 0];
  switch (what) {
    case "series": {
      const names = Object.keys(r.series).sort();
      const columns = names.map(r.column);
      const t = numbers(r.times);
      return [["time_s", ...names], ...t.map((x, i) => [x, ...columns.map((c) => c[i])])];
    }
    case "map": {
      const m = r.map, n = m.bands, t = numbers(m.times), used = bytes(m.used);
      return [["first_group", ...t], ...Array.from({ length: n }, (_, b) => [b * m.per_band, ...t.map((_, i) => used[i * n + b] / 250)])];
    }
  }
  const names = [...new Set(runs.flatMap((r) => Object.keys(r.final)))].sort();
  return [["metric", ...runs.map((r) => r.name)], ...names.map((n) => [n, ...runs.map((r) => r.final[n])])];
}
function bytes(base64) { return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)); }
$$(".csv").forEach((b) => {
  const run = runs[b.dataset.run || 0];
  if (b.dataset.csv === "map" && !run.map) { b.hidden = true; return; }
  b.addEventListener("click", () => {
    const name = single || b.dataset.csv === "metrics" ? "" : run.name.replace(/[^\w.-]+/g, "_") + "-";
    download(name + b.dataset.csv + ".csv", csv(tableOf(b.dataset.csv, b.dataset.run)));
  });
});

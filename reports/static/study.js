
// A study: main effects of each key on the metric chosen, and two keys at once.
const study = data.study;

// tint colours a cell by a share of 1.
function tint(share) {
  const strength = 8 + share * 72;
  return "background:color-mix(in srgb,var(--c0) " + strength.toFixed(0) + "%,var(--back))" + (strength > 55 ? ";color:var(--back)" : "");
}
const unitScale = (m) => (m.unit === "share" || m.unit === "bytes" ? m.unit : "plain");

// drawEffects draws a panel a key; all have one y axis, but for differences.
function drawEffects(m) {
  const box = $("#effects .effects"), effects = m.effects;
  $("#study-words").textContent = m.words;
  box.setAttribute("aria-label", "Main effects on " + m.name + ". " + m.words);
  box.textContent = "";
  if (!effects.length) { box.textContent = "The settings differ in no key that has several values."; return; }
  const panels = effects.map((e) => [document.createElement("div"), e]);
  panels.forEach(([d]) => box.append(d));
  panels.forEach(([d, e]) => panel(d, m, e, effects.filter((x) => !x.difference === !e.difference)));
}

// range is that of the effects' values, with some room.
function range(effects) {
  const all = effects.flatMap((e) => e.levels.flatMap((l) => [l.mean, l.low, l.high]));
  let lo = Math.min(...all), hi = Math.max(...all);
  if (lo === hi) { lo -= Math.abs(lo) * 0.1 || 1; hi += Math.abs(hi) * 0.1 || 1; }
  const pad = (hi - lo) * 0.08;
  return [lo >= 0 && lo - pad < 0 ? 0 : lo - pad, hi + pad];
}

// levelNames are the names below a panel whose levels are step apart, and the height that they need
// beyond one line. Numbers leave some out where there is no room. Names are all there: a word a
// line where a line is too short, and upwards where a word is.
function levelNames(e, step) {
  const letter = 6.8, width = (s) => s.length * letter + 6, longest = Math.max(...e.levels.map((l) => width(l.value)));
  const put = (s, more) => "<text " + more + ">" + s + "</text>";
  if (e.numeric || longest <= step) {
    const every = Math.max(1, Math.ceil(longest / step));
    return { extra: 0, text: (i, x, y) => (i % every ? "" : put(escape(e.levels[i].value), 'text-anchor="middle" x="' + x + '" y="' + y + '"')) };
  }
  const words = e.levels.map((l) => l.value.split(" "));
  if (words.flat().every((s) => width(s) <= step)) {
    return {
      extra: 14 * (Math.max(...words.map((s) => s.length)) - 1),
      text: (i, x, y) => words[i].map((s, k) => put(escape(s), 'text-anchor="middle" x="' + x + '" y="' + (y + 14 * k) + '"')).join(""),
    };
  }
  return { extra: longest - 14, text: (i, x, y) => put(escape(e.levels[i].value), 'text-anchor="end" transform="translate(' + (x + 4) + " " + (y - 8) + ') rotate(-90)"') };
}

function panel(d, m, e, alike) {
  const w = Math.max(240, d.clientWidth), scale = unitScale(m), [lo, hi] = range(alike);
  const y = ticks(lo, hi, 5), names = y.at.map((v) => (scale === "share" ? tick(v * 100, y.step * 100) + (e.difference ? " pp" : "%") : scale === "bytes" ? size(v) : tick(v, y.step)));
  const left = Math.max(...names.map((s) => s.length), 3) * 7.4 + 28, top = 10, pw = w - left - 10, step = pw / e.levels.length;
  const below = levelNames(e, step), bottom = 42 + below.extra, h = 240 + below.extra, ph = h - top - bottom;
  const px = (i) => left + (i + 0.5) * step, py = (v) => top + ph - ((v - lo) / (hi - lo)) * ph;
  const value = (v) => (e.difference && scale === "share" ? four(Math.round(v * 1e4) / 100) + " pp" : show(v, scale));
  let out = '<svg viewBox="0 0 ' + w + " " + h + '" width="' + w + '" height="' + h + '" aria-hidden="true" style="font:12px system-ui,\'Liberation Sans\',sans-serif;fill:var(--faint)">';
  y.at.forEach((v, i) => {
    out += '<path d="M' + left + " " + py(v) + "H" + (w - 8) + '" style="stroke:var(' + (e.difference && Math.abs(v) < y.step / 1e6 ? "--mark" : "--rule") + ')"/><text x="' + (left - 6) + '" y="' + (py(v) + 4) + '" text-anchor="end">' + names[i] + "</text>";
  });
  // Only numbers have values between them: names are points beside each other.
  if (e.numeric) out += '<path d="' + e.levels.map((l, i) => (i ? "L" : "M") + px(i).toFixed(1) + " " + py(l.mean).toFixed(1)).join("") + '" style="fill:none;stroke:var(--c0);stroke-width:2;opacity:.5"/>';
  e.levels.forEach((l, i) => {
    out += '<path d="M' + px(i) + " " + py(l.low) + "V" + py(l.high) + '" style="stroke:var(--c0);stroke-width:2"/><circle cx="' + px(i) + '" cy="' + py(l.mean) + '" r="5" style="fill:var(--c0)"><title>' +
      escape(e.key + "=" + l.value + ": " + value(l.mean) + " (" + value(l.low) + " to " + value(l.high) + ")") + "</title></circle>";
  });
  e.levels.forEach((l, i) => { out += below.text(i, px(i), top + ph + 16); });
  out += '<text x="' + (left + pw / 2) + '" y="' + (h - 6) + '" text-anchor="middle">' + escape(e.key) + "</text>";
  out += '<text transform="translate(11 ' + (top + ph / 2) + ') rotate(-90)" text-anchor="middle">' + escape(e.difference ? "difference to the baseline" : m.name + (lo > 0 ? ", not from 0" : "")) + "</text></svg>";
  d.innerHTML = out;
}

// heat is a table whose cells are coloured: rows of [name, cells], a cell being
// null or {text, share, title, mark}.
function heat(box, corner, columns, rows) {
  box.innerHTML = '<table class="heat"><thead><tr><th scope="col">' + escape(corner) + "</th>" + columns.map((c) => '<th scope="col" class="n">' + escape(c) + "</th>").join("") + "</tr></thead><tbody>" +
    rows.map(([name, cells]) => '<tr><th scope="row">' + escape(name) + "</th>" + cells.map((c) => (c === null ? "<td>–</td>" :
      '<td title="' + escape(c.title || "") + '"' + (c.mark ? ' aria-current="true"' : "") + ' style="' + tint(c.share) + '">' + escape(c.text) + "</td>")).join("") + "</tr>").join("") + "</tbody></table>";
}

// drawTwo shows a metric by the values of two keys, in the mean over the others.
function drawTwo(m) {
  const x = +$("#heat-x").value, y = +$("#heat-y").value;
  const values = (k) => [...new Set(study.settings.map((s) => s.values[k]))];
  const xs = values(x), ys = values(y), cells = new Map();
  study.settings.forEach((s, i) => {
    const v = m.results[i].m;
    if (v === null) return;
    const at = ys.indexOf(s.values[y]) * xs.length + xs.indexOf(s.values[x]), c = cells.get(at) || { sum: 0, n: 0 };
    c.sum += v; c.n++;
    cells.set(at, c);
  });
  const means = [...cells.values()].map((c) => c.sum / c.n), lo = Math.min(...means), hi = Math.max(...means);
  const scale = unitScale(m), best = m.better === "lower" ? lo : m.better === "higher" ? hi : null;
  heat($("#heat2-table"), study.keys[y] + " \\ " + study.keys[x], xs, ys.map((v, r) => [v, xs.map((u, c) => {
    const at = cells.get(r * xs.length + c);
    if (!at) return null;
    const mean = at.sum / at.n;
    return { text: show(mean, scale), share: hi > lo ? (mean - lo) / (hi - lo) : 0, mark: mean === best, title: study.keys[x] + "=" + u + ", " + study.keys[y] + "=" + v + ", " + at.n + " settings" };
  })]));
  $("#heat2-words").textContent = hi > lo ? m.name + " goes from " + show(lo, scale) + " to " + show(hi, scale) + "; the stronger the colour, the more" + (best === null ? "." : ", and the best is framed.") : m.name + " is " + show(lo, scale) + " everywhere.";
}

if (study) {
  const pick = $("#study-metric"), chosen = () => study.metrics[+pick.value];
  const two = study.keys.length > 1;
  if (two) {
    $("#heat2").hidden = false;
    ["#heat-x", "#heat-y"].forEach((s, i) => {
      $(s).innerHTML = study.keys.map((k, j) => '<option value="' + j + '"' + (i === j ? " selected" : "") + ">" + escape(k) + "</option>").join("");
      $(s).addEventListener("change", () => drawTwo(chosen()));
    });
  }
  const draw = () => { drawEffects(chosen()); if (two) drawTwo(chosen()); };
  pick.addEventListener("change", draw);
  let width = 0;
  new ResizeObserver(() => { const w = $("#effects").clientWidth; if (w !== width) { width = w; draw(); } }).observe($("#effects"));
}

setView(whole.lo, whole.hi);
setAt(whole.hi);
root.dataset.ready = "true";

// The timeline: a lane a thread, drawn on a canvas. Coarse shares of the run behind, stretches in detail before them. The canvas is as
// high as what is seen of it and stays in place while the lanes are scrolled; only what is seen is drawn.
function timeline() {
  const view = document.getElementById("timeline-view");
  const block = document.getElementById("timeline-data");
  if (!view || !block) return { focus() {}, draw() {} };
  const data = JSON.parse(block.textContent);
  const details = document.getElementById("timeline-details");
  const hint = details.textContent;
  const canvas = view.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const NAMES = 170, AXIS = 22, LANE = 34, BAR = 22, BORDER = 2;
  const whole = AXIS + data.lanes.length * LANE;
  const roll = document.createElement("div");
  roll.style.height = `${whole}px`;
  view.append(roll);
  roll.append(canvas);
  let from = 0, to = data.end, lit = null, frame = 0, hovered = -1;

  // Of each lane its stretches, which come in the order of their starts, and for each the latest end of those up to it.
  const lanes = data.lanes.map(() => ({ indices: [], ends: [] }));
  data.stretches.forEach(([lane, , , , start, length], index) => {
    const { indices, ends } = lanes[lane];
    ends.push(Math.max(start + length, ends.at(-1) ?? 0));
    indices.push(index);
  });
  // The first position from which on `is` holds.
  function first(list, is) {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (is(list[middle])) high = middle;
      else low = middle + 1;
    }
    return low;
  }
  function between({ indices, ends }, start, end) {
    const begin = first(ends, (latest) => latest >= start);
    return indices.slice(begin, Math.max(begin, first(indices, (index) => data.stretches[index][4] > end)));
  }
  function time(nanos) {
    const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]];
    const [unit, name] = units.find(([unit]) => Math.abs(nanos) >= unit) || [1, "ns"];
    const value = nanos / unit;
    return `${value >= 100 || unit === 1 ? value.toFixed(0) : value.toPrecision(3)} ${name}`;
  }
  const width = () => view.clientWidth;
  const height = () => Math.min(whole, view.clientHeight);
  // Where a lane begins in what is seen, when it was last drawn.
  let scrolled = 0;
  const top = (lane) => AXIS + lane * LANE - scrolled;
  const isSeen = (lane) => top(lane) + LANE > AXIS && top(lane) < height();
  const x = (nanos) => NAMES + ((nanos - from) / (to - from)) * (width() - NAMES);
  const nanosAt = (pixel) => from + ((pixel - NAMES) / Math.max(width() - NAMES, 1)) * (to - from);

  function colors() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const probe = document.createElement("span");
    document.body.append(probe);
    const resolved = {};
    for (const name of ["text", "dim", "line", "back", "hold", "read", "wait", "other", "bad"]) {
      probe.style.color = color(`--${name}`);
      resolved[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    return resolved;
  }
  let palette = null;
  const hatches = {};
  function hatch(color) {
    if (hatches[color]) return hatches[color];
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const ink = tile.getContext("2d");
    ink.strokeStyle = color;
    ink.lineWidth = 1.6;
    ink.beginPath();
    for (const at of [-6, 0, 6]) { ink.moveTo(at - 1, 7); ink.lineTo(at + 7, -1); }
    ink.stroke();
    return (hatches[color] = pen.createPattern(tile, "repeat"));
  }

  // Where a stretch is drawn; what is nested is drawn lower and flatter.
  function bar([lane, , , , start, length, depth]) {
    const left = x(start);
    return { left, top: top(lane) + 5 + depth * 5, wide: Math.max(x(start + length) - left, 1.5), high: BAR - depth * 5 };
  }
  function ticks() {
    const rough = ((to - from) / Math.max(width() - NAMES, 1)) * 110;
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
    const ticks = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
    return ticks;
  }
  function grid() {
    pen.fillStyle = palette.line;
    for (const at of ticks()) pen.fillRect(x(at), 0, 1, height());
  }
  function axis() {
    pen.fillStyle = palette.back;
    pen.fillRect(0, 0, width(), AXIS);
    pen.fillStyle = palette.dim;
    for (const at of ticks()) pen.fillText(time(at), x(at) + 3, 14);
  }
  function shares(lane, index) {
    const bins = lane.held.length, wide = data.end / bins;
    const begin = Math.floor(from / wide), end = Math.min(Math.ceil(to / wide), bins);
    pen.globalAlpha = 0.22;
    for (const [digits, color] of [[lane.waited, palette.wait], [lane.held, palette.hold]]) {
      pen.beginPath();
      for (let at = begin; at < end; at++) {
        if (digits[at] === "0") continue;
        const high = BAR * (Number(digits[at]) / 9);
        pen.rect(x(at * wide), top(index) + 5 + BAR - high, x((at + 1) * wide) - x(at * wide), high);
      }
      pen.fillStyle = color;
      pen.fill();
    }
    pen.globalAlpha = 1;
  }
  function stretches(lane) {
    // How far to the right a kind and depth are drawn: what would only be drawn over it again is not.
    const drawn = {};
    for (const index of between(lane, from, to)) {
      const shape = data.stretches[index], place = bar(shape), row = shape[1] * 8 + shape[6];
      const end = place.left + place.wide, isOne = index === hovered || lit?.has(index);
      if (!isOne && end <= (drawn[row] ?? -Infinity) + 0.5) continue;
      drawn[row] = Math.max(end, drawn[row] ?? -Infinity);
      stretch(index, shape, place);
    }
  }
  function stretch(index, shape, { left, top, wide, high }) {
    const kind = shape[1];
    const color = [palette.hold, palette.read, palette.wait, palette.other, palette.other, palette.text][kind];
    pen.globalAlpha = lit && !lit.has(index) ? 0.25 : 1;
    pen.fillStyle = kind >= 2 && kind <= 4 && wide > 3 ? hatch(color) : color;
    if (kind === 5) pen.fillRect(left - 0.75, top, 1.5, BAR);
    else pen.fillRect(left, top, wide, high);
    if (kind >= 2 && kind <= 3 && wide > 3) {
      pen.strokeStyle = color;
      pen.strokeRect(left + 0.5, top + 0.5, wide - 1, high - 1);
    }
    const text = data.texts[shape[2]];
    if (kind < 2 && wide > 40) {
      pen.save();
      pen.beginPath();
      pen.rect(left, top, wide - 4, high);
      pen.clip();
      pen.fillStyle = palette.back;
      pen.fillText(text, Math.max(left, NAMES) + 4, top + Math.min(high / 2 + 4, 14));
      pen.restore();
    }
    if (index === hovered || lit?.has(index)) {
      pen.strokeStyle = index === hovered ? palette.text : palette.bad;
      pen.lineWidth = 2;
      pen.strokeRect(left - 1, top - 1, wide + 2, (kind === 5 ? BAR : high) + 2);
      pen.lineWidth = 1;
    }
    pen.globalAlpha = 1;
  }
  function arrows() {
    const shown = data.arrows.filter(([a, b]) => {
      const end = data.stretches[a][4] + data.stretches[a][5];
      return end <= to && data.stretches[b][4] >= from;
    });
    // Too many would hide what they connect.
    if (shown.length > 150) return;
    pen.strokeStyle = pen.fillStyle = palette.dim;
    for (const [a, b] of shown) {
      const giver = bar(data.stretches[a]), taker = bar(data.stretches[b]);
      const [x0, y0, x1, y1] = [giver.left + giver.wide, giver.top + giver.high / 2, taker.left, taker.top + taker.high / 2];
      if (x1 < NAMES || x0 > width() || Math.max(y0, y1) < AXIS || Math.min(y0, y1) > height()) continue;
      pen.beginPath();
      pen.moveTo(x0, y0);
      pen.bezierCurveTo(x0 + 12, y0, x1 - 12, y1, x1, y1);
      pen.stroke();
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.lineTo(x1 - 6, y1 - 3);
      pen.lineTo(x1 - 6, y1 + 3);
      pen.fill();
    }
  }
  function labels() {
    pen.fillStyle = palette.back;
    pen.fillRect(0, 0, NAMES, height());
    data.lanes.forEach((lane, index) => {
      if (!isSeen(index)) return;
      const y = top(index);
      pen.strokeStyle = palette.line;
      pen.beginPath();
      pen.moveTo(0, y);
      pen.lineTo(width(), y);
      pen.stroke();
      pen.fillStyle = palette.text;
      const name = lane.process === null ? lane.name : `${lane.process + 1}: ${lane.name}`;
      pen.fillText(name.length > 22 ? `${name.slice(0, 10)}…${name.slice(-11)}` : name, 4, y + LANE / 2 + 4);
    });
  }
  function paint() {
    frame = 0;
    const ratio = devicePixelRatio || 1;
    if (!width()) return;
    const [wide, high] = [Math.round(width() * ratio), Math.round(height() * ratio)];
    if (canvas.width !== wide || canvas.height !== high) {
      [canvas.width, canvas.height] = [wide, high];
      canvas.style.width = `${width()}px`;
      canvas.style.height = `${height()}px`;
    }
    scrolled = view.scrollTop;
    palette ||= colors();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width(), height());
    pen.font = "12px ui-monospace, monospace";
    grid();
    data.lanes.forEach((lane, index) => {
      if (!isSeen(index)) return;
      shares(lane, index);
      stretches(lanes[index]);
    });
    arrows();
    labels();
    axis();
  }
  function draw() {
    if (!frame) frame = requestAnimationFrame(paint);
  }
  function look(start, end) {
    const least = 100, length = Math.min(Math.max(end - start, least), data.end);
    from = Math.min(Math.max(start, 0), data.end - length);
    to = from + length;
    draw();
  }
  function zoom(factor, at = (from + to) / 2) {
    look(at - (at - from) * factor, at + (to - at) * factor);
  }
  const move = (share) => look(from + (to - from) * share, to + (to - from) * share);

  function describe(index) {
    const [lane, , text, place, start, length] = data.stretches[index];
    const at = data.places[place] ? ` at ${data.places[place]}` : "";
    return `${data.lanes[lane].name} ${data.texts[text]}${length ? ` for ${time(length)}` : ""}${at}, from ${time(start)}`;
  }
  function under(event) {
    const frame = canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - frame.left, event.clientY - frame.top];
    const lane = lanes[Math.floor((py - AXIS + scrolled) / LANE)];
    if (!lane || px < NAMES || py < AXIS) return -1;
    const hits = between(lane, nanosAt(px - BORDER), nanosAt(px + BORDER)).filter((index) => {
      const { left, wide } = bar(data.stretches[index]);
      return px >= left - BORDER && px <= left + wide + BORDER;
    });
    // The innermost one.
    return hits.length ? hits.reduce((a, b) => (data.stretches[b][5] <= data.stretches[a][5] ? b : a)) : -1;
  }
  const actions = { in: () => zoom(0.5), out: () => zoom(2), reset: () => { lit = null; details.textContent = hint; look(0, data.end); } };
  for (const button of document.querySelectorAll("[data-timeline]")) button.addEventListener("click", actions[button.dataset.timeline]);
  const keys = { "+": actions.in, "=": actions.in, "-": actions.out, "0": actions.reset, ArrowLeft: () => move(-0.15), ArrowRight: () => move(0.15) };
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
    event.preventDefault();
    if (event.shiftKey) move((event.deltaY || event.deltaX) > 0 ? 0.1 : -0.1);
    else zoom(event.deltaY > 0 ? 1.25 : 0.8, nanosAt(event.clientX - canvas.getBoundingClientRect().left));
  }, { passive: false });
  let dragged = null;
  view.addEventListener("pointerdown", (event) => { if (event.button === 0) dragged = event.clientX; });
  addEventListener("pointerup", () => { dragged = null; });
  view.addEventListener("pointermove", (event) => {
    if (dragged !== null) {
      move((dragged - event.clientX) / Math.max(width() - NAMES, 1));
      dragged = event.clientX;
      return;
    }
    const index = under(event);
    if (index === hovered) return;
    hovered = index;
    if (!lit) details.textContent = index < 0 ? hint : describe(index);
    canvas.title = index < 0 ? "" : describe(index);
    draw();
  });
  new ResizeObserver(draw).observe(view);
  view.addEventListener("scroll", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    palette = null;
    for (const color of Object.keys(hatches)) delete hatches[color];
    draw();
  });

  // Shows where a finding's steps are, and lights them.
  function focus(finding) {
    const spot = data.findings[finding];
    lit = spot ? new Set(spot.stretches) : null;
    if (!spot) {
      details.textContent = "The steps of this finding are not in what was recorded of the shown threads.";
      return look(0, data.end);
    }
    // The sides of what did not happen may lie far apart: each can be looked at.
    details.replaceChildren(...spot.stretches.map((index) => {
      const button = document.createElement("button");
      const [, , , , start, length] = data.stretches[index];
      button.type = "button";
      button.textContent = describe(index);
      button.addEventListener("click", () => look(start - length * 2 - 200, start + length * 3 + 200));
      return button;
    }));
    const margin = Math.max((spot.to - spot.from) * 0.2, 500);
    look(spot.from - margin, spot.to + margin);
    view.scrollTop = Math.min(...spot.stretches.map((index) => data.stretches[index][0])) * LANE;
  }
  return { focus, draw };
}

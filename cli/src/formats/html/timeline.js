// The timeline: a lane a thread, drawn on a canvas. Coarse shares of the run behind, stretches in detail before them.
function timeline() {
  const view = document.getElementById("timeline-view");
  const block = document.getElementById("timeline-data");
  if (!view || !block) return { focus() {}, draw() {} };
  const data = JSON.parse(block.textContent);
  const details = document.getElementById("timeline-details");
  const hint = details.textContent;
  const canvas = view.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const NAMES = 170, AXIS = 22, LANE = 34, BAR = 22;
  const height = AXIS + data.lanes.length * LANE;
  let from = 0, to = data.end, lit = null, frame = 0, hovered = -1;

  const lanes = data.lanes.map(() => []);
  data.stretches.forEach((stretch, index) => lanes[stretch[0]].push(index));
  function time(nanos) {
    const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]];
    const [unit, name] = units.find(([unit]) => Math.abs(nanos) >= unit) || [1, "ns"];
    const value = nanos / unit;
    return `${value >= 100 || unit === 1 ? value.toFixed(0) : value.toPrecision(3)} ${name}`;
  }
  const width = () => view.clientWidth;
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
    const left = x(start), top = AXIS + lane * LANE + 5 + depth * 5;
    return { left, top, wide: Math.max(x(start + length) - left, 1.5), high: BAR - depth * 5 };
  }
  function axis() {
    pen.fillStyle = palette.dim;
    pen.strokeStyle = palette.line;
    const rough = ((to - from) / Math.max(width() - NAMES, 1)) * 110;
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      pen.fillText(time(at), x(at) + 3, 14);
      pen.beginPath();
      pen.moveTo(x(at), 0);
      pen.lineTo(x(at), height);
      pen.stroke();
    }
  }
  function shares(lane, index) {
    const bins = lane.held.length, wide = data.end / bins;
    const top = AXIS + index * LANE + 5;
    const column = (at, share, color) => {
      if (share === "0") return;
      const left = Math.max(x(at * wide), NAMES), right = x((at + 1) * wide);
      if (right < NAMES || left > width()) return;
      const high = BAR * (Number(share) / 9);
      pen.fillStyle = color;
      pen.fillRect(left, top + BAR - high, right - left, high);
    };
    pen.globalAlpha = 0.22;
    for (let at = 0; at < bins; at++) {
      column(at, lane.waited[at], palette.wait);
      column(at, lane.held[at], palette.hold);
    }
    pen.globalAlpha = 1;
  }
  function stretch(index) {
    const shape = data.stretches[index], kind = shape[1];
    const { left, top, wide, high } = bar(shape);
    if (left + wide < NAMES || left > width()) return;
    const color = [palette.hold, palette.read, palette.wait, palette.other, palette.other, palette.text][kind];
    pen.globalAlpha = lit && !lit.has(index) ? 0.25 : 1;
    pen.fillStyle = kind >= 2 && kind <= 4 ? hatch(color) : color;
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
      if (x1 < NAMES || x0 > width()) continue;
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
    pen.fillRect(0, 0, NAMES, height);
    data.lanes.forEach((lane, index) => {
      const y = AXIS + index * LANE;
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
    canvas.width = width() * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width()}px`;
    canvas.style.height = `${height}px`;
    palette ||= colors();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = "12px ui-monospace, monospace";
    axis();
    data.lanes.forEach(shares);
    for (const lane of lanes) lane.forEach(stretch);
    arrows();
    labels();
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
    const lane = lanes[Math.floor((py - AXIS) / LANE)];
    if (!lane || px < NAMES) return -1;
    const hits = lane.filter((index) => {
      const { left, wide } = bar(data.stretches[index]);
      return px >= left - 2 && px <= left + wide + 2;
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

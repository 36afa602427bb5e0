// The lock graph: moving, zooming, filtering, and a finding's cycle lit.
function lockGraph() {
  const svg = document.getElementById("lock-graph");
  if (!svg) return { light() {}, unlight() {} };
  const view = document.getElementById("graph-view");
  const details = document.getElementById("graph-details");
  const hint = details.textContent;
  const all = svg.viewBox.baseVal;
  const whole = { x: all.x, y: all.y, w: all.width, h: all.height };
  let box = { ...whole };
  let pinned = hint;

  function show() {
    svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`);
  }
  function fit(target) {
    const { clientWidth: w, clientHeight: h } = view;
    if (!w || !h) return;
    // The picture keeps its proportions and is never blown up beyond its size.
    const scale = Math.max(target.w / w, target.h / h, 0.7);
    box = { w: w * scale, h: h * scale };
    box.x = target.x + target.w / 2 - box.w / 2;
    box.y = target.y + target.h / 2 - box.h / 2;
    show();
  }
  function zoom(factor, at) {
    const spot = at || { x: box.x + box.w / 2, y: box.y + box.h / 2 };
    const next = Math.min(Math.max(box.w * factor, 80), whole.w * 8 + 800);
    factor = next / box.w;
    box = { x: spot.x - (spot.x - box.x) * factor, y: spot.y - (spot.y - box.y) * factor, w: next, h: box.h * factor };
    show();
  }
  function move(dx, dy) {
    box.x += dx * box.w;
    box.y += dy * box.h;
    show();
  }
  function place(event) {
    const frame = svg.getBoundingClientRect();
    return { x: box.x + ((event.clientX - frame.left) / frame.width) * box.w, y: box.y + ((event.clientY - frame.top) / frame.height) * box.h };
  }

  const actions = { in: () => zoom(0.8), out: () => zoom(1.25), reset: () => fit(whole) };
  for (const button of document.querySelectorAll("[data-graph]")) button.addEventListener("click", actions[button.dataset.graph]);
  const keys = {
    "+": actions.in, "=": actions.in, "-": actions.out, "0": actions.reset,
    ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, -0.1), ArrowDown: () => move(0, 0.1),
  };
  view.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  view.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, place(event));
  }, { passive: false });
  let dragged = null;
  view.addEventListener("pointerdown", (event) => {
    if (event.button === 0) dragged = { x: event.clientX, y: event.clientY };
  });
  addEventListener("pointerup", () => { dragged = null; view.classList.remove("dragged"); });
  view.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    view.classList.add("dragged");
    move((dragged.x - event.clientX) / view.clientWidth, (dragged.y - event.clientY) / view.clientHeight);
    dragged = { x: event.clientX, y: event.clientY };
  });

  const parts = [...svg.querySelectorAll(".node, .edge")];
  for (const part of parts) {
    const title = part.querySelector("title");
    const text = title.textContent;
    part.setAttribute("aria-label", text);
    // Shown beside the graph, at once; the browser's own box would only cover it.
    title.remove();
    const describe = () => {
      if (!part.classList.contains("node")) return text;
      const name = part.dataset.name;
      const edges = parts.filter((edge) => edge.dataset.from === name || edge.dataset.to === name);
      return [name, ...edges.map((edge) => edge.getAttribute("aria-label"))].join("\n\n");
    };
    const near = () => { details.textContent = describe(); part.classList.add("near"); };
    const away = () => { details.textContent = pinned; part.classList.remove("near"); };
    part.addEventListener("pointerenter", near);
    part.addEventListener("pointerleave", away);
    part.addEventListener("focus", near);
    part.addEventListener("blur", away);
  }

  const filter = document.getElementById("graph-filter");
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    const matches = (name) => name.toLowerCase().includes(wanted);
    for (const part of parts) {
      const names = part.classList.contains("node") ? [part.dataset.name] : [part.dataset.from, part.dataset.to];
      part.classList.toggle("filtered", wanted !== "" && !names.some(matches));
    }
  });

  function unlight() {
    svg.classList.remove("has-lit");
    for (const part of parts) part.classList.remove("lit");
    for (const link of document.querySelectorAll("[data-cycle]")) link.removeAttribute("aria-current");
    pinned = hint;
    details.textContent = hint;
  }
  function light(finding) {
    unlight();
    const edges = parts.filter((part) => part.classList.contains("edge") && part.dataset.findings.split(" ").includes(finding));
    if (edges.length === 0) return fit(whole);
    const names = new Set(edges.flatMap((edge) => [edge.dataset.from, edge.dataset.to]));
    const lit = [...edges, ...parts.filter((part) => names.has(part.dataset.name))];
    svg.classList.add("has-lit");
    for (const part of lit) part.classList.add("lit");
    document.querySelector(`[data-cycle="${CSS.escape(finding)}"]`)?.setAttribute("aria-current", "true");
    pinned = edges.map((edge) => edge.getAttribute("aria-label")).join("\n\n");
    details.textContent = pinned;
    const boxes = lit.map((part) => part.getBBox());
    const left = Math.min(...boxes.map((b) => b.x)), top = Math.min(...boxes.map((b) => b.y));
    const right = Math.max(...boxes.map((b) => b.x + b.width)), bottom = Math.max(...boxes.map((b) => b.y + b.height));
    fit({ x: left - 60, y: top - 60, w: right - left + 120, h: bottom - top + 120 });
  }
  return { light, unlight, fit: () => fit(whole) };
}

// Parts as tabs, links into them, keys.
(() => {
  document.documentElement.classList.add("runs");
  const parts = [...document.querySelectorAll("main > section")];
  const tabs = [...document.querySelectorAll("#tabs a")];
  const list = document.getElementById("tabs");
  list.setAttribute("role", "tablist");
  tabs.forEach((tab) => { tab.setAttribute("role", "tab"); tab.setAttribute("aria-controls", tab.hash.slice(1)); });
  parts.forEach((part) => part.setAttribute("role", "tabpanel"));
  const graph = lockGraph();
  const times = timeline();
  tables();

  function open(id) {
    for (const part of parts) part.hidden = part.id !== id;
    for (const tab of tabs) {
      const isOpen = tab.hash === `#${id}`;
      tab.setAttribute("aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
    }
  }
  // `#graph`, `#graph=FINGERPRINT`, `#timeline=FINGERPRINT`, `#FINGERPRINT`, or any other element.
  let fitted = false;
  function follow() {
    const [name, finding] = decodeURIComponent(location.hash.slice(1)).split("=");
    const target = document.getElementById(name);
    const part = target?.closest("main > section") || parts[0];
    open(part.id);
    for (const article of document.querySelectorAll("article.target")) article.classList.remove("target");
    if (part.id === "graph") {
      if (finding) graph.light(finding);
      else { graph.unlight(); if (!fitted) graph.fit?.(); }
      fitted = true;
    }
    if (part.id === "timeline") {
      if (finding) times.focus(finding);
      else times.draw();
    }
    if (target && target !== part) {
      if (target.localName === "article") target.classList.add("target");
      if (target.localName === "details") target.open = true;
      target.scrollIntoView();
      target.focus({ preventScroll: true });
    } else {
      scrollTo(0, 0);
    }
  }
  addEventListener("hashchange", follow);
  // A link to where one is already is followed again.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (link && link.hash === location.hash) { event.preventDefault(); follow(); }
  });

  function step(by) {
    const findings = [...document.querySelectorAll("#findings article")];
    if (findings.length === 0 || parts[0].hidden) return;
    const at = findings.findIndex((finding) => finding.classList.contains("target"));
    const next = findings[Math.min(Math.max(at + by, 0), findings.length - 1)];
    location.hash = next.id;
  }
  list.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    const at = tabs.indexOf(document.activeElement);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    location.hash = next.hash;
    next.focus();
  });
  addEventListener("keydown", (event) => {
    const isTyping = event.target.matches?.("input");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
    if (/^[1-7]$/.test(event.key) && tabs[event.key - 1]) location.hash = tabs[event.key - 1].hash;
    if (event.key === "/") {
      const field = parts.find((part) => !part.hidden)?.querySelector("input[type=search]");
      if (field) { event.preventDefault(); field.focus(); }
    }
  });
  follow();
})();

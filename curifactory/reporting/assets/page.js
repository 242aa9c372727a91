/* What a report's page can do beyond being read: copy, sort tables, filter calls, show where one is.
   Without it everything is there, only still. */
"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  function copyText(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("not allowed"));
  }

  function armCopyButtons() {
    for (const button of all("[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const say = (word) => {
          button.textContent = word;
          setTimeout(() => { button.textContent = "Copy"; }, 1500);
        };
        copyText(button.parentElement.querySelector("code").textContent).then(() => say("Copied"), () => say("Failed"));
      });
    }
  }

  const asNumber = (text) => {
    const plain = text.replace("−", "-").replace("∞", "Infinity").trim();
    return plain === "" || Number.isNaN(Number(plain)) ? null : Number(plain);
  };

  const textOf = (cell) => {
    const unseen = cell.querySelector(".cf-unseen");
    const text = cell.textContent.trim();
    return unseen ? text.replace(unseen.textContent.trim(), "").trim() : text;
  };

  function sortTable(table, column, ascending) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row, index) => {
      const cell = row.cells[column];
      const missing = cell.classList.contains("cf-missing");
      const text = textOf(cell);
      // The title of a metric holds all of its digits.
      const number = asNumber(cell.title) ?? asNumber(text);
      return { row, index, missing, text, number };
    });
    const numeric = rows.every((item) => item.missing || item.number !== null);
    const sign = ascending ? 1 : -1;
    rows.sort((a, b) => {
      if (a.missing !== b.missing) return a.missing ? 1 : -1;
      const order = numeric ? a.number - b.number : a.text.localeCompare(b.text, undefined, { numeric: true });
      return order * sign || a.index - b.index;
    });
    body.append(...rows.map((item) => item.row));
  }

  function armTables() {
    for (const table of all("table.cf-sortable")) {
      const heads = Array.from(table.tHead.rows[0].cells);
      if (table.tBodies[0].rows.length < 2) continue;
      heads.forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => {
          const before = head.getAttribute("aria-sort");
          const first = head.classList.contains("n") ? "descending" : "ascending";
          const other = first === "ascending" ? "descending" : "ascending";
          const next = before === first ? other : first;
          heads.forEach((each) => each.removeAttribute("aria-sort"));
          head.setAttribute("aria-sort", next);
          sortTable(table, column, next === "ascending");
        });
      });
    }
  }

  function armCalls() {
    const tools = document.querySelector('[data-tools="calls"]');
    const list = document.querySelector('[data-list="calls"]');
    if (!tools || !list) return;
    const calls = all(".cf-call", list);
    if (calls.length < 2) return;
    tools.hidden = false;
    const count = tools.querySelector("[data-count]");
    const filter = tools.querySelector("[data-filter]");
    const texts = calls.map((call) => call.querySelector("summary").textContent.toLowerCase());
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      calls.forEach((call, index) => {
        call.hidden = !words.every((word) => texts[index].includes(word));
        if (!call.hidden) shown += 1;
      });
      count.textContent = words.length ? `${shown} of ${calls.length}` : "";
    });
    tools.querySelector("[data-order]").addEventListener("change", (event) => {
      const by = event.target.value;
      const sorted = calls.slice().sort((a, b) => {
        const later = Number(a.dataset.index) - Number(b.dataset.index);
        if (by === "duration") return Number(b.dataset.duration) - Number(a.dataset.duration) || later;
        if (by === "name") return a.dataset.name.localeCompare(b.dataset.name) || later;
        return later;
      });
      list.append(...sorted);
    });
    const unfold = tools.querySelector("[data-unfold]");
    unfold.addEventListener("click", () => {
      const open = unfold.getAttribute("aria-pressed") !== "true";
      unfold.setAttribute("aria-pressed", String(open));
      unfold.textContent = open ? "Close all" : "Open all";
      calls.forEach((call) => { call.open = open; });
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, select, textarea, [contenteditable]")) return;
      event.preventDefault();
      filter.focus();
    });
  }

  function showTarget() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const call = target && target.closest("details.cf-call");
    if (!call) return;
    call.hidden = false;
    call.open = true;
    call.scrollIntoView({ block: "start" });
  }

  function markSection() {
    const links = new Map(all(".cf-toc li a").map((link) => [link.hash.slice(1), link]));
    const sections = all("main section[aria-labelledby]").filter((section) => links.has(section.id));
    if (!("IntersectionObserver" in window) || !sections.length) return;
    const seen = new Set();
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) entry.isIntersecting ? seen.add(entry.target) : seen.delete(entry.target);
      const current = sections.find((section) => seen.has(section));
      links.forEach((link) => link.removeAttribute("aria-current"));
      if (!current) return;
      const link = links.get(current.id);
      link.setAttribute("aria-current", "true");
      const bar = link.closest("ul");
      if (bar.scrollWidth > bar.clientWidth) bar.scrollLeft = link.offsetLeft - bar.clientWidth / 2 + link.offsetWidth / 2;
    }, { rootMargin: "-110px 0px -60% 0px" });
    sections.forEach((section) => observer.observe(section));
  }

  armCopyButtons();
  armTables();
  armCalls();
  markSection();
  showTarget();
  window.addEventListener("hashchange", showTarget);
})();

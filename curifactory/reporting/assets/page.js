/* What a report's page can do beyond being read: copy, sort tables, filter calls, move by keys, show where one is.
   Without it everything is there, only still. What one sees stands in the address, and survives a reload. */
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

  function armCopyButtons(root = document) {
    for (const button of all("[data-copy]", root)) {
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

  /* The address: an anchor, and after a question mark what was filtered and sorted: `#calls?filter=train&order=duration`. */
  const address = {
    read() {
      const [anchor, words] = location.hash.slice(1).split("?");
      let plain = anchor;
      try { plain = decodeURIComponent(anchor); } catch { /* Not written by us: it then leads nowhere. */ }
      return { anchor: plain, words: new URLSearchParams(words || "") };
    },
    put(name, value, anchor) {
      const now = address.read();
      if (value) now.words.set(name, value);
      else now.words.delete(name);
      address.write(anchor || now.anchor, now.words);
    },
    write(anchor, words) {
      const text = `${encodeURIComponent(anchor)}${words.size ? `?${words}` : ""}`;
      if (text !== location.hash.slice(1)) history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    },
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
    const before = address.read().words;
    all("table.cf-sortable").forEach((table, number) => {
      const heads = Array.from(table.tHead.rows[0].cells);
      if (table.tBodies[0].rows.length < 2) return;
      const sortBy = (column, ascending) => {
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        heads[column].setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sortTable(table, column, ascending);
      };
      heads.forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => {
          const current = head.getAttribute("aria-sort");
          const first = head.classList.contains("n") ? "descending" : "ascending";
          const other = first === "ascending" ? "descending" : "ascending";
          const next = current === first ? other : first;
          sortBy(column, next === "ascending");
          address.put(`table${number}`, `${next === "ascending" ? "" : "-"}${column + 1}`);
        });
      });
      const kept = Number.parseInt(before.get(`table${number}`), 10);
      if (kept && Math.abs(kept) <= heads.length) sortBy(Math.abs(kept) - 1, kept > 0);
    });
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
    const texts = calls.map((call) => Array.from(call.querySelector("summary").children, (part) => part.textContent).join(" ").toLowerCase());
    const select = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      calls.forEach((call, index) => {
        call.hidden = !words.every((word) => texts[index].includes(word));
        if (!call.hidden) shown += 1;
      });
      count.textContent = words.length ? `${shown} of ${calls.length}` : "";
    };
    const order = tools.querySelector("[data-order]");
    const arrange = () => {
      const by = order.value;
      const sorted = calls.slice().sort((a, b) => {
        const later = Number(a.dataset.index) - Number(b.dataset.index);
        if (by === "duration") return Number(b.dataset.duration) - Number(a.dataset.duration) || later;
        if (by === "name") return a.dataset.name.localeCompare(b.dataset.name) || later;
        return later;
      });
      list.append(...sorted);
    };
    filter.addEventListener("input", () => { select(); address.put("filter", filter.value, "calls"); });
    order.addEventListener("change", () => { arrange(); address.put("order", order.value === "index" ? "" : order.value, "calls"); });
    const { words } = address.read();
    if (words.has("filter")) { filter.value = words.get("filter"); select(); }
    if (words.has("order")) { order.value = words.get("order"); if (order.selectedIndex < 0) order.value = "index"; arrange(); }
    const unfold = tools.querySelector("[data-unfold]");
    unfold.addEventListener("click", () => {
      const open = unfold.getAttribute("aria-pressed") !== "true";
      unfold.setAttribute("aria-pressed", String(open));
      unfold.textContent = open ? "Close all" : "Open all";
      calls.forEach((call) => { call.open = open; });
    });
  }

  /* Reportables: filtered by words, and put together by what they have in common: one name shows a figure of all records. */
  function armReportables() {
    const tools = document.querySelector('[data-tools="reportables"]');
    if (!tools) return;
    tools.hidden = false;
    const home = document.querySelector("[data-groups]");
    const groups = all(".cf-group", home);
    const textOfPart = (card, selector) => card.querySelector(selector)?.textContent.trim() || "";
    const cards = groups.flatMap((group) => all(".cf-reportable", group).map((card) => ({ card, place: card.parentElement, words: {
      name: textOfPart(card, ".cf-name"), record: textOfPart(card, ".cf-source .cf-chip"), stage: textOfPart(card, ".cf-source [data-stage]"),
      group: textOfPart(group, ".cf-group-name"), caption: textOfPart(card, ".cf-caption") } })));
    const texts = cards.map(({ words }) => Object.values(words).join("\n").toLowerCase());
    const filter = tools.querySelector("input");
    const by = tools.querySelector("select");
    const count = tools.querySelector("output");
    const made = document.createElement("div");
    home.after(made);
    const select = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      cards.forEach(({ card }, index) => {
        card.hidden = !words.every((word) => texts[index].includes(word));
        if (!card.hidden) shown += 1;
      });
      for (const group of all(".cf-group", home.parentElement)) group.hidden = !group.querySelector(".cf-reportable:not([hidden])");
      count.textContent = words.length ? `${shown} of ${cards.length}` : "";
    };
    const arrange = () => {
      made.replaceChildren();
      const members = new Map();
      for (const { card, place, words } of cards) {
        const key = words[by.value];
        if (key === undefined) place.append(card);
        else members.set(key, [...(members.get(key) || []), card]);
      }
      for (const [key, found] of members) {
        const group = document.createElement("section");
        const title = document.createElement("h3");
        const place = document.createElement("div");
        group.className = "cf-group";
        title.className = "cf-group-name";
        place.className = "cf-cards";
        title.textContent = key || "–";
        place.append(...found);
        group.append(title, place);
        made.append(group);
      }
      select();
    };
    filter.addEventListener("input", () => { select(); address.put("show", filter.value, "reportables"); });
    by.addEventListener("change", () => { arrange(); address.put("by", by.value, "reportables"); });
    const { words } = address.read();
    filter.value = words.get("show") || "";
    if (words.has("by")) by.value = words.get("by");
    if (by.selectedIndex < 0) by.value = "";
    if (filter.value || by.value) arrange();
  }

  /* What `j` and `k` go through: sections, and the reportables and calls in them. */
  function move(step) {
    const items = all("main section[aria-labelledby], .cf-reportable, .cf-call").filter((item) => item.checkVisibility());
    const inside = document.activeElement.closest(".cf-call, .cf-reportable, section[aria-labelledby]");
    const top = (item) => item.getBoundingClientRect().top;
    let next = items[items.indexOf(inside) + step];
    if (!items.includes(inside)) next = step > 0 ? items.find((item) => top(item) > 0) : items.filter((item) => top(item) < 0).at(-1);
    if (!next) return;
    const focused = next.querySelector(":scope > summary, :scope > .cf-reportable-head .cf-permalink") || next.querySelector("h2") || next;
    if (focused.tabIndex < 0) focused.tabIndex = -1;
    focused.focus({ preventScroll: true, focusVisible: true });
    next.scrollIntoView({ block: next.matches("section") ? "start" : "nearest" });
  }

  function armKeys() {
    const keys = document.querySelector("[data-keys]");
    const filter = document.querySelector("[data-filter]");
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("dialog")) return;
      if (event.target.closest("input, select, textarea, [contenteditable]")) {
        // A search field would empty itself, and tell nobody.
        if (event.key === "Escape") { event.preventDefault(); event.target.blur(); }
        return;
      }
      const actions = {
        "/": () => { if (filter) { filter.focus(); filter.scrollIntoView({ block: "center" }); } },
        j: () => move(1),
        k: () => move(-1),
        c: () => document.querySelector(".cf-command [data-copy]")?.click(),
        "?": () => keys?.showModal(),
      };
      if (!Object.hasOwn(actions, event.key)) return;
      event.preventDefault();
      actions[event.key]();
    });
    const help = document.querySelector("[data-help]");
    if (!help || !keys) return;
    help.hidden = false;
    help.addEventListener("click", () => keys.showModal());
  }

  function showTarget() {
    const { anchor, words } = address.read();
    const target = anchor && document.getElementById(anchor);
    all(".cf-target").forEach((each) => each.classList.remove("cf-target"));
    if (!target) return;
    for (let each = target; each; each = each.parentElement) {
      if (each.matches("details")) each.open = true;
      if (each.matches(".cf-call, .cf-reportable, .cf-group")) each.hidden = false;
    }
    target.classList.add("cf-target");
    // A link in the page names its anchor only; what was filtered and sorted stays.
    const call = target.closest("details.cf-call");
    if (call || words.size) (call || target).scrollIntoView({ block: "start" });
  }

  /* A click on a link within the page would take what was filtered and sorted out of the address. */
  function keepWords() {
    let kept = address.read().words;
    window.addEventListener("hashchange", () => {
      const now = address.read();
      if (!now.words.size && kept.size) address.write(now.anchor, kept);
      showTarget();
    });
    document.addEventListener("click", () => { kept = address.read().words; }, true);
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
      if (getComputedStyle(bar).flexDirection === "row") bar.scrollLeft = link.offsetLeft - bar.clientWidth / 2 + link.offsetWidth / 2;
    }, { rootMargin: "-110px 0px -60% 0px" });
    sections.forEach((section) => observer.observe(section));
  }

  armCopyButtons();
  document.addEventListener("cf-filled", ({ target }) => {
    armCopyButtons(target);
    // What was empty when one was led to it has its height only now.
    if (target.id === address.read().anchor) showTarget();
  });
  armTables();
  armReportables();
  armCalls();
  markSection();
  armKeys();
  keepWords();
  showTarget();
})();

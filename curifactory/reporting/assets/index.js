/* The index of runs: search, sort, filter, choose columns, compare. All text goes in as text, never as markup. */
"use strict";
(() => {
  const FIELDS = ["reference", "experiment", "number", "outcome", "report", "started", "duration", "parameters", "commit",
    "branch", "dirty", "counts", "metrics", "notes", "tags", "command", "host", "python", "error"];
  const PAGE = 200;
  const data = window.curifactoryRuns;
  if (!data) return;

  const find = (selector) => document.querySelector(selector);
  const better = [["lower", new RegExp(`^(?:${data.words.lower})$`)], ["higher", new RegExp(`^(?:${data.words.higher})$`)]];
  const directions = new Map();
  /* Tell from the name of a metric whether more or less of it is better, as the reports do. */
  function directionOf(name) {
    if (!directions.has(name)) {
      const words = (name.replace(/([a-z])([A-Z])/g, "$1 $2").match(/[A-Za-z]+[0-9]*|[0-9]+/g) || []).map((word) => word.toLowerCase());
      const found = better.find(([, pattern]) => words.some((word) => pattern.test(word)));
      directions.set(name, found ? found[0] : "");
    }
    return directions.get(name);
  }
  const runs = data.rows.map((row, order) => {
    const run = { order, ticked: false };
    FIELDS.forEach((field, index) => { run[field] = row[index]; });
    // Of each metric there are the least and the greatest value over the records; the better one is shown.
    run.metrics = Object.fromEntries(Object.entries(run.metrics || {}).map(
      ([name, [least, greatest]]) => [name, directionOf(name) === "lower" ? least : greatest]));
    run.text = [run.reference, run.outcome, run.notes, (run.tags || []).join(" "), run.commit, run.branch, run.command, run.host,
      run.error, (run.parameters || []).join(" ")].filter(Boolean).join("\n").toLowerCase();
    return run;
  });

  const make = (tag, options = {}, ...children) => {
    const { attributes, ...properties } = options;
    const node = Object.assign(document.createElement(tag), properties);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  };
  const styleName = (text) => text.replace(/ /g, "-").replace(/[^A-Za-z0-9-]/g, "");
  const firstLine = (text) => (text || "").trim().split("\n")[0];
  // A colon would make a scheme of a name; this makes it a part of a path.
  const addressOf = (run) => `./${run.reference.split("/").map(encodeURIComponent).join("/")}/index.html`;

  function formatDuration(seconds) {
    if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "";
    if (seconds < 0.9995) return `${(seconds * 1000).toFixed(seconds < 0.0095 ? 1 : 0)} ms`;
    if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    for (const [unit, name, lower, lowerName] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
      if (whole >= unit) {
        const rest = Math.floor((whole % unit) / lower);
        return `${Math.floor(whole / unit)} ${name}${rest ? ` ${rest} ${lowerName}` : ""}`;
      }
    }
    return `${whole} s`;
  }
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  function formatTime(text) {
    const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(text || "");
    return parts ? `${Number(parts[3])} ${MONTHS[Number(parts[2]) - 1]} ${parts[1]}, ${parts[4]}` : text || "";
  }
  function formatNumber(value) {
    if (typeof value !== "number") return String(value ?? "");
    if (Number.isInteger(value)) return String(value);
    const size = Math.abs(value);
    if (size < 5e-4 || size >= 1e7) return value.toExponential(3);
    return value.toFixed(size < 1000 ? 4 : 1);
  }
  const outcomeMark = (outcome) => make("span", { className: `cf-outcome cf-is-${styleName(outcome)}` }, outcome);

  /* Columns: what stands in the head, in a cell, and what is sorted by. */
  const fixed = [
    { key: "run", head: "Run", rowHead: true, sort: (run) => [run.experiment, run.number], cell: (run) => [
      run.report ? make("a", { href: addressOf(run) }, `${run.experiment || "(no name)"} #${run.number}`)
        : `${run.experiment || "(no name)"} #${run.number}`,
      run.report ? null : make("span", { className: "cf-quiet" }, " no report")] },
    { key: "outcome", head: "Outcome", sort: (run) => run.outcome, cell: (run) => [
      outcomeMark(run.outcome), run.error ? make("span", { className: "cf-error" }, firstLine(run.error)) : null] },
    { key: "started", head: "Started", className: "cf-when", sort: (run) => -run.order,
      cell: (run) => [make("time", { dateTime: run.started || "" }, formatTime(run.started))] },
    { key: "duration", head: "Took", number: true, sort: (run) => run.duration, cell: (run) => [formatDuration(run.duration)] },
    { key: "calls", head: "Calls", sort: (run) => (run.counts || {}).ran || 0, hidden: true,
      cell: (run) => [Object.entries(run.counts || {}).map(([name, count]) => `${count} ${name}`).join(", ")] },
    { key: "parameters", head: "Parameters", sort: (run) => (run.parameters || []).join(", "),
      cell: (run) => [(run.parameters || []).join(", ")] },
    { key: "commit", head: "Commit", className: "cf-mono", sort: (run) => run.commit, cell: (run) => [(run.commit || "").slice(0, 7),
      run.dirty ? make("span", { className: "cf-dirty", title: "with uncommitted changes" }, " +") : null] },
    { key: "branch", head: "Branch", hidden: true, sort: (run) => run.branch, cell: (run) => [run.branch] },
    { key: "host", head: "Host", hidden: true, sort: (run) => run.host, cell: (run) => [run.host] },
    { key: "notes", head: "Notes", sort: (run) => firstLine(run.notes), cell: (run) => [
      ...(run.tags || []).flatMap((tag) => [make("span", { className: "cf-tag" }, tag), " "]), firstLine(run.notes)] },
    { key: "command", head: "Command", hidden: true, className: "cf-mono", sort: (run) => run.command, cell: (run) => [run.command] },
  ];
  const metricColumn = (name) => ({
    key: `metric ${name}`, head: name, metric: true, number: true, direction: directionOf(name),
    sort: (run) => run.metrics[name], cell: (run) => [name in run.metrics ? formatNumber(run.metrics[name]) : "–"] });

  const memory = (() => {
    const key = "curifactory index columns";
    try { return { read: () => JSON.parse(localStorage.getItem(key)), write: (value) => localStorage.setItem(key, JSON.stringify(value)) }; }
    catch { return { read: () => null, write: () => {} }; }
  })();
  let chosen = {};
  try { chosen = memory.read() || {}; } catch { chosen = {}; }

  const state = { words: [], experiment: "", outcome: "", by: "started", ascending: false, page: 0, current: -1, shown: [] };

  function columns() {
    const counts = new Map();
    for (const run of runs) {
      if (state.experiment && run.experiment !== state.experiment) continue;
      for (const name of Object.keys(run.metrics)) counts.set(name, (counts.get(name) || 0) + 1);
    }
    const names = [...counts.keys()].sort((a, b) => Boolean(directionOf(b)) - Boolean(directionOf(a)) || counts.get(b) - counts.get(a));
    const metrics = names.slice(0, 40).map((name, index) => ({ ...metricColumn(name), hidden: index >= 3 }));
    return [...fixed.slice(0, 4), ...metrics, ...fixed.slice(4)];
  }
  const isShown = (column) => (column.key in chosen ? chosen[column.key] : !column.hidden);

  function compare(a, b) {
    if (Array.isArray(a)) return a.reduce((found, each, index) => found || compare(each, b[index]), 0);
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  }

  function select() {
    let found = runs.filter((run) => (!state.experiment || run.experiment === state.experiment)
      && (!state.outcome || run.outcome === state.outcome) && state.words.every((word) => run.text.includes(word)));
    const column = columns().find((each) => each.key === state.by);
    if (column && !(state.by === "started" && !state.ascending)) {
      const missing = (value) => value === undefined || value === null || value === "";
      const sign = state.ascending ? 1 : -1;
      found = found.map((run) => [column.sort(run), run]).sort(([a, first], [b, second]) => {
        if (missing(a) !== missing(b)) return missing(a) ? 1 : -1;
        return (missing(a) ? 0 : compare(a, b) * sign) || first.order - second.order;
      }).map(([, run]) => run);
    }
    state.shown = found;
    state.page = Math.min(state.page, Math.max(0, Math.ceil(found.length / PAGE) - 1));
  }

  function drawHead(shown) {
    const head = make("tr", {}, make("th", { scope: "col" }, make("span", { className: "cf-unseen" }, "Compare")));
    for (const column of shown) {
      const label = column.direction ? `${column.head} ${column.direction === "lower" ? "↓" : "↑"}` : column.head;
      const button = make("button", { type: "button" }, label);
      button.addEventListener("click", () => {
        const first = !(column.number || column.key === "started") || column.direction === "lower";
        state.ascending = state.by === column.key ? !state.ascending : first;
        state.by = column.key;
        state.page = 0;
        draw();
      });
      const cell = make("th", { scope: "col", className: column.number ? "n" : "" }, button);
      if (state.by === column.key) cell.setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
      head.append(cell);
    }
    find("[data-table]").tHead.replaceChildren(head);
  }

  function drawRow(run, index, shown) {
    const tick = make("input", { type: "checkbox", checked: run.ticked, attributes: { "aria-label": `Compare ${run.reference}` } });
    const row = make("tr", { className: index === state.current ? "cf-current" : "" }, make("td", {}, tick));
    tick.addEventListener("change", () => { run.ticked = tick.checked; drawTicked(); });
    for (const column of shown) {
      const className = [column.number ? "n" : "", column.className || ""].join(" ").trim();
      row.append(make(column.rowHead ? "th" : "td", { className, ...(column.rowHead ? { scope: "row" } : {}) }, ...column.cell(run)));
    }
    return row;
  }

  function draw() {
    select();
    const shown = columns().filter(isShown);
    const start = state.page * PAGE;
    drawHead(shown);
    find("[data-table]").tBodies[0].replaceChildren(
      ...state.shown.slice(start, start + PAGE).map((run, index) => drawRow(run, index, shown)));
    const pages = Math.ceil(state.shown.length / PAGE);
    find("[data-pager]").hidden = pages < 2;
    find("[data-page]").textContent = `${start + 1}–${Math.min(start + PAGE, state.shown.length)} of ${state.shown.length}`;
    find("[data-earlier]").disabled = state.page === 0;
    find("[data-later]").disabled = state.page >= pages - 1;
    find("[data-count]").textContent = state.shown.length === runs.length ? "" : `${state.shown.length} of ${runs.length}`;
    drawTicked();
  }

  function drawTicked() {
    const count = runs.filter((run) => run.ticked).length;
    const button = find("[data-compare]");
    button.disabled = count < 2;
    button.textContent = count ? `Compare ${count}` : "Compare";
  }

  function drawColumnList() {
    find("[data-column-list]").replaceChildren(...columns().slice(1).map((column) => {
      const box = make("input", { type: "checkbox", checked: isShown(column) });
      box.addEventListener("change", () => {
        chosen[column.key] = box.checked;
        try { memory.write(chosen); } catch { /* A browser may refuse; the choice then holds for this page. */ }
        draw();
      });
      return make("label", {}, box, ` ${column.head}`);
    }));
  }

  function drawComparison() {
    const ticked = runs.filter((run) => run.ticked);
    if (ticked.length < 2) return;
    const names = [...new Set(ticked.flatMap((run) => Object.keys(run.metrics)))];
    const lines = [
      ["Outcome", (run) => run.outcome], ["Started", (run) => formatTime(run.started)], ["Took", (run) => formatDuration(run.duration)],
      ...names.map((name) => [name, (run) => (name in run.metrics ? formatNumber(run.metrics[name]) : "–")]),
      ["Parameters", (run) => (run.parameters || []).join(", ")], ["Command", (run) => run.command || ""],
      ["Commit", (run) => `${(run.commit || "").slice(0, 10)}${run.dirty ? " + uncommitted changes" : ""}`],
      ["Branch", (run) => run.branch || ""], ["Python", (run) => run.python || ""], ["Host", (run) => run.host || ""],
      ["Tags", (run) => (run.tags || []).join(", ")], ["Notes", (run) => run.notes || ""]];
    const head = make("tr", {}, make("th", { scope: "col" }, ""), ...ticked.map((run) => make("th", { scope: "col" },
      run.report ? make("a", { href: addressOf(run) }, `${run.experiment} #${run.number}`) : `${run.experiment} #${run.number}`)));
    const body = lines.map(([name, read]) => [name, ticked.map(read)]).filter(([, values]) => values.some(Boolean)).map(([name, values]) =>
      make("tr", { className: new Set(values).size > 1 ? "cf-differs" : "" }, make("th", { scope: "row" }, name),
        ...values.map((value) => make("td", {}, value))));
    find("[data-comparison-table]").replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
    find("[data-diff]").textContent = `experiment diff ${ticked.slice(0, 2).map((run) => run.reference).join(" ")}`;
    const section = find("[data-comparison]");
    section.hidden = false;
    section.scrollIntoView({ block: "start" });
    section.focus({ preventScroll: true });
  }

  function move(step) {
    const rows = Array.from(find("[data-table]").tBodies[0].rows);
    if (!rows.length) return;
    state.current = Math.max(0, Math.min(rows.length - 1, state.current + step));
    rows.forEach((row, index) => row.classList.toggle("cf-current", index === state.current));
    rows[state.current].scrollIntoView({ block: "nearest" });
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const run = state.shown[state.page * PAGE + state.current];
    const actions = {
      "/": () => find("[data-search]").focus(),
      j: () => move(1),
      k: () => move(-1),
      c: drawComparison,
      "?": () => find("[data-keys]").showModal(),
      x: () => { if (run) { run.ticked = !run.ticked; draw(); } },
    };
    if (event.key === "Enter" && run && run.report && !event.target.closest("a, button, summary, dialog")) {
      location.href = addressOf(run);
    } else if (event.key in actions && !event.target.closest("dialog")) {
      event.preventDefault();
      actions[event.key]();
    }
  }

  function fillPicks() {
    for (const [field, values] of [["experiment", [...new Set(runs.map((run) => run.experiment))].sort()],
      ["outcome", [...new Set(runs.map((run) => run.outcome))].sort()]]) {
      const pick = find(`[data-pick="${field}"]`);
      pick.append(...values.map((value) => make("option", { value }, value || "(no name)")));
      pick.addEventListener("change", () => {
        state[field] = pick.value;
        state.page = 0;
        drawColumnList();
        draw();
      });
    }
  }

  function arm() {
    find("[data-tools]").hidden = false;
    document.querySelectorAll("[data-still]").forEach((node) => { node.hidden = true; });
    document.querySelectorAll("[data-experiment]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => {
        const pick = find('[data-pick="experiment"]');
        pick.value = button.dataset.experiment;
        pick.dispatchEvent(new Event("change"));
        find("#runs").scrollIntoView({ block: "start" });
      });
    });
    let waiting = 0;
    find("[data-search]").addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
        state.page = 0;
        draw();
      }, 60);
    });
    const turn = (step) => { state.page += step; state.current = -1; draw(); find("#runs").scrollIntoView({ block: "start" }); };
    find("[data-earlier]").addEventListener("click", () => turn(-1));
    find("[data-later]").addEventListener("click", () => turn(1));
    find("[data-compare]").addEventListener("click", drawComparison);
    find("[data-help]").addEventListener("click", () => find("[data-keys]").showModal());
    document.addEventListener("keydown", onKey);
  }

  fillPicks();
  arm();
  drawColumnList();
  draw();
})();

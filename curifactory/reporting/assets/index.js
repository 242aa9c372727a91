/* The index of runs: search, sort, filter, choose columns, tick. What one sees stands in the address, and survives a reload. */
"use strict";
(() => {
  const data = window.curifactoryRuns;
  if (!data) return;
  const { make, directionOf, arrowOf, firstLine, nameOf, addressOf, outcomeMark, formatDuration, formatTime, formatNumber, asNumber,
    own } = window.curifactory;
  const PAGE = 50;
  const MOST_COLUMNS = 40;
  const find = (selector) => document.querySelector(selector);
  const listOf = (value) => (Array.isArray(value) ? value : value === null || value === undefined ? [] : [value]);

  const runs = data.rows.map((row, order) => {
    const run = { order, ticked: false };
    data.fields.forEach((field, index) => { run[field] = row[index]; });
    run.text = [run.reference, run.outcome, run.notes, listOf(run.tags).join(" "), run.commit, run.branch, run.command_line, run.host,
      run.error, listOf(run.parameter_files).join(" ")].filter(Boolean).join("\n").toLowerCase();
    return run;
  });
  const known = new Map(runs.map((run) => [run.reference, run]));
  /* Of each metric there are the least and the greatest last value over the records; the better one is shown. Beside it
     stands the best one on the way there, where it was better. */
  const endOf = (name) => (directionOf(name) === "lower" ? 0 : 1);
  const scoreOf = (run, name) => own(run.metrics, name)?.[endOf(name)];
  const peakOf = (run, name) => {
    const peak = directionOf(name) ? own(run.metrics_ever, name)?.[endOf(name)] : undefined;
    return peak === scoreOf(run, name) ? undefined : peak ?? undefined;
  };
  /* The parameters of an experiment's own file go without saying. */
  const filesOf = (run) => listOf(run.parameter_files).filter((file) => !`/${file}`.endsWith(`/${run.experiment}.py`)).join(", ");
  const valueOf = (run, name) => listOf(own(run.parameters, name)).join(", ");

  /* Columns: what stands in the head, in a cell, and what is sorted by. */
  const fixed = [
    { key: "run", head: "Run", always: true, sort: (run) => [run.experiment, run.number], cell: (run) => [
      run.has_report ? make("a", { href: addressOf(run) }, nameOf(run)) : nameOf(run),
      run.has_report ? null : make("span", { className: "cf-quiet" }, " no report")] },
    { key: "outcome", head: "Outcome", sort: (run) => run.outcome, className: "cf-ended", cell: (run) => [
      outcomeMark(run.outcome), run.error ? make("span", { className: "cf-error", title: run.error }, firstLine(run.error)) : null] },
    { key: "started", head: "Started", className: "cf-when", sort: (run) => -run.order,
      cell: (run) => [make("time", { dateTime: run.started_at || "" }, formatTime(run.started_at))] },
    { key: "took", head: "Took", number: true, sort: (run) => run.duration_s, cell: (run) => [formatDuration(run.duration_s)] },
    { key: "calls", head: "Calls", sort: (run) => own(run.counts, "ran") || 0, hidden: true,
      cell: (run) => [Object.entries(run.counts || {}).map(([name, count]) => `${count} ${name}`).join(", ")] },
    { key: "file", head: "Parameters", sort: (run) => `${filesOf(run)} ${run.sets || 0}`,
      cell: (run) => [filesOf(run), run.sets ? make("span", { className: "cf-quiet" }, ` ${run.sets} ${run.sets === 1 ? "set" : "sets"}`) : null] },
    { key: "commit", head: "Commit", className: "cf-mono", sort: (run) => run.commit, cell: (run) => [(run.commit || "").slice(0, 7),
      run.commit && run.dirty ? make("span", { className: "cf-dirty", title: "with uncommitted changes" }, " +") : null] },
    { key: "branch", head: "Branch", hidden: true, sort: (run) => run.branch, cell: (run) => [run.branch] },
    { key: "host", head: "Host", hidden: true, sort: (run) => run.host, cell: (run) => [run.host] },
    { key: "python", head: "Python", hidden: true, sort: (run) => run.python, cell: (run) => [run.python] },
    { key: "notes", head: "Notes", className: "cf-note", sort: (run) => firstLine(run.notes), cell: (run) => [
      make("span", { className: "cf-brief", title: run.notes || "" },
        ...listOf(run.tags).flatMap((tag) => [make("span", { className: "cf-tag" }, tag), " "]), firstLine(run.notes))] },
    { key: "command", head: "Command", hidden: true, className: "cf-mono", sort: (run) => run.command_line, cell: (run) => [run.command_line] },
  ];
  const metricColumn = (name, index) => ({
    key: `metric ${name}`, head: `${name}${arrowOf(name)}`, number: true, direction: directionOf(name), hidden: index >= 3,
    sort: (run) => scoreOf(run, name), cell: (run) => {
      const score = scoreOf(run, name), peak = peakOf(run, name);
      return [score === undefined || score === null ? "–" : formatNumber(score), peak === undefined ? null : make("span", { className: "cf-peak" }, `best ${formatNumber(peak)}`)];
    } });
  const parameterColumn = (name) => ({
    key: `parameter ${name}`, head: name, hidden: true, className: "cf-value",
    sort: (run) => { const text = valueOf(run, name); return asNumber(text) ?? text; }, cell: (run) => [valueOf(run, name)] });

  const memory = {
    read: () => { try { return JSON.parse(localStorage.getItem("curifactory index columns")) || {}; } catch { return {}; } },
    write: (value) => {
      try { localStorage.setItem("curifactory index columns", JSON.stringify(value)); } catch { /* It then holds for this page. */ }
    },
  };
  let chosen = memory.read();
  const first = () => ({ query: "", experiment: "", outcome: "", by: "started", ascending: false, page: 0, current: -1, comparing: false, all: false });
  let state = first();
  let shown = runs;

  /* Names that the runs of an experiment have under a field, those of most runs first. */
  function countNames(field) {
    const counts = new Map();
    for (const run of runs) {
      if (state.experiment && run.experiment !== state.experiment) continue;
      for (const name of Object.keys(run[field] || {})) counts.set(name, (counts.get(name) || 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name).slice(0, MOST_COLUMNS);
  }
  const columnsOf = new Map();
  function columns() {
    if (!columnsOf.has(state.experiment)) {
      const metrics = countNames("metrics").sort((a, b) => Boolean(directionOf(b)) - Boolean(directionOf(a)));
      columnsOf.set(state.experiment, [...fixed.slice(0, 4), ...metrics.map(metricColumn), ...fixed.slice(4, 6),
        ...countNames("parameters").map(parameterColumn), ...fixed.slice(6)]);
    }
    return columnsOf.get(state.experiment);
  }
  const isShown = (column) => column.always || (Object.hasOwn(chosen, column.key) ? chosen[column.key] : !column.hidden);

  /* Search: words that all must occur, or conditions such as accuracy>0.9, n=100, tag:paper, -outcome:failed. */
  const FIELDS = {
    experiment: (run) => [run.experiment], outcome: (run) => [run.outcome], tag: (run) => listOf(run.tags), note: (run) => [run.notes],
    commit: (run) => [run.commit], branch: (run) => [run.branch], host: (run) => [run.host], command: (run) => [run.command_line],
    python: (run) => [run.python], error: (run) => [run.error], number: (run) => [run.number], took: (run) => [run.duration_s],
    started: (run) => [run.started_at], sets: (run) => [run.sets], file: (run) => listOf(run.parameter_files),
  };
  const names = { metrics: new Map(), parameters: new Map() };
  for (const field of ["metrics", "parameters"]) {
    for (const run of runs) for (const name of Object.keys(run[field] || {})) names[field].set(name.toLowerCase(), name);
  }
  function readerOf(key) {
    const low = key.toLowerCase();
    if (names.metrics.has(low)) return (run) => listOf(own(run.metrics, names.metrics.get(low)));
    const parameter = names.parameters.get(low) ?? [...names.parameters].find(([name]) => name.endsWith(`.${low}`))?.[1];
    if (parameter !== undefined) return (run) => listOf(own(run.parameters, parameter));
    return Object.hasOwn(FIELDS, low) ? FIELDS[low] : null;
  }
  const isSame = (value, word) => {
    const [a, b] = [asNumber(value), asNumber(word)];
    return a !== null && b !== null ? a === b : String(value).toLowerCase() === word;
  };
  const order = (value, word) => {
    const [a, b] = [asNumber(value), asNumber(word)];
    if (a !== null) return b === null ? NaN : a - b;
    // Times are texts that sort as they are written.
    const text = String(value).toLowerCase();
    return text === word ? 0 : text < word ? -1 : 1;
  };
  const TESTS = {
    ":": (value, word) => String(value).toLowerCase().includes(word), "=": isSame, ">": (value, word) => order(value, word) > 0,
    "<": (value, word) => order(value, word) < 0, ">=": (value, word) => order(value, word) >= 0, "<=": (value, word) => order(value, word) <= 0,
  };
  function parse(query) {
    const bare = (text) => text.replaceAll('"', "").toLowerCase();
    return Array.from(query.matchAll(/(-?)(?:("[^"]+"|[^\s"<>=!:]+)(>=|<=|!=|[<>=:]))?("[^"]*"?|[^\s"]+)/g), ([all, not, key, test, word]) => {
      const read = key === undefined ? null : readerOf(bare(key));
      if (!read) return { key, not: false, matches: (run) => run.text.includes(all.replaceAll('"', "").toLowerCase()) };
      const low = bare(word), holds = TESTS[test === "!=" ? "=" : test];
      return { not: Boolean(not) !== (test === "!="), matches: (run) => read(run).some((value) => value !== null && value !== undefined && holds(value, low)) };
    });
  }

  function sayNothing() {
    const unknown = parse(state.query).find((term) => term.key)?.key;
    if (!unknown) return "No run is like that.";
    const known = [...names.metrics.values(), ...names.parameters.values()];
    return `No run has a metric or parameter “${unknown}”.${known.length ? ` There are ${known.slice(0, 12).join(", ")}${known.length > 12 ? ", …" : ""}.` : ""}`;
  }

  const collator = new Intl.Collator(undefined, { numeric: true });
  function compare(a, b) {
    if (Array.isArray(a)) return a.reduce((found, each, index) => found || compare(each, b[index]), 0);
    return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
  }
  let sorted = { key: "", runs };
  function sortAll() {
    const key = `${state.by} ${state.ascending}`;
    if (sorted.key === key) return sorted.runs;
    const column = columns().find((each) => each.key === state.by);
    const missing = (value) => value === undefined || value === null || value === "";
    const sign = state.ascending ? 1 : -1;
    const found = !column || key === "started false" ? runs : runs.map((run) => [column.sort(run), run]).sort(([a, one], [b, other]) => {
      if (missing(a) !== missing(b)) return missing(a) ? 1 : -1;
      return (missing(a) ? 0 : compare(a, b) * sign) || one.order - other.order;
    }).map(([, run]) => run);
    sorted = { key, runs: found };
    return found;
  }
  function select() {
    const terms = parse(state.query);
    shown = sortAll().filter((run) => (!state.experiment || run.experiment === state.experiment)
      && (!state.outcome || run.outcome === state.outcome) && terms.every((term) => term.matches(run) !== term.not));
    state.page = Math.min(state.page, Math.max(0, Math.ceil(shown.length / PAGE) - 1));
  }

  /* The address: whoever copies it shows somebody else the same rows, columns and comparison. */
  function writeAddress() {
    const words = new URLSearchParams();
    const put = (name, value, usual) => { if (value !== usual) words.set(name, value); };
    put("q", state.query, "");
    put("experiment", state.experiment, "");
    put("outcome", state.outcome, "");
    put("sort", `${state.ascending ? "" : "-"}${state.by}`, "-started");
    put("page", String(state.page + 1), "1");
    for (const [key, isOn] of Object.entries(chosen)) words.append(isOn ? "show" : "hide", key);
    for (const run of runs) if (run.ticked) words.append("tick", run.reference);
    if (state.comparing) words.set("compare", state.all ? "all" : "differing");
    const text = words.toString();
    const now = location.hash.slice(1);
    if (text !== now && (text || now.includes("="))) history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }
  function readAddress() {
    const hash = location.hash.slice(1);
    if (!hash.includes("=")) return;
    const words = new URLSearchParams(hash);
    state = { ...first(), query: words.get("q") || "", experiment: words.get("experiment") || "", outcome: words.get("outcome") || "" };
    const by = words.get("sort") || "-started";
    state.ascending = !by.startsWith("-");
    state.by = by.replace(/^-/, "");
    state.page = Math.max(0, (Number.parseInt(words.get("page"), 10) || 1) - 1);
    state.comparing = words.has("compare");
    state.all = words.get("compare") === "all";
    if (words.has("show") || words.has("hide")) {
      chosen = Object.fromEntries([...words.getAll("show").map((key) => [key, true]), ...words.getAll("hide").map((key) => [key, false])]);
    }
    for (const run of runs) run.ticked = false;
    for (const reference of words.getAll("tick")) if (known.has(reference)) known.get(reference).ticked = true;
  }

  function drawHead(visible) {
    const some = shown.length > 0 && shown.every((run) => run.ticked);
    const tick = make("input", { type: "checkbox", checked: some, attributes: { "aria-label": "Tick all runs that are found" } });
    tick.addEventListener("change", () => { for (const run of shown) run.ticked = tick.checked; draw(); });
    const head = make("tr", {}, make("td", {}, tick));
    for (const column of visible) {
      const button = make("button", { type: "button" }, column.head);
      button.addEventListener("click", () => {
        const upward = !(column.number || column.key === "started") || column.direction === "lower";
        state.ascending = state.by === column.key ? !state.ascending : upward;
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

  function drawRow(run, index, visible) {
    const tick = make("input", { type: "checkbox", checked: run.ticked, attributes: { "aria-label": `Tick ${run.reference}` } });
    const row = make("tr", { className: run.ticked ? "cf-ticked" : "" }, make("td", {}, tick));
    if (index === state.current) row.setAttribute("aria-current", "true");
    tick.addEventListener("change", () => { run.ticked = tick.checked; row.classList.toggle("cf-ticked", run.ticked); drawTicked(); });
    for (const column of visible) {
      const className = [column.number ? "n" : "", column.className || ""].join(" ").trim();
      row.append(make(column.always ? "th" : "td", { className, ...(column.always ? { scope: "row" } : {}) }, ...column.cell(run)));
    }
    return row;
  }

  function draw() {
    select();
    const visible = columns().filter(isShown);
    const start = state.page * PAGE;
    drawHead(visible);
    find("[data-table]").tBodies[0].replaceChildren(...shown.slice(start, start + PAGE).map((run, index) => drawRow(run, index, visible)));
    const pages = Math.ceil(shown.length / PAGE);
    find("[data-pager]").hidden = pages < 2;
    const said = (number) => number.toLocaleString("en");
    find("[data-page]").textContent = `${said(start + 1)}–${said(Math.min(start + PAGE, shown.length))} of ${said(shown.length)}`;
    find("[data-earlier]").disabled = state.page === 0;
    find("[data-later]").disabled = state.page >= pages - 1;
    find("[data-count]").textContent = shown.length === runs.length ? "" : `${said(shown.length)} of ${said(runs.length)}`;
    find("[data-nothing]").hidden = shown.length > 0 || !runs.length;
    find("[data-nothing]").textContent = shown.length ? "" : sayNothing();
    drawTicked();
  }

  function drawTicked() {
    const ticked = runs.filter((run) => run.ticked);
    const button = find("[data-compare]");
    button.disabled = ticked.length < 2;
    button.textContent = ticked.length ? `Compare ${ticked.length.toLocaleString("en")}` : "Compare";
    find("[data-clear]").hidden = !ticked.length;
    const isOpen = state.comparing && ticked.length > 1;
    window.curifactory.compare(isOpen ? ticked : [], {
      all: state.all, onAll: (all) => { state.all = all; drawTicked(); }, onClose: stopComparing });
    writeAddress();
  }

  function drawColumnList() {
    const groups = [["", fixed.filter((column) => !column.always)], ["Metrics", columns().filter((column) => column.key.startsWith("metric "))],
      ["Parameters", columns().filter((column) => column.key.startsWith("parameter "))]];
    find("[data-column-list]").replaceChildren(...groups.filter(([, members]) => members.length).map(([title, members]) =>
      make("fieldset", {}, make("legend", { className: title ? "" : "cf-unseen" }, title || "Columns"), ...members.map((column) => {
        const box = make("input", { type: "checkbox", checked: isShown(column) });
        box.addEventListener("change", () => {
          if (box.checked === !column.hidden) delete chosen[column.key];
          else chosen[column.key] = box.checked;
          memory.write(chosen);
          draw();
        });
        return make("label", {}, box, ` ${column.head}`);
      }))));
  }

  function drawAll() {
    for (const field of ["experiment", "outcome"]) {
      const pick = find(`[data-pick="${field}"]`);
      pick.value = state[field];
      if (pick.value !== state[field]) { state[field] = ""; pick.value = ""; }
    }
    find("[data-search]").value = state.query;
    drawColumnList();
    draw();
  }

  function startComparing() {
    if (runs.filter((run) => run.ticked).length < 2) return;
    state.comparing = true;
    drawTicked();
    window.scrollTo(0, 0);
    find("[data-comparison]").focus({ preventScroll: true });
  }
  function stopComparing() {
    state.comparing = false;
    drawTicked();
    find("[data-compare]").focus();
  }

  function move(step) {
    const rows = Array.from(find("[data-table]").tBodies[0].rows);
    if (!rows.length) return;
    state.current = Math.max(0, Math.min(rows.length - 1, state.current + step));
    rows.forEach((row, index) => (index === state.current ? row.setAttribute("aria-current", "true") : row.removeAttribute("aria-current")));
    rows[state.current].scrollIntoView({ block: "nearest" });
    // Who listens to the page hears which run it is.
    (rows[state.current].querySelector("a") || rows[state.current].querySelector("input")).focus({ preventScroll: true });
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("dialog")) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea")) {
      // A search field would empty itself, and tell nobody.
      if (event.key === "Escape") { event.preventDefault(); event.target.blur(); }
      return;
    }
    const run = shown[state.page * PAGE + state.current];
    const actions = {
      "/": () => { find("[data-search]").focus(); find("[data-search]").select(); },
      j: () => move(1),
      k: () => move(-1),
      c: startComparing,
      "?": () => find("[data-keys]").showModal(),
      x: () => { if (run) { run.ticked = !run.ticked; draw(); move(0); } },
      Escape: () => { if (state.comparing) stopComparing(); },
    };
    // Beside a comparison there is no table to move in.
    if (state.comparing && event.key !== "Escape" && event.key !== "?") return;
    if (event.key === "Enter" && run?.has_report && !event.target.closest("a, button, summary")) {
      location.href = addressOf(run);
    } else if (Object.hasOwn(actions, event.key)) {
      event.preventDefault();
      actions[event.key]();
    }
  }

  function arm() {
    find("[data-tools]").hidden = false;
    document.querySelectorAll("[data-still]").forEach((node) => { node.hidden = true; });
    for (const field of ["experiment", "outcome"]) {
      const pick = find(`[data-pick="${field}"]`);
      pick.append(...[...new Set(runs.map((run) => run[field]))].sort().map((value) => make("option", { value }, value || "(no name)")));
      pick.addEventListener("change", () => { state[field] = pick.value; state.page = 0; state.current = -1; drawColumnList(); draw(); });
    }
    document.querySelectorAll("[data-experiment]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => {
        const pick = find('[data-pick="experiment"]');
        pick.value = button.dataset.experiment;
        pick.dispatchEvent(new Event("change"));
        find("#runs").scrollIntoView({ block: "start" });
      });
    });
    let waiting = false;
    find("[data-search]").addEventListener("input", (event) => {
      if (waiting) return;
      waiting = true;
      // Letters that come faster than the screen is drawn are searched together.
      requestAnimationFrame(() => {
        waiting = false;
        Object.assign(state, { query: event.target.value, page: 0, current: -1 });
        draw();
      });
    });
    const turn = (step) => { state.page += step; state.current = -1; draw(); find("#runs").scrollIntoView({ block: "start" }); };
    find("[data-earlier]").addEventListener("click", () => turn(-1));
    find("[data-later]").addEventListener("click", () => turn(1));
    find("[data-compare]").addEventListener("click", startComparing);
    find("[data-clear]").addEventListener("click", () => { for (const run of runs) run.ticked = false; state.comparing = false; draw(); });
    find("[data-help]").addEventListener("click", () => find("[data-keys]").showModal());
    document.addEventListener("keydown", onKey);
    const chooser = find("[data-columns]");
    document.addEventListener("click", (event) => { if (!chooser.contains(event.target)) chooser.open = false; });
    chooser.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !chooser.open) return;
      chooser.open = false;
      chooser.querySelector("summary").focus();
    });
    window.addEventListener("hashchange", () => { readAddress(); drawAll(); });
  }

  arm();
  readAddress();
  drawAll();
})();

/* Runs side by side: parameters, metrics, code, environment, results. What is said of each run beyond its row lies in a
   script beside its report, which is loaded when somebody wants it. */
"use strict";
(() => {
  const app = window.curifactory;
  const { make, directionOf, arrowOf, nameOf, folderOf, addressOf, outcomeMark, formatDuration, formatTime, formatNumber } = app;
  const MOST_COLUMNS = 12;
  const find = (selector) => document.querySelector(selector);
  const details = new Map();
  const asked = new Map();

  window.curifactoryComparison = (about) => { details.set(about.reference, about); };

  /* Load what lies beside a report; a report that was deleted, or drawn by another version, has nothing there. */
  function load(run) {
    if (!run.has_report) return Promise.resolve();
    if (!asked.has(run.reference)) {
      asked.set(run.reference, new Promise((done) => {
        const script = make("script", { src: `${folderOf(run)}compare.js` });
        script.onload = script.onerror = () => { script.remove(); done(); };
        document.head.append(script);
      }));
    }
    return asked.get(run.reference);
  }

  /* One column a record while they are few, else one a run with the values of all its records. */
  function columnsOf(runs) {
    const about = runs.map((run) => details.get(run.reference) || null);
    const count = about.reduce((sum, each) => sum + Math.max(1, each ? each.records.length : 0), 0);
    const single = count > Math.max(MOST_COLUMNS, runs.length);
    return runs.flatMap((run, index) => {
      const records = about[index]?.records || [];
      if (single || !records.length) return [{ run, about: about[index], records, name: records.length === 1 ? records[0][0] : `${records.length} records` }];
      return records.map((record) => ({ run, about: about[index], records: [record], name: record[0] }));
    });
  }

  function distinct(column, part, position) {
    if (position < 0 || position === undefined) return [];
    return [...new Set(column.records.map((record) => record[part][position]).filter((value) => value !== null && value !== undefined))];
  }
  function join(values) {
    if (!values.length) return "–";
    return values.length > 4 ? `${values.slice(0, 4).join(", ")}, … (${values.length})` : values.join(", ");
  }

  /* A table with a column for each of `columns`; each line has a name and a cell for each of them, compared by its text.
     What nobody can compare, such as pictures, is always shown. */
  function tabulate(label, heads, lines, all) {
    const rows = lines.map(([name, cells]) => ({ name, cells, differs: new Set(cells.map((cell) => cell.key ?? cell.text ?? cell)).size > 1,
      unknown: cells.some((cell) => cell.unknown) }));
    const kept = rows.filter((row) => all || row.differs || row.unknown);
    if (!rows.length) return null;
    if (!kept.length) return make("p", { className: "cf-hint" }, rows.length === 1 ? "The same in all." : `All ${rows.length} are the same.`);
    const table = make("table", { className: "cf-table cf-side" }, make("caption", { className: "cf-unseen" }, label), make("thead", {}, ...heads),
      make("tbody", {}, ...kept.map((row) => make("tr", { className: row.differs ? "cf-differs" : "" },
        make("th", { scope: "row" }, row.name), ...row.cells.map((cell) => make("td", { className: cell.className || "" }, cell.node ?? cell.text ?? cell))))));
    const left = rows.length - kept.length;
    return make("div", {}, make("div", { className: "cf-card cf-scroll", tabIndex: 0, attributes: { role: "region", "aria-label": label } }, table),
      left ? make("p", { className: "cf-hint" }, `${left} more ${left === 1 ? "is" : "are"} the same.`) : "");
  }

  const linkTo = (run) => (run.has_report ? make("a", { href: addressOf(run) }, nameOf(run)) : nameOf(run));
  function headOf(runs) {
    return [make("tr", {}, make("td", {}), ...runs.map((run) => make("th", { scope: "col" }, linkTo(run))))];
  }
  function headOfColumns(columns) {
    const spans = [];
    for (const column of columns) {
      if (spans.at(-1)?.run === column.run) spans.at(-1).count += 1;
      else spans.push({ run: column.run, count: 1 });
    }
    return [make("tr", {}, make("td", {}), ...spans.map(({ run, count }) => make("th", { scope: "colgroup", colSpan: count }, linkTo(run)))),
      make("tr", {}, make("td", {}), ...columns.map((column) => make("th", { scope: "col" }, column.about ? column.name : "no details")))];
  }

  function compareRuns(runs, all) {
    const lines = [
      ["Outcome", (run) => ({ text: run.outcome, node: outcomeMark(run.outcome) })], ["Started", (run) => formatTime(run.started_at)],
      ["Took", (run) => formatDuration(run.duration_s)], ["Command", (run) => run.command_line || ""],
      ["Tags", (run) => (run.tags || []).join(", ")], ["Notes", (run) => run.notes || ""], ["Error", (run) => run.error || ""]]
      .map(([name, read]) => [name, runs.map(read)]).filter(([, cells]) => cells.some((cell) => cell.text ?? cell));
    return tabulate("Runs", headOf(runs), lines, all);
  }

  function compareParameters(columns, all) {
    const paths = [...new Set(columns.flatMap((column) => column.about?.paths || []))];
    const lines = paths.map((path) => [path, columns.map((column) => join(distinct(column, 1, column.about?.paths.indexOf(path))))]);
    return tabulate("Parameters", headOfColumns(columns), lines, all);
  }

  function compareMetrics(columns, all) {
    const names = [...new Set(columns.flatMap((column) => column.about?.metrics || []))];
    const lines = names.map((name) => {
      const direction = directionOf(name);
      const numbers = columns.map((column) => distinct(column, 2, column.about?.metrics.indexOf(name)));
      const picks = numbers.map((found) => (found.length ? (direction === "lower" ? Math.min(...found) : Math.max(...found)) : null));
      const found = picks.filter((pick) => pick !== null);
      const best = direction && new Set(found).size > 1 ? (direction === "lower" ? Math.min(...found) : Math.max(...found)) : null;
      return [`${name}${arrowOf(name)}`, picks.map((pick, index) => {
        const range = numbers[index].length > 1 && !direction ? `${formatNumber(Math.min(...numbers[index]))} … ${formatNumber(pick)}` : "";
        const text = pick === null ? "–" : range || formatNumber(pick);
        return { key: `${pick} ${range}`, className: `n${best !== null && pick === best ? " cf-best" : ""}`, node: make("span", { title: pick === null ? "" : String(pick) }, text,
          best !== null && pick === best ? make("span", { className: "cf-unseen" }, " (best)") : "") };
      })];
    });
    return tabulate("Metrics", headOfColumns(columns), lines, all);
  }

  function drawPatch(text) {
    return make("pre", { className: "cf-patch", tabIndex: 0, attributes: { role: "region", "aria-label": "Uncommitted changes" } }, make("code", {},
      ...text.split("\n").flatMap((line) => {
        const tag = /^(\+\+\+|---|diff |index )/.test(line) ? "b" : { "+": "ins", "-": "del", "@": "i" }[line[0]];
        return [tag ? make(tag, {}, line) : line, "\n"];
      })));
  }

  function compareCode(runs, all) {
    const codes = runs.map((run) => details.get(run.reference)?.code);
    const lines = [
      ["Commit", (run) => ({ text: run.commit || "", node: make("span", { className: "cf-mono", title: run.commit || "" }, (run.commit || "–").slice(0, 10)) })],
      ["Branch", (run) => run.branch || "–"], ["Uncommitted changes", (run) => (run.dirty ? "yes" : "no")],
      ["Untracked files", (run, code) => (code?.untracked || []).join(", ") || "–"]].map(([name, read]) => [name, runs.map((run, index) => read(run, codes[index]))]);
    const parts = [tabulate("Code", headOf(runs), lines, all)];
    const commits = [...new Set(runs.map((run) => run.commit).filter(Boolean))];
    if (commits.length > 1) parts.push(make("p", { className: "cf-hint" }, "What changed between them: ", make("code", {}, `git diff ${commits.slice(0, 2).map((each) => each.slice(0, 10)).join(" ")}`)));
    const patches = codes.map((code) => code?.patch || "");
    if (patches.some(Boolean)) {
      if (new Set(patches).size === 1) parts.push(make("p", { className: "cf-hint" }, "The uncommitted changes are the same in all."));
      else {
        parts.push(make("div", { className: "cf-patches" }, ...runs.map((run, index) => (patches[index] ? make("details", { open: runs.length < 4 },
          make("summary", {}, `Uncommitted changes of ${nameOf(run)}`), make("div", { className: "cf-code" }, drawPatch(patches[index])),
          codes[index].cut ? make("p", { className: "cf-hint" }, "Only their beginning; the report has all.") : "") : ""))));
      }
    }
    return make("div", {}, ...parts.filter(Boolean));
  }

  function compareEnvironments(runs, all) {
    const maps = runs.map((run) => new Map(details.get(run.reference)?.environment || []));
    if (!maps.some((map) => map.size)) return null;
    const names = [...new Set(maps.flatMap((map) => [...map.keys()]))];
    return tabulate("Environment", headOf(runs), names.map((name) => [name, maps.map((map) => map.get(name) || "–")]), all);
  }

  function drawTable({ columns, rows }) {
    return make("table", { className: "cf-table cf-inner" }, make("thead", {}, make("tr", {}, ...columns.map((name) => (name ? make("th", { scope: "col" }, name) : make("td", {}))))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell ?? "–"))))));
  }

  function compareResults(runs, all) {
    const rows = new Map();
    runs.forEach((run, index) => (details.get(run.reference)?.results || []).forEach((each) => {
      const name = each.group && each.group !== each.name ? `${each.group} · ${each.name}` : each.name;
      if (!rows.has(name)) rows.set(name, runs.map(() => null));
      rows.get(name)[index] = each;
    }));
    if (!rows.size) return null;
    const lines = [...rows].map(([name, cells]) => [name, cells.map((each, index) => {
      if (!each) return { key: "", node: make("span", { className: "cf-quiet" }, "–") };
      const link = make("a", { href: `${addressOf(runs[index])}#${each.anchor}` }, "in the report");
      const shown = each.picture ? make("img", { className: "cf-picture", loading: "lazy", src: folderOf(runs[index]) + each.picture, alt: `${each.name} of ${nameOf(runs[index])}` })
        : each.text ? make("pre", { className: "cf-excerpt", tabIndex: 0 }, each.text) : each.table ? drawTable(each.table) : make("span", { className: "cf-quiet" }, each.kind);
      return { key: each.text || JSON.stringify(each.table) || each.kind, unknown: Boolean(each.picture) || !(each.text || each.table), node: make("div", { className: "cf-result" }, shown, link) };
    })]);
    return tabulate("Results", headOf(runs), lines, all);
  }

  function part(title, content) {
    return content ? make("section", { className: "cf-part" }, make("h3", {}, title), content) : "";
  }

  let drawn = "";
  app.compare = (runs, { all, onAll, onClose }) => {
    const section = find("[data-comparison]");
    section.hidden = !runs.length;
    document.body.classList.toggle("cf-comparing", runs.length > 0);
    const key = runs.map((run) => run.reference).join("\n") + all;
    if (!runs.length || key === drawn) { if (!runs.length) drawn = ""; return; }
    drawn = key;
    const content = find("[data-comparison-content]");
    content.setAttribute("aria-busy", "true");
    Promise.all(runs.map(load)).then(() => {
      if (drawn !== key) return;
      const columns = columnsOf(runs);
      const without = runs.filter((run) => !details.has(run.reference));
      content.replaceChildren(
        part("Many at a glance", app.coordinates(runs, details)),
        part("Runs", compareRuns(runs, all)), part("Parameters", compareParameters(columns, all)), part("Metrics", compareMetrics(columns, all)),
        part("Code", compareCode(runs, all)), part("Environment", compareEnvironments(runs, all)), part("Results", compareResults(runs, all)),
        without.length ? make("p", { className: "cf-hint" }, `${without.length === runs.length ? "No report of these runs is" : `No report of ${without.map(nameOf).slice(0, 5).join(", ")} is`} here, so their row is all there is. `,
          make("code", {}, `experiment report ${without[0].reference}`), " draws it.") : "");
      content.removeAttribute("aria-busy");
    });
    const box = find("[data-all]");
    box.checked = !all;
    box.onchange = () => onAll(!box.checked);
    find("[data-close]").onclick = onClose;
    find("#comparison-title").textContent = `Comparison of ${runs.length} runs`;
    find("[data-diff]").textContent = `experiment diff ${runs.slice(0, 2).map((run) => run.reference).join(" ")}`;
  };
})();

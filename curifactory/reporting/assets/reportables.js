/* Curves, figures and searched tables of a report. Plotly's script is fetched from beside the reports, and only when
   something that it draws comes near; without it the values stand in tables all the same. */
"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const plotlyAddress = document.currentScript && document.currentScript.dataset.plotly;
  const scripts = new Map();

  function load(address) {
    if (!scripts.has(address)) {
      scripts.set(address, new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = address;
        script.onload = done;
        script.onerror = () => failed(new Error(`${address} is missing`));
        document.head.append(script);
      }));
    }
    return scripts.get(address);
  }

  const loadPlotly = () => (plotlyAddress ? load(plotlyAddress) : Promise.reject(new Error("plotly is missing")));

  function whenNear(elements, act) {
    if (!("IntersectionObserver" in window)) { elements.forEach(act); return; }
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        observer.unobserve(entry.target);
        act(entry.target);
      }
    }, { rootMargin: "600px" });
    elements.forEach((element) => observer.observe(element));
    // Paper shows all of it.
    window.addEventListener("beforeprint", () => elements.forEach((element) => { observer.unobserve(element); act(element); }));
  }

  const colours = () => {
    const style = getComputedStyle(document.body);
    const probe = document.createElement("span");
    document.body.append(probe);
    const read = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
    const found = { text: read("--text"), muted: read("--muted"), line: read("--line"), strong: read("--line-strong"), surface: read("--surface"), font: style.fontFamily };
    probe.remove();
    return found;
  };

  // Plotly reads some markup within text; what a person wrote is text.
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  const redraw = [];
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", () => redraw.forEach((draw) => draw()));

  /* Tables */

  function armSearch(tools) {
    const table = tools.parentElement.querySelector("table");
    const rows = Array.from(table.tBodies[0].rows);
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const input = tools.querySelector("input");
    const output = tools.querySelector("output");
    tools.hidden = false;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, index) => {
        row.hidden = !words.every((word) => texts[index].includes(word));
        if (!row.hidden) shown += 1;
      });
      output.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
  }

  /* Curves */

  const OVER = { step: "step", epoch: "epoch", time: "time in seconds", index: "value" };
  const DASHES = { train: "solid", "": "solid", val: "dash", test: "dot" };
  const OTHER_DASHES = ["dashdot", "longdash", "longdashdot"];

  /* What was chosen stands in the address behind the anchor: `#curve-0?curve0=log,time`. */
  function readChoice(number) {
    const words = new URLSearchParams(location.hash.split("?")[1] || "").get(`curve${number}`);
    return new Set((words || "").split(",").filter(Boolean));
  }

  function keepChoice(number, choice) {
    const [anchor, words] = location.hash.slice(1).split("?");
    const now = new URLSearchParams(words || "");
    if (choice.length) now.set(`curve${number}`, choice.join(","));
    else now.delete(`curve${number}`);
    const text = `${anchor}${now.size ? `?${now}` : ""}`;
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }

  function traceOf(line, over, others) {
    const name = [line.record, line.label].filter(Boolean).map(plain).join(" · ");
    const x = line[over] || line.step || line.index || line.y.map((_, place) => place);
    let dash = DASHES[line.type];
    if (!dash) {
      if (!others.has(line.type)) others.set(line.type, OTHER_DASHES[others.size % OTHER_DASHES.length]);
      dash = others.get(line.type);
    }
    const colour = `hsl(${line.hue}, 52%, 52%)`;
    return { type: "scatter", mode: x.length <= 30 ? "lines+markers" : "lines", x, y: line.y, name,
      line: { color: colour, width: 1.8, dash }, marker: { size: 5, color: colour } };
  }

  function armCurve(chart, lines) {
    const card = chart.closest(".cf-curve");
    const number = Number(chart.dataset.curve);
    const tools = card.querySelector("[data-curve-tools]");
    const select = tools.querySelector("[data-over]");
    const log = tools.querySelector("[data-log]");
    const reset = tools.querySelector("[data-reset]");
    const ways = ["step", "index", "epoch", "time"].filter((way) => lines.some((line) => line[way]));
    if (ways.includes("step")) ways.splice(ways.indexOf("index") >>> 0, ways.includes("index") ? 1 : 0);
    for (const way of ways) select.append(new Option({ step: "steps", index: "values", epoch: "epochs", time: "time" }[way], way));
    const choice = readChoice(number);
    const given = ways.find((way) => choice.has(way));
    if (given) select.value = given;
    log.setAttribute("aria-pressed", String(choice.has("log")));

    const draw = () => {
      const isLog = log.getAttribute("aria-pressed") === "true";
      const now = colours();
      const others = new Map();
      const axis = { gridcolor: now.line, zerolinecolor: now.strong, linecolor: now.strong, tickcolor: now.strong, automargin: true };
      const layout = {
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: now.text, family: now.font, size: 12 },
        margin: { l: 44, r: 8, t: 8, b: 36 }, uirevision: select.value, dragmode: "zoom",
        hovermode: lines.length <= 12 ? "x unified" : "closest",
        hoverlabel: { bgcolor: now.surface, bordercolor: now.strong, font: { color: now.text }, namelength: -1 },
        showlegend: lines.length > 1 && lines.length <= 20, legend: { orientation: "h", y: -0.2, x: 0 },
        xaxis: { ...axis, title: { text: OVER[select.value], standoff: 6 }, zeroline: false },
        yaxis: { ...axis, type: isLog ? "log" : "linear", exponentformat: "power" },
      };
      window.Plotly.react(chart, lines.map((line) => traceOf(line, select.value, others)), layout, { displayModeBar: false, responsive: true });
    };
    const keep = () => keepChoice(number, [...(log.getAttribute("aria-pressed") === "true" ? ["log"] : []), ...(select.value === ways[0] ? [] : [select.value])]);
    tools.hidden = false;
    draw();
    redraw.push(draw);
    select.addEventListener("change", () => { keep(); draw(); });
    log.addEventListener("click", () => {
      log.setAttribute("aria-pressed", String(log.getAttribute("aria-pressed") !== "true"));
      keep();
      draw();
    });
    chart.on("plotly_relayout", (change) => {
      if ("xaxis.range[0]" in change || "yaxis.range[0]" in change) reset.hidden = false;
      else if (change["xaxis.autorange"] || change["yaxis.autorange"]) reset.hidden = true;
    });
    reset.addEventListener("click", () => {
      window.Plotly.relayout(chart, { "xaxis.autorange": true, "yaxis.autorange": true });
    });
  }

  function showCurve(card) {
    const chart = card.querySelector("[data-curve]");
    const data = (window.curifactoryCurves || [])[Number(chart.dataset.curve)];
    if (!data || chart.dataset.shown) return;
    chart.dataset.shown = "yes";
    const values = card.querySelector(".cf-curve-values");
    loadPlotly().then(() => {
      chart.hidden = false;
      values.open = false;
      armCurve(chart, data.lines);
    }, () => { chart.hidden = true; values.open = true; });
  }

  /* People's own figures */

  // A page asks nothing of the network, whatever a figure names: only pictures that it holds itself are shown.
  const isOwn = (source) => /^(data|blob):/i.test(source || "");
  const traces = (given) => (given || []).filter((trace) => !(trace && trace.source) || isOwn(trace.source));

  function adorn(given) {
    const layout = Array.isArray(given.images) ? { ...given, images: given.images.filter((image) => isOwn(image.source)) } : given;
    const now = colours();
    const own = layout.template && layout.template.layout;
    const inherits = !own || own.plot_bgcolor === "#E5ECF6";
    const result = { ...layout, autosize: true };
    delete result.width;
    if (!inherits) return result;
    const axis = { gridcolor: now.line, zerolinecolor: now.strong, linecolor: now.strong, automargin: true };
    const template = { ...(layout.template || {}) };
    template.layout = { ...(own || {}), paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { ...(own && own.font), color: now.text, family: now.font } };
    if (!layout.margin) template.layout.margin = { l: 56, r: 24, b: 48, ...(own && own.margin), t: layout.title ? 56 : 24 };
    template.layout.xaxis = { ...(own && own.xaxis), ...axis };
    template.layout.yaxis = { ...(own && own.yaxis), ...axis };
    result.template = template;
    return result;
  }

  function showFigure(place) {
    const address = place.dataset.figure;
    if (place.dataset.shown) return;
    place.dataset.shown = "yes";
    const hint = place.parentElement.querySelector("[data-waiting]");
    Promise.all([loadPlotly(), load(address)]).then(() => {
      const text = (window.curifactoryFigures || {})[address];
      const draw = () => {
        const figure = JSON.parse(text);
        const config = { displaylogo: false, responsive: true, showSendToCloud: false, ...(figure.config && figure.config.staticPlot ? { staticPlot: true } : {}) };
        const drawn = { data: traces(figure.data), layout: adorn(figure.layout || {}), frames: figure.frames, config };
        return window.Plotly.react(place, drawn);
      };
      if (hint) hint.hidden = true;
      redraw.push(draw);
      return draw();
    }).catch((error) => {
      place.hidden = true;
      if (hint) { hint.hidden = false; hint.textContent = `This figure cannot be drawn here: ${error.message}.`; }
    });
  }

  all("[data-table-tools]").forEach(armSearch);
  whenNear(all(".cf-curve"), showCurve);
  whenNear(all("[data-figure]"), showFigure);
})();

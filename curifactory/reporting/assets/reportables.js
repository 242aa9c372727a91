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

  let printing = false;
  const colours = () => {
    const style = getComputedStyle(document.body);
    const probe = document.createElement("span");
    // Paper is white, whatever the screen is.
    if (printing) probe.style.colorScheme = "light";
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
  const redrawAll = () => redraw.forEach((draw) => draw());
  scheme.addEventListener("change", redrawAll);
  const print = (now) => { printing = now; if (scheme.matches) redrawAll(); };
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));

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

  const LONGEST_NAME = 40;
  const shorten = (text) => (text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text);
  const colourOf = (line) => `hsl(${line.hue}, 52%, 52%)`;

  function traceOf(line, over, dash) {
    const name = [shorten(line.record), line.label].filter(Boolean).map(plain).join(" · ");
    const x = line[over] || line.step || line.index || line.y.map((_, place) => place);
    const colour = colourOf(line);
    return { type: "scatter", mode: x.length <= 30 ? "lines+markers" : "lines", x, y: line.y, name,
      line: { color: colour, width: 1.8, dash }, marker: { size: 5, color: colour } };
  }

  function dashesOf(lines) {
    const dashes = new Map();
    let others = 0;
    for (const { type } of lines) {
      if (dashes.has(type)) continue;
      dashes.set(type, DASHES[type] || OTHER_DASHES[others++ % OTHER_DASHES.length]);
    }
    return dashes;
  }

  const STROKES = { solid: "", dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "12 4", longdashdot: "12 3 2 3" };

  function drawSample(dash) {
    const name = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(name, "svg");
    const stroke = document.createElementNS(name, "line");
    for (const [key, value] of Object.entries({ width: 26, height: 8, "aria-hidden": "true" })) svg.setAttribute(key, value);
    for (const [key, value] of Object.entries({ x1: 0, x2: 26, y1: 4, y2: 4, "stroke-dasharray": STROKES[dash] })) stroke.setAttribute(key, value);
    svg.append(stroke);
    return svg;
  }

  /* One button a record and one a type. A click shows that one alone, further clicks add others, and the last one gone shows all. */
  function armLegend(card, lines, dashes, only, changed) {
    const list = document.createElement("ul");
    list.className = "cf-curve-legend";
    list.setAttribute("aria-label", "Lines that are shown");
    const parts = [["r", (line) => String(line.index_of_record), (line) => line.record, (line) => line.hue, null],
      ["k", (line) => line.label, (line) => line.label || "no type", () => null, (line) => drawSample(dashes.get(line.type))]];
    const buttons = [];
    for (const [part, keyOf, nameOf, hueOf, sampleOf] of parts) {
      const members = new Map(lines.map((line) => [keyOf(line), line]));
      if (members.size < 2) continue;
      [...members].forEach(([key, line], number) => {
        const button = document.createElement("button");
        const id = part === "r" ? `r${key}` : `k${number}`;
        button.type = "button";
        button.title = nameOf(line);
        if (sampleOf) button.append(sampleOf(line), ` ${nameOf(line)}`);
        else {
          const chip = document.createElement("span");
          const text = document.createElement("span");
          chip.className = "cf-chip";
          chip.style.setProperty("--hue", hueOf(line));
          text.textContent = shorten(nameOf(line));
          chip.append(text);
          button.append(chip);
        }
        const toggle = () => {
          if (only.has(id)) only.delete(id);
          else only.add(id);
          if ([...members.keys()].length === [...only].filter((each) => each[0] === part).length) {
            for (const each of [...only]) if (each[0] === part) only.delete(each);
          }
          changed();
        };
        button.addEventListener("click", toggle);
        buttons.push({ button, id, part, key, keyOf });
        const item = document.createElement("li");
        item.append(button);
        list.append(item);
      });
    }
    if (!buttons.length) return () => true;
    card.querySelector(".cf-chart").after(list);
    const chosen = (part) => buttons.filter((each) => each.part === part && only.has(each.id));
    const mark = () => {
      for (const each of buttons) {
        each.button.setAttribute("aria-pressed", String(!chosen(each.part).length || only.has(each.id)));
      }
    };
    return (line) => {
      mark();
      return ["r", "k"].every((part) => !chosen(part).length || chosen(part).some((each) => each.keyOf(line) === each.key));
    };
  }

  function armCurve(chart, lines) {
    const card = chart.closest(".cf-curve");
    const number = Number(chart.dataset.curve);
    const tools = card.querySelector("[data-curve-tools]");
    const select = tools.querySelector("[data-over]");
    const log = tools.querySelector("[data-log]");
    const reset = tools.querySelector("[data-reset]");
    // Without steps it is epochs that were counted, if every line has them.
    const order = lines.every((line) => line.epoch) ? ["step", "epoch", "index", "time"] : ["step", "index", "epoch", "time"];
    const ways = order.filter((way) => lines.some((line) => line[way]));
    if (ways.includes("step")) ways.splice(ways.indexOf("index") >>> 0, ways.includes("index") ? 1 : 0);
    for (const way of ways) select.append(new Option({ step: "steps", index: "values", epoch: "epochs", time: "time" }[way], way));
    const choice = readChoice(number);
    const given = ways.find((way) => choice.has(way));
    if (given) select.value = given;
    log.setAttribute("aria-pressed", String(choice.has("log")));
    const only = new Set([...choice].filter((each) => /^[rk]\d+$/.test(each)));
    const dashes = dashesOf(lines);
    const isShown = armLegend(card, lines, dashes, only, () => { keep(); draw(); });

    const draw = () => {
      const isLog = log.getAttribute("aria-pressed") === "true";
      const now = colours();
      const drawn = lines.filter(isShown);
      const axis = { gridcolor: now.line, zerolinecolor: now.strong, linecolor: now.strong, tickcolor: now.strong, automargin: true };
      const layout = {
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: now.text, family: now.font, size: 12 },
        margin: { l: 44, r: 8, t: 8, b: 36 }, uirevision: select.value, dragmode: "zoom",
        hovermode: drawn.length <= 12 ? "x unified" : "closest",
        hoverlabel: { bgcolor: now.surface, bordercolor: now.strong, font: { color: now.text }, namelength: -1 },
        showlegend: false,
        xaxis: { ...axis, title: { text: OVER[select.value], standoff: 6 }, zeroline: false },
        yaxis: { ...axis, type: isLog ? "log" : "linear", exponentformat: "power" },
      };
      window.Plotly.react(chart, drawn.map((line) => traceOf(line, select.value, dashes.get(line.type))), layout, { displayModeBar: false, responsive: true });
    };
    const keep = () => keepChoice(number, [...(log.getAttribute("aria-pressed") === "true" ? ["log"] : []), ...(select.value === ways[0] ? [] : [select.value]), ...only]);
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

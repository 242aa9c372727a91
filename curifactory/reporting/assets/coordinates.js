/* Parallel coordinates: a line for each record of many runs, across the parameters that differ and the metrics. */
"use strict";
(() => {
  const app = window.curifactory;
  const { make, draw, directionOf, arrowOf, nameOf, formatNumber, asNumber } = app;
  const LEAST_LINES = 5, MOST_LINES = 2000, MOST_PARAMETERS = 8, MOST_METRICS = 5, MOST_WORDS = 24;
  const HEIGHT = 330, TOP = 40, BOTTOM = 22, STEP = 150, SIDE = 80;

  function linesOf(runs, details) {
    return runs.flatMap((run) => {
      const about = details.get(run.reference);
      if (!about) return [];
      return about.records.map(([name, values, scores]) => ({
        label: `${nameOf(run)} ${name}`, run,
        values: new Map([...about.paths.map((path, index) => [`p ${path}`, values[index]]), ...about.metrics.map((metric, index) => [`m ${metric}`, scores[index]])]
          .filter(([, value]) => value !== null && value !== undefined)) }));
    }).filter((line) => line.values.size).slice(0, MOST_LINES);
  }

  /* Where a value lies on its axis, from 0 at the bottom to 1: numbers by size, words in their order. */
  function makeAxis(key, lines) {
    const found = [...new Set(lines.filter((line) => line.values.has(key)).map((line) => line.values.get(key)))];
    if (found.length < 2) return null;
    const numbers = found.map(asNumber);
    const isMetric = key.startsWith("m ");
    const axis = { key, name: key.slice(2), isMetric, range: null };
    if (numbers.every((number) => number !== null && Number.isFinite(number))) {
      const low = Math.min(...numbers), high = Math.max(...numbers);
      // Learning rates and the like: what spans three powers of ten is read in powers of ten.
      const log = low > 0 && high / low >= 1000;
      const scale = log ? Math.log : (value) => value;
      axis.place = (value) => (scale(asNumber(value)) - scale(low)) / (scale(high) - scale(low));
      const middle = log ? Math.exp((Math.log(low) + Math.log(high)) / 2) : (low + high) / 2;
      axis.ticks = [[0, tick(low)], [0.5, tick(middle)], [1, tick(high)]];
    } else {
      const words = found.map(String).sort(new Intl.Collator(undefined, { numeric: true }).compare);
      if (words.length > MOST_WORDS) return null;
      axis.place = (value) => words.indexOf(String(value)) / (words.length - 1);
      axis.ticks = words.map((word, index) => [index / (words.length - 1), word]);
    }
    return axis;
  }
  const tick = (number) => (Number.isInteger(number) || Math.abs(number) >= 1e5 || Math.abs(number) < 1e-3 ? String(Number(number.toPrecision(3))) : formatNumber(number));
  const cut = (text, longest) => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);

  function axesOf(lines) {
    const keys = [...new Set(lines.flatMap((line) => [...line.values.keys()]))];
    const axes = keys.map((key) => makeAxis(key, lines)).filter(Boolean);
    const count = (axis) => lines.filter((line) => line.values.has(axis.key)).length;
    const metrics = axes.filter((axis) => axis.isMetric).sort((a, b) => Boolean(directionOf(b.name)) - Boolean(directionOf(a.name)) || count(b) - count(a));
    return [...axes.filter((axis) => !axis.isMetric).slice(0, MOST_PARAMETERS), ...metrics.slice(0, MOST_METRICS)];
  }

  /* How good a line is on the axis that gives the colours, 0 to 1. */
  function goodness(line, axis) {
    if (!line.values.has(axis.key)) return null;
    const place = axis.place(line.values.get(axis.key));
    return axis.isMetric && directionOf(axis.name) === "lower" ? 1 - place : place;
  }

  app.coordinates = (runs, details) => {
    const lines = linesOf(runs, details);
    const axes = lines.length < LEAST_LINES ? [] : axesOf(lines);
    if (axes.length < 2) return null;
    let coloured = axes.find((axis) => axis.isMetric && directionOf(axis.name)) || axes.find((axis) => axis.isMetric) || axes.at(-1);
    const width = 2 * SIDE + STEP * (axes.length - 1);
    const xOf = (index) => SIDE + STEP * index;
    const yOf = (place) => HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM);
    const svg = draw("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "cf-coordinates", role: "img",
      "aria-label": `${lines.length} records across ${axes.map((axis) => axis.name).join(", ")}. The tables below have the same values.` });
    svg.style.minWidth = `${Math.min(width, 900)}px`;
    const said = make("output", { className: "cf-quiet" });
    const usual = () => `${lines.length} records; colour by ${coloured.name}. Drag along an axis to pick, click a name to colour by it.`;

    const paths = lines.map((line) => {
      const points = axes.map((axis, index) => (line.values.has(axis.key) ? [xOf(index), yOf(axis.place(line.values.get(axis.key)))] : null)).filter(Boolean);
      const path = draw("path", { d: points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join(""), class: "cf-line" });
      path.addEventListener("pointerenter", () => {
        path.classList.add("cf-picked");
        said.textContent = `${line.label}: ${axes.filter((axis) => line.values.has(axis.key)).map((axis) => {
          const value = line.values.get(axis.key);
          return `${axis.name} ${typeof value === "number" ? formatNumber(value) : value}`;
        }).join(", ")}`;
      });
      path.addEventListener("pointerleave", () => { path.classList.remove("cf-picked"); said.textContent = usual(); });
      return path;
    });
    svg.append(draw("g", {}, ...paths));

    function paint() {
      let kept = 0;
      lines.forEach((line, index) => {
        const share = goodness(line, coloured);
        paths[index].style.stroke = share === null ? "" : `color-mix(in oklab, var(--best) ${Math.round(share * 100)}%, var(--worst))`;
        const inside = axes.every((axis) => !axis.range || (line.values.has(axis.key)
          && axis.place(line.values.get(axis.key)) >= axis.range[0] && axis.place(line.values.get(axis.key)) <= axis.range[1]));
        paths[index].classList.toggle("cf-faded", !inside);
        kept += inside;
      });
      said.textContent = kept === lines.length ? usual() : `${kept} of ${lines.length} records.`;
    }

    axes.forEach((axis, index) => {
      const x = xOf(index);
      const name = draw("text", { x, y: 16, "text-anchor": "middle", class: "cf-axis-name" }, cut(axis.name, 20) + (axis.isMetric ? arrowOf(axis.name) : ""));
      name.addEventListener("click", () => { coloured = axis; paint(); });
      const band = draw("rect", { x: x - 9, y: 0, width: 18, height: 0, class: "cf-band" });
      const zone = draw("rect", { x: x - 14, y: TOP - 8, width: 28, height: HEIGHT - TOP - BOTTOM + 16, class: "cf-zone" });
      let from = null;
      const placeOf = (event) => {
        const box = svg.getBoundingClientRect();
        const y = (event.clientY - box.top) / box.height * HEIGHT;
        return Math.max(0, Math.min(1, (HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM)));
      };
      zone.addEventListener("pointerdown", (event) => { from = placeOf(event); zone.setPointerCapture(event.pointerId); });
      zone.addEventListener("pointermove", (event) => {
        if (from === null) return;
        const ends = [from, placeOf(event)].sort((a, b) => a - b);
        band.setAttribute("y", yOf(ends[1]));
        band.setAttribute("height", yOf(ends[0]) - yOf(ends[1]));
        axis.range = ends;
        paint();
      });
      zone.addEventListener("pointerup", (event) => {
        if (from !== null && Math.abs(placeOf(event) - from) < 0.015) { axis.range = null; band.setAttribute("height", 0); paint(); }
        from = null;
      });
      svg.append(draw("line", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM, class: "cf-axis" }), band, name,
        ...axis.ticks.map(([place, word]) => draw("text", { x: x + 7, y: yOf(place) + 3.5, class: "cf-tick" }, cut(word, 17))), zone);
    });
    paint();
    return make("div", { className: "cf-card cf-many" }, make("div", { className: "cf-scroll", tabIndex: 0, attributes: { role: "region", "aria-label": "Parallel coordinates" } }, svg),
      make("p", { className: "cf-hint" }, said));
  };
})();

/* What the scripts of the index share: elements from text, and how numbers, times and outcomes read.
   All text goes in as text, never as markup. */
"use strict";
window.curifactory = (() => {
  const data = window.curifactoryRuns;
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  function make(tag, options = {}, ...children) {
    const { attributes, ...properties } = options;
    const node = Object.assign(document.createElement(tag), properties);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  }

  function draw(tag, attributes, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  const better = data ? [["lower", new RegExp(`^(?:${data.words.lower})$`)], ["higher", new RegExp(`^(?:${data.words.higher})$`)]] : [];
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
  const arrowOf = (name) => ({ lower: " ↓", higher: " ↑", "": "" })[directionOf(name)];

  const firstLine = (text) => (text || "").trim().split("\n")[0];
  const nameOf = (run) => `${run.experiment || "(no name)"} #${run.number}`;
  // A colon would make a scheme of a name; this makes it a part of a path.
  const folderOf = (run) => `./${run.reference.split("/").map(encodeURIComponent).join("/")}/`;
  const addressOf = (run) => `${folderOf(run)}index.html`;
  const styleName = (text) => text.replace(/ /g, "-").replace(/[^A-Za-z0-9-]/g, "");
  const outcomeMark = (outcome) => make("span", { className: `cf-outcome cf-is-${styleName(outcome)}` }, outcome);

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

  /* A text as a number, null if it is none: an empty text is none either. */
  function asNumber(text) {
    if (typeof text === "number") return text;
    if (typeof text !== "string" || !text.trim()) return null;
    const number = Number(text);
    return Number.isNaN(number) ? null : number;
  }

  // Names of metrics come from people: `constructor` must not find what every object has.
  const own = (object, name) => (object && Object.hasOwn(object, name) ? object[name] : undefined);

  return { make, draw, directionOf, arrowOf, firstLine, nameOf, folderOf, addressOf, outcomeMark, formatDuration, formatTime,
    formatNumber, asNumber, own };
})();

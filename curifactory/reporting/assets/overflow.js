/* What a page has no room for: rows from `more.js` go to their place at once, details from a script that is fetched when
   somebody opens them. Markup is read in a document in which nothing runs, and only what a report is made of is taken over. */
"use strict";
(() => {
  const own = document.currentScript.dataset;
  const HTML = "http://www.w3.org/1999/xhtml";
  const KNOWN = new Set(("a b button code dd del details div dl dt i ins li ol p pre small span strong summary "
    + "table tbody td th thead tr ul").split(" "));
  const isHarmless = ({ name, value }) => !name.startsWith("on")
    && (name !== "href" || !/^[a-z][a-z0-9+.-]*:/i.test(value.trim()) || value.startsWith("data:text/plain"));

  /* Rows of a table are rows only within a template. */
  function build(markup) {
    const read = new DOMParser().parseFromString(`<template>${markup}</template>`, "text/html").querySelector("template").content;
    for (const each of read.querySelectorAll("*")) {
      if (!KNOWN.has(each.localName) || each.namespaceURI !== HTML) each.remove();
      else for (const given of Array.from(each.attributes)) if (!isHarmless(given)) each.removeAttribute(given.name);
    }
    return document.importNode(read, true);
  }

  for (const [part, markup] of Object.entries(window.curifactoryMore || {})) {
    document.querySelector(`[data-more="${part}"]`)?.append(build(markup));
    document.querySelector(`[data-more-before="${part}"]`)?.prepend(build(markup));
  }
  delete window.curifactoryMore;

  let fetched = null;
  function fetchDetails() {
    fetched ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = own.details;
      script.onload = () => resolve(window.curifactoryDetails);
      script.onerror = () => reject(new Error("details.js"));
      document.head.append(script);
    });
    return fetched;
  }

  async function fill(body) {
    if (!body || !body.id || body.childNodes.length) return;
    body.setAttribute("aria-busy", "true");
    let found = "";
    try {
      found = build((await fetchDetails())[body.id] || "");
    } catch {
      found = "The details lie in details.js, which is not beside this page any more.";
    }
    body.removeAttribute("aria-busy");
    if (body.childNodes.length) return;
    body.append(found);
    body.dispatchEvent(new CustomEvent("cf-filled", { bubbles: true }));
  }

  if (!own.details) return;
  // The event does not bubble, but it is seen on its way down.
  document.addEventListener("toggle", ({ target }) => {
    if (target.open && target.matches?.("details.cf-call")) fill(target.querySelector(":scope > .cf-call-body"));
  }, true);
  for (const call of document.querySelectorAll("details.cf-call[open]")) fill(call.querySelector(":scope > .cf-call-body"));
})();

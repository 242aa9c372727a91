/* Figures of plotly within a notebook: drawn where they stand, by plotly's own script, which comes with them packed. */
(() => {
  // A notebook asks nothing of the network, whatever a figure names: only pictures that it holds itself are shown.
  const isOwn = (source) => /^(data|blob):/i.test(source || "");

  function unpack(packed) {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  function load(packed) {
    if (window.Plotly) return Promise.resolve(window.Plotly);
    window.curifactoryPlotly ??= unpack(packed).then((code) => {
      const script = document.createElement("script");
      // Where a page has a loader of modules, plotly would hand itself to that one instead of to the page.
      script.textContent = `(function () { var define, module, exports; ${code}\n}).call(window);`;
      document.head.append(script);
      return window.Plotly;
    });
    return window.curifactoryPlotly;
  }

  function adorn(layout, place) {
    const style = getComputedStyle(place);
    const own = layout.template?.layout;
    const result = { ...layout, autosize: true };
    if (Array.isArray(layout.images)) result.images = layout.images.filter((image) => isOwn(image.source));
    delete result.width;
    if (own && own.plot_bgcolor !== "#E5ECF6") return result;
    const clear = "rgba(0,0,0,0)";
    result.template = { ...layout.template, layout: { ...own, paper_bgcolor: clear, plot_bgcolor: clear, font: { ...own?.font, color: style.color } } };
    // As pale on white as on black.
    const axis = { gridcolor: "rgba(128,128,128,0.25)", zerolinecolor: "rgba(128,128,128,0.45)" };
    for (const name of ["xaxis", "yaxis"]) result.template.layout[name] = { ...own?.[name], ...axis, automargin: true };
    return result;
  }

  function draw(packed) {
    for (const place of document.querySelectorAll("[data-cf-figure]:not([data-cf-drawn])")) {
      const said = place.nextElementSibling;
      place.dataset.cfDrawn = "yes";
      load(packed).then((plotly) => {
        const figure = JSON.parse(said.textContent);
        const data = (figure.data || []).filter((trace) => !trace?.source || isOwn(trace.source));
        return plotly.newPlot(place, { data, layout: adorn(figure.layout || {}, place), frames: figure.frames,
          config: { displaylogo: false, responsive: true, showSendToCloud: false } });
      }).catch((error) => { place.style.height = ""; place.textContent = `This figure cannot be drawn here: ${error.message}.`; });
    }
  }

  draw(window.curifactoryPacked);
})();

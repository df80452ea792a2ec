// Field viewer: solution, reference, error and residual with a slider over time (or over the third coordinate).

function render({ model, el }) {
  const state = model.get("state"), frames = state.slider.values.length;
  const count = state.count, table = name => numbers(state.tables[name], Uint8Array);
  const data = {};
  for (const [field, kinds] of Object.entries(state.data)) {
    data[field] = {};
    for (const [kind, text] of Object.entries(kinds)) data[field][kind] = numbers(text);
  }
  const panels = state.panels.map(kind => new Plot({ title: kind, x: state.axes[0], y: state.axes[1] ?? "",
    name: kind, width: state.panels.length > 2 ? 330 : 430, height: 280,
    aspect: state.equal ? (state.limits[1][1] - state.limits[1][0]) / (state.limits[0][1] - state.limits[0][0]) : null,
  }));
  const told = element("p", { className: "sciml-told", "aria-live": "polite", role: "status" });
  const fields = element("select", { "aria-label": "field", onchange: event => {
    keep(model, { field: event.target.value });
    update();
  } }, ...Object.keys(data).map(name => element("option", { value: name }, name)));
  const slider = element("input", { type: "range", min: 0, max: frames - 1, step: 1,
    "aria-label": state.slider.name, oninput: () => show(Number(slider.value)) });
  let clock = null;
  const play = element("button", { type: "button", "data-action": "play", onclick: () => {
    if (clock) { clearInterval(clock); clock = null; play.textContent = "Play"; return; }
    play.textContent = "Pause";
    clock = setInterval(() => {
      if (!root.isConnected) { clearInterval(clock); return; }
      show((model.get("frame") + 1) % frames);
    }, 150);
  } }, "Play");
  let own = Boolean(state.own_scale);
  const scale = element("input", { type: "checkbox", checked: own, onchange: event => {
    own = event.target.checked;
    update();
  } });
  const bar = element("div", { className: "sciml-bar" });
  if (Object.keys(data).length > 1) bar.append(element("label", {}, "field ", fields));
  if (frames > 1) bar.append(element("label", {}, `${state.slider.name} `, slider), play,
    element("label", { title: "else one scale for all frames" }, scale, " error and residual: scale of this frame"));
  const root = element("div", { className: "sciml-view" }, element("h4", {}, state.title), bar,
    element("div", { className: "sciml-row", style: panels.length === 4 ? "max-width:760px" : "" },  // two by two
      ...panels.map(panel => panel.canvas)), told,
    element("p", { className: "sciml-note" }, state.note));
  el.append(root);

  function show(frame) {
    keep(model, { frame });
    update();
  }

  const part = (values, frame) => values.subarray(frame * count, (frame + 1) * count);
  const largest = values => values.reduce((m, v) => Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m, 0);

  // one scale for solution and reference over all frames; signed quantities have a symmetric one of their own
  function range(field, kind, frame) {
    const kinds = data[field], signed = kind !== "solution" && kind !== "reference";
    const values = own ? part(kinds[kind], frame) : kinds[kind];
    if (kind === "residual" && !state.signed) return [0, extent(values)[1]];
    if (signed) return extent(values, true);
    const a = extent(kinds.solution), b = kinds.reference ? extent(kinds.reference) : a;
    return [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
  }

  function update() {
    const field = model.get("field") || Object.keys(data)[0], frame = Math.min(model.get("frame"), frames - 1);
    fields.value = field;
    slider.value = String(frame);
    root.dataset.frame = String(frame);
    root.dataset.field = field;
    root.dataset.scale = own ? "frame" : "all";
    panels.forEach((panel, number) => {
      const kind = state.panels[number], values = data[field][kind];
      const spiky = kind === "residual" && state.shape.length === 2;  // residuals peak at corners and fronts
      const residual = state.signed ? "residual" : "size of the residual";  // of all equations
      panel.title = kind === "residual" ? `${residual}${spiky ? " (logarithmic colours)" : ""}` : `${field}: ${kind}`;
      if (state.shape.length === 2) {
        panel.raster({ x: state.limits[0], y: state.limits[1] }, state.shape, part(values, frame), {
          range: range(field, kind, frame),
          table: table(kind === "error" || (kind === "residual" && state.signed) ? "difference" : "field"),
          logarithmic: spiky });
      } else {
        const lines = [{ values: part(values, frame), label: kind }];
        if (kind === "solution" && data[field].reference) lines.push({ values: part(data[field].reference, frame),
          label: "reference", dash: [6, 4] });
        panel.curves(numbers(state.across, Float64Array), lines, { range: [...range(field, kind, frame)] });
      }
      panel.canvas.dataset.range = range(field, kind, frame).map(v => short(v)).join(",");
      panel.draw();
      panel.canvas.setAttribute("aria-label", `${panel.title}, largest absolute value ${short(largest(part(values, frame)))}`);
    });
    const where = frames > 1 ? `${state.slider.name} = ${short(state.slider.values[frame])}: ` : "";
    told.textContent = where + state.panels.map(kind =>
      `largest |${kind}| ${short(largest(part(data[field][kind], frame)))}`).join(", ");
  }

  model.on("change:frame", update);
  model.on("change:field", update);
  update();
}

export default { render };

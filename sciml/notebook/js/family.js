// Family of functions: sliders move its parameters; the page computes the values itself, without a kernel.

function render({ model, el }) {
  const state = model.get("state"), table = numbers(state.tables.field, Uint8Array);
  const compute = new Function(...state.arguments, `return ${state.code};`);
  const [nx, ny] = state.shape, flat = state.limits.length === 1;
  const plot = new Plot({ title: state.target, x: state.axes[0], y: state.axes[1] ?? state.target, name: "family",
    width: 480, height: 330 });
  const cut = new Plot({ title: "", x: state.axes[0], y: state.target, name: "cut", width: 430, height: 330 });
  const told = element("p", { className: "sciml-told", "aria-live": "polite", role: "status" });
  const sliders = state.parameters.map((parameter, k) => {
    const shown = element("output", {}, short(parameter.start));
    const input = element("input", { type: "range", min: parameter.low, max: parameter.high,
      step: (parameter.high - parameter.low) / 200, value: parameter.start, "aria-label": parameter.label,
      "data-parameter": parameter.name, oninput: () => {
        const values = [...model.get("values")];
        values[k] = Number(input.value);
        keep(model, { values });
        update();
      } });
    return { input, shown, row: element("label", { className: "sciml-bar" }, input, `${parameter.label} = `, shown) };
  });
  const instant = element("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, "aria-label": state.axes[1] ?? "",
    oninput: () => update() });
  const reset = element("button", { type: "button", "data-action": "reset", onclick: () => {
    keep(model, { values: state.parameters.map(p => p.start) });
    update();
  } }, "Reset");
  const root = element("div", { className: "sciml-view" }, element("h4", {}, state.title),
    element("div", {}, ...sliders.map(s => s.row)), element("div", { className: "sciml-bar" }, reset,
      ...(flat ? [] : [element("label", {}, `${state.axes[1]} `, instant)])),
    element("div", { className: "sciml-row" }, plot.canvas, ...(flat ? [] : [cut.canvas])), told,
    element("p", { className: "sciml-note" }, state.note));
  el.append(root);

  const line = ([low, high], n) => Float64Array.from({ length: n }, (_, i) => low + (high - low) * i / (n - 1));

  function update() {
    const values = model.get("values");
    sliders.forEach((s, k) => { s.input.value = values[k]; s.shown.textContent = short(values[k]); });
    root.dataset.values = values.map(v => short(v, 6)).join(",");
    const across = line(state.limits[0], nx);
    if (flat) {
      const curve = across.map(x => compute(x, ...values));
      plot.curves(across, [{ values: curve }], { range: clipped(curve) }).draw();
      tell(curve);
      return;
    }
    const up = line(state.limits[1], ny), field = new Float64Array(nx * ny);
    across.forEach((x, i) => up.forEach((y, j) => { field[i * ny + j] = compute(x, y, ...values); }));
    const range = clipped(field);
    plot.raster({ x: state.limits[0], y: state.limits[1] }, [nx, ny], field, { table, range }).draw();
    const [low, high] = state.limits[1], at = low + (high - low) * Number(instant.value);
    cut.title = `${state.axes[1]} = ${short(at)}`;
    cut.curves(across, [{ values: across.map(x => compute(x, at, ...values)) }], { range: [...range] }).draw();
    tell(field);
  }

  function tell(values) {
    const bad = values.reduce((n, v) => n + (Number.isFinite(v) ? 0 : 1), 0);
    told.textContent = `values from ${short(extent(values)[0])} to ${short(extent(values)[1])}`
      + (bad ? `; not defined at ${(100 * bad / values.length).toFixed(0)} % of the places (blank)` : "");
    for (const [one, text] of [[plot, flat ? "curve" : "map"], [cut, "curve"]]) {
      one.canvas.setAttribute("aria-label", `${text}: ${told.textContent}`);
    }
  }

  // all values, unless poles would flatten everything else
  function clipped(field) {
    const sorted = field.filter(Number.isFinite).sort();
    if (!sorted.length) return [0, 1];
    const most = extent([sorted[Math.floor(0.01 * (sorted.length - 1))], sorted[Math.ceil(0.99 * (sorted.length - 1))]]);
    const whole = extent(sorted);
    return whole[1] - whole[0] < 10 * (most[1] - most[0]) ? whole : most;
  }

  model.on("change:values", update);
  update();
}

export default { render };

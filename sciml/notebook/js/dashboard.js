// Dashboard of a running training: losses, points added and dropped, residual map, and a Stop button.

function render({ model, el }) {
  const state = model.get("state"), tables = {};
  for (const [name, text] of Object.entries(state.tables)) tables[name] = numbers(text, Uint8Array);
  const losses = new Plot({ title: "losses", x: "step", y: "loss", name: "losses", width: 360, height: 280 });
  const [wide, high] = [0, 1].map(k => state.limits[k] ? state.limits[k][1] - state.limits[k][0] : 1);
  const aspect = state.equal ? high / wide : null;
  const cloud = new Plot({ title: "points", aspect, x: state.axes[0], y: state.axes[1] ?? "", name: "points", width: 330, height: 280 });
  const map = new Plot({ title: "residual", aspect, x: state.axes[0], y: state.axes[1] ?? "residual", name: "residual",
    width: 330, height: 280 });
  const told = element("p", { className: "sciml-told", role: "status" });
  const stop = element("button", { type: "button", "data-action": "stop", onclick: () => {
    const heard = keep(model, { stop: true });
    buttons(model.get("now"));
    setTimeout(() => {
      if (!model.get("now").done) told.textContent += "; no answer from the kernel: it is busy or has stopped";
    }, heard ? SILENCE : 0);
  } });
  const note = element("p", { className: "sciml-note" }, "points: ● kept   ■ added   ▲ dropped since the last update");
  const root = element("div", { className: "sciml-view" }, element("h4", {}, state.title),
    element("div", { className: "sciml-bar" }, stop, told),
    element("div", { className: "sciml-row" }, losses.canvas, cloud.canvas, map.canvas), note);
  el.append(root);

  function drawLosses(now) {
    const names = Object.keys(now.series);
    if (!names.length || !now.steps.length) return;
    const dashes = [[], [6, 4], [2, 3]];
    losses.powers = true;
    losses.curves(now.steps, names.map((name, k) => ({
      label: name.replace(/^loss /, ""), dash: dashes[Math.floor(k / 6) % 3], colour: ["#222222", "#4477aa", "#d55e00", "#228833", "#aa3377", "#ccbb44"][k % 6],
      values: now.series[name].map(v => v > 0 ? Math.log10(v) : NaN) }))).draw();
    losses.canvas.setAttribute("aria-label", `losses over ${now.steps.length} records`);
  }

  function drawCloud(now) {
    const across = numbers(now.points[0]), up = numbers(now.points[1]), change = numbers(now.change, Uint8Array);
    const colours = ["#bbbbbb", "#228833", "#d55e00"];
    cloud.points(across, up, null, { shapes: change, paint: i => colours[change[i]], size: 2.6 }).draw();
    cloud.canvas.setAttribute("aria-label", `${now.counts.kept} points kept, ${now.counts.added} added, ${now.counts.dropped} dropped`);
  }

  function drawMap(now) {
    const values = numbers(now.residual);
    const range = state.signed ? extent(values, true) : [0, extent(values)[1]];
    map.title = (state.signed ? "residual" : "size of the residual") + (state.held ? ` at ${state.held}` : "");
    if (state.shape.length === 2) {
      map.title += " (logarithmic colours)";
      map.raster({ x: state.limits[0], y: state.limits[1] }, state.shape, values,
        { table: state.signed ? tables.difference : tables.field, range, logarithmic: true }).draw();
    } else {
      const [low, high] = state.limits[0];
      map.curves(Float64Array.from({ length: state.shape[0] }, (_, i) => low + (high - low) * i / (state.shape[0] - 1)),
        [{ values }]).draw();
    }
    map.canvas.setAttribute("aria-label", `${map.title}, largest absolute value ${short(range[1])}`);
  }

  // a training may start after the picture is shown, and again after it has ended
  function buttons(now) {
    const can = model.get("state").can_stop, stopping = model.get("stop");
    stop.disabled = Boolean(now.done || stopping || !can);
    stop.textContent = now.done ? "Ended" : stopping ? "Stopping …" : "Stop";
    stop.title = can ? "" : "interrupt the kernel to stop a training that was started by solve()";
  }

  function update() {
    const now = model.get("now");
    root.dataset.step = String(now.step ?? "");
    root.dataset.done = String(Boolean(now.done));
    buttons(now);
    if (now.error) { told.textContent = `the training failed. ${now.error}`; return; }
    if (now.step === undefined) {
      told.textContent = now.done ? "ended; this solver does not tell its steps" : "waiting for the first step";
      return;
    }
    told.textContent = `${now.done ? "ended at" : "step"} ${now.step} of ${now.total}, ${now.seconds} s; `
      + `held-out residual ${short(now.held_out)}; points ${now.counts.kept + now.counts.added}`
      + ` (+${now.counts.added} -${now.counts.dropped})`;
    drawLosses(now);
    drawCloud(now);
    drawMap(now);
  }

  for (const name of ["now", "state", "stop"]) model.on(`change:${name}`, update);
  update();
}

export default { render };

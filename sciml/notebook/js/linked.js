// Linked maps: which predictions a training point moved, and which points shaped a prediction.

function render({ model, el }) {
  const state = model.get("state"), [queries, columns] = state.shape;
  const matrix = numbers(state.values), table = name => numbers(state.tables[name], Uint8Array);
  const train = state.train.map(text => numbers(text, Float64Array));
  const query = state.query.map(text => numbers(text, Float64Array));
  const before = numbers(state.before, Float64Array), kindOf = numbers(state.kind_of, Uint16Array);
  const place = new Map(state.ids.map((id, column) => [id, column]));
  const influence = (q, c) => matrix[q * columns + c];
  let logarithmic = true, exact = null, refitted = null, notice = "", clock = null;

  const axes = state.names.map((name, k) => k);
  let [first, second] = state.axes;
  const left = new Plot({ title: "training points", x: "", y: "", name: "train", pick: pickPoint });
  const right = new Plot({ title: "predictions", x: "", y: "", name: "query", pick: pickQuery });
  const truth = new Plot({ title: "refit", x: "", y: "", name: "refit", pick: pickQuery });
  const told = element("p", { className: "sciml-told", "aria-live": "polite", role: "status" });
  const shares = element("div", { className: "sciml-shares" });
  const listing = element("table", { className: "sciml-top" });
  const logBox = element("input", { type: "checkbox", checked: true, onchange: event => {
    logarithmic = event.target.checked;
    update();
  } });
  const choose = (now, set) => element("select", { "aria-label": "axis", onchange: event => {
    set(Number(event.target.value));
    update();
  } }, ...axes.map(k => element("option", { value: k, selected: k === now }, state.names[k])));
  const bar = element("div", { className: "sciml-bar" },
    element("button", { type: "button", "data-action": "clear", onclick: () => clear() }, "Clear selection"),
    element("button", { type: "button", "data-action": "group", disabled: !state.can_group,
      title: state.can_group ? "the effect of removing all selected points together"
        : "needs a running kernel", onclick: () => ask("group") }, "Exact group effect"),
    element("button", { type: "button", "data-action": "refit", disabled: !state.can_refit,
      title: state.can_refit ? "train again without the selected points" : "needs a running kernel",
      onclick: () => ask("refit") }, "Refit without them"),
    element("label", {}, logBox, " logarithmic colours"));
  if (axes.length > 2) bar.append(element("span", {}, " axes ", choose(first, v => { first = v; }),
    choose(second, v => { second = v; })));
  const root = element("div", { className: "sciml-linked" }, element("h4", {}, state.title), bar,
    element("div", { className: "sciml-row" }, left.canvas, right.canvas, truth.canvas), legend(), told,
    element("div", { className: "sciml-row" }, shares, listing),
    element("p", { className: "sciml-note" }, state.note));
  el.append(root);

  function legend() {
    return element("p", { className: "sciml-note" },
      state.kinds.map((kind, k) => `${MARKS[k % MARKS.length]} ${kind}`).join("   "), " — click: one point; shift-click: a group; ",
      "arrow or Page keys and Enter on a focused map; Escape clears");
  }

  function lengths() { return first !== second && state.lengths[first] && state.lengths[second]; }

  function selected() { return model.get("selection").filter(id => place.has(id)); }

  function pickPoint(column, event) {
    if (column < 0) return clear();
    const id = state.ids[column], now = selected();
    const next = !event.shiftKey ? (now.length === 1 && now[0] === id ? [] : [id])
      : now.includes(id) ? now.filter(other => other !== id) : [...now, id];
    exact = refitted = null;
    keep(model, { selection: next, ...(event.shiftKey ? {} : { query: -1 }) });
    if (next.length > 1 && state.can_group) ask("group");
    update();
  }

  function pickQuery(index, event) {
    if (index < 0) return clear();
    if (!event.shiftKey) exact = refitted = null;
    keep(model, { query: model.get("query") === index ? -1 : index, ...(event.shiftKey ? {} : { selection: [] }) });
    update();
  }

  function clear() {
    exact = refitted = null;
    keep(model, { selection: [], query: -1 });
    update();
  }

  const working = { refit: "Training again without the selected points …", group: "Computing the group effect …" };

  function ask(what) {
    if (!selected().length) { told.textContent = "Select training points first."; return; }
    root.dataset.waiting = what;
    notice = working[what];
    const sent = reached(() => model.send({ ask: what, ids: selected() }));
    clearTimeout(clock);
    clock = setTimeout(() => {
      notice = "No answer from the kernel: it is busy or has stopped. The map shows what was transferred.";
      update();
    }, sent ? SILENCE : 0);
    update();
  }

  // effect of removing the selected points on every prediction: exact where the kernel has answered
  function effect() {
    if (exact) return exact;
    const sum = new Float64Array(queries);
    for (const id of selected()) for (let q = 0; q < queries; q++) sum[q] += influence(q, place.get(id));
    return sum;
  }

  function strength() {
    const sum = new Float64Array(columns);
    for (let q = 0; q < queries; q++) for (let c = 0; c < columns; c++) sum[c] += Math.abs(influence(q, c)) / queries;
    return sum;
  }
  const overall = strength();

  function where(columnsOf, index) {
    return columnsOf.map((values, k) => `${state.names[k]} = ${short(values[index])}`).join(", ");
  }

  function drawLeft(q) {
    const values = q < 0 ? overall : Float64Array.from({ length: columns }, (_, c) => influence(q, c));
    const signed = q >= 0;
    const up = train.length > 1 ? train[second] : values;
    left.title = signed ? `what shaped the marked prediction` : `mean |influence| on all predictions`;
    left.x = state.names[first] ?? "number";
    left.y = train.length > 1 ? state.names[second] : "influence";
    left.marked = new Set(selected().map(id => place.get(id)));
    left.points(train[first], up, values, {
      table: table(signed ? "difference" : "field"), shapes: kindOf, logarithmic,
      range: signed ? extent(values, true) : [0, extent(values)[1]] }).fit(train.length > 1 && lengths()).draw();
    describe(left, `${left.title}; ${columns} training points`);
  }

  function drawRight(q) {
    const chosen = selected().length > 0, values = chosen ? effect() : before;
    const up = query.length > 1 ? query[Math.min(second, query.length - 1)] : values;
    const many = selected().length > 1 ? `${selected().length} points` : "the point";
    const changes = refitted ? [...values, ...refitted] : values;  // forecast and refit on one scale
    right.title = !chosen ? state.target
      : `change when ${many} ${selected().length > 1 ? "are" : "is"} ${state.verb}${exact || selected().length === 1 ? "" : " (sum of single effects)"}`;
    drawPredictions(right, q, up, values, changes, chosen);
    truth.canvas.style.display = refitted ? "" : "none";
    if (!refitted) return;
    truth.title = "change after a real refit";
    drawPredictions(truth, q, query.length > 1 ? up : refitted, refitted, changes, true);
  }

  function drawPredictions(plot, q, up, values, all, signed) {
    plot.x = query.length ? state.names[first] ?? "" : "number";
    plot.y = query.length > 1 ? state.names[second] : signed ? `change of ${state.target}` : state.target;
    plot.marked = new Set(q >= 0 ? [q] : []);
    plot.points(query.length ? query[first] : Float64Array.from(before.keys()), up, values, {
      table: table(signed ? "difference" : "field"), logarithmic: signed && logarithmic, range: extent(all, signed),
      span: query.length > 1 ? up : all });
    plot.cover(left, ["x", "y"].slice(0, query.length)).fit(query.length > 1 && lengths()).draw();
    plot.canvas.dataset.range = plot.range.map(v => short(v)).join(",");
    describe(plot, `${plot.title}; ${queries} predictions`);
  }

  function describe(plot, text) {
    plot.canvas.setAttribute("aria-label", text);
    plot.moved = index => {
      told.textContent = plot === left
        ? `point ${state.ids[index]}, ${state.kinds[kindOf[index]]}, ${where(train, index)}`
        : `prediction ${index}: ${state.target} = ${short(before[index])}${query.length ? ", " + where(query, index) : ""}`;
    };
  }

  function tell(q) {
    const ids = selected();
    if (q >= 0) return tellQuery(q);
    shares.replaceChildren();
    listing.replaceChildren();
    if (!ids.length) {
      told.textContent = "Click a training point to see what it moved, or a prediction to see what shaped it.";
      return;
    }
    const change = effect();
    let worst = 0;
    change.forEach((v, k) => { if (Math.abs(v) > Math.abs(change[worst])) worst = k; });
    const what = ids.length === 1
      ? `Point ${ids[0]} (${state.kinds[kindOf[place.get(ids[0])]]}, ${where(train, place.get(ids[0]))})`
      : `${ids.length} points (${ids.slice(0, 8).join(", ")}${ids.length > 8 ? ", …" : ""})`;
    const how = exact ? "exact group effect" : ids.length === 1 ? "" : "sum of single effects";
    const place_ = query.length ? ` at ${where(query, worst)}` : "";
    told.textContent = `${what}: largest change ${short(change[worst])}${place_}${how ? ` (${how})` : ""}.`
      + (refitted ? ` ${compared(change)}` : "");
    top(change, "change most", q_ => [String(q_), query.length ? where(query, q_) : "", short(before[q_]),
      short(change[q_]), ...(refitted ? [short(refitted[q_])] : [])],
    ["prediction", "place", "value", "change", ...(refitted ? ["refit"] : [])]);
  }

  function compared(change) {
    let error = 0, size = 0;
    refitted.forEach((v, k) => { error += (v - change[k]) ** 2; size += v * v; });
    return `A real refit moved the predictions by ${short(Math.sqrt(size / queries))} (root mean square); `
      + `the forecast is off by ${short(100 * Math.sqrt(error / (size || 1)))} %.`;
  }

  function tellQuery(q) {
    const values = Float64Array.from({ length: columns }, (_, c) => influence(q, c));
    const per = state.kinds.map(() => 0);
    values.forEach((v, c) => { per[kindOf[c]] += Math.abs(v); });
    const all = per.reduce((a, b) => a + b, 0) || 1;
    told.textContent = `Prediction ${q}: ${state.target} = ${short(before[q])}`
      + (query.length ? ` at ${where(query, q)}` : "") + `. Largest share: ${state.kinds[per.indexOf(Math.max(...per))]}.`;
    shares.replaceChildren(element("h5", {}, "share per condition"), ...state.kinds.map((kind, k) =>
      element("div", { className: "sciml-share", "data-kind": kind, "data-share": (per[k] / all).toFixed(4) },
        element("span", { style: `width:${(150 * per[k] / all).toFixed(1)}px` }), ` ${kind} ${(100 * per[k] / all).toFixed(1)} %`)));
    top(values, "influence it most", c => [String(state.ids[c]), state.kinds[kindOf[c]], where(train, c), short(values[c])],
      ["point", "condition", "place", "influence"]);
  }

  function top(values, caption, cells, heads) {
    const order = Array.from(values.keys()).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a])).slice(0, 10);
    listing.replaceChildren(element("caption", {}, `the 10 that ${caption}`),
      element("tr", {}, ...heads.map(head => element("th", { scope: "col" }, head))),
      ...order.map(k => element("tr", {}, ...cells(k).map(cell => element("td", {}, cell)))));
  }

  function update() {
    const q = model.get("query");
    root.dataset.selection = selected().join(",");
    root.dataset.query = String(q);
    root.dataset.exact = String(Boolean(exact));
    drawLeft(q);
    drawRight(q);
    tell(q);
    if (notice) told.textContent += ` ${notice}`;
  }

  model.on("change:selection", () => {
    exact = refitted = null;
    notice = "";
    clearTimeout(clock);
    delete root.dataset.waiting;
    update();
  });
  model.on("change:query", update);
  model.on("msg:custom", message => {
    if (String(message.ids) !== String(selected())) return;
    clearTimeout(clock);  // the kernel has heard, and works
    if (message.started) { notice = working[message.answer]; update(); return; }
    delete root.dataset.waiting;
    notice = message.error || "";
    if (message.error) { update(); return; }
    if (message.answer === "group") exact = Float64Array.from(message.values);
    else refitted = Float64Array.from(message.values);
    update();
  });
  update();
}

export default { render };

// Circuit view: gates coloured by relevance, each answering a click or a key; a slider over the samples.

const CELL = { width: 48, height: 46, left: 58, top: 14 };

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function render({ model, el }) {
  const state = model.get("state"), table = numbers(state.tables.difference, Uint8Array);
  const explanations = state.explanations.map(one => ({ ...one, values: numbers(one.values, Float64Array),
    error: one.error && numbers(one.error, Float64Array), output: numbers(one.output, Float64Array),
    reference: numbers(one.reference, Float64Array), gap: numbers(one.gap, Float64Array) }));
  const shown = () => explanations[Math.min(model.get("explanation"), explanations.length - 1)];
  const row = () => Math.min(model.get("sample"), state.samples - 1);
  const value = player => shown().values[row() * shown().players.length + player];
  const named = () => shown().players.indexOf(model.get("selection"));
  let focused = 0;

  const told = element("p", { className: "sciml-told", "aria-live": "polite", role: "status" });
  const slider = element("input", { type: "range", min: 0, max: state.samples - 1, step: 1, "aria-label": "sample",
    oninput: () => put("sample", Number(slider.value)) });
  const chooser = element("select", { "aria-label": "explanation", onchange: event => {
    put("explanation", Number(event.target.value));
    if (named() < 0) put("selection", "");
  } }, ...explanations.map((one, k) => element("option", { value: k }, `${one.method} (${one.settings})`)));
  const bar = element("div", { className: "sciml-bar" });
  if (explanations.length > 1) bar.append(element("label", {}, "explanation ", chooser));
  if (state.samples > 1) bar.append(element("label", {}, "sample ", slider));
  bar.append(element("button", { type: "button", "data-action": "clear", onclick: () => put("selection", "") },
    "Clear selection"));
  const listing = element("table", { className: "sciml-top" });
  const groups = state.gates.map(gate);
  const width = CELL.left + CELL.width * state.columns + 40, height = 2 * CELL.top + CELL.height * state.qubits;
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group",
    "aria-label": `circuit of ${state.qubits} qubits and ${state.gates.length} gates; arrow keys move, Enter selects`,
    "data-plot": "circuit", onkeydown: keys }, ...wires(), ...groups);
  const root = element("div", { className: "sciml-view" }, element("h4", {}, state.title), bar,
    element("div", { style: "overflow-x:auto" }, picture), told, element("div", { className: "sciml-row" }, listing),
    element("p", { className: "sciml-note" }, state.note));
  el.append(root);

  function put(name, now) {
    keep(model, { [name]: now });
    update();
  }

  function x(column) { return CELL.left + CELL.width * (column + 0.5); }

  function y(qubit) { return CELL.top + CELL.height * (qubit + 0.5); }

  function wires() {
    const end = CELL.left + CELL.width * state.columns + 8;
    return Array.from({ length: state.qubits }, (_, q) => svg("g", {},
      svg("line", { x1: CELL.left - 8, x2: end, y1: y(q), y2: y(q), stroke: "#555" }),
      svg("text", { x: CELL.left - 12, y: y(q) + 4, "text-anchor": "end", "font-size": 12 }, `q${q}`),
      ...(state.measured.includes(q)
        ? [svg("text", { x: end + 4, y: y(q) + 5, "font-size": 14 }, "◁")] : [])));
  }

  function gate(one, position) {
    const across = x(one.column), rows = one.qubits.map(y), ink = one.inside ? "#222" : "#999";
    const made = svg("g", { role: "button", tabindex: position ? -1 : 0, "data-gate": position, cursor: "pointer",
      onclick: () => { focused = position; pick(position); }, onfocus: () => { focused = position; } });
    const dash = one.inside ? null : "4 3";
    if (rows.length > 1) {
      made.append(svg("line", { x1: across, x2: across, y1: Math.min(...rows), y2: Math.max(...rows), stroke: ink,
        "stroke-width": 1.5, "stroke-dasharray": dash }));
    }
    rows.forEach((up, k) => {
      if (one.kind === "fixed" && rows.length > 1) return made.append(...mark(one.name, k, across, up, ink));
      made.append(svg("rect", { x: across - 21, y: up - 17, width: 42, height: 34, rx: 3, stroke: ink,
        "stroke-dasharray": dash, "data-box": "", fill: "#fff" }));
      one.text.forEach((line, n) => made.append(svg("text", { x: across, "text-anchor": "middle", "font-size": 11,
        y: up + 4 + 13 * (n - (one.text.length - 1) / 2), "data-text": "" }, line)));
    });
    return made;
  }

  // an invisible square makes thin symbols easy to hit
  function mark(name, number, across, up, ink) {
    const area = svg("rect", { x: across - 14, y: up - 14, width: 28, height: 28, fill: "transparent" });
    if (name === "SWAP") return [area, svg("path", { stroke: ink, "stroke-width": 1.8,
      d: `M${across - 6} ${up - 6}L${across + 6} ${up + 6}M${across - 6} ${up + 6}L${across + 6} ${up - 6}` })];
    if (name === "CNOT" && number) return [area, svg("circle", { cx: across, cy: up, r: 9, fill: "#fff", stroke: ink }),
      svg("path", { d: `M${across - 9} ${up}H${across + 9}M${across} ${up - 9}V${up + 9}`, stroke: ink })];
    return [area, svg("circle", { cx: across, cy: up, r: 5, fill: ink })];
  }

  function pick(position) {
    const player = shown().player_of[position];
    const name = player < 0 ? "" : shown().players[player];
    put("selection", name === model.get("selection") ? "" : name);
    if (player < 0) told.textContent = `${about(position)}: no player of this explanation.`;
  }

  function about(position) {
    const one = state.gates[position];
    return `${one.label} on ${one.qubits.map(q => `q${q}`).join(", ")}${one.inside ? "" : " (outside the light cone)"}`;
  }

  function keys(event) {
    if (!groups.length) return;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (ways[event.key]) move(ways[event.key]);
    else if (event.key === "Home" || event.key === "End") focus(event.key === "Home" ? 0 : state.gates.length - 1);
    else if (event.key === "PageDown") focus((focused + 1) % state.gates.length);
    else if (event.key === "PageUp") focus((focused + state.gates.length - 1) % state.gates.length);
    else if (event.key === "Enter" || event.key === " ") pick(focused);
    else if (event.key === "Escape") put("selection", "");
    else return;
    event.preventDefault();
  }

  // the nearest gate in the direction of the key, by its first qubit
  function move([dx, dy]) {
    const here = state.gates[focused];
    let best = -1, least = Infinity;
    state.gates.forEach((other, k) => {
      const across = other.column - here.column, down = other.qubits[0] - here.qubits[0];
      const ahead = across * dx + down * dy;
      if (k === focused || ahead <= 0) return;
      const cost = ahead + 3 * Math.abs(across * dy - down * dx);
      if (cost < least) { least = cost; best = k; }
    });
    if (best >= 0) focus(best);
  }

  function focus(position) {
    groups[focused].setAttribute("tabindex", -1);
    focused = position;
    groups[focused].setAttribute("tabindex", 0);
    groups[focused].focus();
  }

  function paint(size) {
    const chosen = named();
    groups.forEach((group, position) => {
      const player = shown().player_of[position], known = player >= 0, selected = known && player === chosen;
      const at = known ? 3 * Math.round(255 * Math.min(1, Math.max(0, share(value(player), [-size, size])))) : -1;
      const rgb = known ? [table[at], table[at + 1], table[at + 2]] : [255, 255, 255];
      const dark = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] < 128;
      group.querySelectorAll("[data-box]").forEach(box => {
        box.setAttribute("fill", `rgb(${rgb})`);
        box.setAttribute("stroke-width", selected ? 3.5 : 1);
      });
      const ink = dark ? "#fff" : state.gates[position].inside ? "#000" : "#777";
      group.querySelectorAll("[data-text]").forEach(text => text.setAttribute("fill", ink));
      group.setAttribute("aria-pressed", String(selected));
      group.setAttribute("aria-label", known ? `${about(position)}, relevance ${short(value(player))}`
        : `${about(position)}, no relevance`);
    });
  }

  function rank(size) {
    const one = shown(), order = Array.from(one.players.keys()).sort((a, b) => Math.abs(value(b)) - Math.abs(value(a)));
    const line = player => {
      const long = 120 * Math.abs(value(player)) / size, spread = one.error
        ? ` ± ${short(one.error[row() * one.players.length + player])}` : "";
      const name = one.players[player];
      return element("tr", { "data-player": name }, element("td", {}, element("button", { type: "button",
        "aria-pressed": String(player === named()), onclick: () => put("selection", player === named() ? "" : name) },
      name)), element("td", {}, short(value(player)) + spread), element("td", {}, element("span", {
        style: `display:inline-block;height:10px;width:${long.toFixed(1)}px;`
          + `background:${value(player) < 0 ? "#2166ac" : "#b2182b"}` })));
    };
    listing.replaceChildren(element("caption", {}, "relevances by size"), ...order.slice(0, 24).map(line));
  }

  function tell() {
    const one = shown(), total = one.output[row()] - one.reference[row()], chosen = named();
    const whole = `f = ${short(one.output[row()])}, reference ${short(one.reference[row()])}, `
      + `sum of relevances minus difference ${short(one.gap[row()], 2)}`;
    const point = state.points ? ` x = (${state.points[row()].map(v => short(v)).join(", ")});` : "";
    if (chosen < 0) {
      told.textContent = `Sample ${row()}:${point} ${whole}. Click a gate for its relevance.`;
      return;
    }
    const part = Math.abs(total) > 1e-12 ? `, ${short(100 * value(chosen) / total)} % of f - reference` : "";
    const count = one.player_of.filter(player => player === chosen).length;
    told.textContent = `${one.players[chosen]}: relevance ${short(value(chosen))}${part}`
      + ` (${count} ${count === 1 ? "gate" : "gates"}); sample ${row()}:${point} ${whole}.`;
  }

  function update() {
    // one scale for all samples, so that the slider shows changes
    const size = shown().values.reduce((most, v) => Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most, 0) || 1;
    chooser.value = String(model.get("explanation"));
    slider.value = String(row());
    root.dataset.selection = model.get("selection");
    root.dataset.sample = String(row());
    root.dataset.explanation = String(model.get("explanation"));
    paint(size);
    rank(size);
    tell();
  }

  for (const name of ["selection", "sample", "explanation"]) model.on(`change:${name}`, update);
  update();
}

export default { render };

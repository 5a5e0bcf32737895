// Curves under the slider. They are drawn when what they show changes; the hand of the clock moves over them.

const ALLOWANCE = { "°": 20, m: 0.2 };

function pixels(canvas) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2), width = canvas.clientWidth, height = canvas.clientHeight;
  const size = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))], pen = canvas.getContext("2d");
  // A canvas that is given its size anew, even the same one, makes the browser lay out the page again.
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return [pen, width, height];
}

function niceStep(span, most) {
  const rough = span / most, power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
}

function clock(seconds, digits) {
  if (seconds < 99.995) return `${seconds.toFixed(digits)}`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
}

function makeCurves(data, holder) {
  const names = [...new Set(data.curves.map((curve) => curve.panel))];
  const panels = names.map((name) => {
    const row = document.createElement("div"), label = document.createElement("div"), canvas = document.createElement("canvas");
    row.className = "panel"; label.className = "name";
    const title = document.createElement("b");
    const curves = data.curves.map((curve, number) => ({ ...curve, number })).filter((curve) => curve.panel === name);
    title.textContent = `${name} (${curves[0].unit})`;
    label.append(title);
    for (const curve of curves) {
      curve.output = document.createElement("output");
      curve.output.className = curve.side;
      label.append(curve.output);
    }
    row.append(label, canvas);
    holder.append(row);
    return { name, curves, canvas, unit: curves[0].unit };
  });
  const axis = document.createElement("canvas"), hand = document.createElement("div");
  axis.id = "axis"; hand.id = "head";
  holder.append(axis, hand);
  const view = { from: data.start, to: Math.max(data.end, data.start + 1e-3), person: data.people[0] || null, width: 1 };

  // Sorting thousands of numbers a panel costs more than drawing it: what was found is kept, of somebody who goes on for a second.
  function limits(panel) {
    const known = panel.limits, now = performance.now();
    if (known && known.person === view.person && (!data.live || now - known.at < 1000)) return known.range;
    panel.limits = { person: view.person, at: now, range: findLimits(panel) };
    return panel.limits.range;
  }

  function findLimits(panel) {
    const seen = [];
    if (view.person) for (const curve of panel.curves) {
      const values = view.person.curves[curve.number], stride = Math.max(1, Math.floor(values.length / 4000));
      for (let i = 0; i < values.length; i += stride) if (Number.isFinite(values[i])) seen.push(values[i]);
    }
    let [low, high] = rangeOf(Float32Array.from(seen), 0.002);
    if (panel.unit === "°" || low < 0.3) low = Math.min(low, 0);
    return [low, Math.max(high, low + ALLOWANCE[panel.unit])];
  }

  function drawCurve(pen, values, valid, wanted, x, y, width) {
    const times = view.person.time, person = view.person;
    let i = Math.max(0, frameBefore(times, view.from) - 1), open = false;
    const last = Math.min(person.frames - 1, frameBefore(times, view.to) + 1);
    pen.beginPath();
    if (last - i < 2 * width) {
      for (; i <= last; i++) {
        const good = values[i] === values[i], here = good && valid[i] === wanted, gap = i > 0 && times[i] - times[i - 1] > Math.max(0.5, 3 * person.usual);
        if (gap) open = false;
        // Faint stretches reach to the sure frames around them, so that no hole opens between both.
        const joins = !wanted && good && ((i + 1 <= last && !valid[i + 1]) || (i > 0 && !valid[i - 1]));
        if (!here && !joins) { open = false; continue; }
        if (open) pen.lineTo(x(times[i]), y(values[i])); else pen.moveTo(x(times[i]), y(values[i]));
        open = true;
      }
    } else {
      pen.globalAlpha *= 0.7;
      // More frames than pixels: what lies between lowest and highest in each column.
      let column = -1, low = 0, high = 0;
      for (; i <= last; i++) {
        if (values[i] !== values[i] || valid[i] !== wanted) { continue; }
        const here = Math.floor(x(times[i]));
        if (here !== column) {
          if (column >= 0) { pen.moveTo(column + 0.5, y(low)); pen.lineTo(column + 0.5, y(high) - 1); }
          // From where the last column ended, so that neighbours touch.
          const touches = column === here - 1;
          low = touches ? Math.min(values[i], values[i - 1] ?? values[i]) : values[i];
          high = touches ? Math.max(values[i], values[i - 1] ?? values[i]) : values[i];
          if (low !== low) low = high = values[i];
          column = here;
        }
        if (values[i] < low) low = values[i];
        if (values[i] > high) high = values[i];
      }
      if (column >= 0) { pen.moveTo(column + 0.5, y(low)); pen.lineTo(column + 0.5, y(high) - 1); }
    }
    pen.stroke();
  }

  function drawPanel(panel) {
    const [pen, width, height] = pixels(panel.canvas), [low, high] = limits(panel), step = niceStep(high - low, 3);
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    view.width = width;
    const x = (time) => (time - view.from) / (view.to - view.from) * width;
    const y = (value) => height - 6 - (value - low) / (high - low) * (height - 14);
    pen.font = "11px system-ui, sans-serif"; pen.fillStyle = "#8b8f97"; pen.strokeStyle = "#ecece7"; pen.lineWidth = 1;
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      const at = Math.round(y(value)) + 0.5;
      pen.beginPath(); pen.moveTo(0, at); pen.lineTo(width, at); pen.stroke();
      // Rounding away the sign of a zero.
      pen.fillText(`${(+value.toFixed(digits) + 0).toFixed(digits)}${panel.unit === "°" ? "°" : " m"}`, 3, Math.max(10, at - 3));
    }
    pen.lineJoin = "round";
    if (view.person) for (const curve of panel.curves) {
      pen.strokeStyle = data.colours[curve.side];
      for (const wanted of [0, 1]) {
        pen.globalAlpha = wanted ? 0.95 : 0.3;
        pen.lineWidth = wanted ? 1.5 : 1.2;
        drawCurve(pen, view.person.curves[curve.number], view.person.curveValid[curve.number], wanted, x, y, width);
      }
    }
    pen.globalAlpha = 1;
  }

  function drawAxis() {
    const [pen, width] = pixels(axis), span = view.to - view.from, step = niceStep(span, Math.max(2, Math.min(10, width / 80)));
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    pen.font = "11px system-ui, sans-serif"; pen.fillStyle = "#666b75"; pen.strokeStyle = "#bdbdb5";
    for (let time = Math.ceil(view.from / step - 1e-6) * step; time <= view.to + 1e-9; time += step) {
      const at = (time - view.from) / span * width;
      pen.beginPath(); pen.moveTo(at, 0); pen.lineTo(at, 5); pen.stroke();
      pen.textAlign = at < 12 ? "left" : at > width - 24 ? "right" : "center";
      pen.fillText(clock(time, digits) + (time < 99.995 ? " s" : ""), at, 17);
    }
  }

  function draw() {
    for (const panel of panels) drawPanel(panel);
    drawAxis();
  }

  // The hand moves with every frame; the numbers beside the curves are text, for which the browser lays out the page.
  let handAt = -1;
  function moveTo(time) {
    const share = (time - view.from) / (view.to - view.from);
    const at = Math.round(Math.min(1, Math.max(0, share)) * (view.width - 1));
    if (at !== handAt) { hand.style.transform = `translateX(${at}px)`; handAt = at; }
  }

  function say() {
    const i = view.person ? view.person.at : -1;
    for (const panel of panels)
      for (const curve of panel.curves) {
        const value = i < 0 ? NaN : view.person.curves[curve.number][i];
        const said = `${curve.side === "right" ? "R" : "L"} ${value === value ? value.toFixed(panel.unit === "m" ? 2 : 0) + (panel.unit === "m" ? " m" : "°") : "–"}`;
        if (curve.said !== said) { curve.output.textContent = said; curve.said = said; }
      }
  }

  function timeAt(event) {
    const box = axis.getBoundingClientRect();
    return view.from + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (view.to - view.from);
  }

  return { view, panels, draw, moveTo, say, timeAt };
}

// The last frame at or before a time, 0 where there is none.
function frameBefore(times, time) {
  let low = 0, high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= time) low = middle; else high = middle - 1;
  }
  return low;
}

// People who move right now: frames come from the server that this page is from (hyperlift/live/events.py says what they
// hold), and the page shows how old what it shows is.

const ROOM = 4800, MEASURED_S = 4, SAY_EVERY_MS = 400, REDRAW_EVERY_MS = 100, PATH_EVERY_MS = 500, AWAY_S = 3;

// Somebody whose arrays grow: what the rest of the page sees are views of the part that is filled.
function newcomer(id, data) {
  const joints = data.joints.length, curves = data.curves.length;
  const room = {
    frame: new Int32Array(ROOM), time: new Float64Array(ROOM), places: new Float32Array(ROOM * joints * 3), valid: new Uint8Array(ROOM * joints),
    curves: Array.from({ length: curves }, () => new Float32Array(ROOM)), curveValid: Array.from({ length: curves }, () => new Uint8Array(ROOM)),
  };
  return {
    id, name: `p${id}`, colour: data.tags[id % data.tags.length], frames: 0, shown: true, at: -1, room, places: room.places, valid: room.valid,
    frame: room.frame.subarray(0, 0), time: room.time.subarray(0, 0), curves: [], curveValid: [], usual: 0.04, start: 0, end: 0, pathAt: -Infinity,
  };
}

// The oldest quarter makes room.
function makeRoom(person, joints) {
  const gone = ROOM >> 2, room = person.room;
  for (const array of [room.frame, room.time, ...room.curves, ...room.curveValid]) array.copyWithin(0, gone);
  room.places.copyWithin(0, gone * joints * 3);
  room.valid.copyWithin(0, gone * joints);
  person.frames -= gone;
  person.at = Math.max(-1, person.at - gone);
  person.pathAt = -Infinity;
}

function append(person, data, frame, sent) {
  const joints = data.joints.length, room = person.room;
  if (person.frames === ROOM) makeRoom(person, joints);
  const i = person.frames++;
  room.frame[i] = frame.index;
  room.time[i] = frame.time_s;
  for (let k = 0; k < 3 * joints; k++) room.places[3 * joints * i + k] = sent.joints[k] === null ? NaN : sent.joints[k] * data.steps.place_m;
  for (let joint = 0; joint < joints; joint++) room.valid[joints * i + joint] = Math.floor(sent.valid / 2 ** joint) % 2;
  data.curves.forEach((curve, number) => {
    room.curves[number][i] = sent.curves[number] === null ? NaN : sent.curves[number] * curve.step;
    room.curveValid[number][i] = curve.joints.every((joint) => room.valid[joints * i + joint]) ? 1 : 0;
  });
  const frames = person.frames, filled = (array) => array.subarray(0, frames);
  person.frame = filled(room.frame); person.time = filled(room.time);
  person.curves = room.curves.map(filled); person.curveValid = room.curveValid.map(filled);
  if (i) person.usual += 0.1 * (Math.min(0.5, room.time[i] - room.time[i - 1]) - person.usual);
  person.start = room.time[0]; person.end = room.time[i];
}

const middleOf = (numbers, share = 0.5) => [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(share * numbers.length))];

function makeLive(data, state, view, page) {
  const people = data.people, live = { ended: false, frames: 0, dropped: 0, floor: "provisional", offset_ms: NaN, doubt_ms: Infinity, samples: [], lost: false };
  let newest = null, drawn = null, redrawn = 0, said = 0, firstSeen = null, fitted = -1, touched = false;

  // The server's clock less the page's: from the quickest of some answers, whose two ways differ by no more than their sum.
  async function askClock() {
    let best = Infinity, offset = NaN;
    for (let round = 0; round < 8; round++) {
      const asked = performance.now(), answer = await (await fetch("/clock" + location.search, { cache: "no-store" })).json(), came = performance.now();
      if (came - asked < best) { best = came - asked; offset = answer.now_ms - (asked + came) / 2; }
    }
    live.offset_ms = offset; live.doubt_ms = best / 2;
  }

  function take(frame) {
    for (const sent of frame.people) {
      let person = people.find((one) => one.id === sent.id);
      if (!person) { person = newcomer(sent.id, data); append(person, data, frame, sent); page.enter(person); firstSeen ??= frame.time_s; }
      else append(person, data, frame, sent);
    }
    data.end = frame.time_s;
    data.start = Math.max(0, frame.time_s - data.live.kept_s);
    for (const person of people.filter((one) => one.end < data.start)) page.leave(person);
    live.frames++; live.dropped = frame.dropped; live.floor = frame.floor;
  }

  // Floor and view follow the people for as long as nobody has turned the view.
  function fit() {
    if (firstSeen === null) return;
    const due = [0, 1, 3, 8].filter((wait) => data.end - firstSeen >= wait).length;
    const off = people.some((person) => person.end === data.end && view.isOffFloor(person));
    if (due <= fitted && !off) return;
    fitted = due;
    view.renewFloor();
    if (!touched) view.reset(false);
  }

  function after() {
    for (const person of people)
      if (performance.now() - person.pathAt > PATH_EVERY_MS) { person.pathAt = performance.now(); person.look.path.renew(); }
    fit();
    // The curves go over to somebody who is there, unless somebody was picked.
    if (!state.picked && state.chosen && data.end - state.chosen.end > AWAY_S) {
      const there = people.find((person) => person.end === data.end);
      if (there) page.choose(there);
    }
    page.setSlider();
    if (state.live) page.setTime(data.end);
    if (performance.now() - redrawn > REDRAW_EVERY_MS) { redrawn = performance.now(); state.redraw = true; }
    state.dirty = true;
  }

  live.begin = () => {
    const button = Object.assign(document.createElement("button"), { id: "live", type: "button", textContent: "Live", title: "Show what happens now" });
    button.setAttribute("aria-pressed", "true");
    by("on").after(button);
    by("latency").hidden = false;
    by("play").classList.add("playing");
    by("play").setAttribute("aria-label", "Pause");
    button.onclick = () => { if (!live.ended) page.setLive(true); };
    view.controls.addEventListener("start", () => { touched = true; });
    by("reset").addEventListener("click", () => { touched = false; });
    by("summary").textContent = "waiting for the first frame";
    askClock().catch(() => {});
    setInterval(() => { if (!live.ended && !live.lost) askClock().catch(() => {}); }, 15000);
    const source = new EventSource("/events" + location.search);
    source.addEventListener("past", (event) => {
      // After a lost connection the past comes again, whole.
      for (const person of [...people]) page.leave(person);
      live.lost = false; firstSeen = null; fitted = -1;
      for (const frame of JSON.parse(event.data).frames) take(frame);
      if (data.end) after();
    });
    source.addEventListener("frame", (event) => {
      const received = performance.now();
      take(newest = JSON.parse(event.data));
      newest.received = received;
      after();
    });
    source.addEventListener("picture", (event) => {
      if (!state.live) return;
      by("film").hidden = by("shot").hidden = false;
      by("video").hidden = true;
      by("shot").src = `data:image/jpeg;base64,${JSON.parse(event.data).jpeg}`;
    });
    source.addEventListener("end", (event) => {
      live.ended = true;
      by("live").disabled = true;
      source.close();
      say(JSON.parse(event.data).reason);
      state.redraw = true;
      if (state.live) page.setLive(false);
    });
    source.onerror = () => { live.lost = true; say("The server does not answer; it may have been stopped."); };
  };

  // Called after a frame was drawn, and before the next is: by then the browser has handed the picture on.
  live.drawn = () => { if (newest && state.live && !drawn) { drawn = newest; newest = null; } };
  live.beforeFrame = (now) => {
    if (drawn) {
      if (Number.isFinite(live.offset_ms)) {
        const [captured, begun, detected, complete, , sent] = drawn.course, received = drawn.received + live.offset_ms, shown = now + live.offset_ms;
        live.samples.push({ index: drawn.index, at: now, shown_ms: shown, total: shown - captured,
          parts: [begun - captured, detected - begun, complete - detected, sent - complete, received - sent, shown - received] });
      }
      drawn = null;
    }
    while (live.samples.length && now - live.samples[0].at > 1000 * MEASURED_S) live.samples.shift();
    if (now - said > SAY_EVERY_MS && !live.ended && !live.lost) { said = now; say(""); }
  };

  function say(instead) {
    if (live.frames) by("summary").textContent = `${people.filter((person) => person.end === data.end).length} in the picture · ${live.frames} frames${live.floor === "provisional" ? " · floor: provisional, until somebody has stood for a moment" : ""}`;
    const samples = live.samples, line = by("latency");
    if (instead) { line.textContent = instead; return; }
    if (samples.length < 2) { line.textContent = state.live ? "" : "looking back"; return; }
    const total = samples.map((sample) => sample.total), rate = 1000 * (samples.length - 1) / (samples.at(-1).at - samples[0].at);
    const parts = ["waits", "detection", "look-ahead", "lift", "way", "drawing"].map((name, k) => `${name} ${middleOf(samples.map((sample) => sample.parts[k])).toFixed(0)}`);
    const strong = document.createElement("b");
    strong.textContent = `${middleOf(total).toFixed(0)} ms`;
    line.replaceChildren(strong, ` from picture to screen (95 %: ${middleOf(total, 0.95).toFixed(0)}, known to ± ${Math.max(1, live.doubt_ms).toFixed(0)}): ${parts.join(" + ")} · ${rate.toFixed(1)} frames/s · ${live.dropped} dropped`);
  }
  return live;
}

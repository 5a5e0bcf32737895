// Time, buttons, the video, and the loop that draws when something changed.

const SAY_WHILE_PLAYING_MS = 80;

const by = (id) => document.getElementById(id);

function fail(message) {
  by("failure").textContent = message;
  by("failure").hidden = false;
}

async function begin() {
  if (typeof DecompressionStream === "undefined")
    return fail("This browser is too old for this page: it needs Chrome or Edge 80, Safari 16.4, Firefox 113, or later.");
  const data = await load(), people = data.people;
  let view;
  try {
    view = makeScene(data, by("view"));
  } catch (error) {
    return fail(`This browser cannot draw in 3D (${error.message}); WebGL 2 may be switched off.`);
  }
  const curves = makeCurves(data, by("curves")), slider = by("slider"), video = by("video");
  const state = { time: data.start, playing: false, live: Boolean(data.live), speed: 1, follow: false, dirty: true, redraw: true, chosen: people[0] || null, film: false };
  const cost = { frames: 0, script_ms: 0, draw_ms: 0, each: null };
  const duration = () => data.end - data.start;

  if (people.length) by("summary").textContent = summary();
  function summary() {
    const frames = Math.max(...people.map((person) => person.frame[person.frames - 1])) - Math.min(...people.map((person) => person.frame[0])) + 1;
    return `${people.length} ${people.length === 1 ? "person" : "people"} · ${frames} frames · ${clock(duration(), 1)}${duration() < 99.995 ? " s" : " min"}`
      + (data.fps ? ` · ${+data.fps.toFixed(2)} frames/s` : "");
  }
  for (const [name, sentence] of data.facts) {
    const term = document.createElement("dt"), said = document.createElement("dd");
    term.textContent = name; said.textContent = sentence;
    by("facts").append(term, said);
  }
  function setSlider() { slider.min = data.start; slider.max = Math.max(data.end, data.start + 1e-3); }
  setSlider(); slider.value = data.start;

  // People.
  function addChip(person) {
    const chip = document.createElement("button"), option = document.createElement("option");
    chip.type = "button"; chip.textContent = person.name; chip.style.setProperty("--colour", person.colour);
    chip.setAttribute("aria-pressed", "true"); chip.title = `Show or hide ${person.name}`;
    chip.onclick = () => {
      person.shown = !person.shown;
      chip.setAttribute("aria-pressed", String(person.shown));
      state.dirty = state.redraw = true;
    };
    option.textContent = person.name;
    by("people").append(chip);
    by("whose").append(option);
    Object.assign(person, { chip, option });
  }
  people.forEach(addChip);

  // Somebody comes or goes while the page is open.
  function enter(person) {
    people.push(person);
    addChip(person);
    view.add(person);
    if (!state.chosen) choose(person);
  }
  function leave(person) {
    people.splice(people.indexOf(person), 1);
    person.chip.remove(); person.option.remove();
    view.remove(person);
    if (state.chosen === person) choose(people[0] || null);
  }
  function choose(person) {
    state.chosen = curves.view.person = person;
    by("whose").selectedIndex = people.indexOf(person);
    state.dirty = state.redraw = true;
  }
  by("whose").onchange = () => { state.picked = true; choose(people[by("whose").selectedIndex]); };
  if (data.live || duration() > 30) { by("span").value = "10"; setSpan(); }
  by("span").onchange = () => { setSpan(); state.dirty = state.redraw = true; };
  by("follow").onclick = () => {
    state.follow = !state.follow;
    by("follow").setAttribute("aria-pressed", String(state.follow));
    state.dirty = true;
  };
  by("reset").onclick = () => { view.reset(false); state.dirty = true; };
  by("top").onclick = () => { view.reset(true); state.dirty = true; };

  // The part of time that the curves show; it turns over like a page when the time leaves it.
  function setSpan() {
    const span = Number(by("span").value), shown = curves.view;
    if (!span || (!data.live && span >= duration())) { shown.from = data.start; shown.to = Math.max(data.end, data.start + 1e-3); return; }
    const from = data.live ? 0 : data.start;  // what is live loses its beginning, and pages must stay
    shown.from = from + Math.floor((state.time - from) / span) * span;
    shown.to = shown.from + span;
  }

  function setTime(time) {
    state.time = Math.min(data.end, Math.max(data.start, time));
    state.dirty = true;
    if (state.time < curves.view.from || state.time > curves.view.to) { setSpan(); state.redraw = true; }
  }

  // Live, the page stays at the end, where new frames come.
  function setLive(live) {
    state.live = live;
    by("live").setAttribute("aria-pressed", String(live));
    if (live) setTime(data.end);
    setPlaying(false);
  }

  function setPlaying(playing) {
    if (playing && state.time >= data.end - 1e-6) setTime(data.start);
    state.playing = playing;
    by("play").classList.toggle("playing", playing || state.live);
    by("play").setAttribute("aria-label", playing || state.live ? "Pause" : "Play");
    if (state.film) {
      if (playing) { seekFilm(); video.play().catch(() => {}); } else { video.pause(); seekFilm(); }
    }
    state.dirty = true;
  }

  // The user goes to a time: what was live stands still.
  function go(time) {
    if (state.live) setLive(false);
    setTime(time);
    seekFilm();
  }

  function toggle() {
    if (state.live) setLive(false); else setPlaying(!state.playing);
  }

  function step(direction) {
    if (state.live) setLive(false); else setPlaying(false);
    if (!state.chosen) return;
    const person = state.chosen, i = frameBefore(person.time, state.time + 1e-6);
    if (state.time < person.start - 1e-6 || state.time > person.end + 1e-6) setTime(state.time + direction * person.usual);
    else setTime(i + direction < 0 || i + direction >= person.frames ? state.time + direction * person.usual : person.time[i + direction]);
    seekFilm();
  }

  slider.oninput = () => { sliderAt = slider.valueAsNumber; go(sliderAt); };
  by("play").onclick = toggle;
  by("back").onclick = () => step(-1);
  by("on").onclick = () => step(1);
  by("speed").onchange = () => { state.speed = Number(by("speed").value); video.playbackRate = state.speed; };
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("select, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); toggle(); }
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") { event.preventDefault(); step(event.key === "ArrowLeft" ? -1 : 1); }
  });
  for (const canvas of by("curves").querySelectorAll("canvas")) {
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      go(curves.timeAt(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) go(curves.timeAt(event));
    });
  }

  // The video keeps the page's time: it is sought when paused, and while it plays the page leans on its clock.
  function seekFilm() {
    if (!state.film) return;
    const wanted = Math.min(state.time + 1e-3, video.duration || 0);
    if (!video.seeking && Math.abs(video.currentTime - wanted) > 2e-3) video.currentTime = wanted;
  }
  if (data.video) {
    by("film").hidden = false;
    const note = (said) => { by("film-note").textContent = said; by("film-note").hidden = !said; };
    note(data.video.note || "");
    video.width = data.video.size[0]; video.height = data.video.size[1];
    video.onloadedmetadata = () => { state.film = true; video.playbackRate = state.speed; seekFilm(); if (state.playing) video.play().catch(() => {}); };
    video.onseeked = () => { if (!state.playing) seekFilm(); };
    video.onerror = () => {
      state.film = false;
      note(data.video.address ? `${data.video.name} could not be played: it belongs at ${decodeURIComponent(data.video.address)} beside this page, in a format that this browser knows.`
        : `This browser cannot play ${data.video.name}; H.264 in an mp4 always works.`);
    };
    video.src = data.video.address || URL.createObjectURL(new Blob([bytesOf(text("video-data"))], { type: data.video.kind }));
    by("video-data").remove();
  }

  function drawPresence() {
    const [pen, width, height] = pixels(by("presence")), rows = Math.min(people.length, 6), each = Math.min(4, height / rows);
    people.forEach((person, number) => {
      const x = (time) => Math.max(0, time - data.start) / Math.max(duration(), 1e-3) * width;
      pen.fillStyle = person.colour;
      pen.globalAlpha = person.shown ? 0.9 : 0.2;
      pen.fillRect(x(person.start), (number % rows) * each, Math.max(1.5, x(person.end) - x(person.start)), Math.max(1, each - 1));
    });
    pen.globalAlpha = 1;
    const shown = curves.view;
    if (shown.to - shown.from < duration()) {
      pen.strokeStyle = "#20242b";
      pen.strokeRect((shown.from - data.start) / duration() * width + 0.5, 0.5, (shown.to - shown.from) / duration() * width - 1, height - 1);
    }
  }

  const narrow = window.matchMedia("(max-width: 46rem)");
  let shownTime = "";
  function say() {
    const person = state.chosen, said = `${clock(state.time, 2)} / ${clock(data.end, 2)}${data.end >= 99.995 ? "" : " s"}` + (!person || person.at < 0 ? "" : `${narrow.matches ? "\n" : "   "}frame ${person.frame[person.at]}`);
    if (said !== shownTime) { by("now").textContent = said; shownTime = said; }
    for (let i = 0; i < people.length; i++) {
      const away = people[i].at < 0;
      if (people[i].away !== away) { people[i].away = away; people[i].chip.classList.toggle("away", away); }
    }
  }

  let before = 0, saidAt = -Infinity, sliderAt = NaN;
  function tick(now) {
    requestAnimationFrame(tick);
    const passed = Math.min(0.25, (now - before) / 1000);
    before = now;
    const begun = performance.now();
    if (live) live.beforeFrame(begun);
    if (state.playing) {
      let time = state.time + passed * state.speed;
      if (state.film && !video.paused && !video.seeking && !video.ended) {
        const apart = video.currentTime - time;
        if (Math.abs(apart) < 0.5) time += 0.1 * apart; else if (state.time < video.duration) video.currentTime = time;
      }
      setTime(time);
      if (state.time >= data.end) if (live && !live.ended) setLive(true); else setPlaying(false);
    }
    if (controlsMoved()) state.dirty = true;
    if (!state.dirty) return;
    state.dirty = false;
    for (let i = 0; i < people.length; i++) people[i].at = frameAt(people[i], state.time);
    if (state.follow && state.chosen) view.follow(state.chosen);
    view.show(state.time);
    if (state.redraw) { state.redraw = false; curves.draw(); drawPresence(); }
    curves.moveTo(state.time);
    // Nobody reads numbers that change sixty times a second, or sees a knob move by less than half a pixel.
    const still = !state.playing && !state.live;
    if (!(Math.abs(sliderAt - state.time) <= (still ? 1e-6 : 0.5 * duration() / curves.view.width))) slider.value = sliderAt = state.time;
    if (still || begun - saidAt > SAY_WHILE_PLAYING_MS) { saidAt = begun; curves.say(); say(); }
    const middle = performance.now();
    view.draw();
    const end = performance.now();
    cost.frames++; cost.script_ms += middle - begun; cost.draw_ms += end - middle;
    if (cost.each) cost.each.push([middle - begun, end - middle]);
    if (live) live.drawn();
  }
  let moved = true;
  view.controls.addEventListener("change", () => { moved = true; });
  function controlsMoved() { const was = moved; moved = false; return was; }

  function resized() { view.resize(); state.dirty = state.redraw = true; }
  view.resize();
  view.reset(false);
  new ResizeObserver(resized).observe(by("space"));
  new ResizeObserver(resized).observe(by("curves"));
  // For whoever drives the page from a script.
  const live = data.live ? makeLive(data, state, view, { enter, leave, choose, setTime, setLive, setSlider }) : null;
  window.hyperlift = { data, state, cost, setTime: go, setPlaying, setLive, view, curves, live };
  if (live) live.begin();
  requestAnimationFrame(tick);
}

begin().catch((error) => fail(`This page is damaged: ${error.message}`));

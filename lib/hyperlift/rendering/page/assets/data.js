// The page's data: hyperlift/viewer/packing.py says how they are packed.

const text = (id) => document.getElementById(id).textContent;

function bytesOf(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Channel by channel, [channels × frames].
async function unpack(packed) {
  const kind = { uint8: Uint8Array, int16: Int16Array, int32: Int32Array }[packed.dtype];
  const bytes = await inflate(bytesOf(packed.data));
  const size = kind.BYTES_PER_ELEMENT, total = bytes.length / size, frames = packed.shape[0];
  const values = new kind(total);
  for (let plane = 0; plane < size; plane++) {
    const from = plane * total, shift = 8 * plane;
    for (let i = 0; i < total; i++) values[i] |= bytes[from + i] << shift;
  }
  // Sums wrap around in the type, as the differences did.
  for (let i = 0; i < total; i++) if (i % frames) values[i] += values[i - 1];
  return values;
}

async function personOf(packed, data) {
  const frames = packed.frame.shape[0], joints = data.joints.length, curves = data.curves.length;
  const [frame, time, anchor, local, bits, curve] = await Promise.all(
    ["frame", "time", "anchor", "joints", "valid", "curves"].map((name) => unpack(packed[name])));
  const person = {
    id: packed.id, name: `p${packed.id}`, colour: packed.colour, frames, shown: true, at: -1,
    frame,
    time: Float64Array.from(time, (steps) => steps * data.steps.time_s),
    places: new Float32Array(frames * joints * 3),
    valid: new Uint8Array(frames * joints),
    curves: [], curveValid: [], usual: 0,
  };
  const missing = data.missing.int16, step = data.steps.place_m;
  for (let channel = 0; channel < joints * 3; channel++) {
    const axis = channel % 3;
    for (let i = 0; i < frames; i++) {
      const value = local[channel * frames + i];
      person.places[i * joints * 3 + channel] = value === missing ? NaN : (value + anchor[axis * frames + i]) * step;
    }
  }
  for (let joint = 0; joint < joints; joint++)
    for (let i = 0; i < frames; i++)
      person.valid[i * joints + joint] = (bits[(joint >> 3) * frames + i] >> (joint & 7)) & 1;
  for (let number = 0; number < curves; number++) {
    const values = new Float32Array(frames), valid = new Uint8Array(frames);
    for (let i = 0; i < frames; i++) {
      const value = curve[number * frames + i];
      values[i] = value === missing ? NaN : value * data.curves[number].step;
      valid[i] = data.curves[number].joints.every((joint) => person.valid[i * joints + joint]) ? 1 : 0;
    }
    person.curves.push(values);
    person.curveValid.push(valid);
  }
  const gaps = Float64Array.from({ length: frames - 1 }, (_, i) => person.time[i + 1] - person.time[i]).sort();
  person.usual = frames > 1 ? gaps[gaps.length >> 1] : 1 / (data.fps || 25);
  person.start = person.time[0];
  person.end = person.time[frames - 1];
  return person;
}

// The frame that is on at a time, -1 where the person is not there; frames last until the next.
function frameAt(person, time) {
  const times = person.time, t = time + 1e-6;
  if (t < person.start || t > person.end + 1.5 * person.usual) return -1;
  let low = 0, high = person.frames - 1;
  if (person.at >= 0 && times[person.at] <= t) low = person.at;
  if (low + 2 <= high && times[low + 2] > t) high = low + 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= t) low = middle; else high = middle - 1;
  }
  return t - times[low] > Math.max(0.5, 3 * person.usual) ? -1 : low;
}

async function load() {
  const data = JSON.parse(text("data"));
  if (data.live) return Object.assign(data, { people: [], start: 0, end: 0 });
  data.people = await Promise.all(data.people.map((person) => personOf(person, data)));
  data.start = Math.min(...data.people.map((person) => person.start));
  data.end = Math.max(...data.people.map((person) => person.end));
  return data;
}

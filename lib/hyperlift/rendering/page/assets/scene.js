// The 3D view: z up, metres. Every frame writes into arrays that were made once.

const PAPER = 0xfbfbf9, TRUNK_RADIUS = 0.034, LIMB_RADIUS = 0.027, HEAD_RADIUS = 0.06;
const MOST_LIVE = 24;  // people drawn at a time while more may come

function rangeOf(values, share) {
  values.sort();
  return values.length ? [values[Math.floor(share * (values.length - 1))], values[Math.ceil((1 - share) * (values.length - 1))]] : [0, 0];
}

// What the people cover, without the wildest 1 % of places.
function extentOf(data) {
  if (!data.people.length) return [[-2, 2], [1, 5], [0, 1.8]];
  return [0, 1, 2].map((axis) => {
    const seen = [];
    for (const person of data.people) {
      const stride = Math.max(1, Math.floor(person.frames / 4000));
      for (let i = 0; i < person.frames; i += stride) {
        const value = person.places[(i * data.joints.length + data.root) * 3 + axis];
        if (Number.isFinite(value)) seen.push(value);
      }
    }
    return rangeOf(Float32Array.from(seen), 0.01);
  });
}

function floorOf(extent) {
  const far = 150, [x, y] = extent.slice(0, 2).map(([low, high]) =>
    [Math.max(Math.floor(low - 0.8), Math.floor((low + high) / 2) - far), Math.min(Math.ceil(high + 0.8), Math.ceil((low + high) / 2) + far)]);
  const points = [];
  for (let i = x[0]; i <= x[1]; i++) points.push(i, y[0], 0, i, y[1], 0);
  for (let i = y[0]; i <= y[1]; i++) points.push(x[0], i, 0, x[1], i, 0);
  const lines = new THREE.BufferGeometry();
  lines.setAttribute("position", new THREE.BufferAttribute(new Float32Array(points), 3));
  const grid = new THREE.LineSegments(lines, new THREE.LineBasicMaterial({ color: 0xd3d3cb }));
  const plane = new THREE.Mesh(new THREE.PlaneGeometry(x[1] - x[0], y[1] - y[0]),
    new THREE.MeshBasicMaterial({ color: 0xf1f1ec, side: THREE.DoubleSide, polygonOffset: true, polygonOffsetFactor: 2, polygonOffsetUnits: 2 }));
  plane.position.set((x[0] + x[1]) / 2, (y[0] + y[1]) / 2, -0.004);
  return [plane, grid];
}

function dispose(scene, meshes) {
  for (const mesh of meshes) { scene.remove(mesh); mesh.geometry.dispose(); mesh.material.dispose(); }
}

// Frames at which the hips have moved on by a step; the step is such that a long walk has no more than a few thousand.
function waypoints(person, data) {
  const joints = data.joints.length, most = 800;
  let chosen = [], step = 0.02;
  for (;;) {
    chosen = [];
    let px = Infinity, py = Infinity, seenBefore = false;
    for (let i = 0; i < person.frames; i++) {
      const at = (i * joints + data.root) * 3, x = person.places[at], y = person.places[at + 1], seen = x === x && y === y;
      if (seen && (!seenBefore || Math.hypot(x - px, y - py) >= step)) {
        chosen.push({ frame: i, x, y, joined: seenBefore });
        px = x; py = y;
      }
      seenBefore = seen;
    }
    if (chosen.length <= most || step > 1e3) return chosen;
    step *= 1.6;
  }
}

// The path of the hips on the floor as a strip; upTo[i] is how much of it is behind frame i.
function pathOf(person, data) {
  const half = 0.022, points = waypoints(person, data);
  const vertices = new Float32Array(points.length * 6), index = [], upTo = new Uint32Array(person.frames);
  let nx = 0, ny = 1;
  points.forEach((point, i) => {
    // Square to the direction from the point before to the point after.
    const from = point.joined ? points[i - 1] : point, to = points[i + 1]?.joined ? points[i + 1] : point;
    const dx = to.x - from.x, dy = to.y - from.y, length = Math.hypot(dx, dy);
    if (length > 0) { nx = -dy / length; ny = dx / length; }
    vertices.set([point.x + nx * half, point.y + ny * half, 0, point.x - nx * half, point.y - ny * half, 0], i * 6);
    if (point.joined) index.push(2 * i - 2, 2 * i - 1, 2 * i, 2 * i, 2 * i - 1, 2 * i + 1);
    const until = i + 1 < points.length ? points[i + 1].frame : person.frames;
    upTo.fill(index.length, point.frame, until);
  });
  return { vertices, index: new Uint32Array(index), upTo };
}

// Ribbons for what is behind and what is ahead, which know their person's path.
function ribbonsOf(person, data) {
  const ribbon = (opacity, height) => {
    const mesh = new THREE.Mesh(new THREE.BufferGeometry(), new THREE.MeshBasicMaterial({
      color: person.colour, transparent: true, opacity, side: THREE.DoubleSide, depthWrite: false }));
    mesh.position.z = height;
    mesh.frustumCulled = false;
    return mesh;
  };
  const ribbons = { ahead: ribbon(0.25, 0.004), behind: ribbon(0.8, 0.006), upTo: new Uint32Array(1) };
  // The path anew, for somebody who goes on.
  ribbons.renew = () => {
    const { vertices, index, upTo } = pathOf(person, data);
    const position = new THREE.BufferAttribute(vertices, 3), order = new THREE.BufferAttribute(index, 1);
    ribbons.upTo = upTo;
    for (const mesh of [ribbons.ahead, ribbons.behind]) {
      mesh.geometry.dispose();
      mesh.geometry = new THREE.BufferGeometry();
      mesh.geometry.setAttribute("position", position);
      mesh.geometry.setIndex(order);
    }
  };
  if (person.frames) ribbons.renew();
  return ribbons;
}

function tagOf(person) {
  const canvas = document.createElement("canvas");
  canvas.width = 160; canvas.height = 80;
  const pen = canvas.getContext("2d");
  pen.fillStyle = person.colour;
  pen.beginPath(); pen.roundRect(20, 12, 120, 56, 28); pen.fill();
  pen.fillStyle = "#fff"; pen.font = "600 38px system-ui, sans-serif"; pen.textAlign = "center"; pen.textBaseline = "middle";
  pen.fillText(person.name, 80, 42);
  const texture = new THREE.CanvasTexture(canvas);
  texture.colorSpace = THREE.SRGBColorSpace;
  const tag = new THREE.Sprite(new THREE.SpriteMaterial({ map: texture, sizeAttenuation: false, depthTest: false, transparent: true }));
  tag.renderOrder = 5;
  return tag;
}

// Many copies of one shape, of which the first `count` are drawn.
function crowd(geometry, material, most) {
  const mesh = new THREE.InstancedMesh(geometry, material, most);
  mesh.instanceMatrix.setUsage(THREE.DynamicDrawUsage);
  mesh.instanceColor = new THREE.InstancedBufferAttribute(new Float32Array(most * 3), 3);
  mesh.instanceColor.setUsage(THREE.DynamicDrawUsage);
  mesh.frustumCulled = false;
  mesh.count = 0;
  for (let i = 0; i < most; i++) mesh.instanceMatrix.array[16 * i + 15] = 1;
  return mesh;
}

function paint(mesh, colour) {
  const to = mesh.instanceColor.array, at = 3 * mesh.count;
  to[at] = colour.r; to[at + 1] = colour.g; to[at + 2] = colour.b;
  mesh.count++;
}

function addBall(mesh, x, y, z, radius, colour) {
  const to = mesh.instanceMatrix.array, at = 16 * mesh.count;
  to[at] = radius; to[at + 5] = radius; to[at + 10] = radius;
  to[at + 12] = x; to[at + 13] = y; to[at + 14] = z;
  paint(mesh, colour);
}

function addRod(mesh, ax, ay, az, bx, by, bz, radius, colour) {
  const dx = bx - ax, dy = by - ay, dz = bz - az, length = Math.sqrt(dx * dx + dy * dy + dz * dz);
  if (length < 1e-6) return;
  // Two directions square to the rod, from the axis that it is least along.
  const ux = dx / length, uy = dy / length, uz = dz / length;
  let px, py, pz;
  if (Math.abs(uz) < 0.8) { px = uy; py = -ux; pz = 0; } else { px = 0; py = uz; pz = -uy; }
  const scale = radius / Math.sqrt(px * px + py * py + pz * pz);
  px *= scale; py *= scale; pz *= scale;
  const to = mesh.instanceMatrix.array, at = 16 * mesh.count;
  to[at] = px; to[at + 1] = py; to[at + 2] = pz;
  to[at + 4] = dx; to[at + 5] = dy; to[at + 6] = dz;
  to[at + 8] = py * uz - pz * uy; to[at + 9] = pz * ux - px * uz; to[at + 10] = px * uy - py * ux;
  to[at + 12] = (ax + bx) / 2; to[at + 13] = (ay + by) / 2; to[at + 14] = (az + bz) / 2;
  paint(mesh, colour);
}

function makeScene(data, canvas) {
  const renderer = new THREE.WebGLRenderer({ canvas, antialias: true });
  const scene = new THREE.Scene();
  scene.background = new THREE.Color(PAPER);
  scene.add(new THREE.HemisphereLight(0xffffff, 0xe6e2dc, 3.0));
  const sun = new THREE.DirectionalLight(0xffffff, 0.9);
  sun.position.set(-2, -3, 6);
  scene.add(sun);
  let extent = extentOf(data), floor = floorOf(extent);
  scene.add(...floor);

  const joints = data.joints.length, people = data.people, head = data.joints.indexOf("Head"), neck = data.joints.indexOf("Nose");
  const most = data.live ? MOST_LIVE : people.length;
  const rod = new THREE.CylinderGeometry(1, 1, 1, 10, 1, true), ball = new THREE.SphereGeometry(1, 10, 7);
  const solid = () => new THREE.MeshLambertMaterial();
  const thin = () => new THREE.MeshLambertMaterial({ transparent: true, opacity: 0.22, depthWrite: false });
  const rods = [thin(), solid()].map((material) => crowd(rod, material, most * data.bones.length));
  const balls = [thin(), solid()].map((material) => crowd(ball, material, most * joints));
  const shade = crowd(new THREE.CircleGeometry(1, 28), new THREE.MeshBasicMaterial({ transparent: true, opacity: 0.1, depthWrite: false }), most);
  const crowds = [...rods, ...balls, shade];
  scene.add(...crowds);
  const black = new THREE.Color(0x000000), side = { right: new THREE.Color(data.colours.right), left: new THREE.Color(data.colours.left) };
  const bones = data.bones.map(([from, to, where]) => ({
    from, to, colour: side[where] || null,
    radius: from === neck && to === head ? HEAD_RADIUS : where === "trunk" ? TRUNK_RADIUS : LIMB_RADIUS }));
  const jointColour = data.joints.map(() => null), jointRadius = data.joints.map(() => TRUNK_RADIUS);
  for (const bone of bones) { jointColour[bone.to] = bone.colour; jointRadius[bone.to] = bone.colour ? LIMB_RADIUS * 1.2 : TRUNK_RADIUS; }
  if (head >= 0 && neck >= 0) jointRadius[head] = jointRadius[neck] = HEAD_RADIUS;
  let tagSize = [0.1, 0.05];
  function add(person) {
    const own = new THREE.Color(person.colour), path = ribbonsOf(person, data), tag = tagOf(person);
    person.look = { own, path, tag };
    tag.scale.set(...tagSize, 1);
    scene.add(path.ahead, path.behind, tag);
  }
  function remove(person) {
    const { path, tag } = person.look;
    dispose(scene, [path.ahead, path.behind]);
    tag.material.map.dispose(); tag.material.dispose();
    scene.remove(tag);
  }
  people.forEach(add);

  const camera = new THREE.PerspectiveCamera(36, 1, 0.05, 4000);
  camera.up.set(0, 0, 1);
  const controls = new THREE.OrbitControls(camera, canvas);
  controls.maxPolarAngle = Math.PI * 0.52;
  controls.minDistance = 0.5;
  controls.maxDistance = 1500;
  controls.zoomToCursor = true;
  const target = new THREE.Vector3();

  // Where people are from floor to head, at some of their frames, without the wildest places.
  function bodies() {
    const points = [], inside = (value, axis) => value >= extent[axis][0] - 0.3 && value <= extent[axis][1] + 0.3;
    for (const person of people) {
      const stride = Math.max(1, Math.floor(person.frames / 150));
      for (let i = 0; i < person.frames; i += stride) {
        const at = 3 * (i * joints + data.root), x = person.places[at], y = person.places[at + 1], z = person.places[at + 2];
        if (inside(x, 0) && inside(y, 1) && inside(z, 2))
          for (const height of [0, z + 1.0]) points.push(new THREE.Vector3(x, y, height));
      }
    }
    return points.length ? points : [new THREE.Vector3(), new THREE.Vector3(0, 0, 1.9)];
  }

  // The floor under everybody as they are now.
  function renewFloor() {
    extent = extentOf(data);
    dispose(scene, floor);
    floor = floorOf(extent);
    scene.add(...floor);
  }

  // Whether somebody is off the floor that is drawn.
  function isOffFloor(person) {
    const at = 3 * ((person.frames - 1) * joints + data.root);
    return [0, 1].some((axis) => person.places[at + axis] < extent[axis][0] - 0.8 || person.places[at + axis] > extent[axis][1] + 0.8);
  }

  // The nearest place from which everybody's whole path is seen, from the direction that the page names.
  function reset(above) {
    const azimuth = above ? 0 : (data.azimuth_deg ?? 35) * Math.PI / 180, raised = above ? Math.PI / 2 - 0.001 : 16 * Math.PI / 180;
    const points = bodies(), middle = new THREE.Vector3(), point = new THREE.Vector3(), right = new THREE.Vector3(), up = new THREE.Vector3();
    for (const one of points) middle.add(one);
    middle.multiplyScalar(1 / points.length);
    const seen = (away) => {
      camera.position.set(Math.cos(raised) * Math.sin(azimuth), -Math.cos(raised) * Math.cos(azimuth), Math.sin(raised))
        .multiplyScalar(away).add(middle);
      camera.lookAt(middle);
      camera.updateMatrixWorld();
      const range = [Infinity, Infinity, -Infinity, -Infinity, -Infinity];
      for (const one of points) {
        point.copy(one).project(camera);
        range[0] = Math.min(range[0], point.x); range[1] = Math.min(range[1], point.y);
        range[2] = Math.max(range[2], point.x); range[3] = Math.max(range[3], point.y); range[4] = Math.max(range[4], point.z);
      }
      return range;
    };
    let away = 10;
    for (let round = 0; round < 5; round++) {
      let near = 2.5, far = 2000;
      for (let i = 0; i < 30; i++) {
        away = Math.sqrt(near * far);
        const [left, low, most, high, deep] = seen(away);
        // Room for the tags and buttons above and below.
        if (deep < 1 && most - left < 1.6 && high - low < 1.35) far = away; else near = away;
      }
      away = far;
      const [left, low, most, high] = seen(away), half = away * Math.tan(camera.fov * Math.PI / 360);
      camera.matrixWorld.extractBasis(right, up, point);
      middle.addScaledVector(right, (left + most) / 2 * half * camera.aspect).addScaledVector(up, (low + high + 0.1) / 2 * half);
    }
    seen(away);
    controls.target.copy(middle);
    controls.update();
  }

  function resize() {
    const width = canvas.parentElement.clientWidth, height = canvas.parentElement.clientHeight;
    if (!width || !height) return;
    renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    tagSize = [38 / height, 19 / height];
    for (const person of people) person.look.tag.scale.set(...tagSize, 1);
  }

  function addPerson(number) {
    const person = people[number], { own, tag } = person.look, i = person.at, places = person.places, first = i * joints;
    for (let b = 0; b < bones.length; b++) {
      const bone = bones[b], from = 3 * (first + bone.from), to = 3 * (first + bone.to);
      const ax = places[from], bx = places[to];
      if (ax !== ax || bx !== bx) continue;
      const sure = person.valid[first + bone.from] & person.valid[first + bone.to];
      addRod(rods[sure], ax, places[from + 1], places[from + 2], bx, places[to + 1], places[to + 2], bone.radius, bone.colour || own);
    }
    let top = -Infinity, x = 0, y = 0;
    for (let joint = 0; joint < joints; joint++) {
      const at = 3 * (first + joint), px = places[at], pz = places[at + 2];
      if (px !== px) continue;
      addBall(balls[person.valid[first + joint]], px, places[at + 1], pz, jointRadius[joint], jointColour[joint] || own);
      if (pz > top) { top = pz; x = px; y = places[at + 1]; }
    }
    const root = 3 * (first + data.root);
    if (places[root] === places[root]) addBall(shade, places[root], places[root + 1], 0.002, 0.3, black);
    tag.visible = top > -Infinity;
    tag.position.set(x, y, top + 0.24);
  }

  // Everybody at the frames in person.at.
  function show(time) {
    for (let c = 0; c < crowds.length; c++) crowds[c].count = 0;
    for (let number = 0; number < people.length; number++) {
      const person = people[number], path = person.look.path, there = number < most && person.shown && person.at >= 0;
      path.ahead.visible = path.behind.visible = person.shown;
      person.look.tag.visible = false;
      const behind = Math.min(path.upTo.length - 1, frameBefore(person.time, time + 1e-6));
      path.behind.geometry.drawRange.count = time < person.start ? 0 : path.upTo[behind];
      path.ahead.geometry.drawRange.start = path.behind.geometry.drawRange.count;
      if (there) addPerson(number);
    }
    for (let c = 0; c < crowds.length; c++) {
      crowds[c].instanceMatrix.needsUpdate = true;
      crowds[c].instanceColor.needsUpdate = true;
    }
  }

  // Moves eye and target along with a person.
  function follow(person) {
    if (person.at < 0) return;
    const at = 3 * (person.at * joints + data.root);
    if (person.places[at] !== person.places[at]) return;
    target.set(person.places[at] - controls.target.x, person.places[at + 1] - controls.target.y, 0);
    controls.target.add(target);
    camera.position.add(target);
    controls.update();
  }

  return { controls, camera, renderer, resize, reset, add, remove, renewFloor, isOffFloor, show, follow, draw: () => renderer.render(scene, camera) };
}

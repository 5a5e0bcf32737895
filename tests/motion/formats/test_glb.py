import json
import struct
import warnings

import numpy as np
import pytest
from rigid_people import moving_person, times_s
from scipy.spatial.transform import Rotation

from hyperlift.body.rigid_fit import FittedMotion, fit_motion
from hyperlift.motion.formats.glb import write_glb
from hyperlift.motion.formats.node_tree import joints_y_up_m
from hyperlift.skeletons.joint_sets import H36M_17

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pygltflib

_COLUMNS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_TYPES = {5126: "<f4", 5121: "<u1", 5123: "<u2"}


def _person(frames: int = 30) -> FittedMotion:
    joints_m, _ = moving_person(frames, 2)
    joints_m[:, H36M_17.index("LWrist")] += 0.02
    return fit_motion(joints_m, times_s(frames) + 5.0, axes="world")


def _values(gltf: "pygltflib.GLTF2", number: int) -> np.ndarray:
    accessor = gltf.accessors[number]
    view = gltf.bufferViews[accessor.bufferView]
    columns = _COLUMNS[accessor.type]
    start = view.byteOffset + (accessor.byteOffset or 0)
    flat = np.frombuffer(gltf.binary_blob(), _TYPES[accessor.componentType], accessor.count * columns, start)
    return flat.reshape(accessor.count, columns)


def _played(gltf: "pygltflib.GLTF2", frame: int) -> np.ndarray:
    """World matrix of every node at a key frame, from the file alone."""
    local = {}
    for number, node in enumerate(gltf.nodes):
        moved = {"translation": node.translation or [0, 0, 0], "rotation": node.rotation or [0, 0, 0, 1]}
        for channel in gltf.animations[0].channels:
            if channel.target.node == number:
                sampler = gltf.animations[0].samplers[channel.sampler]
                moved[channel.target.path] = _values(gltf, sampler.output)[frame]
        local[number] = np.eye(4)
        local[number][:3, :3] = Rotation.from_quat(moved["rotation"]).as_matrix()
        local[number][:3, 3] = moved["translation"]
    world = np.tile(np.eye(4), (len(gltf.nodes), 1, 1))

    def visit(number: int, above: np.ndarray) -> None:
        world[number] = above @ local[number]
        for child in gltf.nodes[number].children or []:
            visit(child, world[number])

    for root in gltf.scenes[gltf.scene].nodes:
        visit(root, np.eye(4))
    return world


@pytest.mark.parametrize("naming", ["plain", "mixamo"])
def test_the_file_played_by_its_own_numbers_gives_our_joints(tmp_path, naming):
    fitted = _person()
    write_glb(tmp_path / "person.glb", fitted, naming=naming)
    gltf = pygltflib.GLTF2().load(str(tmp_path / "person.glb"))
    names = [node.name for node in gltf.nodes]
    ours = {"LWrist": "mixamorig:LeftHand", "RAnkle": "mixamorig:RightFoot", "Nose": "mixamorig:Head"}
    joints = H36M_17.joints if naming == "plain" else tuple(ours)
    for frame in range(30):
        world = _played(gltf, frame)
        for joint in joints:
            place = world[names.index(joint if naming == "plain" else ours[joint]), :3, 3]
            truth = joints_y_up_m(fitted)[frame, H36M_17.index(joint)]
            np.testing.assert_allclose(place, truth, atol=1e-5)
    times = _values(gltf, gltf.animations[0].samplers[0].input)
    np.testing.assert_allclose(times[:, 0], times_s(30), atol=1e-6)
    assert gltf.asset.extras["unit"] == "metre"
    assert gltf.asset.extras["up"] == "+Y"
    assert gltf.asset.extras["naming"] == naming


def test_the_sticks_follow_their_nodes(tmp_path):
    fitted = _person()
    write_glb(tmp_path / "person.glb", fitted)
    gltf = pygltflib.GLTF2().load(str(tmp_path / "person.glb"))
    skin = gltf.skins[0]
    bind = _values(gltf, skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
    world = _played(gltf, 12)
    places = []
    for primitive in gltf.meshes[0].primitives:
        corners = _values(gltf, primitive.attributes.POSITION)
        carriers = _values(gltf, primitive.attributes.JOINTS_0)[:, 0]
        matrices = world[np.array(skin.joints)[carriers]] @ bind[carriers]
        places.append((matrices @ np.c_[corners, np.ones(len(corners))][..., None])[:, :3, 0])
        normals = _values(gltf, primitive.attributes.NORMAL)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)
    places = np.concatenate(places)
    for joint in H36M_17.joints:
        nearest = np.linalg.norm(places - joints_y_up_m(fitted)[12, H36M_17.index(joint)], axis=-1).min()
        assert nearest < 1e-4, joint


def test_faces_look_outward(tmp_path):
    write_glb(tmp_path / "person.glb", _person(2))
    gltf = pygltflib.GLTF2().load(str(tmp_path / "person.glb"))
    for primitive in gltf.meshes[0].primitives:
        corners = _values(gltf, primitive.attributes.POSITION).reshape(-1, 8, 3, 3)  # eight faces a stick
        normals = _values(gltf, primitive.attributes.NORMAL).reshape(-1, 8, 3, 3)[:, :, 0]
        outward = corners.mean(2) - corners.mean((1, 2))[:, None]
        assert ((normals * outward).sum(-1) > 0).all()


def test_the_file_keeps_to_the_container(tmp_path):
    write_glb(tmp_path / "person.glb", _person(3))
    data = (tmp_path / "person.glb").read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    assert size % 4 == 0
    document = json.loads(data[20 : 20 + size])
    binary, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0"
    assert binary == document["buffers"][0]["byteLength"] == len(data) - 28 - size
    for view in document["bufferViews"]:
        assert view["byteOffset"] % 4 == 0
        assert view["byteOffset"] + view["byteLength"] <= binary


def test_quaternions_take_the_short_way(tmp_path):
    write_glb(tmp_path / "person.glb", _person(200))
    gltf = pygltflib.GLTF2().load(str(tmp_path / "person.glb"))
    for channel in gltf.animations[0].channels:
        if channel.target.path == "rotation":
            quaternions = _values(gltf, gltf.animations[0].samplers[channel.sampler].output)
            assert ((quaternions[1:] * quaternions[:-1]).sum(-1) > 0).all()
            np.testing.assert_allclose(np.linalg.norm(quaternions, axis=-1), 1.0, atol=1e-6)

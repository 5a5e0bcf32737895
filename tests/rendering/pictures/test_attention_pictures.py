import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from hyperlift.models.attention_maps import AttentionMaps
from hyperlift.rendering.pictures.attention import (
    clip_figure,
    draw_hyperedge_heat,
    draw_joint_heat,
    draw_links,
    edge_colour,
    hyperedge_names,
    standing,
)
from hyperlift.skeletons.hypergraph import Hypergraph
from hyperlift.skeletons.joint_sets import COCO_17, H36M_17, MPI_INF_3DHP_17
from hyperlift.skeletons.skeleton import Skeleton

PARTITION = (0, 1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 4, 4, 4, 5, 5, 5)


@pytest.fixture
def axes():
    return Figure(figsize=(4, 4)).subplots()


def test_hyperedges_are_named_by_their_joints_and_soft_ones_with_shares():
    joint_mean = Hypergraph.from_labels(PARTITION, H36M_17).joint_mean
    assert hyperedge_names(joint_mean, H36M_17)[1] == "1: RHip, RKnee, RAnkle"
    toy = Skeleton(name="toy", joints=("A", "B", "C"), parent_of={"B": "A", "C": "A"})
    soft = np.array([[0.9, 0.1], [0.3, 0.7], [0.0, 1.0]])
    assert hyperedge_names(soft, toy) == ["0: A 90%, B 30%", "1: C, B 70%"]


def test_the_darkest_field_is_where_attention_goes(axes):
    heat = np.full((17, 17), 0.02)
    looks, at = H36M_17.index("LWrist"), H36M_17.index("Nose")
    heat[looks, at] = 0.68
    draw_joint_heat(axes, heat, H36M_17)
    (image,) = axes.get_images()
    shown = np.asarray(image.get_array())
    row, column = np.unravel_index(shown.argmax(), shown.shape)
    assert axes.get_yticklabels()[row].get_text() == "LWrist"
    assert axes.get_xticklabels()[column].get_text() == "Nose"
    assert shown.max() == pytest.approx(68)
    assert image.get_clim() == (0, pytest.approx(68))


def test_blocks_hold_the_joints_of_their_hyperedge(axes):
    incidence = Hypergraph.from_labels(PARTITION, H36M_17).joint_mean
    draw_hyperedge_heat(axes, np.full((17, 17), 1 / 17), incidence, H36M_17)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:3] == ["Pelvis", "Spine", "Thorax"]
    frames = [patch for patch in axes.patches if not patch.get_fill()]
    assert [round(frame.get_width()) for frame in frames] == [3, 3, 3, 2, 3, 3]
    assert to_rgb(frames[1].get_edgecolor()) == to_rgb(edge_colour(1))
    (image,) = axes.get_images()
    assert image.get_clim()[1] == pytest.approx(200 / 17)  # no preference is the middle of the scale


def test_the_strongest_link_runs_between_its_joints(axes):
    heat = np.full((17, 17), 0.01)
    heat[H36M_17.index("RKnee"), H36M_17.index("RAnkle")] = 0.5
    draw_links(axes, heat, Hypergraph.from_labels(PARTITION, H36M_17).joint_mean, H36M_17)
    FigureCanvasAgg(axes.figure).draw()
    texts = {text.get_text() for text in axes.texts}
    assert "strongest: RKnee → RAnkle, 50.0% (even: 5.9%)" in texts
    assert {"RKnee", "RAnkle"} <= texts


@pytest.mark.parametrize("skeleton", [H36M_17, COCO_17, MPI_INF_3DHP_17], ids=lambda skeleton: skeleton.name)
def test_the_standing_figure_is_symmetric_and_knows_every_joint(skeleton):
    places = standing(skeleton)
    assert np.allclose(places[skeleton.mirror], places * [-1, 1])
    assert len({tuple(place) for place in places.tolist()}) == len(skeleton)
    assert places[skeleton.index("LWrist"), 0] > 0  # it faces the viewer
    assert places[skeleton.index("LAnkle"), 1] < places[skeleton.index("LKnee"), 1]


def test_the_clip_is_shown_as_it_was_seen():
    incidence = Hypergraph.from_labels(PARTITION, H36M_17).joint_mean
    even = np.full((1, 1, 1, 17, 17), 1 / 17)
    maps = AttentionMaps(
        skeleton=H36M_17,
        layers=(0,),
        heads=(0,),
        tokens=(0,),
        frames_per_token=1,
        spatial=even,
        hyperedge=even[:, None],
        hypergraph_of=np.zeros((1, 1), int),
        temporal=np.full((1, 1, 17, 1, 50), 1 / 50),
        incidence=(incidence[None],),
    )
    pose2d = np.ones((50, 17, 3))
    pose2d[..., :2] = standing(H36M_17) * [1, -1]  # pictures have y down
    pose2d[49, H36M_17.index("LWrist"), 2] = 0.1
    figure = clip_figure(pose2d, maps, fps=25.0, most=3)
    assert [axes.get_title() for axes in figure.axes] == ["frame 0, 0.0 s", "frame 24, 1.0 s", "frame 49, 2.0 s"]
    last = figure.axes[-1]
    assert last.yaxis_inverted()
    (dots,) = [c for c in last.collections if len(c.get_offsets()) == 17]
    colours = dots.get_facecolors()
    assert tuple(colours[H36M_17.index("RKnee")][:3]) == pytest.approx(to_rgb(edge_colour(1)))
    assert tuple(colours[H36M_17.index("LWrist")][:3]) == (1, 1, 1)
    one = clip_figure(pose2d[:1], maps, fps=25.0)
    assert len(one.axes) == 1

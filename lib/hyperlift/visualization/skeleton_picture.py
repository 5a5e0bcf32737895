"""One picture of a moment: the 2D keypoints on the left, the 3D skeletons on the right."""

from collections.abc import Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from hyperlift.shapes import Float
from hyperlift.skeletons import H36M_17
from hyperlift.visualization.stage import StagedPerson, floor_lines, project
from hyperlift.visualization.video_files import Picture

RIGHT, LEFT, TRUNK = "#e4572e", "#2e86de", "#3d4451"
_PAPER, _GRID, _FAINT, _INK, _DARK = "#fbfbf9", "#d5d5cf", "#8b8b93", "#3d4451", "#20242b"
_PAINTED = {"right": RIGHT, "left": LEFT, "trunk": TRUNK}
_ON_PICTURE = {"right": RIGHT, "left": LEFT, "trunk": "#f4f4f0"}
_BONE_PT, _RIM_PT, _HIDDEN_ALPHA = 3.4, 5.4, 0.3
_INNER = np.array([[0.8, 0.2], [0.2, 0.8]])
"""A bone without its ends."""
_LABEL_ROOM_M = 0.25
_DPI = 100


def bone_sides() -> list[str]:
    """``right``, ``left`` or ``trunk`` for every bone, in the order of ``H36M_17.bones``."""
    side_of = {joint: side for right, left in H36M_17.pairs for joint, side in ((right, "right"), (left, "left"))}
    return [side_of.get(child, "trunk") for _, child in H36M_17.bones]


class SkeletonCanvas:
    """Draws moments of one recording onto pictures of one size; what stands still is drawn once."""

    def __init__(
        self,
        people: Sequence[StagedPerson],
        video_width: int,
        video_height: int,
        fps: float,
        picture_height: int = 480,
    ) -> None:
        """Prepare the panels.

        Args:
            people: everybody in the recording, on the stage.
            video_width: of the recording in pixels.
            video_height: of the recording in pixels.
            fps: of the recording, for the clock.
            picture_height: of what is drawn, even, in pixels. The width follows from the video's shape.
        """
        self._people, self._fps = people, fps
        self._row_of = [{int(frame): row for row, frame in enumerate(person.frame)} for person in people]
        lanes = 1 + max((person.lane for person in people), default=0)
        self._video_size = video_width, video_height
        panel = int(np.clip(picture_height * video_width / video_height, picture_height * 0.55, picture_height * 1.78))
        stage = int(picture_height * min(1.25 + 0.3 * (lanes - 1), 2.0))
        self.width, self.height = (panel + stage) // 2 * 2, picture_height // 2 * 2
        self.panel_width = panel
        # The video fits into its panel with its own shape.
        scale = min(panel / video_width, self.height / video_height)
        self.video_shown = max(2, round(video_width * scale)), max(2, round(video_height * scale))
        self._corner = (panel - self.video_shown[0]) // 2, (self.height - self.video_shown[1]) // 2
        self._scale = scale
        self._place_stage(lanes)
        self._draw_still_life(lanes)

    def draw(self, frame: int, video_picture: Picture | None = None) -> Picture:
        """Draw one frame.

        Args:
            frame: number of the frame in the recording.
            video_picture: that frame of the video, of the size ``video_shown``; None draws on a dark ground.
        """
        self._canvas.restore_region(self._still_life)
        if video_picture is not None:
            self._show(video_picture)
        present = [(p, rows[frame]) for p, rows in zip(self._people, self._row_of, strict=True) if frame in rows]
        self._draw_keypoints(present)
        self._draw_poses(present)
        self._clock.set_text(f"frame {frame}   {frame / self._fps:.2f} s")
        self._figure.draw_artist(self._clock)
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()

    def _place_stage(self, lanes: int) -> None:
        """Scale and shift that fit everybody's reach into the stage panel, the same in every frame."""
        floor = project(floor_lines(lanes))[..., :2].reshape(-1, 2)
        reach = [project(person.joints_m)[..., :2].reshape(-1, 2) for person in self._people]
        # A single wild frame must not make everybody small.
        tall = [np.percentile(points, [1, 99], axis=0) for points in reach if len(points)]
        corners = np.concatenate([floor, *tall])
        low, high = corners.min(0), corners.max(0) + np.array([0, _LABEL_ROOM_M])
        room = np.array([self.width - self.panel_width - 24, self.height - 70])
        self._px_per_m = float((room / (high - low)).min())
        middle = np.array([self.panel_width + 12 + room[0] / 2, 22 + room[1] / 2])
        self._stage_shift = middle - self._px_per_m * (low + high) / 2

    def _on_stage(self, points_m: Float[np.ndarray, "*any 3"]) -> Float[np.ndarray, "*any 3"]:
        """Stage metres to figure pixels (y up) and the distance from the viewer."""
        view = project(points_m)
        return np.concatenate([view[..., :2] * self._px_per_m + self._stage_shift, view[..., 2:]], axis=-1)

    def _on_panel(self, points_px: Float[np.ndarray, "*any 2"]) -> Float[np.ndarray, "*any 2"]:
        """Video pixels (y down) to figure pixels (y up)."""
        shown = points_px * self._scale + self._corner
        return np.stack([shown[..., 0], self.height - shown[..., 1]], axis=-1)

    def _draw_still_life(self, lanes: int) -> None:
        figure = Figure(figsize=(self.width / _DPI, self.height / _DPI), dpi=_DPI, facecolor=_PAPER)
        self._figure, self._canvas = figure, FigureCanvasAgg(figure)
        panel = np.array([[0, 0], [self.panel_width, 0], [self.panel_width, self.height], [0, self.height]])
        figure.add_artist(Polygon(panel, facecolor=_DARK, transform=None))
        grid = self._on_stage(floor_lines(lanes))[..., :2]
        figure.add_artist(LineCollection(list(grid), colors=_GRID, linewidths=0.9, transform=None))
        for number, (name, colour) in enumerate((("right", RIGHT), ("left", LEFT))):
            x, y = self.panel_width + 16 + 74 * number, self.height - 20
            figure.add_artist(Line2D([x, x + 20], [y, y], color=colour, linewidth=_BONE_PT, transform=None))
            figure.text(x + 26, y, name, color=_INK, fontsize=9, va="center", transform=None)
        figure.text(
            self.width - 14,
            12,
            "poses only: everybody on a spot of their own, the path through space is not recovered",
            color=_FAINT,
            fontsize=7,
            ha="right",
            va="center",
            transform=None,
        )
        self._canvas.draw()
        self._still_life = self._canvas.copy_from_bbox(figure.bbox)
        self._clock = figure.text(
            self.width - 14,
            self.height - 20,
            "",
            color=_INK,
            fontsize=9,
            ha="right",
            va="center",
            transform=None,
        )
        self._lines = figure.add_artist(LineCollection([], capstyle="round", transform=None))
        self._dots = Line2D([], [], linestyle="", marker="o", transform=None)
        figure.add_artist(self._dots)
        self._label = figure.text(0, 0, "", fontsize=8, ha="center", va="bottom", transform=None)

    def _show(self, video_picture: Picture) -> None:
        width, height = self.video_shown
        assert video_picture.shape == (height, width, 3), "the video picture has another size than video_shown"
        opaque = np.full((height, width, 4), 255, np.uint8)
        opaque[..., :3] = video_picture[::-1]
        renderer = self._canvas.get_renderer()
        renderer.draw_image(renderer.new_gc(), self._corner[0], self.height - self._corner[1] - height, opaque)

    def _draw_keypoints(self, present: list[tuple[StagedPerson, int]]) -> None:
        parents, children = np.array(H36M_17.bones).T
        sides = bone_sides()
        segments, colours, dots = [], [], []
        for person, row in present:
            if person.keypoints_px is None:
                continue
            points = self._on_panel(person.keypoints_px[row, :, :2])
            segment = np.stack([points[parents], points[children]], axis=1)
            seen = np.asarray(np.isfinite(segment.reshape(-1, 4)).all(1))
            segments += list(segment[seen])
            colours += [_ON_PICTURE[side] for side, shown in zip(sides, seen, strict=True) if shown]
            dots.append(points[np.isfinite(points).all(-1)])
        self._stroke(segments, colours, 2.0)
        if dots:
            self._dots.set_data(*np.concatenate(dots).T)
            self._dots.set(markersize=3.2, markerfacecolor="white", markeredgecolor=_DARK, markeredgewidth=0.5)
            self._figure.draw_artist(self._dots)
        for person, row in present:
            if person.keypoints_px is not None:
                self._name(person.id, self._on_panel(person.keypoints_px[row, :, :2]), "white")

    def _draw_poses(self, present: list[tuple[StagedPerson, int]]) -> None:
        parents, children = np.array(H36M_17.bones).T
        sides = bone_sides()
        bones: list[tuple[float, np.ndarray, str, bool]] = []
        for person, row in present:
            points = self._on_stage(person.joints_m[row])
            segment = np.stack([points[parents, :2], points[children, :2]], axis=1)
            distance = (points[parents, 2] + points[children, 2]) / 2
            sure = person.valid[row, parents] & person.valid[row, children]
            bones += [
                (float(d), s, _PAINTED[side], bool(v))
                for d, s, side, v in zip(distance, segment, sides, sure, strict=True)
            ]
        self._stroke([self._shadow(person, row) for person, row in present], [_GRID], 2.5)
        bones.sort(key=lambda bone: -bone[0])
        # Each bone carries a rim in the paper's colour, so the nearer one visibly passes in front; the rim
        # ends before the joints, where it would cut the next bone.
        segments = [part for bone in bones for part in (_INNER @ bone[1], bone[1])]
        colours = [colour for bone in bones for colour in ((_PAPER, 0.9), (bone[2], 1.0 if bone[3] else _HIDDEN_ALPHA))]
        self._stroke(segments, colours, [_RIM_PT, _BONE_PT] * len(bones))
        for person, row in present:
            self._name(person.id, self._on_stage(person.joints_m[row])[:, :2], _INK)

    def _shadow(self, person: StagedPerson, row: int) -> Float[np.ndarray, "corners 2"]:
        """A ring under the hips ties the person to the floor."""
        angle = np.linspace(0, 2 * np.pi, 25)
        root = person.joints_m[row, H36M_17.root]
        ring = np.stack([root[0] + 0.28 * np.cos(angle), root[1] + 0.28 * np.sin(angle), 0 * angle], axis=-1)
        return self._on_stage(ring)[:, :2]

    def _stroke(self, segments: list, colours: list, widths: float | list[float]) -> None:
        if segments:
            self._lines.set(segments=segments, colors=colours, linewidths=widths)
            self._figure.draw_artist(self._lines)

    def _name(self, number: int, points: Float[np.ndarray, "joints 2"], colour: str) -> None:
        seen = points[np.isfinite(points).all(-1)]
        if len(seen):
            top = seen[seen[:, 1].argmax()]
            self._label.set(text=f"p{number}", position=(top[0], top[1] + 8), color=colour)
            self._figure.draw_artist(self._label)

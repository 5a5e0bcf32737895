"""Picture of one frame: 2D keypoints on the left, 3D skeletons on the right."""

import numpy as np

from hyperlift.body.person import Person
from hyperlift.rendering.pictures.brush import Brush, rgba
from hyperlift.rendering.pictures.scene_view import Floor, SceneView
from hyperlift.rendering.staging import Staged
from hyperlift.shapes import Bool, Float, Shaped
from hyperlift.skeletons.joint_sets import H36M_17
from hyperlift.video.facts import Picture

RIGHT, LEFT, TRUNK = "#e4572e", "#2e86de", "#3d4451"
TAGS = ("#6c4fb5", "#1f8a5b", "#b8741a", "#b03a7a", "#28808f", "#6b6f1d")
"""Colours of the tags of people, by id."""
_PAPER, _FLOOR, _GRID, _SHADOW, _PLUMB = "#fbfbf9", "#f2f2ed", "#d8d8d1", "#d3d3cc", "#b4b4ac"
_FAINT, _INK, _DARK = "#75757d", "#3d4451", "#20242b"
_SIDE_COLOUR = {"right": RIGHT, "left": LEFT, "trunk": TRUNK}
_ON_PICTURE = {"right": RIGHT, "left": LEFT, "trunk": "#f4f4f0"}
DEFAULT_AREA_PX = 1280 * 720
"""Default number of pixels of a picture. Chosen: HD."""
FAINT_OPACITY = 0.28
"""Opacity of bones with an end that is not valid."""
_BONE_M, _HEAD_M, _SHADOW_M = 0.055, 0.15, 0.075
_BONE_WIDTHS_PX = (2.5, 9.0)
"""Smallest and largest width of a bone at a picture height of 720."""
_RIM_PX = 1.5
"""Width of the rim of a bone at a picture height of 720."""
_INNER = np.array([[0.8, 0.2], [0.2, 0.8]])
"""Weights that shorten a bone at both ends, for its rim."""
_IN_THE_AIR_M = 0.3
"""A person whose lowest joint is higher than this gets a plumb line. Chosen: above a hop or an error of the floor."""
_TRAIL_S, _TRAIL_POINTS = 2.0, 16
"""Length of a trail in seconds and in points."""
_ON_FLOOR = np.array([1.0, 1.0, 0.0])
"""Factors that project a point vertically to the floor."""
_Strokes = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Arguments of ``Brush.strokes``: segments, colours and widths."""
_PARENTS, _CHILDREN = np.array(H36M_17.bones).T
_HEAD_BONE = H36M_17.bones.index((H36M_17.index("Nose"), H36M_17.index("Head")))


def bone_sides() -> list[str]:
    """``right``, ``left`` or ``trunk`` for every bone, in the order of ``H36M_17.bones``."""
    side_of = {joint: side for right, left in H36M_17.pairs for joint, side in ((right, "right"), (left, "left"))}
    return [side_of.get(child, "trunk") for _, child in H36M_17.bones]


def tag_colour(number: int) -> str:
    """The colour of the tag of a person."""
    return TAGS[number % len(TAGS)]


class SkeletonCanvas:
    """Draws frames of one recording as pictures of one size; static parts are drawn once."""

    def __init__(
        self,
        staged: Staged,
        video_width: int,
        video_height: int,
        fps: float,
        picture_height: int | None = None,
        alone: bool = False,
    ) -> None:
        """Prepare the panels.

        Args:
            staged: all people of the recording.
            video_width: of the recording in pixels.
            video_height: of the recording in pixels.
            fps: of the recording, for the clock.
            picture_height: of the picture in pixels; its width follows from the aspect ratio of the video. None chooses
                about as many pixels as 1280 x 720.
            alone: omit the panel of the video, and draw the 3D view with an aspect ratio of 16:9.
        """
        people = staged.people
        self._people, self._fps, self._placed = people, fps, staged.placed
        self._row_of = [{int(frame): row for row, frame in enumerate(person.frame)} for person in people]
        panel_share = float(np.clip(video_width / video_height, 0.55, 1.78))
        # A portrait video leaves room for a wide 3D view.
        share = 16 / 9 if alone else panel_share + max(1.2, 16 / 9 - panel_share)
        height = np.sqrt(DEFAULT_AREA_PX / share) if picture_height is None else picture_height
        self.height, self.width = round(height) // 2 * 2, round(height * share) // 2 * 2
        self.panel_width = 0 if alone else round(self.height * panel_share)
        self._scale = min(self.panel_width / video_width, self.height / video_height)
        self._unit = self.height / 720
        self.video_shown = max(2, round(video_width * self._scale)), max(2, round(video_height * self._scale))
        self._corner = (self.panel_width - self.video_shown[0]) // 2, (self.height - self.video_shown[1]) // 2
        floor = Floor.under(people)
        margin, top, bottom = 22 * self._unit, 56 * self._unit, 44 * self._unit
        self.view = SceneView(
            people, floor, (self.panel_width + margin, top, self.width - margin, self.height - bottom)
        )
        sides = bone_sides()
        self._bone_colours = rgba([_SIDE_COLOUR[side] for side in sides])
        self._picture_colours = rgba([_ON_PICTURE[side] for side in sides])
        self._thickness_m = np.full(len(sides), _BONE_M)
        self._thickness_m[_HEAD_BONE] = _HEAD_M
        self._brush = Brush(self.width, self.height)
        self._draw_still_life(floor)
        self._still_life = self._brush.pixels.copy()

    def draw(self, frame: int, video_picture: Picture | None = None, time_s: float | None = None) -> Picture:
        """Draw one frame.

        Args:
            frame: number of the frame in the recording.
            video_picture: that frame of the video in the size ``video_shown``; None draws on a dark background.
            time_s: time of that frame; None computes it from the frame rate.

        Returns:
            uint8 RGB [height, width, 3].
        """
        return self.paint(frame, video_picture, time_s)[..., :3].copy()

    def paint(
        self, frame: int, video_picture: Picture | None = None, time_s: float | None = None
    ) -> Shaped[np.ndarray, "height width 4"]:
        """``draw`` without a copy: RGB and an unused byte, overwritten by the next call."""
        pixels, brush = self._brush.pixels, self._brush
        width, height = self.video_shown
        x, y = self._corner
        covered = self.panel_width if video_picture is not None and x == y == 0 else 0
        pixels[:, covered:] = self._still_life[:, covered:]
        if video_picture is not None:
            assert video_picture.shape[:2] == (height, width), "the video picture has another size than video_shown"
            pixels[y : y + height, x : x + width, : video_picture.shape[2]] = video_picture
        present = [(p, rows[frame]) for p, rows in zip(self._people, self._row_of, strict=True) if frame in rows]
        if self.panel_width:
            brush.within(0, self.panel_width)
            self._draw_keypoints(present)
        brush.within(self.panel_width, self.width)
        self._draw_scene(present)
        time_s = frame / self._fps if time_s is None else time_s
        unit = self._unit
        brush.text(f"{time_s:.2f} s   frame {frame}", self.width - 20 * unit, 26 * unit, 15 * unit, _INK, align="right")
        return pixels

    def keypoints_to_picture(self, points_px: Float[np.ndarray, "*any 2"]) -> Float[np.ndarray, "*any 2"]:
        """Convert video pixels to pixels of the picture."""
        return points_px * self._scale + self._corner

    def _draw_still_life(self, floor: Floor) -> None:
        brush, unit, left = self._brush, self._unit, self.panel_width
        if left:
            brush.area(_rectangle(0, 0, left, self.height), _DARK)
        brush.area(_rectangle(left, 0, self.width, self.height), _PAPER)
        brush.within(left, self.width)
        brush.area(self.view.project(floor.corners_m)[:, :2], _FLOOR)
        grid = self.view.project(floor.lines_m)[..., :2]
        brush.strokes(grid, np.repeat(rgba([_GRID]), len(grid), axis=0), np.full(len(grid), 1.3 * unit))
        x, y = left + 20 * unit, 26 * unit
        for name, colour in (("right", RIGHT), ("left", LEFT)):
            brush.strokes(np.array([[[x, y], [x + 24 * unit, y]]]), rgba([colour]), np.array([6 * unit]))
            brush.text(name, x + 34 * unit, y, 15 * unit, _INK)
            x += 96 * unit
        cell = f"grid: {floor.cell_m:g} m"
        note = cell if self._placed else "poses only, side by side: positions in space are unknown"
        brush.text(note, self.width - 20 * unit, self.height - 18 * unit, 12 * unit, _FAINT, align="right")

    def _draw_keypoints(self, present: list[tuple[Person, int]]) -> None:
        strokes, tags = [], []
        for person, row in present:
            points = self.keypoints_to_picture(person.keypoints_px[row, :, :2].astype(np.float64))
            bones = np.stack([points[_PARENTS], points[_CHILDREN]], axis=1)
            seen = np.isfinite(bones).all((1, 2))
            joints = np.repeat(points[np.isfinite(points).all(-1)][:, None], 2, axis=1)
            strokes += [
                self._alike(bones[seen], (_DARK, 0.55), 5.5),
                (bones[seen], self._picture_colours[seen], np.full(seen.sum(), 3.2 * self._unit)),
                self._alike(joints, ("white", 1.0), 4.4),
            ]
            tags.append((person, points))
        self._draw(strokes)
        for person, points in tags:
            self._tag(person, points, 0, self.panel_width)

    def _draw_scene(self, present: list[tuple[Person, int]]) -> None:
        """Draw trails, shadows, plumb lines, and then all bones, the farthest first."""
        staged = [(p, row) for p, row in present if np.isfinite(p.world_m[row]).all(-1).any()]
        if not staged:
            return
        joints_m = np.stack([person.world_m[row] for person, row in staged])
        valid = np.stack([person.valid[row] for person, row in staged])
        points = self.view.project(joints_m)
        strokes = [self._shadows(joints_m)]
        if self._placed:
            strokes = [*(self._trail(person, row) for person, row in staged), *strokes, self._plumb_lines(joints_m)]
        self._draw([*strokes, self._bones(points, valid)])
        for (person, _), own in zip(staged, points, strict=True):
            self._tag(person, own[:, :2], self.panel_width, self.width)

    def _bones(
        self, points: Float[np.ndarray, "people joints 3"], valid: Bool[np.ndarray, "people joints"]
    ) -> _Strokes:
        people = len(points)
        bones = np.stack([points[:, _PARENTS], points[:, _CHILDREN]], axis=2).reshape(-1, 2, 3)
        sure = (valid[:, _PARENTS] & valid[:, _CHILDREN]).reshape(-1)
        distance = bones[..., 2].mean(1)
        low, high = np.array(_BONE_WIDTHS_PX) * self._unit
        thickness = np.tile(self._thickness_m, people) / _BONE_M
        widths = np.clip(_BONE_M * self.view.px_per_m(distance), low, high) * thickness
        colours = np.tile(self._bone_colours, (people, 1))
        colours[~sure, 3] = FAINT_OPACITY
        # Each bone has a rim in the colour of the background, which shows which bone is in front. The rim ends before
        # the joints, where it would cover the next bone.
        flat = bones[..., :2]
        rims = np.einsum("ij,bjk->bik", _INNER, flat)
        rim_colours = np.repeat(rgba([_PAPER], 0.9), len(flat), axis=0)
        rim_colours[~sure, 3] = 0.0
        order = np.argsort(-distance, kind="stable")
        segments, shades, breadths = (
            np.stack([rim[order], core[order]], axis=1).reshape(-1, *core.shape[1:])
            for rim, core in ((rims, flat), (rim_colours, colours), (widths + 2 * _RIM_PX * self._unit, widths))
        )
        return segments, shades, breadths

    def _shadows(self, joints_m: Float[np.ndarray, "people joints 3"]) -> _Strokes:
        """Vertical projections of the bones onto the floor."""
        below = self.view.project(joints_m * _ON_FLOOR)
        bones = np.stack([below[:, _PARENTS], below[:, _CHILDREN]], axis=2).reshape(-1, 2, 3)
        widths = _SHADOW_M * self.view.px_per_m(bones[..., 2].mean(1))
        return bones[..., :2], np.repeat(rgba([_SHADOW]), len(bones), axis=0), widths

    def _trail(self, person: Person, row: int) -> _Strokes:
        """Path of the root on the floor in the last seconds, fading."""
        since = max(0, row - round(_TRAIL_S * self._fps))
        rows = np.unique(np.linspace(since, row, _TRAIL_POINTS).round().astype(int))
        way = person.world_m[rows, H36M_17.root]
        way = self.view.project(way[np.isfinite(way).all(-1)] * _ON_FLOOR)[:, :2]
        steps = np.stack([way[:-1], way[1:]], axis=1)
        segments, colours, widths = self._alike(steps, (tag_colour(person.id), 1.0), 3.0)
        # Blended with the floor's colour instead of transparency, which would show where strokes overlap.
        age = np.linspace(0.1, 0.8, len(colours))[:, None]
        colours = age * colours + (1 - age) * rgba([_FLOOR])
        return segments, colours, widths

    def _plumb_lines(self, joints_m: Float[np.ndarray, "people joints 3"]) -> _Strokes:
        """Vertical lines from the roots of people in the air to the floor."""
        hips = joints_m[np.nanmin(joints_m[..., 2], axis=1) > _IN_THE_AIR_M, H36M_17.root]
        ends = self.view.project(np.stack([hips, hips * _ON_FLOOR], axis=1))[..., :2]
        return self._alike(ends, (_PLUMB, 1.0), 1.5)

    def _alike(self, segments: Float[np.ndarray, "strokes 2 2"], colour: tuple[str, float], width: float) -> _Strokes:
        """Strokes of one colour, opacity and width (at a picture height of 720)."""
        colours = np.repeat(rgba([colour[0]], colour[1]), len(segments), axis=0)
        return segments, colours, np.full(len(segments), width * self._unit)

    def _draw(self, strokes: list[_Strokes]) -> None:
        """Draw all strokes in order in one call, which is faster; strokes to missing joints (NaN) are skipped."""
        if strokes:
            segments, colours, widths = (np.concatenate(parts) for parts in zip(*strokes, strict=True))
            known = np.isfinite(segments).all((1, 2))
            self._brush.strokes(segments[known], colours[known], widths[known])

    def _tag(self, person: Person, points: Float[np.ndarray, "joints 2"], left: int, right: int) -> None:
        """Draw the id of a person above the highest joint, within the columns from ``left`` to ``right``."""
        seen = points[np.isfinite(points).all(-1)]
        if len(seen):
            x, y = seen[seen[:, 1].argmin()]
            size = 14 * self._unit
            x, y = np.clip(x, left + 2 * size, right - 2 * size), np.clip(y - 1.8 * size, size, self.height - size)
            self._brush.tag(f"p{person.id}", float(x), float(y), size, tag_colour(person.id))


def _rectangle(left: float, top: float, right: float, bottom: float) -> Float[np.ndarray, "4 2"]:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)

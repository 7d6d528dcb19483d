"""Handwritten digits for tests: strokes as a mouse leaves them, drawn by Pillow with different pens on different pages.

`DEVELOPMENT` is the set that the preparation of pictures was developed with, `HELD_OUT` a second one, in other forms,
sizes, places and pens. The tests ask about both.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

FINER = 4
"""Pictures are drawn this much larger and then shrunk, which makes the edges of strokes soft."""

Stroke = list[tuple[float, float]]


@dataclass(frozen=True)
class Drawing:
    """A digit on a page.

    Attributes:
        label: what it is.
        strokes: points (x, y) of each stroke, in units of the digit's height, y downwards.
        page: (width, height) in pixels.
        height: of the digit, in pixels.
        place: (x, y) of its upper left corner, in pixels.
        pen: width of the strokes, in pixels.
        ink, paper: shades from 0 to 255.
        slant: how far the top leans to the right, in units of the height.
    """

    label: int
    strokes: list[Stroke]
    page: tuple[int, int]
    height: float
    place: tuple[float, float]
    pen: float
    ink: int = 20
    paper: int = 255
    slant: float = 0.0

    def picture(self) -> Image.Image:
        """The page, as a grey Pillow image."""
        canvas = Image.new("L", (self.page[0] * FINER, self.page[1] * FINER), self.paper)
        pencil = ImageDraw.Draw(canvas)
        generator = np.random.default_rng(self.label)
        for stroke in self.strokes:
            points = self._on_page(smooth(stroke), generator)
            radius = self.pen * FINER / 2
            pencil.line([tuple(point) for point in points], self.ink, round(2 * radius), joint="curve")
            for x, y in points:
                pencil.ellipse((x - radius, y - radius, x + radius, y + radius), self.ink)
        return canvas.resize(self.page, Image.Resampling.BOX)

    def _on_page(self, points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Points of a stroke in pixels of the finer canvas, by a hand that trembles a little."""
        x, y = points.T
        tremor = np.cumsum(generator.normal(0, 0.002, points.shape), axis=0)
        slanted = np.stack([x + self.slant * (1 - y), y], axis=1) + tremor
        return (slanted * self.height + self.place) * FINER


def smooth(stroke: Stroke, rounds: int = 4) -> np.ndarray:
    """A stroke with its corners cut again and again (Chaikin's curve), its ends kept: (points, 2)."""
    points = np.array(stroke, float)
    for _ in range(rounds if len(points) > 2 else 0):
        early, late = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        cut = np.stack([early, late], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return points


DEVELOPMENT = [
    Drawing(0, [[(0.35, 0), (0.05, 0.15), (0, 0.6), (0.15, 0.98), (0.45, 0.98), (0.62, 0.5), (0.5, 0.05), (0.3, 0)]],
            (200, 200), 120, (60, 40), 12),
    Drawing(1, [[(0.05, 0.2), (0.25, 0), (0.25, 1)]], (120, 300), 180, (40, 60), 9),
    Drawing(2, [[(0.02, 0.25), (0.1, 0.02), (0.5, -0.02), (0.62, 0.3), (0.3, 0.65), (0, 0.98), (0, 1), (0.7, 0.97)]],
            (640, 480), 200, (350, 180), 10),
    Drawing(3, [[(0.05, 0.08), (0.35, -0.05), (0.65, 0.15), (0.45, 0.42), (0.2, 0.46), (0.5, 0.48), (0.72, 0.75),
                 (0.4, 1.05), (0, 0.9)]], (300, 300), 90, (30, 30), 5, 235, 10),
    Drawing(4, [[(0.35, 0), (0.2, 0.3), (0, 0.6), (0.75, 0.6)], [(0.55, 0.3), (0.5, 1)]],
            (250, 180), 110, (90, 30), 14, 60, 230),
    Drawing(5, [[(0.6, 0), (0.1, 0.02), (0.1, 0.03), (0.05, 0.4), (0.45, 0.35), (0.7, 0.65), (0.5, 1), (0, 0.95)]],
            (400, 400), 300, (80, 50), 6),
    Drawing(6, [[(0.5, 0), (0.15, 0.25), (-0.02, 0.7), (0.2, 1.03), (0.5, 0.95), (0.55, 0.65), (0.3, 0.5),
                 (0.05, 0.72)]], (64, 64), 44, (18, 10), 5),
    Drawing(7, [[(0, 0.03), (0.6, 0), (0.6, 0.02), (0.4, 0.45), (0.25, 1)]], (800, 600), 160, (80, 380), 11, 255, 40),
    Drawing(8, [[(0.5, 0.12), (0.3, -0.04), (0.05, 0.15), (0.2, 0.42), (0.5, 0.62), (0.5, 0.97), (0.2, 1.03),
                 (0.02, 0.8), (0.25, 0.5), (0.55, 0.3), (0.5, 0.1)]], (220, 260), 170, (60, 40), 16),
    Drawing(9, [[(0.55, 0.2), (0.35, -0.03), (0.05, 0.1), (0.05, 0.42), (0.35, 0.5), (0.55, 0.2), (0.55, 0.22),
                 (0.52, 1)]], (150, 150), 80, (30, 40), 4, 90, 245),
]  # fmt: skip

HELD_OUT = [
    Drawing(0, [[(0.5, 0.06), (0.25, -0.02), (0.02, 0.3), (0.05, 0.8), (0.35, 1.04), (0.68, 0.75), (0.66, 0.25),
                 (0.42, -0.02), (0.3, 0.06)]], (500, 350), 140, (300, 150), 7, 40, 250, 0.1),
    Drawing(1, [[(0.1, 0), (0.09, 0.5), (0.11, 1)]], (300, 200), 130, (130, 30), 10, 0, 255, 0.15),
    Drawing(2, [[(0, 0.2), (0.2, -0.04), (0.55, 0.05), (0.5, 0.42), (0.15, 0.85), (0.02, 1.02), (0.2, 0.82),
                 (0.4, 0.95), (0.7, 1)]], (180, 240), 130, (40, 70), 8, 230, 25),
    Drawing(3, [[(0, 0.02), (0.6, 0), (0.6, 0.02), (0.3, 0.38), (0.3, 0.4), (0.66, 0.5), (0.6, 0.95), (0.25, 1.04),
                 (-0.02, 0.85)]], (96, 96), 70, (24, 12), 6, 30, 240),
    Drawing(4, [[(0.08, 0), (0.04, 0.3), (0, 0.55), (0.02, 0.56), (0.6, 0.52)], [(0.55, 0.02), (0.52, 0.5),
                                                                                (0.5, 1)]],
            (1000, 700), 260, (620, 90), 18, 80, 220),
    Drawing(5, [[(0.12, 0.02), (0.07, 0.45), (0.07, 0.46), (0.35, 0.36), (0.62, 0.55), (0.6, 0.9), (0.3, 1.05),
                 (-0.02, 0.9)], [(0.1, 0.02), (0.6, 0)]], (240, 240), 100, (20, 110), 9),
    Drawing(6, [[(0.3, 0), (0.08, 0.35), (0, 0.75), (0.15, 1), (0.45, 1), (0.55, 0.75), (0.35, 0.55), (0.05, 0.65)]],
            (320, 640), 210, (100, 330), 22, 250, 0, 0.12),
    Drawing(7, [[(0, 0.08), (0.02, 0), (0.65, 0.02), (0.65, 0.04), (0.35, 0.5), (0.22, 1)], [(0.15, 0.5), (0.6, 0.46)]],
            (128, 160), 90, (30, 30), 5, 60, 255),
    Drawing(8, [[(0.58, 0.1), (0.3, -0.03), (0.04, 0.15), (0.15, 0.4), (0.45, 0.55), (0.6, 0.8), (0.35, 1.04),
                 (0.02, 0.85), (0.2, 0.58), (0.5, 0.35), (0.6, 0.08)]], (420, 300), 160, (40, 100), 10, 50, 200, 0.08),
    Drawing(9, [[(0.5, 0.15), (0.25, -0.03), (0, 0.2), (0.12, 0.48), (0.42, 0.4), (0.52, 0.12), (0.52, 0.15),
                 (0.54, 0.6), (0.4, 0.95), (0.05, 0.98)]], (260, 260), 190, (70, 30), 13, 235, 60),
]  # fmt: skip

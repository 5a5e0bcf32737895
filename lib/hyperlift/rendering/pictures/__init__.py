"""Pictures of people, attention and training: everything that is drawn with Matplotlib."""

from hyperlift.rendering.pictures.matplotlib_fonts import import_matplotlib

import_matplotlib()

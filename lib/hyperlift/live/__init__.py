"""Live 3D view of people in front of a camera, or in a video that is played in real time.

One thread captures pictures (``capture``), one detects, lifts and places people (``frame_pipeline``, ``placement``),
and a server on 127.0.0.1 sends every frame to the open pages (``events``, ``server``); ``session`` owns them all.
"""

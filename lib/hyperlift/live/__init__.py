"""From a camera, or a video as if it were one, to people in 3D on a page while they move.

A thread takes pictures (``capture``), a thread finds, lifts and places people (``follow``, ``placing``), and a server
on 127.0.0.1 hands every frame to the pages that are open (``events``, ``server``); ``session`` holds them together.
"""

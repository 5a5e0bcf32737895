"""From a video or a keypoint file to 3D people in metres: every stage in order, one recording or a folder of them."""

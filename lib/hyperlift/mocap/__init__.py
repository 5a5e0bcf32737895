"""Motion capture: readers of motion files, virtual cameras and detectors that turn motion into training clips."""

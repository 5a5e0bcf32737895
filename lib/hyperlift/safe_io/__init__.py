"""Generic file formats (JSON, YAML, npz, pickle, MATLAB) read without running code and within stated memory limits."""

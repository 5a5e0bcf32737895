"""Strict loading of YAML files into dataclasses."""

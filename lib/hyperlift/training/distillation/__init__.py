"""Distillation: a small lifter learns from a large one."""

"""Evaluation: protocols as data, error measures, reports."""

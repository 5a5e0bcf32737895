"""Scores: protocols as data, measures, reports."""

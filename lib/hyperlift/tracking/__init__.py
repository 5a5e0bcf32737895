"""Tracking of people: the tracker, repair of identity switches and left-right swaps, gaps."""

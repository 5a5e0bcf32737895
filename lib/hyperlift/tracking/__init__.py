"""Identities over time: one tracker, repair of exchanged identities and sides, gaps."""

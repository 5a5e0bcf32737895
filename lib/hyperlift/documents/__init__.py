"""Documents that users write or hand on, as plain values, within limits that are checked before memory is taken."""

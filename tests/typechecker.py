"""The checker that the tests put on every annotated function: beartype, with int accepted for float (PEP 484)."""

from beartype import BeartypeConf, beartype

typecheck = beartype(conf=BeartypeConf(is_pep484_tower=True))

import pytest

from hyperlift.errors import InputError
from hyperlift.evaluation.named_protocols import check_protocol_name, variants
from hyperlift.evaluation.protocol import HUMAN36M, MOCAP, MPI_INF_3DHP


def test_every_variant_once():
    found = [(p.slicing, bool(p.excluded), p.flip) for p in variants(HUMAN36M)]
    assert len(found) == len(set(found)) == 8
    assert {p.name for p in variants(HUMAN36M)} == {"Human3.6M"}
    # Without excluded sequences there are two variants less each way.
    assert len(variants(MOCAP)) == 4
    assert {p.correct_joints for p in variants(MPI_INF_3DHP)} == {MPI_INF_3DHP.correct_joints}


def test_unknown_names():
    with pytest.raises(InputError, match="unknown protocol 'h37m'; known: data, all, h36m, mocap, mpi_inf_3dhp"):
        check_protocol_name("h37m")

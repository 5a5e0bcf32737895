"""Pickles that no honest program writes, generated and constructed; none may do anything, nor end in another error."""

import io
import pickle
import pickletools
import re
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from plain_content import content, same

from hyperlift.errors import InputError
from hyperlift.readers import UnforeseenDamage
from hyperlift.safe_io.pickles import unpickle

FEW = settings(max_examples=60, deadline=None, derandomize=True)
CODES = {opcode.name: opcode.code.encode("latin1") for opcode in pickletools.opcodes}


def read(data: bytes):
    return unpickle(io.BytesIO(data), len(data), "data.pkl")


def refuse(data: bytes, *words: str) -> None:
    """Refused in one short line that names the instruction, and not by the net."""
    with pytest.raises(InputError) as caught:
        read(data)
    message = str(caught.value)
    assert not isinstance(caught.value, UnforeseenDamage)
    assert message.startswith("data.pkl: ")
    assert "\n" not in message
    assert len(message) < 600
    for word in words:
        assert word in message


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def tuple_of(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def bytes_of(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


NONE, FALSE, TRUE, EMPTY_TUPLE = b"N", b"\x89", b"\x88", b")"
PLAIN_STATE = (integer(3), text("<"), NONE, NONE, NONE, integer(-1), integer(-1), integer(0))


def dtype(spec: str, *state: bytes) -> bytes:
    made = name("numpy", "dtype") + tuple_of(text(spec), FALSE, TRUE) + b"R"
    return made + tuple_of(*state) + b"b" if state else made


F8 = dtype("f8", *PLAIN_STATE)
OBJECTS = dtype("O8", integer(3), text("|"), NONE, NONE, NONE, integer(-1), integer(-1), integer(63))


def array(data_type: bytes, shape: bytes, data: bytes, fortran: bytes = FALSE) -> bytes:
    empty = name("numpy", "ndarray") + tuple_of(integer(0)) + bytes_of(b"b")
    made = name("numpy._core.multiarray", "_reconstruct") + b"(" + empty + b"tR"
    return made + tuple_of(integer(1), shape, data_type, fortran, data) + b"b"


def scalar(data_type: bytes, data: bytes) -> bytes:
    return name("numpy._core.multiarray", "scalar") + tuple_of(data_type, data) + b"R"


def from_buffer(data_type: bytes, data: bytes, shape: bytes, *order: bytes) -> bytes:
    return name("numpy._core.numeric", "_frombuffer") + tuple_of(data, data_type, shape, *(order or [text("C")])) + b"R"


def test_the_pieces_of_these_tests_make_honest_pickles():
    data = bytes_of(np.arange(2.0).tobytes())
    np.testing.assert_array_equal(read(array(F8, tuple_of(integer(2)), data) + b"."), [0, 1])
    np.testing.assert_array_equal(read(from_buffer(F8, data, tuple_of(integer(2))) + b"."), [0, 1])
    assert read(scalar(F8, bytes_of(struct.pack("<d", 1.5))) + b".") == 1.5
    assert read(array(OBJECTS, tuple_of(integer(1)), b"]" + text("x") + b"a") + b".")[0] == "x"


HIDDEN = (
    *(integer(3), text("|"), NONE, tuple_of(text("a"))),
    *(b"}" + text("a") + tuple_of(OBJECTS, integer(0)) + b"s", integer(8), integer(1), integer(0)),
)
POINTER = bytes_of(struct.pack("<Q", 0xDEADBEEF))


@pytest.mark.parametrize("spec", ["V8", "f8", "S8", "O8", "u8"])
@pytest.mark.parametrize(
    "use",
    [
        lambda kind: from_buffer(kind, POINTER, tuple_of(integer(1))),
        lambda kind: scalar(kind, POINTER),
        lambda kind: array(kind, tuple_of(integer(1)), POINTER),
    ],
)
def test_no_structure_with_a_hidden_object_over_bytes_of_the_file(spec, use):
    refuse(use(dtype(spec, *HIDDEN)) + b".", "REDUCE" if spec == "V8" else "BUILD", "data type")


@pytest.mark.parametrize(
    "use",
    [
        lambda kind: from_buffer(kind, POINTER, tuple_of(integer(1))),
        lambda kind: scalar(kind, POINTER),
        lambda kind: array(kind, tuple_of(integer(1)), POINTER),
    ],
)
def test_no_objects_over_bytes_of_the_file(use):
    refuse(use(OBJECTS) + b".", "object")


def test_no_attribute_of_a_mapping_is_set():
    made = name("collections", "OrderedDict") + EMPTY_TUPLE + b"R"
    state = b"}" + text("__setstate__") + name("numpy", "ndarray") + b"s"
    refuse(made + state + b"b" + text("run") + b"b.", "BUILD")
    refuse(b"}" + state + b"b.", "BUILD")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, integer(4)),  # version 4 brings metadata
        (1, text("=")),
        (1, text("|")),
        (2, tuple_of(F8, tuple_of(integer(9)))),  # a sub-array
        (3, tuple_of(text("a"))),
        (4, b"}"),
        (5, integer(16)),  # another size
        (5, integer(-2)),
        (6, integer(3)),
        (7, integer(63)),
        (7, integer(1)),
        (7, b"G" + struct.pack(">d", float("nan"))),
    ],
)
@pytest.mark.parametrize("spec", ["f8", "U3"])
def test_no_forged_state_of_a_data_type(place, value, spec):
    parts = [*PLAIN_STATE] if spec == "f8" else [*PLAIN_STATE[:5], integer(12), integer(4), integer(8)]
    parts[place] = value
    refuse(dtype(spec, *parts) + b"0N.", "BUILD", "data type")


@pytest.mark.parametrize(
    "spec",
    ["V8", "M8", "m8[s]", "f8,O", "(2,)f8", "2f8", "f16", "O", "object", "", "f8 ", "U99999999", "S-1", "\u0660"],
)
def test_no_other_data_type(spec):
    made = name("numpy", "dtype") + tuple_of(b"X" + struct.pack("<I", len(spec.encode())) + spec.encode(), FALSE, TRUE)
    refuse(made + b"R.", "REDUCE", "data type")


EIGHT = bytes_of(bytes(8))


@pytest.mark.parametrize(
    "made",
    [
        array(F8, tuple_of(integer(2)), EIGHT),  # more elements than bytes
        array(F8, tuple_of(integer(-1)), EIGHT),
        array(F8, tuple_of(integer(-1), integer(-1)), EIGHT),
        array(F8, EMPTY_TUPLE, bytes_of(bytes(7))),
        array(F8, tuple_of(TRUE), EIGHT),
        array(F8, b"]", EIGHT),
        array(F8, tuple_of(*[b"\x8a\x08" + b"\xff" * 7 + b"\x7f"] * 3), EIGHT),  # a product beyond 64 bits
        array(F8, tuple_of(integer(0), integer(10**9)), bytes_of(b"")),  # no bytes bound the other axis
        array(F8, tuple_of(*[integer(1)] * 40), EIGHT),
        array(F8, tuple_of(integer(1)), b"]" + NONE + b"a"),
        array(F8, tuple_of(integer(1)), NONE),
        array(dtype("b1", integer(3), text("|"), *PLAIN_STATE[2:]), tuple_of(integer(8)), bytes_of(b"\x07" * 8)),
        array(
            dtype("U1", *PLAIN_STATE[:5], integer(4), integer(4), integer(8)),
            tuple_of(integer(1)),
            bytes_of(b"\xff" * 4),
        ),
        array(OBJECTS, tuple_of(integer(2)), b"]" + NONE + b"a"),
        array(OBJECTS, tuple_of(integer(1)), tuple_of(NONE)),
        from_buffer(F8, EIGHT, tuple_of(integer(1)), text("K")),
        from_buffer(F8, EIGHT, tuple_of(integer(1)), text("K"), tuple_of(integer(1))),
        from_buffer(F8, EIGHT, tuple_of(integer(1), integer(1)), text("K"), tuple_of(integer(0), integer(0))),
        from_buffer(F8, EIGHT, tuple_of(integer(1)), text("A")),
        from_buffer(dtype("f8"), EIGHT, tuple_of(integer(1))),  # a data type without a state
        dtype("f8", *PLAIN_STATE) + b"\x94" + tuple_of(*PLAIN_STATE) + b"b",  # and one with two
        F8,
        dtype("f8"),
        name("numpy", "ndarray"),
        name("numpy", "ndarray") + tuple_of(tuple_of(integer(10**9))) + b"R",
        name("numpy._core.multiarray", "_reconstruct")
        + tuple_of(name("numpy", "dtype"), tuple_of(integer(0)), EIGHT)
        + b"R",
    ],
)
def test_no_array_whose_pieces_do_not_fit(made):
    refuse(made + b".")


DANGEROUS = {
    "GLOBAL": [b"cposix\nsystem\n", b"cnumpy\nload\n", b"cbuiltins\ngetattr\n", b"cnumpy._core.multiarray\nfromfile\n"],
    "STACK_GLOBAL": [text("os") + text("system") + b"\x93", text("numpy") + text("ndarray.dump") + b"\x93", b"NN\x93"],
    "INST": [b"(iposix\nsystem\n", b"(icollections\nOrderedDict\n"],
    "OBJ": [b"(" + name("collections", "OrderedDict") + b"o"],
    "NEWOBJ": [name("numpy", "ndarray") + b")\x81"],
    "NEWOBJ_EX": [name("numpy", "ndarray") + b")}\x92"],
    "REDUCE": [b"N)R", name("numpy", "ndarray") + b")R", name("builtins", "set") + tuple_of(integer(1)) + b"R"],
    "BUILD": [b"]}b", b"NNb", b"}}b", name("collections", "OrderedDict") + b")R}b", name("numpy", "ndarray") + b"}b"],
    "EXT1": [b"\x82\x01"],
    "EXT2": [b"\x83\x01\x01"],
    "EXT4": [b"\x84\x01\x01\x01\x01"],
    "PERSID": [b"Pname\n"],
    "BINPERSID": [b"NQ"],
    "NEXT_BUFFER": [b"\x97"],
    "READONLY_BUFFER": [b"N\x98"],
    "DUP": [b"N2"],
    "POP": [b"N0"],
    "POP_MARK": [b"(N1"],
    "PROTO": [b"\x80\x06"],
}


PLAIN = re.findall(
    r"\w+",
    """
    PROTO FRAME MARK STOP NONE NEWTRUE NEWFALSE INT LONG BININT BININT1 BININT2 LONG1 LONG4 FLOAT BINFLOAT STRING
    BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8
    BYTEARRAY8 EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET TUPLE TUPLE1 TUPLE2 TUPLE3 LIST DICT FROZENSET APPEND
    APPENDS SETITEM SETITEMS ADDITEMS PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE
    BUILD
    """,
)


def test_no_other_instruction_exists():
    for code in set(range(256)) - {CODES[plain][0] for plain in PLAIN}:
        names = [opcode.name for opcode in pickletools.opcodes if ord(opcode.code) == code] or [f"0x{code:02x}"]
        refuse(b"\x80\x05]}NK\x01" + bytes([code]) + b"0" * 20 + b"\n\n.", names[0], "at byte 7")


def test_lengths_and_integers_beyond_reason():
    refuse(b"\x8b" + struct.pack("<i", -1) + b".", "LONG4")
    refuse(b"\x8b" + struct.pack("<i", 40) + bytes(40) + b".", "LONG4", "256 bits")
    refuse(b"\x8a\x21" + bytes(32) + b"\x01.", "LONG1", "257 bits")
    refuse(b"L" + b"9" * 5000 + b"L\n.", "LONG")
    refuse(b"I" + b"9" * 400 + b"\n.", "INT")
    refuse(b"I0x10\n.", "INT")
    refuse(b"Np" + b"9" * 30 + b"\n.", "PUT")
    refuse(b"\x8e" + struct.pack("<Q", 2**63) + b".", "BINBYTES8")
    refuse(b"\x96" + struct.pack("<Q", 2**40) + b".", "BYTEARRAY8")
    refuse(b"B" + struct.pack("<I", 2**31) + b"abc.", "BINBYTES")
    refuse(b"T" + struct.pack("<i", -1) + b".", "BINSTRING")
    refuse(b"\x95" + struct.pack("<Q", 2**40) + b"N.", "FRAME")
    refuse(b"X\x02\x00\x00\x00\xff\xfe.", "BINUNICODE")


def test_a_place_in_the_memo_that_no_memory_has():
    assert read(b"]Nr\x09\x00\x00\x00aj\x09\x00\x00\x00\x86.") == ([None], None)
    refuse(b"]Nr\xff\xff\xff\xffaj\xff\xff\xff\xff\x86.", "LONG_BINPUT", "memo")
    refuse(b"j\xff\xff\xff\xff.", "LONG_BINGET")


DEEP = 10**4


@pytest.mark.parametrize(
    "data",
    [
        b"]" * DEEP + b"a" * (DEEP - 1) + b".",
        b")" + b"\x85" * DEEP + b".",
        b"}" * DEEP + b".",
        b"(" * DEEP + b"l" * DEEP + b".",
        b"}" + b")" + b"\x85" * DEEP + b"Ns.",  # a key, whose hash would overflow the stack
        b"\x8f(" + b")" + b"\x85" * DEEP + b"\x90.",
        b"(" * DEEP + b".",
    ],
)
def test_depth_is_bounded(data):
    refuse(data)


@pytest.mark.parametrize(
    "data", [b"]\x94h\x00a.", b"]\x94h\x00\x85a.", b"}\x94" + text("a") + b"h\x00s.", b"]\x94}Nh\x00sa."]
)
def test_nothing_contains_itself(data):
    refuse(data, "contains itself")


def test_an_array_does_not_contain_itself():
    empty = name("numpy._core.multiarray", "_reconstruct") + b"(" + name("numpy", "ndarray")
    empty += tuple_of(integer(0)) + bytes_of(b"b") + b"tR\x94"
    refuse(empty + tuple_of(integer(1), tuple_of(integer(1)), OBJECTS, FALSE, b"]h\x00a") + b"b.", "without a state")


@pytest.mark.parametrize("leaf", [b"]" + text("x" * 99) + b"a", array(F8, tuple_of(integer(64)), bytes_of(bytes(512)))])
def test_shared_parts_stay_in_proportion_to_the_file(leaf):
    whole, levels = leaf + b"\x94", 40
    for level in range(levels):
        whole += b"](" + b"h" + bytes([level]) + b"h" + bytes([level]) + b"e\x94"
    # Pairs of what lies on the stack, until one value is left.
    refuse(whole + b"\x86" * levels + b".", "when copied out")


def test_keys_with_forged_hashes_do_not_take_quadratic_time():
    modulus = 2**61 - 1
    keys = b"".join(b"\x8a\x0b" + (modulus * k).to_bytes(11, "little", signed=True) + b"N" for k in range(1, 5000))
    refuse(b"}(" + keys + b"u.", "SETITEMS", "1,000 keys")
    assert len(read(b"}(" + b"".join(integer(k) + b"N" for k in range(5000)) + b"u.")) == 5000


def test_integers_that_are_sought_in_the_same_places_do_not_take_quadratic_time():
    """Python looks for an integer by its lowest bits first, then by five higher ones at a time."""
    size = 2**15
    low, shifts = np.arange(size), range(5, 60, 5)

    def last_place(keys: np.ndarray) -> np.ndarray:
        """Where Python looks once all bits of a key are used up; from there on all take the same way."""
        place = keys % size
        for shift in shifts:
            place = (5 * place + (keys >> shift)) % size
        return place

    lowest = np.zeros(size, np.int64)
    lowest[last_place(low)] = low
    high = np.arange(1, 20_000) * size
    keys = high + lowest[-last_place(high) % size]
    assert (last_place(keys) == 0).mean() > 0.5
    assert keys.max() < 2**60
    content = b"".join(b"\x8a\x08" + int(key).to_bytes(8, "little", signed=True) + b"N" for key in keys)
    refuse(b"}(" + content + b"u.", "SETITEMS", "1,000 keys")


ENCODED = b"X" + struct.pack("<I", 2**17) + b"a" * 2**17 + text("latin1") + b"\x86\x94"
STATE = tuple_of(integer(1), tuple_of(integer(2**17)), OBJECTS, FALSE, b"(" + b"N" * 2**17 + b"l") + b"\x94"
EMPTY = tuple_of(name("numpy", "ndarray"), tuple_of(integer(0)), bytes_of(b"b")) + b"\x94"


@pytest.mark.parametrize(
    ("first", "again", "words"),
    [
        (name("_codecs", "encode") + b"\x94" + ENCODED, b"h\x00h\x01R", "REDUCE"),
        (name("builtins", "set") + b"\x94(" + b"N" * 2**17 + b"l\x85\x94", b"h\x00h\x01R", "REDUCE"),
        (name("numpy._core.multiarray", "_reconstruct") + b"\x94" + EMPTY + STATE, b"h\x00h\x01Rh\x02b", "BUILD"),
    ],
)
def test_what_is_called_again_and_again_does_not_take_memory(first, again, words):
    refuse(first + b"(" + again * 1000 + b"t.", words, "given more than a file of this size")


def test_memory_goes_with_the_file():
    refuse(b"(" + b"\x8f" * 3000 + b"t.", "EMPTY_SET", "containers")


plain_keys = st.one_of(
    *(st.none(), st.booleans(), st.text(max_size=5), st.binary(max_size=5), st.integers(-(2**70), 2**70)),
    st.floats(allow_nan=False),
    st.tuples(st.integers(), st.text(max_size=3)),
    st.frozensets(st.integers(0, 9), max_size=3),
)
numbers = st.sampled_from(["b1", "i1", "<i2", ">i4", "<u8", "<f2", ">f4", "<f8", "<c8", ">c16", "S3", "<U2", ">U2"])
arrays = hnp.arrays(numbers, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)).flatmap(
    lambda a: st.sampled_from(
        [a, np.asfortranarray(a), a.T, a[::2] if a.ndim else a, np.moveaxis(a, 0, -1) if a.ndim else a]
    )
)
atoms = st.one_of(
    *(plain_keys, st.floats(), st.complex_numbers(), st.binary(max_size=300), st.text(max_size=300)),
    *(st.builds(bytearray, st.binary(max_size=9)), arrays),
    st.sampled_from(
        [np.float64(1.5), np.int32(-7), np.bool_(True), np.str_("ab"), np.str_(""), np.bytes_(b"q"), np.complex64(1j)]
    ),
)


def objects(values: list) -> np.ndarray:
    made = np.empty(len(values), object)
    for place, value in enumerate(values):
        made[place] = value
    return made


def wholes(parts):
    shared = parts.map(lambda part: [part, (part, part), {"again": part}])
    return st.one_of(
        *(st.lists(parts, max_size=4), st.lists(parts, max_size=4).map(tuple), shared),
        *(st.dictionaries(plain_keys, parts, max_size=4), st.sets(plain_keys, max_size=4)),
        *(
            st.lists(parts, max_size=4).map(objects),
            st.lists(parts, min_size=4, max_size=4).map(lambda v: objects(v).reshape(2, 2).T),
        ),
    )


values = st.recursive(atoms, wholes, max_leaves=8)


@pytest.mark.parametrize("protocol", range(6))
@FEW
@given(value=values)
def test_what_pickle_writes_is_read_as_it_was(protocol, value):
    for data in (pickle.dumps(value, protocol), pickletools.optimize(pickle.dumps(value, protocol))):
        assert same(value, read(data))


@pytest.mark.parametrize("opcode", DANGEROUS)
@FEW
@given(value=values, protocol=st.integers(0, 5), chosen=st.randoms(use_true_random=False))
def test_a_dangerous_instruction_is_refused_wherever_it_stands(opcode, value, protocol, chosen):
    data = pickle.dumps(value, protocol)
    boundaries = [place for _, _, place in pickletools.genops(data)]
    at, inserted = chosen.choice(boundaries), chosen.choice(DANGEROUS[opcode])
    data = data[:at] + inserted + data[at:]
    if protocol >= 4 and data[2:3] == CODES["FRAME"]:
        data = data[:3] + struct.pack("<Q", 0) + data[11:]
    refuse(data, opcode)


@settings(FEW, max_examples=25)
@given(value=values, protocol=st.integers(0, 5), chosen=st.randoms(use_true_random=False))
def test_mutations_are_refused_or_read(value, protocol, chosen):
    messages = []
    for whole in (pickle.dumps(value, protocol), pickle.dumps(content(), protocol)):
        for _ in range(20):
            data = bytearray(whole)
            for _ in range(chosen.choice([1, 1, 2, 4])):
                at = chosen.randrange(len(data))
                kind = chosen.randrange(4)
                if kind == 0:
                    data[at] = chosen.randrange(256)
                elif kind == 1:
                    data[at] ^= 1 << chosen.randrange(8)
                elif kind == 2:
                    del data[at : at + chosen.randrange(1, 9)]
                else:
                    data[at:at] = chosen.choice(list(CODES.values()))
                if not data:
                    break
            try:
                read(bytes(data))
            except InputError as refused:
                messages.append(str(refused))
    assert all("\n" not in message and len(message) < 600 for message in messages)

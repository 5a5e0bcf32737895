from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from hyperlift.config.loader import from_mapping, load_config, to_mapping
from hyperlift.errors import InputError
from hyperlift.mocap.mocap_clips import MocapStoreConfig
from hyperlift.models.hyperlifter.hypergraph import HypergraphConfig
from hyperlift.training.config import RunConfig

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 0.1
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    count: int = 1
    active: bool = True
    kind: Literal["a", "b"] = "a"
    limit: float | None = None
    inner: Inner = field(default_factory=Inner)
    names: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.count < 0:
            raise InputError(f"count is {self.count}; it must not be negative")


def load(tmp_path, text: str) -> Outer:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return load_config(path, Outer)


def test_values_arrive(tmp_path):
    outer = load(tmp_path, "name: x\nlimit: 3\ninner: {rate: 1, sizes: [1, 2]}\nkind: b")
    assert outer == Outer(name="x", limit=3.0, inner=Inner(rate=1.0, sizes=(1, 2)), kind="b")
    assert isinstance(outer.inner.rate, float)
    assert from_mapping(to_mapping(outer), Outer, "again") == outer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nnmae: y", r"run\.yaml: unknown key nmae; known: name"),
        ("count: 1", r"run\.yaml: missing key name"),
        ("name: x\ncount: two", r"run\.yaml: count: expected a whole number, got 'two'"),
        ("name: x\ncount: true", "expected a whole number, got True"),
        ("name: x\nactive: 1", "expected true or false, got 1"),
        ("name: x\ninner: {rate: 1e-4}", r"inner: rate: YAML reads 1e-4 as text; write 1\.0e-4"),
        ("name: x\ninner: 3", "inner: expected a section of keys, got 3"),
        ("name: x\ninner: {sizes: [1, a]}", r"sizes\[1\]: expected a whole number"),
        ("name: x\nkind: c", "'c' is not one of 'a', 'b'"),
        ("name: x\ncount: -1", r"run\.yaml: count is -1"),
        ("- name", "expected 'key: value' lines, found list"),
        ("name: [", "not valid YAML"),
        ("name: x\nname: y", r"run\.yaml: not valid YAML \(line 2: the key 'name' stands twice"),
        ("name: 2020-01-01\ncount: 2020-01-01", "count: expected a whole number, got '2020-01-01'"),
        ("name: x\nlimit: 1" + "0" * 400, "limit: expected a finite number, got an integer of"),
        ("name: x\nlimit: .inf", "limit: expected a finite number, got inf"),
        ("name: x\nlimit: " + "1" * 400 + "e5", "limit: YAML reads 1+… as text; write it with a point"),
        ("1: x", "the key 1 is no text"),
        ("\n".join(f"k{i}: 1" for i in range(1000)), "unknown key k0, k1, k2, k3, k4, k5, …; known: name"),
        ("name: x\nkind: [a]", r"\['a'\] is not one of"),
        ("name: x\ninner: {1: 2}", "inner: unknown key 1"),
        ("name: x\nnames: {2: 3}", "names: its key: expected text, got 2"),
    ],
)
def test_errors_name_file_and_key(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, text)


def test_half_a_character_is_refused_where_text_is_read():
    with pytest.raises(InputError, match=r"x: name: '\\ud800' has half a character"):
        from_mapping({"name": "\ud800"}, Outer, "x")


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_config(tmp_path / "none.yaml", Outer)


RUNS = sorted([*ROOT.glob("configs/pose3d/*.yaml"), *ROOT.glob("configs/wild/*.yaml")])


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_every_shipped_run_loads(path):
    run = load_config(path, RunConfig)
    assert path.stem.removeprefix("train_") == run.name


@pytest.mark.parametrize("path", sorted(ROOT.glob("hyper_config/**/*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_hypergraph_loads(path):
    load_config(path, HypergraphConfig)


@pytest.mark.parametrize("path", sorted(ROOT.glob("configs/data/*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_store_config_loads(path):
    load_config(path, MocapStoreConfig)


def test_changes_replace_and_add_keys(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("name: x\ninner: {rate: 0.5}\nlimit: 3\n")
    changes = ["inner.sizes=[1, 2]", "count=4", "limit=null", "names={a: 1}", "count=5", "kind=b", "active=false"]
    assert load_config(path, Outer, changes) == Outer(
        name="x", count=5, limit=None, names={"a": 1}, kind="b", active=False, inner=Inner(rate=0.5, sizes=(1, 2))
    )
    assert load_config(None, Inner, ["rate=2"]) == Inner(rate=2.0)
    assert load_config(path, Outer).count == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "inner.rat=1",
            r"run\.yaml with inner\.rat=1: inner: unknown key rat; known: rate, sizes; did you mean rate\?",
        ),
        ("cuont=1", r"unknown key cuont; known: name, .*; did you mean count\?"),
        ("count=many", r"run\.yaml with count=many: count: expected a whole number, got 'many'"),
        ("inner.rate=1e-4", r"inner: rate: YAML reads 1e-4 as text; write 1\.0e-4"),
        ("name.first=x", r"name\.first=x: name is 'x' and no section of keys"),
        ("count", r"'count' changes no key; write KEY=VALUE"),
        ("inner..rate=1", "changes no key"),
        ("count=[1", r"count=\[1: not valid YAML"),
    ],
)
def test_changes_that_do_not_fit(tmp_path, change, said):
    path = tmp_path / "run.yaml"
    path.write_text("name: x\n")
    with pytest.raises(InputError, match=said):
        load_config(path, Outer, [change])


def test_relative_paths_start_at_the_working_directory(tmp_path, monkeypatch):
    """The loader leaves them as they are written; docs/training.md says so."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "run.yaml").write_text(
        "name: x\ndata: {root: data/clips}\nmodel: {}\ntraining: {}\nloss: {}\n"
    )
    monkeypatch.chdir(tmp_path)
    assert load_config("configs/run.yaml", RunConfig).data.root == Path("data/clips")

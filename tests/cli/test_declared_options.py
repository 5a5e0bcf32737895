"""Options are declared once: parser, help, page and messages agree; every published spelling is accepted."""

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import pytest

from hyperlift.choices import DetectorName, KeypointFormat, NodeNaming, SkeletonName
from hyperlift.cli.arguments import read_arguments, to_arguments
from hyperlift.cli.lifting_commands import Lift, Live
from hyperlift.cli.main import COMMANDS, options_of
from hyperlift.cli.main import run as hyperlift
from hyperlift.cli.training_commands import Configuration, Distill, Evaluate, Train, TrainWild
from hyperlift.config.option import Nested, Option, option_fields, with_flags
from hyperlift.errors import InputError
from hyperlift.pipeline.options import LiftOptions

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import write_commands_page  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: Annotated[float, Option("of it", flag="--how-large")] = 1.0
    unasked: int = 3


@dataclass(frozen=True, kw_only=True)
class Outer:
    """Do it.

    More of it.
    """

    source: Annotated[Path, Option("from", positional=True)]
    inner: Annotated[Inner, Nested(defaults={"size": 2.0})]
    names: Annotated[tuple[str, ...], Option("of it")] = ()
    numbers: Annotated[tuple[int, ...], Option("of it", multiple=True)] = ()
    kinds: Annotated[tuple[str, ...], Option("of it", switches={"b": "b", "a": "a"})] = ("c",)
    quick: Annotated[bool, Option("it is")] = True
    kind: Annotated[Literal["one", "two"], Option("of it")] = "one"


def test_a_dataclass_from_a_command_line():
    given = ["x", "--how_large", "3", "--names", "a", "--names", "b", "--numbers", "1", "2", "--a", "--b", "--no-quick"]
    assert read_arguments(Outer, given) == Outer(
        source=Path("x"), inner=Inner(size=3.0), names=("a", "b"), numbers=(1, 2), kinds=("c", "b", "a"), quick=False
    )
    assert read_arguments(Outer, ["x"]) == Outer(source=Path("x"), inner=Inner(size=2.0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "the following arguments are required: SOURCE (see --help)"),
        (["x", "--how-large", "much"], "--how-large is 'much'; expected a number (see --help)"),
        (["x", "--numbers", "1", "2.5"], "--numbers is '2.5'; expected a whole number (see --help)"),
        (["x", "--kind", "tow"], "--kind is 'tow'; choose from one, two; did you mean two? (see --help)"),
        (["x", "--how_lrage", "3"], "unrecognized arguments: --how-lrage 3; did you mean --how-large? (see --help)"),
    ],
)
def test_mistakes(given: list[str], said: str):
    with pytest.raises(InputError) as refused:
        read_arguments(Outer, given)
    assert str(refused.value) == said


def test_messages_of_the_library_name_fields_and_those_of_a_command_its_flags():
    message = "`size` is 0; give `numbers`, `quick=False` or `a`; `unasked` and size stay"
    assert with_flags(message, Outer) == "--how-large is 0; give --numbers, --no-quick or `a`; `unasked` and size stay"
    assert with_flags("give `picture_size` and `fps`", Lift) == "give --video-size and --fps"
    assert with_flags("`limits` hold with `bodies`", Lift) == "--limits hold with --bvh, --glb, --trc, --c3d"


def test_the_command_line_of_options_gives_them_back():
    train = Train(
        network=Configuration(config=Path("a b.yaml"), changes=("model.depth=4", "training.lr=1.0e-3")),
        checkpoint=Path("run"),
        pretrained=(Path("a"), Path("b")),
        seed=7,
        log=("wandb",),
        preload=True,
        progress=False,
    )
    assert read_arguments(Train, to_arguments(train)) == train
    distill = Distill(train=train, distill_cfg=Path("d.yaml"))
    assert read_arguments(Distill, to_arguments(distill)) == distill


def test_every_option_says_what_it_does_and_has_one_kebab_case_spelling():
    for command in COMMANDS:
        flags = [
            one.flag for one in option_fields(options_of(command)) if not (one.option.positional or one.option.switches)
        ]
        assert len(set(flags)) == len(flags), command
        assert all(re.fullmatch(r"--[a-z0-9]+(-[a-z0-9]+)*", flag) for flag in flags), command
        assert all(one.option.help for one in option_fields(options_of(command)))


def test_the_page_of_commands_is_up_to_date():
    assert write_commands_page.PAGE.read_text() == write_commands_page.page(), "run tools/write_commands_page.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_lists_every_option(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        hyperlift(command, ["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for one in option_fields(options_of(command)):
        assert all(name in said for name in one.spellings if not (one.option.positional or one.option.switches))


def test_names_to_choose_from_are_those_that_exist():
    from hyperlift.detection.registry import DETECTORS
    from hyperlift.evaluation.named_protocols import ALL, OF_THE_DATA, PROTOCOLS
    from hyperlift.keypoints.formats.registry import FORMATS
    from hyperlift.motion.formats.node_tree import NAMINGS
    from hyperlift.pipeline.lifter import LOOK_AHEAD
    from hyperlift.skeletons.joint_sets import SKELETONS

    told = {one.name: one for kind in (Evaluate, Live) for one in option_fields(kind)}
    assert all(name in told["protocol"].help for name in (*PROTOCOLS, OF_THE_DATA, ALL))
    assert told["protocol"].default == OF_THE_DATA
    assert f"default: {LOOK_AHEAD}," in told["look_ahead"].help
    assert get_args(DetectorName) == DETECTORS
    assert get_args(KeypointFormat) == tuple(FORMATS)
    assert get_args(SkeletonName) == tuple(SKELETONS)
    assert get_args(NodeNaming) == NAMINGS


HYPER = "--hyper_cfg hyper_config/method2/manual_joint_label1.yaml --hyper_relation_bias uniform --version 2"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("convert-h36m", ""),
        ("train", f"--config c.yaml --checkpoint run {HYPER} -r run/last.safetensors"),
        ("distill", f"--config c.yaml --checkpoint run {HYPER} --distill_cfg distill_config/distillation_config.yaml"),
        ("evaluate", f"--config c.yaml --checkpoint run {HYPER} --evaluate CHECKPOINT"),
        ("attention", f"--config c.yaml {HYPER} --evaluate CHECKPOINT"),
        ("export", f"--config c.yaml --checkpoint run {HYPER} --evaluate CHECKPOINT --deployment OUT.onnx"),
        ("export", "--evaluate C --deployment o.onnx --int8 --video_size 3x4 --keep_fp32 none --max_int8_error_mm 2"),
        ("evaluate", "--onnx a.onnx --bench b.npz --leave_out Head --all-sequences --no-flip --save p.npz"),
        ("convert-mocap", "--procedural 4 --out o --n_frames 27 --view_frames 0 --val_subjects A --test_subjects B"),
        ("convert-mocap", "--asfamc d --out o --amc_fps 60 --trials_csv t.csv"),
        ("convert-mocap", "--bvh d --out o --bvh_unit cm --bvh_up z"),
        ("convert-mpi-inf-3dhp", "--dt_root d --train_file a --test_file b --fps 25 --test_fps 50 --test_stride 1"),
        ("convert-h36m", "--dt_root d --dt_file f --tds 1 --format pkl --slicing complete"),
        ("train-wild", "c.yaml --arrays a b --data_config r.yaml --distill_cfg d.yaml --processes 2 --no-progress"),
        ("fit-detector-noise", "a.json b.json --fps 25 30"),
        ("lift", "v.mp4 --out o --video-size 3x4 --no-render --render --onnx l.onnx --person p1 --person 2"),
        ("live", "--source 0 --camera-size 640x480 --no-open --no-picture --look-ahead 2"),
    ],
)
def test_published_command_lines_are_read(command: str, line: str):
    words = shlex.split(line)
    options = read_arguments(options_of(command), words)
    kebab = [word.replace("_", "-") if word.startswith("--") else word for word in words]
    assert read_arguments(options_of(command), kebab) == options


def test_published_options_have_their_meaning():
    line = f"--config c.yaml {HYPER} --evaluate W --protocol all"
    given = read_arguments(Evaluate, line.split())
    assert given == Evaluate(
        network=Configuration(
            config=Path("c.yaml"),
            hyper_cfg=Path("hyper_config/method2/manual_joint_label1.yaml"),
            hyper_relation_bias="uniform",
        ),
        weights=Path("W"),
        protocol="all",
    )
    lift = read_arguments(
        Lift,
        [
            "v.mp4",
            "--out",
            "o",
            "--height",
            "1.8",
            "--fov",
            "70",
            "--csv",
            "--glb",
            "--bvh",
            "--person",
            "p1",
            "--no-flip",
        ],
    )
    assert (lift.source, lift.out, lift.job.formats, lift.job.bodies) == (
        *(Path("v.mp4"), Path("o"), ("npz", "csv")),
        ("bvh", "glb"),
    )
    assert lift.job.options == LiftOptions(height_m=1.8, fov_deg=70.0, people=(1,), flip=False)
    assert read_arguments(Live, []).lift == LiftOptions(detector="movenet-fast")
    with pytest.raises(InputError, match="`detector` is none"):
        read_arguments(Live, ["--detector", "none"])
    wild = read_arguments(TrainWild, ["c.yaml", "--set", "training.epochs=2", "recipe.views=3", "--seed", "4"])
    assert (wild.changes, wild.seed) == (("training.epochs=2", "recipe.views=3"), 4)


def test_python_m_is_the_console_command():
    done = subprocess.run([sys.executable, "-m", "hyperlift", "lift", "--heigth"], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("hyperlift lift: error: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_no_large_package(command: str):
    code = (
        "import sys\nfrom hyperlift.cli.main import main\n"
        f"try:\n    main([{command!r}, '--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'numpy', 'scipy', 'yaml', 'av', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("script", write_commands_page.SCRIPTS.values())
def test_scripts_are_thin_callers(script: str):
    assert len((ROOT / script).read_text().splitlines()) < 8

"""Where the package opens files: every such place is in a registered reader, or in a list with a reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import hyperlift

ROOT = Path(hyperlift.__file__).parent
_CALLS = {
    *("np.load", "np.memmap", "np.fromfile", "np.loadtxt", "np.genfromtxt", "json.load", "json.loads", "yaml.load"),
    *(
        "yaml.safe_load",
        "av.open",
        "ZipFile",
        "zipfile.ZipFile",
        "h5py.File",
        "loadmat",
        "scipy.io.loadmat",
        "pickle.load",
    ),
    *(
        "pickle.loads",
        "torch.load",
        "safe_open",
        "load_file",
        "onnx.load",
        "onnxruntime.InferenceSession",
        "csv.reader",
    ),
    *("csv.DictReader", "Image.open", "os.open", "open", "open_session", "open_npz", "parse_json", "parse_yaml"),
    *("read_json", "read_yaml", "read_text"),
}
HELPERS = (
    *("safe_io.text.read_text", "safe_io.json_text.parse_json", "safe_io.json_text.read_json"),
    *("safe_io.yaml_text.parse_yaml", "safe_io.yaml_text.read_yaml", "mocap.text_lines.TextLines.of_file"),
    *(
        "safe_io.npz.Npz.read",
        "safe_io.npz._archive",
        "safe_io.npz._opened",
        "models.torch_files._check_container",
    ),
    *("models.torch_files.load_weights_only", "contract.from_json", "runtime.session.open_session"),
)
"""What registered readers are made of: they raise InputError, or exceptions that the caller's net catches."""
WITHIN_READERS = (
    *("safe_io.matlab._read_mat5", "mocap.arrays._read_index", "datasets.clip_store._read_videos"),
    *("detection.journal._unpacked", "export.calibration._from_npz", "models.checkpoint._section"),
    *("placement.lens._values_of", "video.completeness.file_extent", "video.pyav.open_video"),
    *(
        "keypoints.formats.arrays._load",
        "keypoints.formats.json_stream._opened",
        "keypoints.formats.json_stream.parse_json",
    ),
    *(
        "keypoints.formats.source.Source.arrays",
        "keypoints.formats.source.Source.json",
        "keypoints.formats.source.Source.kind",
    ),
    *("keypoints.formats.tables.Rows.__iter__", "keypoints.formats.ultralytics._Texts.__iter__"),
    *(
        "keypoints.formats.ultralytics._lines",
        "keypoints.formats.ultralytics._read_table",
        "runtime.loading._opened",
        "motion.formats.poses_npz._of_valid_text",
    ),
)
"""Called by registered readers of the same package alone."""
NOT_OF_THE_USER = {
    "motion.formats.c3d.write_c3d": "reads back what it has just written",
    "cli.app.run_work": "opens the null device for a closed pipe",
    "config.loader._change": "a value of the command line; parse_yaml refuses what is no YAML",
    "cli.model_card._notes": "text that is copied into the card as it stands; read_text refuses what is none",
    "mocap.recording_store.RecordingStore.__getitem__": "a temporary file of the same process",
    "detection.journal._restored": "compares the first bytes; the reader is read_journal",
    "detection.journal._writable": "opens the journal for writing",
    "detection.movenet_networks._open": "networks of the package",
    "training.distillation.teacher.load_teacher": "hashes the bytes of a file that a registered reader has read",
    "export.int8._calibrate": "a network that was made in memory",
    "export.int8._lifted": "a network that was made in memory",
    "export.int8.multiplications": "a network that a registered reader has read",
    "export.int8_report._Lifted.__init__": "open_session refuses what cannot be run",
    "files.atomic.atomic_file": "opens folders to bring them to the disk",
    "files.atomic.sync": "opens files to bring them to the disk",
    "live.owner.owner_of": "tables of the kernel",
    "live.source.Camera.__init__": "a device, not a file",
    "files.locks._opened": "opens the lock for writing",
    "files.locks._read": "a lock of ours; damaged, it is a lock of an unknown process",
    "models.checkpoint._in_order": "a file that was made in memory",
    "pipeline.folder_jobs._in_own_process": "what a process of ours sends",
    "pipeline.folder_jobs._lists_jobs": "a list of ours; damaged, it is somebody else's",
    "pipeline.inputs.options_by_content": "text that was made in memory",
    "pipeline.inputs.weights_hash": "hashes bytes",
    "files.processes._content": "the system's list of processes",
    "runtime.session.OnnxLifter.__init__": "open_session refuses what cannot be run",
    "runtime.session.OnnxLifter._single_threaded": "a network that has been opened before",
    "files.swap._plan": "a plan of ours; damaged, it is refused",
    "files.swap.file_hash": "hashes bytes",
    "training.sinks.JsonLines.write": "a log of ours; a damaged line counts as later than all",
    "training.sinks._epoch": "a log of ours; a damaged line counts as later than all",
    "rendering.page.page_video.page_video": "bytes that are put into a page as they are",
    "rendering.page.write_page.page_text.asset": "files of the package",
    "rendering.pictures.matplotlib_fonts._write_empty_list": "the source of an installed package",
    "rendering.pictures.attention_page._picture": "a picture that was written by the same command",
}
_METHODS = {"read_text", "read_bytes", "open"}


def openings() -> Iterator[str]:
    """``module.function: call`` for every call that opens or parses a file, outside of registered readers."""
    for path in sorted(ROOT.rglob("*.py")):
        module = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        yield from _in(ast.parse(path.read_text(encoding="utf-8")), module)


def _in(node: ast.AST, where: str) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        if any(isinstance(d, ast.Call) and _dotted(d.func) == "reader" for d in node.decorator_list):
            return
        where = f"{where}.{node.name}"
    if isinstance(node, ast.Call) and not _writes(node):
        name = _dotted(node.func)
        if name in _CALLS or name.rpartition(".")[2] in _METHODS:
            yield where
    for child in ast.iter_child_nodes(node):
        yield from _in(child, where)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}".removeprefix(".")
    return node.id if isinstance(node, ast.Name) else ""


def _writes(call: ast.Call) -> bool:
    return any(
        isinstance(a, ast.Constant) and isinstance(a.value, str) and set(a.value) <= set("wabx+") and a.value
        for a in call.args
    )

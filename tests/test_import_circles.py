"""No module of the package needs itself, not even through an import inside a function."""

from graphlib import TopologicalSorter

import grimp


def test_no_module_imports_itself_by_a_detour():
    graph = grimp.build_graph("hyperlift", exclude_type_checking_imports=True, cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert imported["hyperlift.runtime.stream"] >= {"hyperlift.runtime.session"}
    TopologicalSorter(imported).prepare()  # raises CycleError, which names the modules of a circle

"""Turn MPI-INF-3DHP's files into a clip store; see --help."""

from hyperlift.cli.main import run

if __name__ == "__main__":
    raise SystemExit(run("convert-mpi-inf-3dhp"))

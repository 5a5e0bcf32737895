"""Turn MPI-INF-3DHP's files into a clip store; see --help."""

from hyperlift.cli.convert_mpi_inf_3dhp import main

if __name__ == "__main__":
    raise SystemExit(main())

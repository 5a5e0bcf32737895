"""For tests that send Ctrl-C to a process of their own."""

import signal


def hear_ctrl_c() -> None:
    """``preexec_fn`` of a child: a test run that was started in the background passes on that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

"""The one error class for what a user can mend."""


class InputError(ValueError):
    """Something that came from outside does not fit.

    The message says what came, what was expected and what to do. Command-line tools print it as one line and
    exit with 2; every other exception is a defect of ours and keeps its traceback.
    """

"""Errors that a person can mend.

Each message names the file or field, what was got and what was wanted. Expected outcomes (a gate
that failed, drift that was found) are return values and do not belong here.
"""


class DriftlineError(Exception):
    """Base of every error whose message is meant for the person at the keyboard."""


class ProblemError(DriftlineError):
    """A problem file or its suite of expectations is wrong."""


class SettingsError(DriftlineError):
    """A setting from the environment cannot be used."""


class SourceError(DriftlineError):
    """A source of rows cannot be read."""


class DataError(DriftlineError):
    """The rows were read, but cannot be used."""


class ValidationFailedError(DataError):
    """A critical expectation failed, or too many rows had to be set aside."""


class LostModelError(DataError):
    """A registered model's files are gone, damaged, or not those that were promoted."""

    def __init__(self, why: str, problem: str) -> None:
        """Say what is wrong, and the ways out of it."""
        super().__init__(
            f"{why}; bring MLflow's store back as it was, go back to the champion before "
            f"(python -m flows.rollback {problem}), or train anew (python -m flows.train {problem})"
        )
        self.why = why


class LostJournalError(DataError):
    """The database has no row of a journal that is known to have some."""

    def __init__(self, problem: str, *, database: str, head: str, anchors: str) -> None:
        """Say what was there (`head`, and where rows are known from), and the ways out."""
        super().__init__(
            f"{database}: has no journal of {problem}, whose newest row is known ({head}), so it "
            "was emptied or replaced, and the predictions and labels in it are gone; bring it back "
            "from a copy, or go on without them, with the journal alone (python -m flows.journal "
            f"{problem} --restore); where all is to begin anew, move {anchors} away"
        )


class PackagingError(DriftlineError):
    """A bento, an image or an archive could not be built."""


class NotFoundError(DriftlineError):
    """Something that was asked for by name (a champion, a snapshot, a bento) does not exist."""


class UnavailableError(DriftlineError, ConnectionError):
    """A system that is needed did not answer; trying again later may help."""

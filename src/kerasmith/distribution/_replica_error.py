"""What goes wrong between the processes of one training."""


class ReplicaError(RuntimeError):
    """Another process of this training has failed, ended or does something else (since 0.2).

    The message names the process by its rank, its place (epoch and step) and the cause.
    """


class SetupError(ValueError):
    """The processes cannot train together as they were started or called (since 0.2)."""

"""How often to try what may come to nothing."""


class Patience:
    """The more tries in a row came to nothing, the fewer chances are taken: one in two to the power of `most`, at last."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.in_vain = 0
        self.pause = 0  # how many chances to let pass before the next try

    def asks(self) -> bool:
        """Whether to take this chance. It counts as one in vain until it is `rewarded`."""
        if self.pause:
            self.pause -= 1
            return False
        self.pause = (1 << self.in_vain) - 1
        self.in_vain = min(self.in_vain + 1, self.most)
        return True

    def rewarded(self) -> None:
        self.in_vain = self.pause = 0

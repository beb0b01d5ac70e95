"""How an interrupt (Ctrl-C) waits until a step is whole."""

import signal
from _signal import getsignal as get_handler  # those of signal make names of numbers: ten times as long as the call
from _signal import signal as set_handler

INTERRUPT = int(signal.SIGINT)

_noted = []  # the interrupts of the step that runs: only the main thread gets any


def _note(*interrupt):
    _noted.append(interrupt)


class whole_step:
    """Put off an interrupt until the end of the block; steps within it, and those of other threads, add nothing.

    Examples
    --------
    >>> done = []
    >>> before = signal.signal(signal.SIGINT, signal.default_int_handler)
    >>> try:
    ...     with whole_step():
    ...         signal.raise_signal(signal.SIGINT)
    ...         done.append("the rest of the step")
    ... except KeyboardInterrupt:
    ...     done.append("then the interrupt")
    >>> done
    ['the rest of the step', 'then the interrupt']
    >>> _ = signal.signal(signal.SIGINT, before)
    """

    __slots__ = ("handler",)

    def __enter__(self):
        handler = get_handler(INTERRUPT)
        self.handler = handler if callable(handler) and handler is not _note else None
        if self.handler is not None:
            try:
                set_handler(INTERRUPT, _note)
            except ValueError:  # in another thread
                self.handler = None

    def __exit__(self, *failure):
        if self.handler is not None:
            set_handler(INTERRUPT, self.handler)
            if _noted:
                interrupt = _noted[0]
                _noted.clear()
                self.handler(*interrupt)
